package io.fusespill.replay.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LargestFirstTest {

  @Test
  void works_areDoneInTheOrderOfTheirSizes() {
    List<Integer> done = new ArrayList<>();
    LargestFirst.run(List.of(3, 1, 4, 1, 5), Integer::longValue, 1, done::add);
    assertThat(done).containsExactly(5, 4, 3, 1, 1);
  }

  /// A full disk is told as one, not as our mistake.
  @Test
  void whatAPieceThrows_isThrownOn() {
    UncheckedIOException full = new UncheckedIOException("disk full", new IOException("full"));
    assertThatThrownBy(() ->
            LargestFirst.run(
                List.of(1, 2),
                Integer::longValue,
                2,
                work -> {
                  throw full;
                }))
        .isSameAs(full);
  }
}
