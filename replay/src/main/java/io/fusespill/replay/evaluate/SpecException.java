package io.fusespill.replay.evaluate;

import java.util.List;

/// A specification that cannot be run. The message holds every problem with its path.
public final class SpecException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  SpecException(String file, List<String> problems) {
    super(message(file, problems));
  }

  SpecException(String message, Throwable cause) {
    super(message, cause);
  }

  private static String message(String file, List<String> problems) {
    return problems.size() == 1
        ? file + ": " + problems.getFirst()
        : "%s has %d problems:\n  %s"
            .formatted(file, problems.size(), String.join("\n  ", problems));
  }
}
