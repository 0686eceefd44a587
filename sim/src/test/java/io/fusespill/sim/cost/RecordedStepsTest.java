package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.ModelProfiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Checks the roofline on the steps of a real run. Run with `-Dgolden.steps=<steps.csv.gz>`.
class RecordedStepsTest {

  @Test
  void breakdown_recordedSteps_addUp() throws IOException {
    String file = System.getProperty("golden.steps", "");
    assumeThat(file).as("-Dgolden.steps").isNotEmpty();
    List<StepShape> steps = RecordedSteps.read(Path.of(file));
    StepTimeModel model =
        new RooflineModel(HardwareProfiles.named("a10"), ModelProfiles.named("vicuna-7b"), 16);

    assertThat(steps).isNotEmpty();
    assertThat(steps)
        .allSatisfy(step ->
            assertThat(model.breakdown(step).totalNanos())
                .isPositive()
                .isEqualTo(model.nanos(step)));
    assertThat(RecordedSteps.report(steps, model)).contains("weights", "total");
  }
}
