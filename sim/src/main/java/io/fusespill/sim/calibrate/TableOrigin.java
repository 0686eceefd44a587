package io.fusespill.sim.calibrate;

import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.util.Locale;
import java.util.regex.Pattern;

/// What published tables say that they were measured with, held against what they are taken for.
/// Names are spelt in many ways, so only those are refused of which neither is part of the other.
final class TableOrigin {

  /// `80GB`, which some names of cards have and others do not.
  private static final Pattern MEMORY = Pattern.compile("(?<![a-z0-9])[0-9]+ ?gi?b?(?![a-z0-9])");

  private TableOrigin() {}

  static void requireCards(String where, String measured, TensorParallelGroup cards) {
    for (HardwareProfile card : cards.cards()) {
      if (differ(plainCard(measured), plainCard(card.name()))) {
        throw new ProfileException(
            "%s is %s, must be the card %s: name the tables of that card, or another --device"
                .formatted(where, measured, card.name()));
      }
    }
  }

  static void requireModel(String where, String measured, ModelProfile model) {
    if (differ(plainModel(measured), plainModel(model.name()))) {
      throw new ProfileException(
          "%s is %s, must be the model %s: name the tables of that model, or another --model"
              .formatted(where, measured, model.name()));
    }
  }

  /// Whether neither is part of the other; one that ends within a number is none: `a10` is no part
  /// of `a100`.
  private static boolean differ(String one, String other) {
    return !one.isEmpty() && !other.isEmpty() && !within(one, other) && !within(other, one);
  }

  private static boolean within(String whole, String part) {
    return Pattern.compile(part + "((?<=[a-z])|(?![0-9]))").matcher(whole).find();
  }

  private static String plainCard(String name) {
    return plain(MEMORY.matcher(name.toLowerCase(Locale.ROOT)).replaceAll(""));
  }

  private static String plainModel(String name) {
    return plain(name.substring(name.lastIndexOf('/') + 1));
  }

  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
  }
}
