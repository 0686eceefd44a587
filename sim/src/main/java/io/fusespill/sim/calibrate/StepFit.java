package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.FeatureRange;
import io.fusespill.sim.cost.FitErrors;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedRemote;
import io.fusespill.sim.cost.FittedTerm;
import io.fusespill.sim.cost.RegionErrors;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepKind;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.profile.ProfileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Fits the step time of a place to measured steps.
///
/// It begins with three linear terms: the layers (fixed time, computed tokens, prompts), decode
/// attention (rows, KV tokens read) and prefill attention (prompts, query-key pairs). Then it
/// breaks a term in two where that helps most, judged by steps that the fit has not seen, as long
/// as it helps. A fit that refines another begins with its pieces: the new steps may be of few
/// kinds and show no need of those that others have. Steps whose attention runs elsewhere are
/// fitted last, over what the others say of the rest.
public final class StepFit {

  /// The fewest steps from which a place is fitted.
  public static final int SAMPLES_MIN = 40;

  private static final int FOLDS = 5;

  /// Steps in a row go to one fold: neighbours are nearly alike.
  private static final int FOLD_RUN = 20;

  /// Steps among which breaks are looked for at most.
  private static final int SEARCH_MAX = 8_000;

  private static final int BREAKS_TRIED = 16;
  private static final int SPLITS_MAX = 24;

  /// A break must take away this share of the held-out error.
  private static final double GAIN_MIN = 0.005;

  /// Steps on each side of a break at least.
  private static final int SIDE_MIN = 20;

  /// Held-out errors above this count as this where structures are compared.
  private static final double ERROR_CAP = 1;

  private final boolean padded;
  private final List<FittedTerm> known;
  private final List<StepSample> own;
  private final List<StepSample> remote;

  private StepFit(boolean padded, List<FittedTerm> known, List<StepSample> planned) {
    this.padded = padded;
    this.known = known;
    List<StepSample> samples =
        padded
            ? planned
            : planned.stream()
                .map(each -> new StepSample(each.shape().withoutPadding(), each.nanos()))
                .toList();
    own = samples.stream().filter(each -> each.shape().remoteRows() == 0).toList();
    remote = samples.stream().filter(each -> each.shape().remoteRows() > 0).toList();
  }

  /// @param padded whether the steps computed the padding that their plans have
  /// @param samples in the order in which they were measured
  /// @throws ProfileException if they are too few
  public static FittedPlace of(
      String place, String hardware, boolean padded, List<StepSample> samples) {
    return of(place, hardware, padded, List.of(), samples);
  }

  /// A fit that refines another.
  ///
  /// @param padded whether the steps computed the padding that their plans have
  /// @param terms of the other; none for a fit that refines nothing
  /// @param samples in the order in which they were measured
  /// @throws ProfileException if they are too few
  public static FittedPlace of(
      String place,
      String hardware,
      boolean padded,
      List<FittedTerm> terms,
      List<StepSample> samples) {
    StepFit fit = new StepFit(padded, terms, samples);
    if (fit.own.size() < SAMPLES_MIN) {
      throw new ProfileException(
          "place %s has %d measured steps without attention elsewhere, must have at least %d: measure a longer run"
              .formatted(place, fit.own.size(), SAMPLES_MIN));
    }
    return fit.place(place, hardware);
  }

  private FittedPlace place(String place, String hardware) {
    List<TermShape> structure = structure();
    Design design = new Design(structure, own);
    int[] all = IntStream.range(0, own.size()).toArray();
    List<FittedTerm> terms = design.terms(design.regression.fit(all));
    FittedRemote elsewhere = remoteOf(terms, remote, bestOverlap(terms));
    Errors errors = new Errors();
    Map<StepRegion, Errors> regions = new EnumMap<>(StepRegion.class);
    int[] fold = folds(own.size());
    int[] remoteFold = folds(remote.size());
    for (int each = 0; each < FOLDS; each++) {
      int out = each;
      List<FittedTerm> without =
          design.terms(
              design.regression.fit(
                  IntStream.range(0, own.size()).filter(i -> fold[i] != out).toArray()));
      holdOut(new FittedModel(without, null, Map.of()), own, fold, out, errors, regions);
      if (elsewhere != null) {
        FittedRemote part =
            remoteOf(without, except(remote, remoteFold, out), elsewhere.overlapped());
        holdOut(new FittedModel(without, part, Map.of()), remote, remoteFold, out, errors, regions);
      }
    }
    List<RegionErrors> byRegion = new ArrayList<>();
    regions.forEach(
        (region, each) -> byRegion.add(new RegionErrors(region.label(), each.toFitErrors())));
    FitErrors together = errors.toFitErrors();
    return new FittedPlace(
        place, hardware, padded, ranges(terms, elsewhere), terms, elsewhere, together, byRegion);
  }

