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

  @Test
  void print_tellsWhatSubmittingTakesASequence() {
    StringWriter out = new StringWriter();

    ProfileText.print(new PrintWriter(out), profile(i -> 1e6, new SubmitLatency(150_000, 2_500)));

    assertThat(out.toString())
        .contains("start of one planned in answer: 150.0 us, and 2.5 us a sequence");
  }

  private static String noted(IntToDoubleFunction nanos) {
    StringWriter err = new StringWriter();
    ProfileText.note(new PrintWriter(err), profile(nanos, SubmitLatency.NONE));
    return err.toString();
  }

  private static FittedProfile profile(IntToDoubleFunction nanos, SubmitLatency submit) {
    List<StepSample> samples =
        IntStream.range(0, 80)
            .mapToObj(i -> {
              int decodes = 1 + i % 10;
              StepShape shape = new StepShape(decodes, 100L * decodes, 0, 0, 0, decodes, decodes);
              return new StepSample(shape, Math.round(nanos.applyAsDouble(i)));
            })
            .toList();
    return new FittedProfile(
        "p",
        "vicuna-7b",
        16,
        0,
        "a test",
        submit,
        0,
        List.of(StepFit.of("cpu", "host", false, samples)),
        List.of());
  }
}
