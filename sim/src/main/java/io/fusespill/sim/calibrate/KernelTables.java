package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.FeatureRange;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.FittedTerm;
import io.fusespill.sim.cost.RegionErrors;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepKind;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.SubmitLatency;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The kernels of a model on a device as they were measured one by one, and the profile that they
/// add up to.
///
/// A step is the sum of its kernels: nothing runs beside them, and between them nothing passes.
/// What an engine adds to that is not in such tables. Held-out errors are those of whole steps of
/// which the fit has not seen the attention; how well it meets sizes of layers and head between
/// those of the table is told apart.
final class KernelTables {

  private static final int FOLDS = 5;

  /// From here on the KV of a layer may be more than the card's cache keeps, and reading it again
  /// for every head of a group goes to memory.
  private static final long CACHED_CONTEXT = 1 << 14;

  private final Curve layers;
  private final Curve head;
  private final List<StepSample> decodes;
  private final List<StepSample> prefills;
  private final List<UnevenSample> uneven;
  private final List<FittedTerm> computed;

  /// @param layers time of a step's layers without attention, by computed tokens
  /// @param head time of head and sampler, by sampled tokens
  /// @param decodes time of attention in steps without prefill, on a grid
  /// @param prefills the same in steps with prefill
  /// @param uneven how much longer attention takes where decodes have different contexts
  /// @param computed terms that were not measured
  /// @param kvTokens KV tokens that fit on the device beside the weights; tables measured with one
  ///   layer go far beyond, to where no step of the whole model comes
  KernelTables(
      Curve layers,
      Curve head,
      List<StepSample> decodes,
      List<StepSample> prefills,
      List<UnevenSample> uneven,
      List<FittedTerm> computed,
      long kvTokens) {
    this.layers = layers;
    this.head = head;
    this.decodes = decodes.stream().filter(each -> fits(each.shape(), layers, kvTokens)).toList();
    this.prefills = prefills.stream().filter(each -> fits(each.shape(), layers, kvTokens)).toList();
    this.uneven = uneven.stream().filter(each -> fits(each.shape(), layers, kvTokens)).toList();
    this.computed = List.copyOf(computed);
  }

  private static boolean fits(StepShape shape, Curve layers, long kvTokens) {
    return shape.computedTokens() <= layers.most()
        && shape.decodeContextTokens() + shape.prefillTokens() <= kvTokens;
  }

  /// KV tokens of a model that a card could hold if it held nothing but weights and KV.
  static long kvTokens(TensorParallelGroup cards, ModelProfile model) {
    long free = cards.size() * cards.cards().getFirst().usableBytes() - model.weightBytes();
    return Math.max(0, free / model.kvBytesPerToken());
  }

  /// The last names of a path: enough to tell which tables these are, and nothing of the machine.
  static String lastNames(Path folder) {
    Path whole = folder.toAbsolutePath().normalize();
    int names = whole.getNameCount();
    return whole.subpath(Math.max(0, names - 5), names).toString();
  }

  FittedProfile profile(
      String name, String hardware, ModelProfile model, int blockTokens, String source) {
    List<FittedTerm> dense = List.of(layers.fit(), head.fit());
    Attention alone = new Attention(decodes, decodeTerms());
    Attention mixed = new Attention(prefills, prefillTerms());
    List<FittedTerm> terms = new ArrayList<>(dense);
    terms.addAll(alone.fit());
    terms.addAll(mixed.fit());
    FittedModel even = new FittedModel(terms, null, Map.of());
    List<Attention> different = uneven(even);
    different.forEach(each -> terms.addAll(each.fit()));
    terms.addAll(computed);
    Errors all = new Errors();
    Map<StepRegion, Errors> regions = new EnumMap<>(StepRegion.class);
    FittedModel denseModel = new FittedModel(dense, null, Map.of());
    alone.holdOut(denseModel, all, regions);
    mixed.holdOut(denseModel, all, regions);
    List<RegionErrors> told = new ArrayList<>();
    regions.forEach(
        (region, errors) -> told.add(new RegionErrors(region.label(), errors.toFitErrors())));
    for (Attention each : different) {
      Errors errors = new Errors();
      each.holdOut(even, errors, new EnumMap<>(StepRegion.class));
      told.add(new RegionErrors(each.design.structure.getFirst().name(), errors.toFitErrors()));
    }
    for (Curve curve : List.of(layers, head)) {
      told.add(
          new RegionErrors(curve.name() + " of every second size", curve.heldOut().toFitErrors()));
    }
    FittedPlace place =
        new FittedPlace(hardware, hardware, true, ranges(), terms, null, all.toFitErrors(), told);
    return new FittedProfile(
            name,
            model.name(),
            blockTokens,
            0,
            source,
            SubmitLatency.NONE,
            0,
            List.of(place),
            List.of())
        .rounded();
  }

