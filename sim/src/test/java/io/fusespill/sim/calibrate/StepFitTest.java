package io.fusespill.sim.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedSegment;
import io.fusespill.sim.cost.FittedTerm;
import io.fusespill.sim.cost.RegionErrors;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.traces.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

/// Known step times in, their coefficients out.
class StepFitTest {

  private static final int STEPS = 6_000;

  private final SeededRandom random = new SeededRandom(3, "steps");

  @Test
  void of_linearTimesWithNoise_findsTheCoefficients() {
    ToDoubleFunction<StepShape> truth =
        shape ->
            4e6
                + 60e3 * shape.computedTokens()
                + 45 * shape.decodeContextTokens()
                + 20e3 * shape.decodes()
                + 80 * shape.prefillContextPairs();

    FittedPlace place = StepFit.of("cpu", "host", true, samples(truth, 0.03, 0));

    assertThat(place.terms()).extracting(term -> term.segments().size()).containsOnly(1);
    assertThat(coefficient(place, StepFeature.DECODE_CONTEXT_TOKENS))
        .isCloseTo(45, Percentage.withPercentage(3));
    assertThat(coefficient(place, StepFeature.PREFILL_CONTEXT_PAIRS))
        .isCloseTo(80, Percentage.withPercentage(4));
    assertThat(
            coefficient(place, StepFeature.COMPUTED_TOKENS)
                + coefficient(place, StepFeature.PREFILL_TOKENS))
        .isCloseTo(60e3, Percentage.withPercentage(2));
    assertAgrees(place, truth, 0.03);
    assertThat(place.errors().meanPercent()).isBetween(2.0, 3.0);
    assertThat(place.errors().biasPercent()).isBetween(-0.3, 0.3);
  }

  /// One step in a hundred takes ten times as long: neither the coefficients nor their level
  /// follow.
  @Test
  void of_outliers_hardlyCount() {
    ToDoubleFunction<StepShape> truth =
        shape -> 9e6 + 30e3 * shape.computedTokens() + 50 * shape.decodeContextTokens();

    FittedPlace place = StepFit.of("cpu", "host", true, samples(truth, 0.02, 100));

    assertAgrees(place, truth, 0.035);
  }

  /// Reading weights bounds small batches, arithmetic large ones; attention costs more beside a
  /// prefill.
  @Test
  void of_timesWithAKnee_breaksThereAndNotElsewhere() {
    ToDoubleFunction<StepShape> truth =
        shape ->
            Math.max(20e6, 1.25e6 * shape.computedTokens())
                + (shape.prefills() > 0 ? 4_000 : 80) * (double) shape.decodeContextTokens();

    FittedPlace place = StepFit.of("cpu", "host", true, samples(truth, 0.02, 0));

    assertThat(place.terms().stream().flatMap(term -> term.segments().stream()))
        .anySatisfy(segment -> assertThat(segment.upTo()).isBetween(12L, 20L));
    assertThat(place.terms())
        .extracting(FittedTerm::name)
        .contains("decode attention, decode steps", "decode attention, prefill steps");
    assertThat(place.errors().meanPercent()).isLessThan(2.5);
    assertAgrees(place, truth, 0.05);
  }

  /// Another kernel may take several times as long from one batch size on.
  @Test
  void of_timesThatJump_breaksWhereTheyDo() {
    ToDoubleFunction<StepShape> truth =
        shape -> (shape.computedTokens() > 8 ? 12e6 : 4e6) + 40 * shape.decodeContextTokens();

    FittedPlace place = StepFit.of("cpu", "host", true, samples(truth, 0.02, 0));

    assertThat(place.terms().stream().flatMap(term -> term.segments().stream()))
        .anySatisfy(segment -> assertThat(segment.upTo()).isEqualTo(8));
    assertAgrees(place, truth, 0.03);
  }

