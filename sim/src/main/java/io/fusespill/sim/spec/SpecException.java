package io.fusespill.sim.spec;

import java.util.List;

/// A specification or topology that cannot be used. The message holds every problem with its path.
public final class SpecException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public SpecException(String file, List<String> problems) {
    super(message(file, problems));
  }

  public SpecException(String message, Throwable cause) {
    super(message, cause);
  }

  private static String message(String file, List<String> problems) {
    return problems.size() == 1
        ? file + ": " + problems.getFirst()
        : "%s has %d problems:\n  %s"
            .formatted(file, problems.size(), String.join("\n  ", problems));
  }
}