  private Map<StepFeature, FeatureRange> ranges() {
    Map<StepFeature, FeatureRange> ranges = new EnumMap<>(StepFeature.class);
    for (StepFeature feature :
        List.of(
            StepFeature.DECODES,
            StepFeature.DECODE_CONTEXT_TOKENS,
            StepFeature.PREFILL_TOKENS,
            StepFeature.PREFILL_CONTEXT_PAIRS)) {
      long most =
          Stream.concat(decodes.stream(), prefills.stream())
              .mapToLong(each -> feature.of(each.shape()))
              .max()
              .orElse(0);
      ranges.put(feature, new FeatureRange(0, most));
    }
    for (StepFeature feature :
        List.of(StepFeature.DECODE_CONTEXT_EXCESS, StepFeature.DECODE_CONTEXT_PADDING)) {
      uneven.stream()
          .mapToLong(each -> feature.of(each.shape()))
          .max()
          .ifPresent(most -> ranges.put(feature, new FeatureRange(0, most)));
    }
    ranges.put(StepFeature.COMPUTED_TOKENS, new FeatureRange(0, layers.most()));
    ranges.put(StepFeature.SAMPLED_TOKENS, new FeatureRange(0, head.most()));
    return ranges;
  }

  /// What a step takes besides attention.
  private double rest(StepShape shape) {
    return layers.measured(shape.computedTokens()) + head.measured(shape.sampledTokens());
  }

  // --------------------------------------------------------------- attention

  private List<TermShape> decodeTerms() {
    StepKind kind = mixedMeasured() ? StepKind.DECODE : StepKind.ALL;
    String alone = mixedMeasured() ? " alone" : "";
    return List.of(
        new TermShape(
            "attention of decodes" + alone,
            kind,
            StepFeature.DECODES,
            ends(decodes, StepFeature.DECODES),
            List.of(StepFeature.DECODES, StepFeature.DECODE_CONTEXT_TOKENS),
            true),
        muchContext("attention of much context" + alone, kind, decodes));
  }

  private static TermShape muchContext(String name, StepKind kind, List<StepSample> samples) {
    return new TermShape(
        name,
        kind,
        StepFeature.DECODE_CONTEXT_TOKENS,
        ends(samples, StepFeature.DECODE_CONTEXT_TOKENS).stream()
            .filter(end -> end >= CACHED_CONTEXT)
            .toList(),
        List.of(StepFeature.DECODE_CONTEXT_TOKENS),
        true);
  }

  /// Whether attention of decodes was measured in one call with prefill.
  private boolean mixedMeasured() {
    return prefills.stream().anyMatch(each -> each.shape().decodes() > 0);
  }

  private List<TermShape> prefillTerms() {
    TermShape prefill =
        new TermShape(
            "attention of prefill",
            StepKind.PREFILL,
            StepFeature.PREFILL_TOKENS,
            ends(prefills, StepFeature.PREFILL_TOKENS),
            List.of(
                StepFeature.PREFILL_TOKENS, StepFeature.PREFILL_CONTEXT_PAIRS, StepFeature.DECODES),
            true);
    if (!mixedMeasured()) {
      return List.of(prefill);
    }
    return List.of(
        prefill,
        new TermShape(
            "attention of decodes beside prefill",
            StepKind.PREFILL,
            StepFeature.DECODES,
            ends(prefills, StepFeature.DECODES),
            List.of(StepFeature.DECODES, StepFeature.DECODE_CONTEXT_TOKENS),
            false),
        muchContext("attention of much context beside prefill", StepKind.PREFILL, prefills));
  }