  /// Decodes wait for memory, and attention to a prompt beside them is partly free.
  @Test
  void of_promptsThatCostLessBesideDecodes_tellsTheTwoApart() {
    ToDoubleFunction<StepShape> truth =
        shape ->
            4e6
                + 60e3 * shape.computedTokens()
                + 45 * shape.decodeContextTokens()
                + (shape.decodes() > 0 ? 100 : 400) * (double) shape.prefillContextPairs();
    List<StepSample> samples = new ArrayList<>(samples(truth, 0.02, 0));
    for (StepSample sample : List.copyOf(samples)) {
      StepShape beside = sample.shape();
      if (beside.prefills() == 1) {
        int tokens = (int) beside.prefillTokens();
        StepShape alone = new StepShape(0, 0, 1, tokens, beside.prefillContextPairs(), tokens, 1);
        samples.add(new StepSample(alone, Math.round(truth.applyAsDouble(alone))));
      }
    }

    FittedPlace place = StepFit.of("cpu", "host", true, samples);

    assertThat(place.terms())
        .extracting(FittedTerm::name)
        .contains("prefill attention, prompt-only steps", "prefill attention, mixed steps");
    assertAgrees(place, truth, 0.03);
  }

  /// Prompts of up to four tokens were measured at a sequence's beginning only, where their time
  /// goes with their few pairs. A chunk of as many that begins late has a thousand times as many.
  @Test
  void of_featureSeenAtNextToNothing_isNotTakenForWhatLongOnesCost() {
    ToDoubleFunction<StepShape> truth =
        shape ->
            8e6 + (shape.prefillTokens() <= 4 ? 150e3 : 30) * (double) shape.prefillContextPairs();
    List<StepSample> samples = new ArrayList<>();
    for (int i = 0; i < STEPS; i++) {
      int tokens = i % 2 == 0 ? random.nextInt(1, 4) : random.nextInt(20, 80);
      StepShape shape = chunk(tokens, tokens <= 4 ? 0 : random.nextInt(0, 2_000));
      double factor = 1 + 0.02 * random.nextNormal();
      samples.add(new StepSample(shape, Math.round(truth.applyAsDouble(shape) * factor)));
    }

    FittedModel model = new FittedModel(StepFit.of("cpu", "host", true, samples));

    for (int tokens = 1; tokens <= 4; tokens++) {
      assertThat(model.nanos(chunk(tokens, 1_000))).isBetween(8_000_000L, 11_000_000L);
    }
    assertThat((double) model.nanos(chunk(40, 1_000)))
        .isCloseTo(truth.applyAsDouble(chunk(40, 1_000)), Percentage.withPercentage(3));
  }

  /// A chunk of a prompt beside eight decodes of 100 tokens.
  private static StepShape chunk(int tokens, int before) {
    return new StepShape(8, 800, 1, tokens, StepShape.pairs(before, tokens), tokens + 8, 9);
  }

  /// Plans pad their prompts by up to a half; the device computes none of it.
  @Test
  void of_paddingThatIsNotComputed_costsNothing() {
    ToDoubleFunction<StepShape> truth =
        shape -> 9e6 + 30e3 * shape.withoutPadding().computedTokens();
    List<StepSample> padded = new ArrayList<>();
    for (StepSample sample : samples(truth, 0.02, 0)) {
      if (sample.shape().remoteRows() > 0) {
        continue;
      }
      padded.add(new StepSample(padded(sample.shape(), padded.size() % 5), sample.nanos()));
    }

    FittedPlace place = StepFit.of("cpu", "host", false, padded);

    assertThat(place.padded()).isFalse();
    assertThat(place.ranges().get(StepFeature.COMPUTED_TOKENS).max())
        .isEqualTo(
            padded.stream()
                .mapToLong(each -> each.shape().withoutPadding().computedTokens())
                .max()
                .orElseThrow());
    FittedModel model = new FittedModel(place);
    for (StepSample sample : padded.subList(0, 100)) {
      StepShape shape = sample.shape();
      assertThat(model.nanos(shape)).isEqualTo(model.nanos(shape.withoutPadding()));
      assertThat((double) model.nanos(shape))
          .isCloseTo(truth.applyAsDouble(shape), Percentage.withPercentage(5));
    }
  }

  private static StepShape padded(StepShape shape, int eighths) {
    return new StepShape(
        shape.decodes(),
        shape.decodeContextTokens(),
        shape.prefills(),
        shape.prefillTokens(),
        shape.prefillContextPairs(),
        (int) (shape.computedTokens() + shape.prefillTokens() * eighths / 8),
        shape.sampledTokens());
  }

