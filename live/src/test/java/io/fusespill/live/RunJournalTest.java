package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.config.PolicySpec;
import io.fusespill.journal.Durability;
import io.fusespill.journal.JournalReader;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunJournalTest {

  @TempDir private Path temp;

  @Test
  void runThatNobodyGoesOnWith_canBeGoneOnWithLater() {
    LiveSpec spec = LiveFixture.spec(PolicySpec.of("continuous"), 1, Hardware.HOST, 4_096);
    int events;
    try (LiveFixture live = LiveFixture.open("llama2-mha", temp)) {
      events = live.run("journal", spec, live.requests(1, 1, 3)).events().size();
    }
    Path journal = temp.resolve("journal");
    for (int i = 0; i < 2; i++) {
      RunJournal.open(journal, Durability.ASYNC).close();
      assertThat(JournalReader.isBeingWritten(journal)).isFalse();
    }
    assertThat(LiveFixture.check(RunJournal.whole(journal))).hasSize(events);
  }
}