  private static void holdOut(
      FittedModel model,
      List<StepSample> samples,
      int[] fold,
      int out,
      Errors errors,
      Map<StepRegion, Errors> regions) {
    for (int i = 0; i < samples.size(); i++) {
      if (fold[i] == out) {
        StepSample sample = samples.get(i);
        double predicted = (double) model.nanos(sample.shape());
        double measured = (double) sample.nanos();
        errors.add(predicted, measured);
        regions
            .computeIfAbsent(StepRegion.of(sample.shape()), region -> new Errors())
            .add(predicted, measured);
      }
    }
  }

  private static int[] folds(int samples) {
    return IntStream.range(0, samples).map(i -> i / FOLD_RUN % FOLDS).toArray();
  }

  private static List<StepSample> except(List<StepSample> samples, int[] fold, int out) {
    return IntStream.range(0, samples.size())
        .filter(i -> fold[i] != out)
        .mapToObj(samples::get)
        .toList();
  }

  // -------------------------------------------------------------- structure

  private static List<TermShape> simplest() {
    return List.of(
        new TermShape(
            "layers",
            StepKind.ALL,
            StepFeature.COMPUTED_TOKENS,
            List.of(),
            List.of(StepFeature.COMPUTED_TOKENS, StepFeature.SAMPLED_TOKENS),
            true),
        new TermShape(
            "decode attention",
            StepKind.ALL,
            StepFeature.DECODES,
            List.of(),
            List.of(StepFeature.DECODES, StepFeature.DECODE_CONTEXT_TOKENS),
            false),
        new TermShape(
            "prefill attention",
            StepKind.ALL,
            StepFeature.PREFILL_TOKENS,
            List.of(),
            List.of(
                StepFeature.PREFILLS,
                StepFeature.PREFILL_TOKENS,
                StepFeature.PREFILL_CONTEXT_PAIRS),
            false));
  }

  /// Terms in the pieces of another fit, but for those that too few of the samples fall into; the
  /// simplest ones where there is none.
  private static List<TermShape> inherited(List<FittedTerm> terms, List<StepSample> samples) {
    List<TermShape> shapes = new ArrayList<>();
    for (TermShape simplest : simplest()) {
      List<TermShape> pieces =
          terms.stream()
              .filter(term -> term.name().startsWith(simplest.name()) && term.by() == simplest.by())
              .map(term -> simplest.brokenAs(term, samples, SIDE_MIN))
              .toList();
      shapes.addAll(together(pieces, samples) ? pieces : List.of(simplest));
    }
    return shapes;
  }

  /// Whether each step that takes time by the term belongs to one of the pieces, and each piece has
  /// steps.
  private static boolean together(List<TermShape> pieces, List<StepSample> samples) {
    List<StepKind> kinds = pieces.stream().map(TermShape::steps).sorted().toList();
    if (kinds.equals(List.of(StepKind.ALL))) {
      return true;
    }
    return (kinds.equals(List.of(StepKind.DECODE, StepKind.PREFILL))
            || (kinds.equals(List.of(StepKind.PROMPTS, StepKind.MIXED))
                && pieces.getFirst().by() == StepFeature.PREFILL_TOKENS))
        && kinds.stream()
            .allMatch(kind ->
                samples.stream().filter(each -> kind.includes(each.shape())).count() >= SIDE_MIN);
  }