  @Test
  void of_attentionElsewhere_isFittedOverTheRest() {
    for (boolean overlapped : new boolean[] {false, true}) {
      ToDoubleFunction<StepShape> local =
          shape -> 5e6 + 40e3 * shape.computedTokens() + 60 * shape.decodeContextTokens();
      ToDoubleFunction<StepShape> truth =
          shape -> {
            double away =
                shape.remoteRows() == 0
                    ? 0
                    : 900e3 + 30e3 * shape.remoteRows() + 400 * shape.remoteContextTokens();
            double beside = overlapped ? 60 * (double) shape.decodeContextTokens() : 0;
            return local.applyAsDouble(shape) + Math.max(0, away - beside);
          };

      FittedPlace place = StepFit.of("gpu", "a10", true, samples(truth, 0.01, 0));

      assertThat(place.remote()).isNotNull();
      assertThat(place.remote().overlapped()).isEqualTo(overlapped);
      assertThat(place.remote().tokenNanos()).isCloseTo(400, Percentage.withPercentage(3));
      assertThat(place.regions())
          .extracting(RegionErrors::region)
          .contains("with attention elsewhere");
      assertAgrees(place, truth, 0.02);
    }
  }

  @Test
  void of_ranges_areWhatWasMeasured() {
    List<StepSample> samples = samples(shape -> 1e6 + 1e4 * shape.computedTokens(), 0.01, 0);

    FittedPlace place = StepFit.of("cpu", "host", true, samples);

    long most =
        samples.stream().mapToLong(each -> each.shape().computedTokens()).max().orElseThrow();
    assertThat(place.ranges().get(StepFeature.COMPUTED_TOKENS).max()).isEqualTo(most);
    FittedModel model = new FittedModel(place);
    assertThat(samples).allMatch(each -> model.covers(each.shape()));
    assertThat(model.covers(new StepShape(0, 0, 1, 9_000, 1, 9_000, 1))).isFalse();
  }

  @Test
  void of_sameSamples_isTheSame() {
    List<StepSample> samples =
        samples(shape -> Math.max(2e6, 1e5 * shape.computedTokens()), 0.05, 50);

    assertThat(StepFit.of("cpu", "host", true, samples))
        .isEqualTo(StepFit.of("cpu", "host", true, samples));
  }

  /// The other fit knows that prompts of up to 64 tokens ride along for nothing. Of the new steps
  /// one in 160 has a prompt, too few to tell from the noise of the others.
  @Test
  void of_refined_keepsThePiecesThatFewNewStepsNeed() {
    List<StepSample> many = new ArrayList<>();
    for (int i = 0; i < 900; i++) {
      many.add(mixed(1 + i % 40, i % 3 == 0 ? 0 : 16 * (1 + i % 8), 0.02));
    }
    FittedPlace known = StepFit.of("gpu", "h200", false, many);
    List<StepSample> few = new ArrayList<>();
    for (int i = 0; i < 8_000; i++) {
      few.add(
          i % 160 == 0 ? mixed(1 + i % 37, 16 * (1 + i / 160 % 8), 0) : mixed(1 + i % 40, 0, 0.1));
    }

    FittedModel alone = new FittedModel(StepFit.of("gpu", "h200", false, few));
    FittedModel refined = new FittedModel(StepFit.of("gpu", "h200", false, known.terms(), few));

    StepSample small = mixed(20, 64, 0);
    assertThat(alone.nanos(small.shape()) / (double) small.nanos()).isGreaterThan(1.03);
    assertThat(refined.nanos(small.shape()) / (double) small.nanos()).isBetween(0.99, 1.01);
  }

  /// The other fit broke at batches of which there are hardly any now.
  @Test
  void of_refined_dropsPiecesWithoutSteps() {
    List<StepSample> many = new ArrayList<>();
    for (int i = 0; i < 1_200; i++) {
      int decodes = 1 + i % 64;
      many.add(step(decodes, decodes <= 32 ? 5e6 : decodes <= 41 ? 7e6 : 9e6));
    }
    FittedPlace known = StepFit.of("gpu", "h200", false, many);
    assertThat(known.terms()).anyMatch(term -> term.segments().size() > 2);
    List<StepSample> few = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      few.add(step(1 + i % 20, 5e6));
    }
    for (int decodes : new int[] {24, 32, 48, 64}) {
      few.add(step(decodes, decodes <= 32 ? 5e6 : 9e6));
    }

