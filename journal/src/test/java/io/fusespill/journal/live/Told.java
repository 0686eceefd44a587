package io.fusespill.journal.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.RejectionReason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/// A client that remembers what it is told of its request, and objects where that makes no sense.
final class Told implements RequestListener {

  final CountDownLatch arrived = new CountDownLatch(1);
  final CountDownLatch ended = new CountDownLatch(1);
  final List<FinishReason> reasons = new ArrayList<>();
  volatile int request = -1;

  @Override
  public void arrived(int request, int firstSequence) {
    assertThat(this.request).isEqualTo(-1);
    this.request = request;
    arrived.countDown();
  }

  @Override
  public void finished(int sequence, FinishReason reason, boolean last) {
    assertThat(request).isNotNegative();
    assertThat(ended.getCount()).isEqualTo(1);
    reasons.add(reason);
    if (last) {
      ended.countDown();
    }
  }

  @Override
  public void rejected(RejectionReason reason, long needed, long available) {
    assertThat(request).isNotNegative();
    assertThat(ended.getCount()).isEqualTo(1);
    ended.countDown();
  }

  boolean hasEnded() {
    return ended.getCount() == 0;
  }
}
