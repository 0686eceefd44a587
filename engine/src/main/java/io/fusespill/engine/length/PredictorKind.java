package io.fusespill.engine.length;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/// All length predictors: name, documentation and factory.
public enum PredictorKind {
  KAPLAN_MEIER(
      "kaplan-meier",
      "survival of ended sequences by prompt length, learnt as they end",
      KaplanMeierPredictor::new),
  DECLARED(
      "declared",
      "what the request declares, kaplan-meier where it declares nothing",
      DeclaredPredictor::new),
  LAST_VALUE(
      "last-value", "every sequence as long as the one that ended last", LastValuePredictor::new),
  MAXIMUM("maximum", "the pessimist: every sequence to the maximum", MaximumPredictor::new),
  NONE(
      "none",
      "the same for all sequences: the mean length of those ended",
      SameForAllPredictor::new),
  ORACLE("oracle", "UPPER BOUND: the true length, which no real run knows", OraclePredictor::new);

  private final String label;
  private final String description;
  private final IntFunction<LengthPredictor> factory;

  PredictorKind(String label, String description, IntFunction<LengthPredictor> factory) {
    this.label = label;
    this.description = description;
    this.factory = factory;
  }

  /// The name on the command line.
  public String label() {
    return label;
  }

  public String description() {
    return description;
  }

  /// Whether it knows the truth, so that figures with it are a bound and not a result.
  public boolean oracle() {
    return this == ORACLE;
  }

  public static List<String> labels() {
    return Arrays.stream(values()).map(PredictorKind::label).toList();
  }

  /// The kind with this name.
  ///
  /// @throws IllegalArgumentException if there is none
  public static PredictorKind named(String label) {
    return Arrays.stream(values())
        .filter(kind -> kind.label.equals(label))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "no predictor '%s'; there are %s".formatted(label, labels())));
  }

  /// A predictor that has seen nothing.
  ///
  /// @param maxOutputTokens the longest output, 1 to [LengthPredictor#MAX_TOKENS]
  public LengthPredictor create(int maxOutputTokens) {
    if (maxOutputTokens < 1 || maxOutputTokens > LengthPredictor.MAX_TOKENS) {
      throw new IllegalArgumentException(
          "maxOutputTokens is %d, must be 1 to %d"
              .formatted(maxOutputTokens, LengthPredictor.MAX_TOKENS));
    }
    return factory.apply(maxOutputTokens);
  }
}
