package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Logical devices of a GPU; and a kernel that breaks the GPU for its process.
@Tag("gpu")
class GpuCrashTest extends CrashContract {

  GpuCrashTest() {
    super(Hardware.GPU);
  }

  @Test
  void brokenGpu_leavesItsSequencesToTheHost() throws Exception {
    assertThat(breakGpu(folder("beside-host", requests().subList(0, 60)), Hardware.GPU_AND_HOST))
        .contains("taken over");
  }

  /// All devices are on it: the run ends, and goes on in another process.
  @Test
  void brokenGpu_endsTheRun_whichGoesOnInAnotherProcess() throws Exception {
    List<TextRequest> requests = requests();
    Path calm = folder("calm", requests);
    assertThat(live(calm, Integer.MAX_VALUE)).isTrue();
    Path broken = folder("broken", requests);
    assertThat(breakGpu(broken, Hardware.GPU))
        .anyMatch(line -> line.contains("no device is left") && line.contains("illegal"));
    assertThat(live(broken, Integer.MAX_VALUE)).isTrue();
    requireAlike(requests, outputs(calm), outputs(broken));
    List<EngineEvent> events = LiveFixture.check(broken.resolve("journal"));
    assertThat(events)
        .anyMatch(
            event -> event instanceof PlaceFailed failed && failed.cause().contains("illegal"));
  }

  private List<String> breakGpu(Path folder, Hardware hardware) throws Exception {
    Process process = start(BreakingRun.class, folder, hardware);
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      List<String> lines = out.lines().toList();
      assertThat(process.waitFor()).as("%s", lines).isZero();
      return lines;
    }
  }
}
