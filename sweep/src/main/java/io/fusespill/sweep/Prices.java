package io.fusespill.sweep;

import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.TopologySpec;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.NearMatch;
import io.fusespill.sim.spec.SpecException;
import io.fusespill.sim.spec.SpecReader;
import io.fusespill.tables.Column;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What cards cost. None comes with the program: prices are the user's, who says where they are
/// from.
///
/// @param currency of all prices, for example `USD`
/// @param source where they are from, for readers of the results
/// @param perHour by hardware profile; one in a file by its absolute path
public record Prices(String currency, String source, SortedMap<String, Double> perHour) {

  static final Column CURRENCY = Column.text("currency", "of the prices");
  static final Column SOURCE = Column.text("price_source", "where the prices are from");

  private static final double PRICE_MAX = 1e6;

  public Prices {
    SortedMap<String, Double> located = new TreeMap<>();
    perHour.forEach((card, price) -> located.put(located(card), price));
    perHour = located;
  }

  /// Reads a YAML file of the same form as the key `prices` of a specification.
  ///
  /// @throws SpecException with every problem that the file has
  public static Prices read(Path file) {
    SpecReader root = SpecReader.open(file, "currency, source, per-hour");
    Prices prices = from(root);
    root.finish(file);
    return prices;
  }

  static Prices from(SpecReader spec) {
    SortedMap<String, Double> perHour = new TreeMap<>();
    SpecReader cards = spec.object("per-hour");
    for (String card : cards.keys()) {
      Double price = cards.numberOrNull(card);
      requireCard(cards, card);
      if (price != null && !(price > 0 && price <= PRICE_MAX)) {
        cards.problem(card, "is %s, must be above 0 and at most %,.0f".formatted(price, PRICE_MAX));
      }
      if (perHour.put(located(card), price == null ? 0 : price) != null) {
        cards.problem(card, "is a file that has a price already, must have one; leave one away");
      }
    }
    if (perHour.isEmpty()) {
      spec.problem("per-hour", "is empty, must name at least one card, for example {a10: 1.00}");
    }
    return new Prices(spec.text("currency"), spec.text("source"), perHour);
  }

  private static void requireCard(SpecReader cards, String card) {
    if (card.endsWith(".json")) {
      cards.check(card, () -> HardwareProfiles.named(card));
    } else if (!HardwareProfiles.names().contains(card)) {
      cards.problem(
          card,
          "is no card%s; known: %s; a card of your own has its price under the path of its .json file"
              .formatted(
                  NearMatch.hint(card, HardwareProfiles.names()),
                  String.join(", ", HardwareProfiles.names())));
    }
  }

  /// What the cards of a machine cost together in an hour; null where one of them has no price.
  /// Hosts, disks and links are in the price of the cards or nowhere.
  public @Nullable Double perHour(TopologySpec topology) {
    BigDecimal sum = BigDecimal.ZERO;
    for (String card : cards(topology)) {
      Double price = perHour.get(located(card));
      if (price == null) {
        return null;
      }
      sum = sum.add(BigDecimal.valueOf(price));
    }
    return sum.doubleValue();
  }

  /// Those cards of a machine that have no price.
  public List<String> missing(TopologySpec topology) {
    return cards(topology).stream()
        .filter(card -> !perHour.containsKey(located(card)))
        .distinct()
        .sorted()
        .toList();
  }

  /// A bundled profile's name as it is, a file's path from the root: platforms, topology files and
  /// prices may spell one file in different ways.
  private static String located(String card) {
    return card.endsWith(".json") ? Path.of(card).toAbsolutePath().normalize().toString() : card;
  }

  private static List<String> cards(TopologySpec topology) {
    return topology.devices().stream()
        .map(TopologySpec.Device::spec)
        .map(DeviceSpec::cards)
        .flatMap(Collection::stream)
        .toList();
  }
}
