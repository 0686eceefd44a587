package io.fusespill.journal.live;

import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/// A device that answers each step from threads of its own, after some random microseconds, and not
/// always well.
final class DelayingExecutor implements Executor, AutoCloseable {

  private final Completions completions;
  private final Random random;
  private final int stepFailuresPercent;
  private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(2);

  DelayingExecutor(Completions completions, long seed, int stepFailuresPercent) {
    this.completions = completions;
    this.random = new Random(seed);
    this.stepFailuresPercent = stepFailuresPercent;
  }

  @Override
  public void execute(StepPlan plan, List<TransferPlan> before) {
    Runnable answer =
        random.nextInt(100) < stepFailuresPercent
            ? () -> completions.stepFailed(plan.device(), plan.step(), "by chance")
            : complete(plan);
    answerLater(answer);
  }

  private Runnable complete(StepPlan plan) {
    int last = plan.size() - 1;
    Ints ended =
        last >= 0 && plan.isDecode(last) && random.nextInt(10) == 0
            ? Ints.of(plan.sequences().get(last))
            : Ints.EMPTY;
    return () -> completions.stepCompleted(plan.device(), plan.step(), ended, Ints.EMPTY, 0);
  }

  @Override
  public void transfer(TransferPlan plan) {
    answerLater(() -> completions.transferCompleted(plan.transfer()));
  }

  @Override
  public void release(int sequence) {}

  private void answerLater(Runnable answer) {
    threads.schedule(answer, random.nextInt(200), TimeUnit.MICROSECONDS);
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
