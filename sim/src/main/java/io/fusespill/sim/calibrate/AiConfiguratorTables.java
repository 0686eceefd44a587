package io.fusespill.sim.calibrate;

import io.fusespill.sim.calibrate.CsvTable.Row;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.FittedSegment;
import io.fusespill.sim.cost.FittedTerm;
import io.fusespill.sim.cost.RooflineModel;
import io.fusespill.sim.cost.StepCost;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepKind;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.profile.DataType;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The operator tables of NVIDIA's aiconfigurator: matrix products by their three sizes
/// (`gemm_perf`), attention of prompts (`context_attention_perf`) and of decodes
/// (`generation_attention_perf`), all-reduces (`custom_allreduce_perf`), in milliseconds a call.
///
/// A product whose sizes are not in the table is interpolated between those that are; beyond the
/// largest it is as fast as that. Norms, rotary positions and launches are in no table: they are
/// computed from the hardware profile, as the roofline does.
public final class AiConfiguratorTables {

  private static final String BFLOAT16 = "bfloat16";
  private static final String LATENCY = "latency";
  private static final double NANOS = 1e6;
  private static final int PRODUCT_BYTES = 2;
  private static final int ALL_REDUCES_A_LAYER = 2;
  private static final String ANY_LINK = "pcie4";

  private final ModelProfile model;
  private final int cards;

  /// Nanoseconds of a product by columns of its result, by what it sums over, by rows.
  private final TreeMap<Long, TreeMap<Long, TreeMap<Long, Double>>> products = new TreeMap<>();

  private AiConfiguratorTables(ModelProfile model, int cards) {
    this.model = model;
    this.cards = cards;
  }

  /// The profile of a card, or of some that are tensor-parallel.
  ///
  /// @param folder that of the tables
  /// @param blockTokens tokens of a KV block
  /// @throws ProfileException if a table is missing, is of another card, or does not have the
  ///   model's attention
  public static FittedProfile read(
      Path folder, String name, TensorParallelGroup cards, ModelProfile model, int blockTokens) {
    if (model.dataType() == DataType.FLOAT32) {
      throw new ProfileException(
          "%s is float32, these tables are of 16 bits: use float16 or bfloat16"
              .formatted(model.name()));
    }
    cards.requireSplits(model);
    AiConfiguratorTables tables = new AiConfiguratorTables(model, cards.size());
    CsvTable products = CsvTable.read(folder, "gemm_perf");
    for (String device : products.textsIfAny("device")) {
      TableOrigin.requireCards("gemm_perf: device", device, cards);
    }
    tables.readProducts(folder, products);
    Map<Long, Double> layers = tables.layers();
    if (cards.size() > 1) {
      tables.addAllReduces(folder, layers);
    }
    return new KernelTables(
            new Curve("layers", StepFeature.COMPUTED_TOKENS, layers),
            new Curve("head", StepFeature.SAMPLED_TOKENS, tables.head()),
            tables.attention(folder, "generation_attention_perf"),
            tables.attention(folder, "context_attention_perf"),
            List.of(),
            List.of(smallKernels(cards, model, blockTokens)),
            KernelTables.kvTokens(cards, model))
        .profile(
            name,
            cards.name(),
            model,
            blockTokens,
            "operator tables of aiconfigurator, %s; norms, rotary positions and launches computed"
                .formatted(KernelTables.lastNames(folder)));
  }

  // ---------------------------------------------------------------- products

  private void readProducts(Path folder, CsvTable table) {
    for (Row row : table.rows()) {
      if (row.text("gemm_dtype").equals(BFLOAT16)) {
        products
            .computeIfAbsent(row.whole("n"), n -> new TreeMap<>())
            .computeIfAbsent(row.whole("k"), k -> new TreeMap<>())
            .merge(row.whole("m"), row.positive(LATENCY) * NANOS, Math::min);
      }
    }
    if (products.isEmpty()) {
      throw new ProfileException(
          "%s: gemm_perf has no product in bfloat16"
              .formatted(folder.toAbsolutePath().normalize()));
    }
  }

  private Map<Long, Double> layers() {
    long query = (long) model.heads() * model.headDim() / cards;
    long keys = (long) model.kvHeads() * model.headDim() / cards;
    long inner = model.intermediateSize() / cards;
    long hidden = model.hiddenSize();
    List<Map<Long, Double>> parts =
        List.of(
            product(query + 2 * keys, hidden),
            product(hidden, query),
            product(2 * inner, hidden),
            product(hidden, inner));
    return sum(parts, model.layers());
  }

  private Map<Long, Double> head() {
    return sum(List.of(product(model.vocabSize() / cards, model.hiddenSize())), 1);
  }

  private static Map<Long, Double> sum(List<Map<Long, Double>> parts, int times) {
    Map<Long, Double> sum = new TreeMap<>();
    for (long rows : parts.getFirst().keySet()) {
      if (parts.stream().allMatch(part -> part.containsKey(rows))) {
        sum.put(rows, times * parts.stream().mapToDouble(part -> part.get(rows)).sum());
      }
    }
    return sum;
  }

  /// Time of a product by rows.
  private Map<Long, Double> product(long columns, long depth) {
    return between(columns, products, byDepth -> between(depth, byDepth, byRows -> byRows));
  }

