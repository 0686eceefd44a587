package io.fusespill.replay.evaluate;

import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfiles;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Hardware that the policies of an evaluation share.
///
/// @param link between each device and the host
/// @param swapSpaceGib host memory for KV, 0 for none
/// @param host profile of a host that attends for policies that ask for it; null for one that only
///   keeps swapped KV
public record Platform(
    String name,
    List<DeviceSpec> devices,
    String link,
    double swapSpaceGib,
    @Nullable String host) {

  private static final String DEFAULT_LINK = "pcie4";
  private static final double DEFAULT_SWAP_GIB = 4;
  private static final Pattern SETTING = Pattern.compile("(tp|blocks|util)=");

  public Platform {
    devices = List.copyOf(devices);
  }

  static Platform from(SpecReader spec) {
    String link = spec.text("link", DEFAULT_LINK);
    spec.check("link", () -> LinkProfiles.named(link));
    List<DeviceSpec> devices = devices(spec);
    if (spec.texts("devices").isEmpty()) {
      spec.problem("devices", "must name at least one");
    }
    String host = spec.text("host", "");
    if (!host.isEmpty()) {
      spec.check("host", () -> HardwareProfiles.named(host));
    }
    return new Platform(
        spec.text("name"),
        devices,
        link,
        spec.number("swap-space", DEFAULT_SWAP_GIB),
        host.isEmpty() ? null : host);
  }

  /// The key `devices`, as `simulate --device` spells them.
  static List<DeviceSpec> devices(SpecReader spec) {
    List<DeviceSpec> devices = new ArrayList<>();
    List<String> texts = spec.texts("devices");
    for (int i = 0; i < texts.size(); i++) {
      String text = texts.get(i);
      DeviceSpec device = device(spec, "devices[" + i + "]", text);
      if (device != null) {
        devices.add(device);
      }
    }
    return devices;
  }

  private static @Nullable DeviceSpec device(SpecReader spec, String key, String text) {
    if (SETTING.matcher(text).lookingAt()) {
      spec.problem(
          key, "is \"%s\", a setting and no device: quote a device with commas".formatted(text));
      return null;
    }
    return text.isEmpty()
        ? null
        : spec.check(
            key,
            () -> {
              DeviceSpec parsed = DeviceSpec.parse(text);
              parsed.group();
              return parsed;
            });
  }

  /// Cards of `others` that this platform does not have, as people read them.
  List<String> missing(List<DeviceSpec> others) {
    List<Card> needed = cards(others);
    cards(devices).forEach(needed::remove);
    return needed.stream().map(Card::toString).toList();
  }

  /// Whether the blocks of every device follow from the memory of its cards.
  static boolean hasMemory(List<DeviceSpec> devices) {
    return devices.stream().allMatch(device -> device.blocks() == 0);
  }

  private static List<Card> cards(List<DeviceSpec> devices) {
    List<Card> cards = new ArrayList<>();
    for (DeviceSpec device : devices) {
      device.cards().forEach(profile -> cards.add(new Card(profile, device.utilisation())));
    }
    return cards;
  }

  /// A card and the share of its memory that may be used.
  private record Card(String profile, double utilisation) {

    @Override
    public String toString() {
      return utilisation == DeviceSpec.DEFAULT_UTILISATION
          ? profile
          : "%s with util=%s".formatted(profile, utilisation);
    }
  }
}
