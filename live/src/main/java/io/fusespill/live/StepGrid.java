package io.fusespill.live;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.host.exec.DeviceBench.Part;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/// The steps that a device is measured by: decodes of a batch at a context, prompts alone, chunks
/// that begin late, prompts and such chunks beside decodes, and mixtures that are drawn.
///
/// Contexts of a batch are spread by half to either side, as those of a run are, and prompts and
/// the decodes beside them by a quarter: products are computed in tiles of rows, and where all
/// sizes were round ones they would all fill their tiles, or, with a few decodes, all begin
/// another. All are in an order by chance, so that prompts, which heat a device until its clock
/// falls, hardly ever follow one another. Prompts are cut to the limits; what would still not fit
/// them or the device's memory is left out.
public final class StepGrid {

  /// What steps must fit into.
  ///
  /// @param sequences in a step at most
  /// @param stepTokens that a step computes at most
  /// @param tokens of a sequence at most
  /// @param blocks of the device's pool
  public record Bounds(int sequences, int stepTokens, int tokens, int blockTokens, int blocks) {

    /// Those of the first device of a configuration.
    public static Bounds of(EngineConfig config) {
      return new Bounds(
          config.limits().maxNumSeqs(),
          config.limits().maxNumBatchedTokens(),
          config.limits().maxModelTokens(),
          config.kv().blockTokens(),
          config.topology().place(0).blocks());
    }

    private int blocks(int tokens) {
      return (tokens + blockTokens - 1) / blockTokens;
    }
  }

  /// How fine a grid is.
  public enum Fineness {
    QUICK(
        new int[] {1, 2, 4, 8, 16, 32, 64, 128, 256},
        new int[] {64, 512, 2048},
        new int[] {16, 64, 256, 512, 1024, 2048},
        new int[] {512},
        new int[] {4, 64, 512},
        new int[] {1, 32},
        20),
    FULL(
        new int[] {
          1, 2, 3, 4, 6, 8, 9, 12, 16, 17, 20, 24, 28, 32, 33, 40, 48, 49, 56, 64, 65, 80, 96, 97,
          112, 128, 129, 160, 192, 193, 224, 256
        },
        new int[] {32, 128, 256, 512, 1024, 2048, 4096},
        new int[] {
          16, 24, 32, 33, 48, 64, 65, 96, 128, 160, 192, 256, 320, 384, 448, 512, 640, 768, 1024,
          1280, 1536, 1792, 2048, 4096, 8192
        },
        new int[] {256, 512, 1024, 2048},
        new int[] {4, 16, 32, 48, 64, 88, 128, 256, 512, 1024, 2048},
        new int[] {1, 8, 20, 32, 48, 64, 128},
        80);

    final int[] batches;
    final int[] contexts;
    final int[] prompts;
    final int[] starts;
    final int[] besides;
    final int[] decodes;
    final int drawn;

    Fineness(
        int[] batches,
        int[] contexts,
        int[] prompts,
        int[] starts,
        int[] besides,
        int[] decodes,
        int drawn) {
      this.batches = batches;
      this.contexts = contexts;
      this.prompts = prompts;
      this.starts = starts;
      this.besides = besides;
      this.decodes = decodes;
      this.drawn = drawn;
    }
  }

  /// Tokens by which sequences may grow while their step is repeated.
  static final int ROOM = 16;

  /// Contexts of decodes beside prompts, in turn over batches, sizes and beginnings: with one alone
  /// nothing would tell what a decode costs there from what a token of its context does.
  private static final int[] BESIDE_CONTEXTS = {384, 1024, 128};

  /// Prompts of a step that has several, of these many tokens each at least.
  private static final int[] SHARED = {4, 16};

  private static final int SHARED_TOKENS = 16;

  /// Sizes below this are as they are.
  private static final int SPREAD_MIN = 16;

  private final Bounds bounds;
  private final Fineness fineness;
  private final SplittableRandom random;
  private final List<List<Part>> points = new ArrayList<>();

  private StepGrid(Bounds bounds, Fineness fineness, long seed) {
    this.bounds = bounds;
    this.fineness = fineness;
    random = new SplittableRandom(seed);
  }

  /// The steps within some bounds.
  public static List<List<Part>> of(Bounds bounds, Fineness fineness, long seed) {
    StepGrid grid = new StepGrid(bounds, fineness, seed);
    grid.decodes();
    grid.prompts();
    grid.chunks();
    grid.mixed();
    grid.drawn();
    Collections.shuffle(grid.points, new Random(grid.random.nextLong()));
    return List.copyOf(grid.points);
  }

