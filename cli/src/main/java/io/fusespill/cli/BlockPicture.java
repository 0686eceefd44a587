package io.fusespill.cli;

import io.fusespill.replay.BlockMap;
import io.fusespill.replay.BlockMap.Use;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A pool as text: a sign a block, a letter for each sequence.
///
/// ```
/// a10: 798 blocks, 762 held (744 of them pinned), 0 leaving, 0 arriving, 36 free
///      0  aaaabbbbbbcc.dd====--++
/// ```
final class BlockPicture {

  private static final int SIGNS_A_ROW = 64;
  private static final int ROWS_MAX = 64;
  private static final String LETTERS =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  private static final char FREE = '.';
  private static final char LEAVING = '-';
  private static final char ARRIVING = '+';
  private static final char SHARED = '=';
  private static final char OTHERS = '#';
  private static final int LEGEND_A_ROW = 6;

  private final String name;
  private final BlockMap map;

  /// By sequence, in order of their numbers.
  private final Map<Integer, Character> letters = new TreeMap<>();

  BlockPicture(String name, BlockMap map) {
    this.name = name;
    this.map = map;
    Map<Integer, Character> holders = new TreeMap<>();
    for (int block = 0; block < map.size(); block++) {
      map.sequences(block).forEach(sequence -> holders.put(sequence, OTHERS));
    }
    int next = 0;
    for (int sequence : holders.keySet()) {
      letters.put(sequence, next < LETTERS.length() ? LETTERS.charAt(next++) : OTHERS);
    }
  }

  void print(PrintWriter out) {
    out.println(
        "%s: %,d blocks, %,d held, %,d pinned, %,d leaving, %,d arriving, %,d free"
            .formatted(
                name,
                map.size(),
                map.count(Use.HELD),
                pinned(),
                map.count(Use.LEAVING),
                map.count(Use.ARRIVING),
                map.count(Use.FREE)));
    if (map.size() == map.count(Use.FREE)) {
      return;
    }
    int blocksASign = Math.max(1, -Math.floorDiv(-map.size(), SIGNS_A_ROW * ROWS_MAX));
    if (blocksASign > 1) {
      out.println(
          "  a sign stands for %d blocks, and shows the first of them that is not free"
              .formatted(blocksASign));
    }
    int blocksARow = SIGNS_A_ROW * blocksASign;
    int width = "%,d".formatted(map.size()).length();
    for (int first = 0; first < map.size(); first += blocksARow) {
      StringBuilder row = new StringBuilder(SIGNS_A_ROW);
      for (int block = first;
          block < Math.min(map.size(), first + blocksARow);
          block += blocksASign) {
        row.append(sign(block, Math.min(map.size(), block + blocksASign)));
      }
      out.println("  %s  %s".formatted(("%" + width + "s").formatted("%,d".formatted(first)), row));
    }
    printLegend(out);
  }

  private int pinned() {
    int pinned = 0;
    for (int block = 0; block < map.size(); block++) {
      pinned += map.pinned(block) ? 1 : 0;
    }
    return pinned;
  }

  private char sign(int from, int to) {
    for (int block = from; block < to; block++) {
      if (map.use(block) != Use.FREE) {
        return sign(block);
      }
    }
    return FREE;
  }

  private char sign(int block) {
    return switch (map.use(block)) {
      case FREE -> FREE;
      case LEAVING -> LEAVING;
      case ARRIVING -> ARRIVING;
      case HELD -> {
        List<Integer> holders = map.sequences(block);
        yield holders.size() == 1 ? letters.getOrDefault(holders.getFirst(), OTHERS) : SHARED;
      }
    };
  }

  /// Which letter is which sequence, with its blocks here; `*` marks what a step or transfer uses.
  private void printLegend(PrintWriter out) {
    Map<Integer, Integer> blocks = new TreeMap<>();
    Map<Integer, Use> uses = new TreeMap<>();
    Map<Integer, Boolean> pins = new TreeMap<>();
    for (int block = 0; block < map.size(); block++) {
      for (int sequence : map.sequences(block)) {
        blocks.merge(sequence, 1, Integer::sum);
        uses.put(sequence, map.use(block));
        pins.merge(sequence, map.pinned(block), Boolean::logicalOr);
      }
    }
    List<String> entries = new ArrayList<>();
    letters.forEach((sequence, letter) -> {
      char sign =
          switch (uses.getOrDefault(sequence, Use.HELD)) {
            case LEAVING -> LEAVING;
            case ARRIVING -> ARRIVING;
            case HELD, FREE -> letter;
          };
      entries.add(
          "%c %d (%d)%s"
              .formatted(
                  sign,
                  sequence,
                  blocks.getOrDefault(sequence, 0),
                  pins.getOrDefault(sequence, false) ? "*" : ""));
    });
    int width = entries.stream().mapToInt(String::length).max().orElse(0);
    for (int first = 0; first < entries.size(); first += LEGEND_A_ROW) {
      StringBuilder row = new StringBuilder("   ");
      for (String entry : entries.subList(first, Math.min(entries.size(), first + LEGEND_A_ROW))) {
        row.append(' ').append(entry).append(" ".repeat(width - entry.length()));
      }
      out.println(row.toString().stripTrailing());
    }
  }

  /// What the signs mean.
  static String legend() {
    return "a letter: held by that sequence (its blocks here; * pinned)   = shared   # by one of many more   - leaving   + arriving   . free";
  }
}
