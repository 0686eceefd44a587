package io.fusespill.journal.live;

import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.plan.Ints;
import io.fusespill.journal.EngineStoppedException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/// The queue in front of the engine: any thread puts inputs in, the engine's thread takes all there
/// are at once.
///
/// What clients send is limited in number and refused beyond. What executors report always has
/// room: each report answers a step or a transfer in flight, so there are few, and refusing one
/// would leave the engine waiting for it.
final class Inbox implements Completions {

  /// An input without a time; it gets that of the batch it is taken in.
  sealed interface Input {}

  record Submission(LiveRequest request, RequestListener listener) implements Input {}

  record Cancellation(int request) implements Input {}

  record Report(LongFunction<InputEvent> event) implements Input {}

  private final int clientInputsMax;
  private List<Input> waiting = new ArrayList<>();
  private int clientInputs;
  private boolean nudged;
  private boolean closed;
  private @Nullable EngineStoppedException failure;

  Inbox(int clientInputsMax) {
    this.clientInputsMax = clientInputsMax;
    // Links the lambda: at a run's first copy that takes a millisecond, in which its link is busy.
    completed(0);
  }

  /// @throws InboxFullException if there is no room
  /// @throws IllegalStateException if it is closed
  /// @throws EngineStoppedException if it is closed because of a failure
  synchronized void submit(Submission submission) {
    if (failure != null) {
      throw new EngineStoppedException(failure);
    }
    if (closed) {
      throw new IllegalStateException("the engine is stopping and takes no more requests");
    }
    addOfClient(submission);
  }

  /// @throws InboxFullException if there is no room
  synchronized void cancel(Cancellation cancellation) {
    addOfClient(cancellation);
  }

  private void addOfClient(Input input) {
    if (clientInputs == clientInputsMax) {
      throw new InboxFullException(
          "%d client inputs wait for the engine, which is the limit; send this one again later"
              .formatted(clientInputsMax));
    }
    clientInputs++;
    add(input);
  }

  @Override
  public void stepCompleted(int device, long step, Ints ended, Ints sampledTokens, long busyNanos) {
    add(new Report(at -> new StepCompleted(at, device, step, ended, sampledTokens, busyNanos)));
  }

  @Override
  public void sequenceFailed(int device, long step, int sequence, String cause) {
    add(new Report(at -> new SequenceFailed(at, device, step, sequence, cause)));
  }

  @Override
  public void stepFailed(int device, long step, String cause) {
    add(new Report(at -> new StepFailed(at, device, step, cause)));
  }

  @Override
  public void transferCompleted(int transfer) {
    add(completed(transfer));
  }

  private static Report completed(int transfer) {
    return new Report(at -> new TransferCompleted(at, transfer));
  }

  @Override
  public void transferFailed(int transfer, String cause) {
    add(new Report(at -> new TransferFailed(at, transfer, cause)));
  }

  @Override
  public void placeFailed(int place, String cause) {
    add(new Report(at -> new PlaceFailed(at, place, cause)));
  }

  private synchronized void add(Input input) {
    waiting.add(input);
    notifyAll();
  }

  /// Takes no more requests.
  synchronized void close() {
    closed = true;
  }

  /// Takes no more requests, and says why.
  synchronized void close(EngineStoppedException failure) {
    closed = true;
    this.failure = failure;
  }

  /// Has [#take] return, be it with nothing.
  synchronized void nudge() {
    nudged = true;
    notifyAll();
  }

  /// Takes everything in order of arrival, and waits for something where there is nothing.
  synchronized List<Input> take() throws InterruptedException {
    while (waiting.isEmpty() && !nudged) {
      wait();
    }
    List<Input> taken = waiting;
    waiting = new ArrayList<>();
    clientInputs = 0;
    nudged = false;
    return taken;
  }

  synchronized boolean isEmpty() {
    return waiting.isEmpty();
  }
}
