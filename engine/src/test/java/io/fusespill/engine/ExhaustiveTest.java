package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Given;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.metrics.LatencyListener;
import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RunMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Small spaces in full: two requests in tiny pools, arriving, cancelled, computed and failing in
/// every order.
///
/// At each instant something happens that could: a request arrives, alone or together with what
/// comes next; a step ends or, once, fails; a live request is cancelled.
class ExhaustiveTest {

  private static final int REQUESTS = 2;

  /// Two tokens a block, at most four tokens and two sequences a step; prompts of three and two
  /// tokens, three tokens of output, the second request with `samples` samples. `reached` are first
  /// words of decisions that some order must lead to.
  @ParameterizedTest
  @CsvSource({
    "continuous,            , 2, 1, preempt reject",
    "continuous,            , 2, 2, preempt reject",
    "continuous,            , 3, 1, preempt",
    "continuous,            , 3, 2, preempt",
    "vllm-0.2.7,   recompute, 2, 1, preempt reject",
    "vllm-0.2.7,   recompute, 2, 2, preempt reject",
    "vllm-0.2.7,   recompute, 3, 1, preempt reject",
    "vllm-0.2.7,   recompute, 3, 2, preempt reject",
    "vllm-0.2.7,        swap, 2, 1, preempt reject swap_out",
    "vllm-0.2.7,        swap, 2, 2, preempt reject swap_out",
    "vllm-0.2.7,        swap, 3, 1, preempt reject swap_out swap_in",
    "vllm-0.2.7,        swap, 3, 2, preempt reject swap_out",
  })
  void everyOrder_isSafeAndEveryRequestEnds(
      String policy, String preemption, int blocks, int samples, String reached) {
    Choices choices = new Choices();
    TreeSet<String> seen = new TreeSet<>();
    do {
      World world = new World(engine(policy, preemption, blocks), samples, choices);
      try {
        world.live();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("after %s: %s".formatted(world.history, e.getMessage()), e);
      }
      world.run.lines().forEach(line -> seen.add(line.substring(0, line.indexOf(' '))));
    } while (choices.next());
    assertThat(seen).contains("admit", "step", "finish").contains(reached.split(" "));
  }

  private static Run engine(String policy, String preemption, int blocks) {
    Given given =
        new EngineFixture()
            .given()
            .blockTokens(2)
            .maxNumSeqs(2)
            .maxNumBatchedTokens(4)
            .maxAttempts(2);
    given.device(blocks).host(3);
    return (preemption == null
            ? given.policy(policy)
            : given.policy(policy, "preemption", preemption))
        .start();
  }

  /// One order of events.
  private static final class World {

    private final Run run;
    private final int samples;
    private final Choices choices;
    private final List<String> history = new ArrayList<>();
    private final TreeSet<Integer> cancelled = new TreeSet<>();
    private int arrived;
    private boolean failed;

    World(Run run, int samples, Choices choices) {
      this.run = run;
      this.samples = samples;
      this.choices = choices;
    }

    void live() {
      List<String> possible = possible();
      while (!possible.isEmpty()) {
        String event = possible.get(choices.below(possible.size()));
        history.add(event);
        happen(event);
        possible = possible();
        if (!event.equals("arrives") || possible.isEmpty() || choices.below(2) == 0) {
          history.add("|");
          run.thenWhatever();
          possible = possible();
        }
      }
      assertThat(run.engine().idle()).as("every request has ended").isTrue();
      assertThat(run.free(0)).isEqualTo(run.view().pool(0).total());
      assertThat(run.free(1)).isEqualTo(run.view().pool(1).total());
      everyRequestEndedOnce();
      run.verify();
    }

    private List<String> possible() {
      List<String> possible = new ArrayList<>();
      if (run.view().stepInFlight(0) != null) {
        possible.add("completes");
        if (!failed) {
          possible.add("fails");
        }
      }
      if (arrived < REQUESTS) {
        possible.add("arrives");
      }
      for (int request = 0; request < arrived; request++) {
        if (!cancelled.contains(request) && run.view().request(request) != null) {
          possible.add("cancels " + request);
        }
      }
      return possible;
    }

    private void happen(String event) {
      switch (event) {
        case "completes" -> run.completes(0);
        case "fails" -> {
          failed = true;
          run.fails(0);
        }
        case "arrives" -> {
          run.arrives(3 - arrived, 3, arrived == 0 ? 1 : samples);
          arrived++;
        }
        default -> {
          int request = event.charAt(event.length() - 1) - '0';
          cancelled.add(request);
          run.cancels(request);
        }
      }
    }

    private void everyRequestEndedOnce() {
      Ended ended = new Ended();
      RunMetrics metrics = new RunMetrics(ended);
      run.log().forEach(metrics::accept);
      assertThat(ended.requests).containsExactlyInAnyOrder(0, 1);
      assertThat(metrics.completed() + metrics.rejected() + metrics.cancelled() + metrics.failed())
          .isEqualTo(metrics.arrived())
          .isEqualTo(REQUESTS);
    }
  }

  private static final class Ended implements LatencyListener {

    private final List<Integer> requests = new ArrayList<>();

    @Override
    public void timeToFirstToken(long nanos) {}

    @Override
    public void interToken(long nanos, int count) {}

    @Override
    public void timePerOutputToken(long nanos, boolean preempted) {}

    @Override
    public void ended(RequestOutcome outcome) {
      requests.add(outcome.request());
    }
  }
}
