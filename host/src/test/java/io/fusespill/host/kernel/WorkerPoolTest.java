package io.fusespill.host.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkerPoolTest {

  @ParameterizedTest
  @CsvSource({"1, 0, 1", "1, 7, 3", "2, 1, 1", "2, 100, 1", "3, 100, 7", "4, 3, 2", "5, 1000, 64"})
  void everyItemIsDoneOnce(int threads, int items, int chunk) {
    try (WorkerPool pool = WorkerPool.of(threads)) {
      for (int call = 0; call < 200; call++) {
        AtomicIntegerArray done = new AtomicIntegerArray(items);
        pool.run(
            (worker, from, to) -> {
              assertThat(worker).isBetween(0, threads - 1);
              assertThat(from % chunk).isZero();
              assertThat(to - from).isBetween(1, chunk);
              for (int i = from; i < to; i++) {
                done.incrementAndGet(i);
              }
            },
            items,
            chunk);
        for (int i = 0; i < items; i++) {
          assertThat(done.get(i)).isEqualTo(1);
        }
      }
    }
  }

  @Test
  void allThreadsWorkAtOnce() {
    try (WorkerPool pool = WorkerPool.pinned(Cores.allowed()[0], Cores.allowed()[0])) {
      CountDownLatch both = new CountDownLatch(2);
      pool.run(
          (worker, from, to) -> {
            both.countDown();
            try {
              both.await();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          },
          2,
          1);
      assertThat(both.getCount()).isZero();
    }
  }

  @Test
  void whatATaskThrowsIsThrownByTheCallAndThePoolGoesOn() {
    try (WorkerPool pool = WorkerPool.of(3)) {
      for (int failing = 0; failing < 20; failing++) {
        int bad = failing;
        assertThatThrownBy(() ->
                pool.run(
                    (worker, from, to) -> {
                      if (from == bad) {
                        throw new IllegalArgumentException("item " + from);
                      }
                    },
                    20,
                    1))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("item " + bad);
      }
      pool.run((worker, from, to) -> {}, 20, 1);
    }
  }

  @Test
  void aCallWithinACallIsRefused() {
    try (WorkerPool pool = WorkerPool.of(2)) {
      assertThatThrownBy(() -> pool.run((w, from, to) -> pool.run((v, a, b) -> {}, 5, 1), 5, 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the pool runs a task already");
    }
  }

  @Test
  void aClosedPoolRunsNothing() {
    WorkerPool pool = WorkerPool.of(2);
    pool.close();
    pool.close();
    assertThatThrownBy(() -> pool.run((worker, from, to) -> {}, 5, 1))
        .isInstanceOf(IllegalStateException.class);
  }

  @ParameterizedTest
  @CsvSource({"0", "-1", "1025"})
  void aPoolHasAtLeastOneThread(int threads) {
    assertThatThrownBy(() -> WorkerPool.of(threads))
        .hasMessage("threads must be 1 to 1024, got " + threads);
  }
}