  /// Breaks terms as long as what is held out is predicted better for it.
  private List<TermShape> structure() {
    int stride = (own.size() + SEARCH_MAX - 1) / SEARCH_MAX;
    List<StepSample> some =
        IntStream.range(0, own.size()).filter(i -> i % stride == 0).mapToObj(own::get).toList();
    int[] fold = folds(some.size());
    int[] all = IntStream.range(0, some.size()).toArray();
    List<TermShape> best = inherited(known, some);
    for (int split = 0; split < SPLITS_MAX; split++) {
      Design design = new Design(best, some);
      double[] weights = design.regression.weights(all, design.regression.fit(all));
      double error = heldOut(design, fold, weights);
      List<TermShape> better = null;
      double least = error * (1 - GAIN_MIN);
      for (List<TermShape> candidate : candidates(best, some)) {
        Design broken = new Design(candidate, some);
        double other = heldOut(broken, fold, weights);
        if (other < least
            && bordersHold(best, broken, broken.regression.solve(all, weights), some)) {
          least = other;
          better = candidate;
        }
      }
      if (better == null) {
        break;
      }
      best = better;
    }
    return best;
  }

  /// Whether the terms of the design that are not in another structure make sense where their
  /// pieces meet.
  private static boolean bordersHold(
      List<TermShape> known, Design design, double[] coefficients, List<StepSample> samples) {
    List<FittedTerm> terms = design.terms(coefficients);
    FittedModel model = new FittedModel(terms, null, Map.of());
    return IntStream.range(0, terms.size())
        .filter(i -> !known.contains(design.structure.get(i)))
        .allMatch(i -> Borders.hold(terms.get(i), model, samples));
  }

  private static double heldOut(Design design, int[] fold, double[] weights) {
    double[][] coefficients = design.regression.solveWithout(fold, FOLDS, weights);
    double sum = 0;
    for (int row = 0; row < fold.length; row++) {
      double measured = design.regression.measured(row);
      double predicted = design.regression.predict(row, coefficients[fold[row]]);
      sum += Math.min(ERROR_CAP, Math.abs(predicted - measured) / measured);
    }
    return sum / fold.length;
  }

  private static List<List<TermShape>> candidates(
      List<TermShape> structure, List<StepSample> samples) {
    List<List<TermShape>> candidates = new ArrayList<>();
    for (int i = 0; i < structure.size(); i++) {
      TermShape term = structure.get(i);
      for (long end : breaks(term, samples)) {
        candidates.add(with(structure, i, List.of(term.splitAt(end))));
      }
      if (term.steps() == StepKind.ALL) {
        candidates.add(with(structure, i, parts(term)));
      }
    }
    return candidates;
  }

  /// The term for two kinds of steps each: attention to a prompt's tokens, which takes no time
  /// where there is none, takes less where decodes wait for memory beside it.
  private static List<TermShape> parts(TermShape term) {
    return term.by() == StepFeature.PREFILL_TOKENS
        ? List.of(term.of(StepKind.PROMPTS), term.of(StepKind.MIXED))
        : List.of(term.of(StepKind.DECODE), term.of(StepKind.PREFILL));
  }

  private static List<TermShape> with(
      List<TermShape> structure, int index, List<TermShape> replacement) {
    List<TermShape> changed = new ArrayList<>(structure);
    changed.remove(index);
    changed.addAll(index, replacement);
    return changed;
  }

  /// Values of the term's feature at which it could be broken: quantiles, none too near to another.
  private static List<Long> breaks(TermShape term, List<StepSample> samples) {
    long[] values =
        samples.stream()
            .filter(each -> term.steps().includes(each.shape()))
            .mapToLong(each -> term.by().of(each.shape()))
            .filter(value -> value > 0)
            .sorted()
            .toArray();
    TreeSet<Long> tried = new TreeSet<>();
    for (int i = 1; i < BREAKS_TRIED; i++) {
      if (values.length > 0) {
        tried.add(values[(int) ((long) i * values.length / BREAKS_TRIED)]);
      }
    }
    // A batch that doubles is as good a place as one that comes often.
    for (long power = 1; values.length > 0 && power < values[values.length - 1]; power *= 2) {
      if (power >= values[0]) {
        tried.add(power);
      }
    }
    return tried.stream()
        .filter(end -> !term.ends().contains(end))
        .filter(end -> {
          Long below = floor(term.ends(), end);
          Long above = ceiling(term.ends(), end);
          long left = Arrays.stream(values).filter(v -> v > below && v <= end).count();
          long right = Arrays.stream(values).filter(v -> v > end && v <= above).count();
          return left >= SIDE_MIN && right >= SIDE_MIN;
        })
        .toList();
  }

