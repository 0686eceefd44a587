package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.sim.calibrate.StepFit;
import io.fusespill.sim.calibrate.StepSample;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.SubmitLatency;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class ProfileTextTest {

  @Test
  void note_saysNothing_whereStepsAreForetold() {
    assertThat(noted(step -> 5e6)).isEmpty();
  }

  /// The first steps of a short run, while the program is being compiled.
  @Test
  void note_namesThePlace_whereStepsAreNot() {
    assertThat(noted(step -> step < 8 ? 200e6 : 1e6))
        .startsWith("fusespill: held-out steps of cpu are off by ")
        .contains("a longer run on a quiet machine tells more");
  }

  private static String noted(IntToDoubleFunction nanos) {
    List<StepSample> samples =
        IntStream.range(0, 80)
            .mapToObj(i -> {
              int decodes = 1 + i % 10;
              StepShape shape = new StepShape(decodes, 100L * decodes, 0, 0, 0, decodes, decodes);
              return new StepSample(shape, Math.round(nanos.applyAsDouble(i)));
            })
            .toList();
    FittedProfile profile =
        new FittedProfile(
            "p",
            "vicuna-7b",
            16,
            "a test",
            SubmitLatency.NONE,
            0,
            List.of(StepFit.of("cpu", "host", false, samples)),
            List.of());
    StringWriter err = new StringWriter();
    ProfileText.note(new PrintWriter(err), profile);
    return err.toString();
  }
}
