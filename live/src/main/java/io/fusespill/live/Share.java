package io.fusespill.live;

/// A part of this machine that is one place, as the command line names it: `host`, perhaps with `:`
/// and settings with commas between them, `blocks=N` KV blocks and `threads=N` threads.
///
/// @param blocks KV blocks; 0 where they follow from memory
/// @param threads 0 for a fair share of the cores
public record Share(int blocks, int threads) {

  /// The one kind of device there is here.
  public static final String KIND = "host";

  private static final int BLOCKS_MAX = 100_000_000;
  private static final int THREADS_MAX = 1_024;

  /// All that there is.
  public static final Share WHOLE = new Share(0, 0);

  /// Reads the command line's form.
  ///
  /// @throws LiveException naming what is wrong with it
  public static Share parse(String text) {
    int colon = text.indexOf(':');
    String kind = colon < 0 ? text : text.substring(0, colon);
    if (!kind.equals(KIND)) {
      throw new LiveException(
          "device %s is not known for live runs, must be host, for example host:blocks=64,threads=2"
              .formatted(text));
    }
    int blocks = 0;
    int threads = 0;
    for (String setting : colon < 0 ? new String[0] : text.substring(colon + 1).split(",", -1)) {
      String value = setting.substring(setting.indexOf('=') + 1);
      if (setting.startsWith("blocks=")) {
        blocks = whole(text, value, BLOCKS_MAX);
      } else if (setting.startsWith("threads=")) {
        threads = whole(text, value, THREADS_MAX);
      } else {
        throw new LiveException(
            "setting %s of device %s is not known, must be blocks=N or threads=N"
                .formatted(setting, text));
      }
    }
    return new Share(blocks, threads);
  }

  private static int whole(String text, String value, int max) {
    try {
      int number = Integer.parseInt(value);
      if (number >= 1 && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new LiveException(
        "\"%s\" in device %s must be a whole number of 1 to %,d".formatted(value, text, max));
  }
}
