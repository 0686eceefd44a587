package io.fusespill.live;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A part of this machine that is one place, as the command line names it: `host` for cores, or
/// `cuda:G` for a GPU, where `cuda:G#2` is a second device on the same one; perhaps with `:` and
/// settings with commas between them, `blocks=N` KV blocks and, of the host, `threads=N` threads.
///
/// @param gpu the GPU's number, or [#HOST]
/// @param part which of the devices on the GPU, from 1
/// @param blocks KV blocks; 0 where they follow from memory
/// @param threads 0 for a fair share of the cores
public record Share(int gpu, int part, int blocks, int threads) {

  /// The kind of device that is cores of this machine.
  public static final String KIND = "host";

  /// In the place of a GPU's number.
  public static final int HOST = -1;

  private static final int BLOCKS_MAX = 100_000_000;
  private static final int THREADS_MAX = 1_024;
  private static final int GPUS_MAX = 1_024;
  private static final int PARTS_MAX = 16;

  private static final Pattern FORM =
      Pattern.compile("(?:host|cuda:(\\d{1,9})(?:#(\\d{1,9}))?)(?::(.*))?");

  /// All cores of the machine.
  public static final Share WHOLE = host(0, 0);

  /// Cores of this machine.
  public static Share host(int blocks, int threads) {
    return new Share(HOST, 1, blocks, threads);
  }

  public boolean isGpu() {
    return gpu != HOST;
  }

  /// Short for it: `host`, `cuda-0`, `cuda-0-2`.
  String label() {
    return isGpu() ? "cuda-" + gpu + (part > 1 ? "-" + part : "") : KIND;
  }

  /// Reads the command line's form.
  ///
  /// @throws LiveException naming what is wrong with it
  public static Share parse(String text) {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      throw new LiveException(
          "device %s is not known for live runs, must be host or cuda:N, for example host:blocks=64,threads=2 or cuda:0; 'fusespill devices' lists them"
              .formatted(text));
    }
    boolean gpu = form.group(1) != null;
    int number = gpu ? whole(text, form.group(1), 0, GPUS_MAX) : HOST;
    int part = form.group(2) == null ? 1 : whole(text, form.group(2), 1, PARTS_MAX);
    int blocks = 0;
    int threads = 0;
    String settings = form.group(3);
    for (String setting : settings == null ? new String[0] : settings.split(",", -1)) {
      String value = setting.substring(setting.indexOf('=') + 1);
      if (setting.startsWith("blocks=")) {
        blocks = whole(text, value, 1, BLOCKS_MAX);
      } else if (setting.startsWith("threads=") && !gpu) {
        threads = whole(text, value, 1, THREADS_MAX);
      } else {
        throw new LiveException(
            "setting %s of device %s is not known, must be %s"
                .formatted(setting, text, gpu ? "blocks=N" : "blocks=N or threads=N"));
      }
    }
    return new Share(number, part, blocks, threads);
  }

  private static int whole(String text, String value, int least, int max) {
    try {
      int number = Integer.parseInt(value);
      if (number >= least && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new LiveException(
        "\"%s\" in device %s must be a whole number of %,d to %,d"
            .formatted(value, text, least, max));
  }
}