  /// What different contexts add to steps, which `even` tells for equal ones: the tables say by
  /// which factor attention takes longer.
  private List<Attention> uneven(FittedModel even) {
    List<Attention> all = new ArrayList<>();
    for (StepKind kind : List.of(StepKind.DECODE, StepKind.PREFILL)) {
      List<StepSample> added = new ArrayList<>();
      List<Double> beside = new ArrayList<>();
      for (UnevenSample each : uneven) {
        if (kind.includes(each.shape())) {
          double whole = even.nanos(each.shape());
          double attention = Math.max(0, whole - rest(each.shape()));
          added.add(
              new StepSample(
                  each.shape(), Math.max(1, Math.round((each.factor() - 1) * attention))));
          beside.add(whole);
        }
      }
      if (!added.isEmpty()) {
        all.add(new Attention(added, List.of(unevenTerm(kind, added)), beside));
      }
    }
    return all;
  }

  private static TermShape unevenTerm(StepKind kind, List<StepSample> samples) {
    return new TermShape(
        kind == StepKind.DECODE ? "uneven contexts alone" : "uneven contexts beside prefill",
        kind,
        StepFeature.DECODES,
        ends(samples, StepFeature.DECODES),
        List.of(StepFeature.DECODE_CONTEXT_EXCESS, StepFeature.DECODE_CONTEXT_PADDING),
        false);
  }

  /// Values of the grid at which a segment ends: powers of two but the first and the last, so that
  /// each segment holds enough.
  private static List<Long> ends(List<StepSample> samples, StepFeature feature) {
    long[] grid =
        samples.stream()
            .mapToLong(each -> feature.of(each.shape()))
            .filter(value -> Long.bitCount(value) == 1)
            .distinct()
            .sorted()
            .toArray();
    return Arrays.stream(grid).skip(1).limit(Math.max(0, grid.length - 2)).boxed().toList();
  }

  /// A fit of attention to a grid. A sample on the border of two segments counts in both, so each
  /// is fitted between two of the grid's values.
  private final class Attention {
    final List<StepSample> samples;
    final List<Double> beside;
    final List<StepSample> rows = new ArrayList<>();
    final List<StepShape> placed = new ArrayList<>();
    final List<Integer> origin = new ArrayList<>();
    final Design design;

    Attention(List<StepSample> samples, List<TermShape> structure) {
      this(samples, structure, samples.stream().map(each -> rest(each.shape())).toList());
    }

    /// @param beside for each sample the rest of the step
    Attention(List<StepSample> samples, List<TermShape> structure, List<Double> beside) {
      this.samples = samples;
      this.beside = beside;
      for (int i = 0; i < samples.size(); i++) {
        StepShape shape = samples.get(i).shape();
        for (int decodes = 0; decodes <= Math.min(1, shape.decodes()); decodes++) {
          for (int tokens = 0; tokens <= Math.min(1, shape.prefillTokens()); tokens++) {
            rows.add(samples.get(i));
            placed.add(nudged(shape, decodes, tokens));
            origin.add(i);
          }
        }
      }
      double[] besides = origin.stream().mapToDouble(beside::get).toArray();
      design = new Design(structure, rows, placed, besides);
    }

    private StepShape nudged(StepShape shape, int decodes, int tokens) {
      return new StepShape(
          shape.decodes() + decodes,
          shape.decodeContextTokens(),
          shape.prefills(),
          shape.prefillTokens() + tokens,
          shape.prefillContextPairs(),
          shape.computedTokens() + decodes + tokens,
          shape.sampledTokens());
    }

    List<FittedTerm> fit() {
      return design.terms(design.regression.fit(IntStream.range(0, rows.size()).toArray()));
    }

    /// @param others what tells the rest of the step
    void holdOut(FittedModel others, Errors all, Map<StepRegion, Errors> regions) {
      for (int fold = 0; fold < FOLDS; fold++) {
        int out = fold;
        int[] seen =
            IntStream.range(0, rows.size()).filter(row -> origin.get(row) % FOLDS != out).toArray();
        FittedModel model =
            new FittedModel(design.terms(design.regression.fit(seen)), null, Map.of());
        for (int i = out; i < samples.size(); i += FOLDS) {
          StepSample sample = samples.get(i);
          StepShape shape = sample.shape();
          double measured = beside.get(i) + sample.nanos();
          double predicted = (double) model.nanos(shape) + others.nanos(shape);
          all.add(predicted, measured);
          regions
              .computeIfAbsent(StepRegion.of(shape), region -> new Errors())
              .add(predicted, measured);
        }
      }
    }
  }
}
