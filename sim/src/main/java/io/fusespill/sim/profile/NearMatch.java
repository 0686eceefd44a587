package io.fusespill.sim.profile;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/// Known names close to one that is not known.
public final class NearMatch {

  private static final int SUGGESTIONS_MAX = 3;

  private NearMatch() {}

  /// `; did you mean a, b or c?`, or nothing when no known name is close.
  public static String hint(String typed, Collection<String> known) {
    return question(of(typed, known));
  }

  /// As [#hint], only for names that are at most two letters away.
  static String typoHint(String typed, Collection<String> known) {
    return question(of(typed, known).stream().filter(name -> distance(typed, name) <= 2).toList());
  }

  private static String question(List<String> close) {
    if (close.isEmpty()) {
      return "";
    }
    String last = close.getLast();
    String others = String.join(", ", close.subList(0, close.size() - 1));
    return "; did you mean " + (others.isEmpty() ? last : others + " or " + last) + "?";
  }

  /// At most three names: first those that continue `typed`, then those that differ from it in no
  /// more than a third of its letters, the closest first.
  static List<String> of(String typed, Collection<String> known) {
    int distanceMax = Math.max(2, typed.length() / 3);
    return known.stream()
        .filter(name -> continues(typed, name) || distance(typed, name) <= distanceMax)
        .sorted(
            Comparator.comparing((String name) -> !continues(typed, name))
                .thenComparingInt(name -> distance(typed, name)))
        .limit(SUGGESTIONS_MAX)
        .toList();
  }

  private static boolean continues(String typed, String name) {
    return !typed.isEmpty() && name.startsWith(typed);
  }

  /// Levenshtein distance: insertions, deletions and replacements of one letter.
  static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
