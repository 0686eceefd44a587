package io.fusespill.engine;

import java.util.Random;
import java.util.function.Consumer;

/// Runs a randomised test from one seed after the other; a failure names its seed and the line that
/// reproduces it.
public final class Seeds {

  private static final String PROPERTY = "engine.seed";

  private Seeds() {}

  /// @param count seeds to run, unless `-Dengine.seed` names one
  public static void forEach(int count, Class<?> test, Consumer<Random> body) {
    String given = System.getProperty(PROPERTY);
    long first = given == null ? 0 : Long.parseLong(given);
    for (long seed = first; seed < first + (given == null ? count : 1); seed++) {
      try {
        body.accept(new Random(seed));
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(
            "seed %d: %s%nreproduce: ./mvnw -pl engine test -Dtest=%s -D%s=%d"
                .formatted(seed, e.getMessage(), test.getSimpleName(), PROPERTY, seed),
            e);
      }
    }
  }
}
