package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.CudaException;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.cuda.kernel.Kernels;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.journal.EngineStoppedException;
import io.fusespill.journal.live.NoDeviceException;
import io.fusespill.live.LiveFixture.Run;
import java.nio.file.Path;
import java.util.List;

/// The process whose GPU breaks: a kernel that reads where nothing is, and nothing works there any
/// more until the process ends.
final class BreakingRun {

  private static final int STEPS_BEFORE = 40;

  /// An address that nobody has.
  private static final long NOWHERE = 0x1000;

  private BreakingRun() {}

  /// @param args folder of the run, folder of the model, hardware
  public static void main(String[] args) {
    Path folder = Path.of(args[0]);
    Hardware hardware = Hardware.valueOf(args[2]);
    List<TextRequest> requests = RequestFile.read(folder.resolve("requests.jsonl"));
    try (LiveFixture live = LiveFixture.open(Path.of(args[1]), folder)) {
      if (hardware == Hardware.GPU) {
        end(live, requests);
      } else {
        goOn(live, hardware, requests);
      }
    }
  }

  private static void goOn(LiveFixture live, Hardware hardware, List<TextRequest> requests) {
    Run calm =
        live.run(
            "calm", LiveFixture.spec(PolicySpec.of("continuous"), 1, hardware, 16_384), requests);
    Run broken =
        live.withOrders(Breaking::new)
            .run(
                "broken",
                LiveFixture.spec(
                    PolicySpec.of("fusespill"), 2, hardware, false, 1.0 / 16, 0, 240, 480),
                requests);
    assertThat(FaultContract.requireTakenOver(broken).cause()).contains("illegal");
    hardware.requireAlike(live, requests, calm, broken);
    say("taken over");
  }

  private static void end(LiveFixture live, List<TextRequest> requests) {
    assertThatThrownBy(() ->
            live.withOrders(Breaking::new).run("journal", CrashingRun.spec(Hardware.GPU), requests))
        .isInstanceOf(EngineStoppedException.class)
        .hasCauseInstanceOf(NoDeviceException.class)
        .hasNoSuppressedExceptions()
        .satisfies(e -> say(e.getCause().getMessage()));
  }

  @SuppressWarnings("SystemOut") // the parent process reads it
  private static void say(String what) {
    System.out.println(what);
    System.out.flush();
  }

  /// Passes orders on, and breaks the GPU in the midst of them.
  private static final class Breaking extends Orders {

    private int steps;

    Breaking(Executor executor) {
      super(executor);
    }

    @Override
    public void execute(StepPlan plan, List<TransferPlan> before) {
      if (++steps == STEPS_BEFORE) {
        breakGpu();
      }
      super.execute(plan, before);
    }

    private static void breakGpu() {
      try (Context context = Context.open(0);
          Stream stream = context.stream("saboteur");
          Kernels kernels = new Kernels(context, ElementType.BF16, stream)) {
        kernels.embed(stream, NOWHERE, NOWHERE, NOWHERE, 1, 64);
        stream.synchronize();
        throw new AssertionError("the GPU reads where nothing is");
      } catch (CudaException e) {
        assertThat(e.isFatal()).as("%s", e).isTrue();
      }
    }
  }
}
