package io.fusespill.sim.profile;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearMatchTest {

  private static final List<String> NAMES = List.of("a10", "a100-40g", "a100-80g", "h100", "l40s");

  @Test
  void distance_countsInsertionsDeletionsAndReplacements() {
    assertThat(NearMatch.distance("kitten", "sitting")).isEqualTo(3);
    assertThat(NearMatch.distance("", "abc")).isEqualTo(3);
    assertThat(NearMatch.distance("abc", "abc")).isZero();
  }

  @Test
  void hint_prefix_namesAllThatContinueIt() {
    assertThat(NearMatch.hint("a100", NAMES))
        .isEqualTo("; did you mean a100-40g, a100-80g or a10?");
  }

  @Test
  void hint_oneLetterOff_asksForIt() {
    assertThat(NearMatch.hint("l4os", NAMES)).isEqualTo("; did you mean l40s?");
  }

  @Test
  void hint_nothingClose_isEmpty() {
    assertThat(NearMatch.hint("mainframe", NAMES)).isEmpty();
    assertThat(NearMatch.hint("", NAMES)).isEmpty();
  }
}
