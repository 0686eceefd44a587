package io.fusespill.sim.profile;

import java.util.Locale;
import java.util.regex.Pattern;

/// Names of one card or model as different programs spell them: `h100` and `NVIDIA H100 80GB HBM3`,
/// `llama-3.1-8b` and `meta-llama/Llama-3.1-8B-Instruct`.
///
/// Names are the same where one is part of the other by its letters and digits. One that ends
/// within a number is no part: `a10` is none of `a100`.
public final class Spelling {

  /// `80GB`, which some names of cards have and others do not.
  private static final Pattern MEMORY = Pattern.compile("(?<![a-z0-9])[0-9]+ ?gi?b?(?![a-z0-9])");

  /// What makes a name one of several cards.
  private static final Pattern SEVERAL = Pattern.compile("\\+|-tp[0-9]+$");

  private Spelling() {}

  /// Whether both may name the same card. Several cards that are one device have one name only.
  public static boolean sameCard(String one, String other) {
    boolean several = SEVERAL.matcher(one).find() || SEVERAL.matcher(other).find();
    return several ? one.equals(other) : same(plainCard(one), plainCard(other));
  }

  /// Whether both may name the same model, whoever publishes it.
  public static boolean sameModel(String one, String other) {
    return same(plainModel(one), plainModel(other));
  }

  private static boolean same(String one, String other) {
    return one.isEmpty() || other.isEmpty() || within(one, other) || within(other, one);
  }

  private static boolean within(String whole, String part) {
    return Pattern.compile(Pattern.quote(part) + "((?<=[a-z])|(?![0-9.]))").matcher(whole).find();
  }

  private static String plainCard(String name) {
    return plain(MEMORY.matcher(name.toLowerCase(Locale.ROOT)).replaceAll(""));
  }

  private static String plainModel(String name) {
    return plain(name.substring(name.lastIndexOf('/') + 1));
  }

  /// Letters and digits, and points between digits: a model of 1.3 is none of 13 billion.
  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("(?<![0-9])\\.|\\.(?![0-9])|[^a-z0-9.]", "");
  }
}
