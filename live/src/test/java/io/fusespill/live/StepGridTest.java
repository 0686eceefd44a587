package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.host.exec.DeviceBench.Part;
import io.fusespill.live.StepGrid.Bounds;
import io.fusespill.live.StepGrid.Fineness;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The steps by which a device is measured.
class StepGridTest {

  private static final long SEED = 7;

  private static int tokens(List<Part> step) {
    return step.stream().mapToInt(Part::tokens).sum();
  }

  @ParameterizedTest
  @CsvSource({"256, 2048, 4096, 16, 7000", "8, 128, 96, 4, 60", "1, 1, 64, 16, 8"})
  void steps_keepTheirBounds(
      int sequences, int stepTokens, int tokens, int blockTokens, int blocks) {
    Bounds bounds = new Bounds(sequences, stepTokens, tokens, blockTokens, blocks);
    List<List<Part>> grid = StepGrid.of(bounds, Fineness.FULL, SEED);
    assertThat(grid)
        .isNotEmpty()
        .doesNotHaveDuplicates()
        .allSatisfy(step -> {
          assertThat(step).isNotEmpty().hasSizeLessThanOrEqualTo(sequences);
          assertThat(tokens(step)).isLessThanOrEqualTo(stepTokens);
          assertThat(step)
              .allSatisfy(
                  part -> assertThat(part.after() + StepGrid.ROOM).isLessThanOrEqualTo(tokens));
          assertThat(
                  step.stream()
                      .mapToInt(
                          part -> -Math.floorDiv(-(part.after() + StepGrid.ROOM), blockTokens))
                      .sum())
              .isLessThanOrEqualTo(blocks);
        });
  }

  @ParameterizedTest
  @EnumSource(Fineness.class)
  void grid_hasAllKindsOfSteps_upToItsBounds(Fineness fineness) {
    List<List<Part>> grid = StepGrid.of(new Bounds(256, 2048, 4096, 16, 8_000), fineness, SEED);
    assertThat(grid)
        .anyMatch(step -> step.size() == 256 && step.stream().allMatch(Part::isDecode))
        .anyMatch(step -> step.size() == 1 && step.getFirst().isDecode())
        .anyMatch(step -> step.size() == 1 && step.getFirst().tokens() == 2048)
        .anyMatch(step ->
            step.size() == 1 && step.getFirst().before() >= 512 && step.getFirst().tokens() > 1)
        .anyMatch(step -> step.size() == 16 && step.stream().noneMatch(Part::isDecode))
        .anyMatch(step ->
            step.size() > 8
                && step.stream().anyMatch(part -> part.before() >= 256 && part.tokens() == 4))
        .anyMatch(step ->
            step.stream().anyMatch(Part::isDecode)
                && step.stream().anyMatch(part -> !part.isDecode() && part.before() == 0))
        .anyMatch(step ->
            isUsual(step.stream().filter(Part::isDecode).count())
                && step.stream().anyMatch(part -> !part.isDecode() && part.before() > 0));
  }

  /// What a fit is to tell apart must not go together: where a chunk begins, how many decode beside
  /// it, and how much context they have.
  @ParameterizedTest
  @ValueSource(ints = {1_152, 6_000, 100_000})
  void chunksOfEachBeginning_areBesideDecodesOfSeveralContexts(int blocks) {
    Map<Integer, Set<Long>> contexts = new TreeMap<>();
    for (List<Part> step :
        StepGrid.of(new Bounds(256, 2048, 2048, 16, blocks), Fineness.FULL, SEED)) {
      List<Part> chunks = step.stream().filter(part -> !part.isDecode()).toList();
      int decodes = step.size() - chunks.size();
      if (isUsual(decodes) && chunks.size() == 1) {
        long context = step.stream().filter(Part::isDecode).mapToLong(Part::after).sum() / decodes;
        contexts
            .computeIfAbsent(chunks.getFirst().before(), start -> new TreeSet<>())
            .add(context / 256);
      }
    }
    assertThat(contexts).containsKeys(0, 256, 1024);
    assertThat(contexts.get(0)).hasSizeGreaterThan(1);
    assertThat(contexts.get(256)).hasSizeGreaterThan(1);
    assertThat(contexts.get(1024)).hasSizeGreaterThan(1);
  }

  /// Sizes that all lie on one side of a tile's end would tell of no others.
  @Test
  void rowsOfMixedSteps_fallAnywhereBetweenTiles() {
    int[] sixteenths = new int[16];
    for (List<Part> step :
        StepGrid.of(new Bounds(256, 2048, 2048, 16, 6_000), Fineness.FULL, SEED)) {
      int rows = tokens(step);
      if (rows > 128 && rows < 2_000 && step.size() > 1 && step.stream().anyMatch(Part::isDecode)) {
        sixteenths[rows % 128 / 8]++;
      }
    }
    assertThat(sixteenths).doesNotContain(0);
  }

  /// The commonest step of a run that cuts its prompts.
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 2, 3, 4})
  void chunksAsLargeAsTheyMayBe_areMeasured(long seed) {
    Bounds bounds = new Bounds(33, 512, 2048, 16, 6_000);
    List<List<Part>> grid = StepGrid.of(bounds, Fineness.FULL, seed);

    assertThat(grid)
        .contains(List.of(new Part(0, 512)))
        .contains(List.of(new Part(512, 512)))
        .anyMatch(step -> step.size() == 33 && tokens(step) == 512);
  }

  @Test
  void largePrompts_hardlyEverFollowOneAnother() {
    int together = 0;
    int longest = 0;
    for (List<Part> step :
        StepGrid.of(new Bounds(256, 2048, 2048, 16, 6_000), Fineness.FULL, SEED)) {
      together = tokens(step) > 1_024 ? together + 1 : 0;
      longest = Math.max(longest, together);
    }
    assertThat(longest).isLessThan(5);
  }

  private static boolean isUsual(long decodes) {
    return decodes >= 24 && decodes <= 40;
  }

  @ParameterizedTest
  @EnumSource(Fineness.class)
  void seed_decidesTheDrawnSteps(Fineness fineness) {
    Bounds bounds = new Bounds(64, 512, 1024, 16, 900);
    assertThat(StepGrid.of(bounds, fineness, SEED))
        .isEqualTo(StepGrid.of(bounds, fineness, SEED))
        .isNotEqualTo(StepGrid.of(bounds, fineness, SEED + 1));
  }
}
