package io.fusespill.sim;

import io.fusespill.engine.config.Place;
import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A device as the command line names it: `CARD`, or `CARD+CARD` for cards of different kinds that
/// share one model, then `:` and settings with commas between them, `tp=N` for N cards of one kind
/// and `blocks=N` or `util=U`.
///
/// A machine that was calibrated may have no profile: `host:threads=N`, the cores of a machine that
/// runs models, or a card by its driver's name. What is known of it is in a fitted profile.
///
/// @param cards names of hardware profiles, or paths of files of them; more than one are
///   tensor-parallel and one device
/// @param blocks KV blocks; 0 where they follow from memory
/// @param utilisation share of each card's memory that may be used; meaningless where `blocks` is
///   given
public record DeviceSpec(List<String> cards, int blocks, double utilisation) {

  /// vLLM's default `gpu_memory_utilization`.
  public static final double DEFAULT_UTILISATION = 0.9;

  /// The cores of a machine that runs models, as live runs name them.
  private static final String HOST = "host";

  private static final int THREADS_MAX = 1_024;

  /// A number of cards as people write it before or behind their name.
  private static final Pattern TIMES = Pattern.compile("([0-9]+)[x*](.+)|(.+)[x*]([0-9]+)");

  private static final int MAX_CARDS = TensorParallelGroup.MAX_CARDS;

  public DeviceSpec {
    cards = List.copyOf(cards);
  }

  /// Reads the command line's form.
  ///
  /// @throws ProfileException naming what is wrong with it
  public static DeviceSpec parse(String text) {
    int colon = text.indexOf(':');
    List<String> cards = List.of((colon < 0 ? text : text.substring(0, colon)).split("\\+", -1));
    int blocks = 0;
    double utilisation = 0;
    String settings = colon < 0 ? "" : text.substring(colon + 1);
    for (String setting : colon < 0 ? List.<String>of() : List.of(settings.split(",", -1))) {
      String value = setting.substring(setting.indexOf('=') + 1);
      try {
        if (setting.startsWith("blocks=") && blocks == 0 && utilisation == 0) {
          blocks = within(Integer.parseInt(value), 1, Place.MAX_BLOCKS);
        } else if (setting.startsWith("util=") && blocks == 0 && utilisation == 0) {
          utilisation = Double.parseDouble(value);
          if (!(utilisation > 0 && utilisation <= 1)) {
            throw new NumberFormatException();
          }
        } else if (setting.startsWith("threads=") && cards.equals(List.of(HOST))) {
          cards = List.of(HOST + ":threads=" + within(Integer.parseInt(value), 1, THREADS_MAX));
        } else if (setting.startsWith("tp=")) {
          cards = tensorParallel(text, cards, within(Integer.parseInt(value), 1, MAX_CARDS));
        } else if (HardwareProfiles.has(setting.replaceFirst(":.*", ""))) {
          throw several(text, text.substring(0, text.indexOf("," + setting)), "tp=N");
        } else {
          throw malformed(text, setting);
        }
      } catch (NumberFormatException e) {
        throw malformed(text, setting);
      }
    }
    cards.forEach(card -> requireOne(text, card));
    return new DeviceSpec(cards, blocks, utilisation == 0 ? DEFAULT_UTILISATION : utilisation);
  }

  /// Sees that a card is not several, as `a10,a10`, `2xa10` or `a10x2` are.
  private static void requireOne(String text, String card) {
    List<String> listed = List.of(card.split(",", -1));
    if (listed.size() > 1 && listed.stream().allMatch(HardwareProfiles::has)) {
      throw several(text, listed.getFirst(), String.join("+", listed));
    }
    Matcher times = TIMES.matcher(card);
    if (!HardwareProfiles.has(card) && times.matches()) {
      String one = times.group(1) == null ? times.group(3) : times.group(2);
      String number = times.group(1) == null ? times.group(4) : times.group(1);
      if (HardwareProfiles.has(one)) {
        throw several(text, one, "%s:tp=%s".formatted(one, number));
      }
    }
  }

  private static ProfileException several(String text, String one, String tensorParallel) {
    return new ProfileException(
        "device '%s': names several; give each in an option of its own (--device %s, and --device again), or as one tensor-parallel device with %s"
            .formatted(text, one, tensorParallel));
  }

  /// Cards that are given one by one, or as one card and how many of it.
  ///
  /// @param text for messages
  /// @throws ProfileException if there are several cards and another number of them in `tp`
  static DeviceSpec of(String text, List<String> cards, int tp, int blocks, double utilisation) {
    return new DeviceSpec(tp == 1 ? cards : tensorParallel(text, cards, tp), blocks, utilisation);
  }

  /// The cards' profiles.
  ///
  /// @throws ProfileException if one is not known
  public TensorParallelGroup group() {
    List<HardwareProfile> profiles = cards.stream().map(HardwareProfiles::named).toList();
    return new TensorParallelGroup(profiles);
  }

  /// Whether it has no profile of what it can do, so that only a fitted one can tell its times.
  public boolean unprofiled() {
    return cards.size() == 1 && !HardwareProfiles.has(cards.getFirst());
  }

  /// Whether it is the cores of a machine that runs models.
  boolean isHost() {
    return cards.size() == 1 && placeName().equals(HOST);
  }

  /// What it is called in a fitted profile.
  String hardware() {
    return unprofiled() ? cards.getFirst() : group().name();
  }

  /// What a place of it is called: `host`, as in a live run, whatever its threads.
  String placeName() {
    return unprofiled() ? cards.getFirst().replaceFirst(":.*", "") : group().name();
  }

  private static List<String> tensorParallel(String text, List<String> cards, int n) {
    if (cards.size() == 1) {
      return Collections.nCopies(n, cards.getFirst());
    }
    if (cards.size() != n) {
      throw new ProfileException(
          "device '%s': names %d cards but tp=%d; leave tp away, or name one card"
              .formatted(text, cards.size(), n));
    }
    return cards;
  }

  private static int within(int value, int min, int max) {
    if (value < min || value > max) {
      throw new NumberFormatException();
    }
    return value;
  }

  private static ProfileException malformed(String text, String setting) {
    return new ProfileException(
        "device '%s': '%s' must be blocks=N with N of 1 to %,d, or util=U with U above 0 and at most 1, not both, or tp=N with N of 1 to %d, or of host threads=N with N of 1 to %,d"
            .formatted(text, setting, Place.MAX_BLOCKS, MAX_CARDS, THREADS_MAX));
  }
}