    FittedModel refined = new FittedModel(StepFit.of("gpu", "h200", false, known.terms(), few));

    for (int decodes = 1; decodes <= 64; decodes++) {
      assertThat(refined.nanos(step(decodes, 1).shape()))
          .as("%d", decodes)
          .isGreaterThan(4_000_000);
    }
  }

  private static StepSample step(int decodes, double nanos) {
    StepShape shape = new StepShape(decodes, 300L * decodes, 0, 0, 0, decodes, decodes);
    return new StepSample(shape, Math.round(nanos));
  }

  private StepSample mixed(int decodes, int prompt, double noise) {
    int tokens = decodes + prompt;
    StepShape shape =
        new StepShape(
            decodes,
            300L * decodes,
            prompt > 0 ? 1 : 0,
            prompt,
            StepShape.pairs(0, prompt),
            tokens,
            decodes);
    double nanos = (prompt > 64 ? 6.6e6 : 6e6) * (1 + noise * random.nextNormal());
    return new StepSample(shape, Math.round(nanos));
  }

  @Test
  void of_tooFewSteps_saysHowManyAreNeeded() {
    assertThatThrownBy(
            () -> StepFit.of("cpu", "host", true, samples(shape -> 1e6, 0, 0).subList(0, 39)))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("place cpu has ")
        .hasMessageContaining("at least 40");
  }

  private void assertAgrees(FittedPlace place, ToDoubleFunction<StepShape> truth, double most) {
    FittedModel model = new FittedModel(place);
    for (int i = 0; i < 500; i++) {
      StepShape shape = shape(i);
      double expected = truth.applyAsDouble(shape);
      assertThat((double) model.nanos(shape))
          .as(shape.toString())
          .isCloseTo(expected, Percentage.withPercentage(100 * (most + 0.02)));
    }
  }

  private static double coefficient(FittedPlace place, StepFeature feature) {
    return place.terms().stream()
        .map(FittedTerm::segments)
        .map(List<FittedSegment>::getFirst)
        .mapToDouble(segment -> segment.nanosPer().getOrDefault(feature, 0.0))
        .sum();
  }

  /// @param outlierEvery every how many steps one takes ten times as long; 0 for never
  private List<StepSample> samples(
      ToDoubleFunction<StepShape> truth, double noise, int outlierEvery) {
    List<StepSample> samples = new ArrayList<>();
    for (int i = 0; i < STEPS; i++) {
      StepShape shape = shape(i);
      double factor = 1 + noise * random.nextNormal();
      if (outlierEvery > 0 && i % outlierEvery == outlierEvery - 1) {
        factor *= 10;
      }
      samples.add(
          new StepSample(shape, Math.max(1, Math.round(truth.applyAsDouble(shape) * factor))));
    }
    return samples;
  }

  /// Mostly decodes, some prefill beside, some with attention elsewhere.
  private StepShape shape(int i) {
    int decodes = random.nextInt(1, 40);
    long context = 0;
    for (int j = 0; j < decodes; j++) {
      context += random.nextInt(10, 1_500);
    }
    int prefills = i % 4 == 0 ? random.nextInt(1, 3) : 0;
    long tokens = 0;
    long pairs = 0;
    for (int j = 0; j < prefills; j++) {
      int chunk = random.nextInt(2, 500);
      tokens += chunk;
      pairs += StepShape.pairs(random.nextInt(0, 800), chunk);
    }
    int rows = i % 4 == 2 ? random.nextInt(1, 10) : 0;
    long remote = 0;
    for (int j = 0; j < rows; j++) {
      remote += random.nextInt(10, 1_500);
    }
    return new StepShape(
        decodes,
        context,
        prefills,
        tokens,
        pairs,
        (int) (decodes + tokens + rows),
        decodes + prefills + rows,
        rows,
        remote);
  }
}
