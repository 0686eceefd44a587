package io.fusespill.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.LongStream;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.Test;

/// What is kept of a run that has more than a page has room for, and how it is packed.
class TracksTest {

  /// Reads columns as the page's script does: counts, then zigzag numbers of seven bits a byte.
  private static List<List<Long>> read(String text) throws IOException {
    byte[] packed = Base64.getDecoder().decode(text);
    byte[] bytes =
        new InflaterInputStream(new ByteArrayInputStream(packed), new Inflater(true))
            .readAllBytes();
    List<List<Long>> columns = new ArrayList<>();
    int[] at = {0};
    while (at[0] < bytes.length) {
      long count = unsigned(bytes, at);
      List<Long> column = new ArrayList<>();
      for (long i = 0; i < count; i++) {
        long code = unsigned(bytes, at);
        column.add((code >>> 1) ^ -(code & 1));
      }
      columns.add(column);
    }
    return columns;
  }

  private static long unsigned(byte[] bytes, int[] at) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = bytes[at[0]++];
      value |= (long) (next & 127) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }

  private static Longs longs(long... values) {
    Longs list = new Longs();
    LongStream.of(values).forEach(list::add);
    return list;
  }

  @Test
  void columns_areReadBack() throws IOException {
    Columns columns = new Columns();
    columns.add(longs(0, 1, -1, 63, -64, 64, Long.MAX_VALUE, Long.MIN_VALUE));
    columns.addDeltas(longs(1_000_000_007L, 1_000_000_009L, 5));
    columns.add(longs());

    assertThat(read(columns.text()))
        .containsExactly(
            List.of(0L, 1L, -1L, 63L, -64L, 64L, Long.MAX_VALUE, Long.MIN_VALUE),
            List.of(1_000_000_007L, 2L, -1_000_000_004L),
            List.of());
  }

  @Test
  void spans_withinTheLimit_areKeptAsTheyAre() throws IOException {
    SpanTrack track = new SpanTrack(4, 1, 1);
    track.add(10, 20, 1, 5);
    track.add(25, 30, 2, 7);

    assertThat(track.group()).isEqualTo(1);
    Columns columns = new Columns();
    track.addTo(columns);
    assertThat(read(columns.text()))
        .containsExactly(
            List.of(10L, 5L), // gaps
            List.of(10L, -5L), // durations, as differences
            List.of(0L, 0L), // pauses
            List.of(1L, 1L), // counts
            List.of(1L, 2L), // marks
            List.of(5L, 2L)); // amounts, as differences
  }

  @Test
  void spans_beyondTheLimit_areJoinedInPairsAndKeepTheirSums() throws IOException {
    SpanTrack track = new SpanTrack(4, 1, 1);
    for (int i = 0; i < 100; i++) {
      track.add(10L * i, 10L * i + 6, i < 50 ? 1 : 2, i);
    }

    assertThat(track.group()).isEqualTo(32);
    assertThat(track.size()).isEqualTo(4);
    Columns columns = new Columns();
    track.addTo(columns);
    List<List<Long>> read = read(columns.text());
    assertThat(read.get(3)).containsExactly(32L, 32L, 32L, 4L);
    assertThat(read.get(4)).containsExactly(1L, SpanTrack.MIXED, 2L, 2L);
    long sum = 0;
    long amount = 0;
    for (long difference : read.get(5)) {
      amount += difference;
      sum += amount;
    }
    assertThat(sum).isEqualTo(99 * 100 / 2);
    assertThat(read.get(2).stream().mapToLong(pause -> pause).sum()).isEqualTo(4L * (100 - 4));
  }

  @Test
  void levels_withinTheLimit_areTheirChanges() throws IOException {
    LevelTrack track = new LevelTrack(8);
    long[] levels = {3, 3, 5, 5, 2};
    for (int i = 0; i < levels.length; i++) {
      track.at(i, levels[i]);
    }
    Columns columns = new Columns();
    track.addTo(columns);
    assertThat(read(columns.text())).containsExactly(List.of(0L, 2L, 2L), List.of(3L, 2L, -3L));
    assertThat(track.spacing()).isZero();
  }

  @Test
  void levels_beyondTheLimit_keepTheirPeak() throws IOException {
    LevelTrack track = new LevelTrack(8);
    for (int i = 0; i < 1_000; i++) {
      track.at(i, i == 617 ? 1_000 : i % 7);
    }
    Columns columns = new Columns();
    track.addTo(columns);
    List<Long> differences = read(columns.text()).get(1);
    long level = 0;
    long most = 0;
    for (long difference : differences) {
      level += difference;
      most = Math.max(most, level);
    }
    assertThat(differences).hasSizeLessThanOrEqualTo(8);
    assertThat(most).isEqualTo(1_000);
    assertThat(track.spacing()).isPositive();
  }

  @Test
  void levels_beyondTheLimit_showTheLevelOfALongRest() throws IOException {
    LevelTrack track = new LevelTrack(32);
    for (int burst = 0; burst < 3; burst++) {
      for (int i = 0; i < 100; i++) {
        track.at(10_000 * burst + i, 50 + i % 7);
      }
      track.at(10_000 * burst + 100, 0);
    }
    Columns columns = new Columns();
    track.addTo(columns);
    List<List<Long>> read = read(columns.text());
    for (int burst = 0; burst < 3; burst++) {
      assertThat(levelAt(read, 10_000 * burst + 50)).isEqualTo(56);
      assertThat(levelAt(read, 10_000 * burst + 5_000)).isZero();
    }
    assertThat(read.getFirst()).hasSizeLessThanOrEqualTo(32);
  }

  private static long levelAt(List<List<Long>> differences, long time) {
    long at = 0;
    long level = 0;
    for (int i = 0; i < differences.getFirst().size(); i++) {
      at += differences.getFirst().get(i);
      if (at > time) {
        break;
      }
      level += differences.getLast().get(i);
    }
    return level;
  }

  @Test
  void html_escapesWhatCouldBeMarkup() {
    assertThat(new Html().add("<b title=\"%s\">%s</b>", "a\"b", "<script>&'").toString())
        .isEqualTo("<b title=\"a&quot;b\">&lt;script&gt;&amp;&#39;</b>");
    assertThat(Html.script("{\"name\":\"</script>\"}")).doesNotContain("</script>");
  }
}