  private static long floor(List<Long> ends, long value) {
    return ends.stream().filter(end -> end < value).reduce(-1L, Math::max);
  }

  private static long ceiling(List<Long> ends, long value) {
    return ends.stream().filter(end -> end > value).reduce(Long.MAX_VALUE, Math::min);
  }

  // ------------------------------------------------------------------ remote

  private boolean bestOverlap(List<FittedTerm> terms) {
    if (remote.size() < SAMPLES_MIN) {
      return false;
    }
    int[] fold = folds(remote.size());
    double apart = 0;
    double overlapped = 0;
    for (int out = 0; out < FOLDS; out++) {
      List<StepSample> seen = except(remote, fold, out);
      FittedModel inTurn = new FittedModel(terms, remoteOf(terms, seen, false), Map.of());
      FittedModel beside = new FittedModel(terms, remoteOf(terms, seen, true), Map.of());
      for (int i = 0; i < fold.length; i++) {
        if (fold[i] == out) {
          StepSample sample = remote.get(i);
          apart += error(inTurn, sample);
          overlapped += error(beside, sample);
        }
      }
    }
    return overlapped < apart;
  }

  private static double error(FittedModel model, StepSample sample) {
    double error = Math.abs(model.nanos(sample.shape()) - (double) sample.nanos());
    return Math.min(ERROR_CAP, error / sample.nanos());
  }

  /// What steps take longer than their own part, as hand-off, rows and context; null where nothing
  /// or too little was measured.
  private static @Nullable FittedRemote remoteOf(
      List<FittedTerm> terms, List<StepSample> samples, boolean overlapped) {
    if (samples.size() < SAMPLES_MIN / 2) {
      return null;
    }
    FittedModel own = new FittedModel(terms, null, Map.of());
    List<StepSample> rest = new ArrayList<>();
    List<double[]> rows = new ArrayList<>();
    for (StepSample sample : samples) {
      StepShape shape = sample.shape();
      double beside = overlapped ? own.breakdown(shape).kvNanos() : 0;
      double away = sample.nanos() - (double) own.nanos(shape) + beside;
      if (away > beside) {
        rest.add(new StepSample(shape, Math.max(1, (long) away)));
        rows.add(new double[] {1, shape.remoteRows(), shape.remoteContextTokens()});
      }
    }
    if (rest.size() < SAMPLES_MIN / 2) {
      return new FittedRemote(0, 0, 0, overlapped);
    }
    int[][] indices = new int[rest.size()][];
    Arrays.fill(indices, new int[] {0, 1, 2});
    Regression regression =
        new Regression(
            3,
            indices,
            rows.toArray(double[][]::new),
            rest.stream().mapToDouble(StepSample::nanos).toArray());
    double[] c = regression.fit(IntStream.range(0, rest.size()).toArray());
    return new FittedRemote(c[0], c[1], c[2], overlapped);
  }

  // ------------------------------------------------------------------ ranges

  private Map<StepFeature, FeatureRange> ranges(
      List<FittedTerm> terms, @Nullable FittedRemote elsewhere) {
    Map<StepFeature, FeatureRange> ranges = new EnumMap<>(StepFeature.class);
    for (StepFeature feature : StepFeature.values()) {
      boolean counts =
          terms.stream()
              .anyMatch(term ->
                  term.by() == feature
                      || term.segments().stream()
                          .anyMatch(segment -> segment.nanosPer().containsKey(feature)));
      boolean away =
          feature == StepFeature.REMOTE_ROWS || feature == StepFeature.REMOTE_CONTEXT_TOKENS;
      if (counts || (away && elsewhere != null)) {
        ranges.put(feature, range(feature));
      }
    }
    return ranges;
  }

  private FeatureRange range(StepFeature feature) {
    long[] values =
        Stream.concat(own.stream(), remote.stream())
            .mapToLong(each -> feature.of(each.shape()))
            .sorted()
            .toArray();
    return new FeatureRange(values[0], values[values.length - 1]);
  }
}
