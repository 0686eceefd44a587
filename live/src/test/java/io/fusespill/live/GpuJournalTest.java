package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.plan.TransferKind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A run that a GPU has served is decided again where there is none.
///
/// `gpu-run.zip` is the journal of 2026-11-28 on an H200, of 16 requests to a tiny model in pools
/// that hold three or four of them. Recorded by, and its folder `journal` packed:
///
/// ```
///  fusespill bench throughput --model llama3-gqa-ropescaled-tied-sharded --temperature 0
///    --device cuda:0:blocks=30 --aux cuda:0#2:blocks=24 --attention host:threads=2 --swap-space 0.01
///    --block-size 8 --num-prompts 16 --input-len 30 --output-len 40 --range-ratio 0.5
///    --policy fusespill --max-num-seqs 16 -o runs/gpu
/// ```
class GpuJournalTest {

  private static final int EVENTS = 628;

  @TempDir private Path temp;

  @Test
  void recordedOnAGpu_isDecidedAgain() throws IOException {
    unpack("gpu-run.zip");
    List<EngineEvent> events = LiveFixture.check(temp.resolve("journal"));
    assertThat(events).hasSize(EVENTS);
    assertThat(((RunStarted) events.getFirst()).config().topology().places())
        .extracting(Place::name)
        .containsExactly("cuda-0", "aux-cuda-0-2", "memory");
    for (int place = 0; place < 2; place++) {
      int device = place;
      assertThat(events)
          .anyMatch(
              event -> event instanceof StepPlanned planned && planned.plan().device() == device)
          .anyMatch(event ->
              event instanceof StepCompleted completed
                  && completed.device() == device
                  && !completed.sampledTokens().isEmpty()
                  && completed.busyNanos() > 0);
    }
    assertThat(events).anyMatch(event -> moves(event, TransferKind.SWAP_OUT));
    assertThat(events).anyMatch(event -> moves(event, TransferKind.SWAP_IN));
  }

  private static boolean moves(EngineEvent event, TransferKind kind) {
    return event instanceof TransferPlanned planned && planned.plan().kind() == kind;
  }

  private void unpack(String name) throws IOException {
    try (InputStream in = getClass().getResourceAsStream(name);
        ZipInputStream zip = new ZipInputStream(in)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        Path file = temp.resolve(entry.getName());
        if (entry.isDirectory()) {
          Files.createDirectories(file);
        } else {
          Files.createDirectories(file.getParent());
          Files.copy(zip, file);
        }
      }
    }
  }
}
