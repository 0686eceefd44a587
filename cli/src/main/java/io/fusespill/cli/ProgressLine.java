package io.fusespill.cli;

import java.io.Console;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/// A progress bar on a terminal, nothing in a pipe.
final class ProgressLine implements AutoCloseable {

  private static final int REFRESH_MILLIS = 100;

  private final @Nullable ProgressBar bar;

  /// @param total how far it goes; 0 or less where that is not known
  ProgressLine(String task, String unit, long total, boolean quiet) {
    boolean shown = !quiet && isTerminal();
    bar =
        shown
            ? new ProgressBarBuilder()
                .setTaskName(task)
                .setUnit(" " + unit, 1)
                .setInitialMax(total > 0 ? total : -1)
                .setUpdateIntervalMillis(REFRESH_MILLIS)
                .setStyle(ProgressBarStyle.ASCII)
                .clearDisplayOnFinish()
                .build()
            : null;
  }

  void at(long amount) {
    if (bar != null) {
      bar.stepTo(amount);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }

  @SuppressWarnings("SystemConsoleNull") // its type says that it may be null
  private static boolean isTerminal() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }
}