  private void decodes() {
    for (int batch : fineness.batches) {
      for (int context : fineness.contexts) {
        add(decodes(batch, context));
      }
    }
  }

  private List<Part> decodes(int batch, int context) {
    int longest = Math.max(1, bounds.tokens() - ROOM - 1);
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < batch; i++) {
      int spread = batch == 1 ? context : context / 2 + random.nextInt(context + 1);
      parts.add(new Part(Math.clamp(spread, 1, longest), 1));
    }
    return parts;
  }

  private void prompts() {
    for (int size : fineness.prompts) {
      int tokens = near(size, longest(0));
      add(List.of(new Part(0, tokens)));
      for (int prompts : SHARED) {
        if (tokens >= prompts * SHARED_TOKENS) {
          add(Collections.nCopies(prompts, new Part(0, tokens / prompts)));
        }
      }
    }
  }

  private void chunks() {
    for (int start : fineness.starts) {
      for (int tokens : fineness.besides) {
        if (longest(start) > 0) {
          add(List.of(new Part(start, near(tokens, longest(start)))));
        }
      }
    }
  }

  private void mixed() {
    for (int batch = 0; batch < fineness.decodes.length; batch++) {
      for (int size = 0; size < fineness.besides.length; size++) {
        mixed(fineness.decodes[batch], 0, fineness.besides[size], batch + size);
        for (int start = 0; start < fineness.starts.length; start += 2) {
          mixed(
              fineness.decodes[batch],
              fineness.starts[start],
              fineness.besides[size],
              batch + size + start);
        }
      }
    }
  }

  /// With the first context from the `turn`th on that there is room for.
  private void mixed(int batch, int start, int size, int turn) {
    int decodes = near(batch, bounds.sequences() - 1);
    int most = Math.min(longest(start), bounds.stepTokens() - decodes);
    if (decodes < 1 || most < 1) {
      return;
    }
    int tokens = near(size, most);
    for (int i = 0; i < BESIDE_CONTEXTS.length; i++) {
      List<Part> parts = decodes(decodes, BESIDE_CONTEXTS[(turn + i) % BESIDE_CONTEXTS.length]);
      parts.add(new Part(start, tokens));
      if (add(parts)) {
        return;
      }
    }
  }

  /// Steps of all sorts: numbers are drawn so that each power of two is as likely as the next.
  private void drawn() {
    int tries = 20 * fineness.drawn;
    int wanted = points.size() + fineness.drawn;
    while (points.size() < wanted && tries-- > 0) {
      List<Part> parts = new ArrayList<>();
      if (random.nextInt(4) > 0) {
        parts.addAll(
            decodes(scaled(bounds.sequences()), Math.max(16, scaled(bounds.tokens() / 2))));
      }
      int prompts = random.nextInt(3);
      for (int i = 0; i < prompts; i++) {
        int tokens = scaled(bounds.stepTokens());
        boolean late = random.nextInt(3) == 0;
        parts.add(new Part(late ? scaled(bounds.tokens()) : 0, tokens));
      }
      add(parts);
    }
  }

  /// The longest chunk behind so many tokens.
  private int longest(int start) {
    return Math.min(bounds.stepTokens(), bounds.tokens() - ROOM - start);
  }

  /// A size within a quarter of another, at most `most`, and that where the other is not less.
  private int near(int size, int most) {
    int spread = size < SPREAD_MIN ? size : size - size / 4 + random.nextInt(size / 2 + 1);
    return size >= most ? most : Math.min(spread, most);
  }

  private int scaled(int most) {
    return Math.clamp(Math.round(Math.pow(Math.max(2, most), random.nextDouble())), 1, most);
  }

  /// Whether the step fits, and is there.
  private boolean add(List<Part> parts) {
    int tokens = parts.stream().mapToInt(Part::tokens).sum();
    int longest = parts.stream().mapToInt(Part::after).max().orElse(0);
    long blocks = parts.stream().mapToLong(part -> bounds.blocks(part.after() + ROOM)).sum();
    boolean fits =
        !parts.isEmpty()
            && parts.size() <= bounds.sequences()
            && tokens <= bounds.stepTokens()
            && longest <= bounds.tokens() - ROOM
            && blocks <= bounds.blocks();
    if (fits && !points.contains(parts)) {
      points.add(parts);
    }
    return fits;
  }
}