  /// What `times` makes of the table's entry for a size; between two entries, of both in
  /// proportion, and beyond the last, of that one in proportion to the size.
  private static <T> Map<Long, Double> between(
      long size, NavigableMap<Long, T> table, Function<T, Map<Long, Double>> times) {
    Map.Entry<Long, T> below = table.floorEntry(size);
    Map.Entry<Long, T> above = table.ceilingEntry(size);
    if (below == null) {
      return times.apply(table.firstEntry().getValue());
    }
    if (above == null) {
      double factor = (double) size / below.getKey();
      Map<Long, Double> scaled = new TreeMap<>();
      times.apply(below.getValue()).forEach((rows, nanos) -> scaled.put(rows, factor * nanos));
      return scaled;
    }
    Map<Long, Double> low = times.apply(below.getValue());
    if (below.getKey().equals(above.getKey())) {
      return low;
    }
    Map<Long, Double> high = times.apply(above.getValue());
    double share = (double) (size - below.getKey()) / (above.getKey() - below.getKey());
    Map<Long, Double> mixed = new TreeMap<>();
    low.forEach((rows, nanos) -> {
      Double other = high.get(rows);
      if (other != null) {
        mixed.put(rows, nanos + share * (other - nanos));
      }
    });
    return mixed;
  }

  // ------------------------------------------------------------- all-reduces

  private void addAllReduces(Path folder, Map<Long, Double> layers) {
    TreeMap<Long, Double> bySize = new TreeMap<>();
    for (Row row : CsvTable.read(folder, "custom_allreduce_perf").rows()) {
      if (row.whole("num_gpus") == cards) {
        bySize.merge(row.whole("message_size"), row.positive(LATENCY) * NANOS, Math::min);
      }
    }
    if (bySize.isEmpty()) {
      throw new ProfileException(
          "custom_allreduce_perf has none between %d cards: name a number that it has"
              .formatted(cards));
    }
    layers.replaceAll((tokens, nanos) -> {
      long bytes = tokens * model.hiddenSize() * PRODUCT_BYTES;
      return nanos + ALL_REDUCES_A_LAYER * model.layers() * interpolated(bySize, bytes);
    });
  }

  private static double interpolated(NavigableMap<Long, Double> bySize, long size) {
    Map.Entry<Long, Double> below = bySize.floorEntry(size);
    Map.Entry<Long, Double> above = bySize.ceilingEntry(size);
    if (below == null || above == null) {
      return below == null
          ? bySize.firstEntry().getValue()
          : below.getValue() * size / below.getKey();
    }
    if (below.getKey().equals(above.getKey())) {
      return below.getValue();
    }
    double share = (double) (size - below.getKey()) / (above.getKey() - below.getKey());
    return below.getValue() + share * (above.getValue() - below.getValue());
  }

  // --------------------------------------------------------------- attention

  private List<StepSample> attention(Path folder, String table) {
    int heads = model.heads() / cards;
    int kvHeads = model.kvHeads() / cards;
    boolean decode = table.startsWith("generation");
    Map<StepShape, Double> fastest = new LinkedHashMap<>();
    List<Row> rows = CsvTable.read(folder, table).rows();
    for (Row row : rows) {
      if (row.whole("num_heads") == heads
          && row.whole("num_key_value_heads") == kvHeads
          && row.whole("head_dim") == model.headDim()
          && row.whole("window_size") == 0
          && row.text("attn_dtype").equals(BFLOAT16)
          && row.text("kv_cache_dtype").equals(BFLOAT16)) {
        int batch = (int) row.whole("batch_size");
        long tokens = row.whole("isl");
        long before = row.whole("step");
        fastest.merge(
            decode ? decodes(batch, before + tokens) : prefills(batch, before, tokens),
            row.positive(LATENCY) * NANOS,
            Math::min);
      }
    }
    if (fastest.isEmpty()) {
      throw new ProfileException(
          "%s has no attention of %d heads over %d KV heads of %d; with as many heads it has (KV heads/size) %s"
              .formatted(
                  table,
                  heads,
                  kvHeads,
                  model.headDim(),
                  rows.stream()
                      .filter(row -> row.whole("num_heads") == heads)
                      .map(row ->
                          "%s/%s".formatted(row.text("num_key_value_heads"), row.text("head_dim")))
                      .distinct()
                      .sorted()
                      .collect(Collectors.joining(", "))));
    }
    List<StepSample> samples = new ArrayList<>();
    fastest.forEach(
        (shape, nanos) -> samples.add(new StepSample(shape, Math.round(nanos * model.layers()))));
    return samples;
  }

  private static StepShape decodes(int batch, long context) {
    return new StepShape(batch, batch * context, 0, 0, 0, batch, batch);
  }

  private static StepShape prefills(int batch, long before, long tokens) {
    return new StepShape(
        0,
        0,
        batch,
        batch * tokens,
        batch * StepShape.pairs(before, tokens),
        (int) (batch * tokens),
        batch);
  }

  // ------------------------------------------------------------------ the rest

  private static FittedTerm smallKernels(
      TensorParallelGroup cards, ModelProfile model, int blockTokens) {
    int tokens = 1 << 16;
    StepCost cost =
        new RooflineModel(cards, LinkProfiles.named(ANY_LINK), model, blockTokens)
            .breakdown(new StepShape(0, 0, 0, 0, 0, tokens, 0));
    return new FittedTerm(
        "norms, rotary positions and launches",
        StepKind.ALL,
        StepFeature.COMPUTED_TOKENS,
        List.of(
            new FittedSegment(
                FittedSegment.REST,
                cost.overheadNanos(),
                Map.of(StepFeature.COMPUTED_TOKENS, (double) cost.activationNanos() / tokens))));
  }
}
