package io.fusespill.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.event.EngineEvent;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class EnginePipelineTest {

  private static final EventConsumer NOTHING = (position, event) -> {};

  @TempDir private Path temp;

  @ParameterizedTest
  @EnumSource(Waiting.class)
  void everyHandler_seesEveryEventInOrder(Waiting waiting) {
    int count = 20_000;
    List<EngineEvent> dispatched = new ArrayList<>();
    List<EngineEvent> beside = new ArrayList<>();
    EnginePipeline pipeline =
        EnginePipeline.builder()
            .waiting(waiting)
            .dispatch((position, event) -> add(dispatched, position, event))
            .beside("metrics", (position, event) -> add(beside, position, event))
            .beside("progress", NOTHING)
            .start();
    try (pipeline) {
      for (int i = 0; i < count; i++) {
        assertThat(pipeline.append(Events.event(i))).isEqualTo(i);
      }
    }
    assertThat(dispatched).isEqualTo(Events.events(count));
    assertThat(beside).isEqualTo(dispatched);
    assertThat(pipeline.events()).isEqualTo(count);
  }

  private static void add(List<EngineEvent> list, long position, EngineEvent event) {
    assertThat(position).isEqualTo(list.size());
    list.add(event);
  }

  @Test
  void ringAndDirectLog_leaveTheSame() throws Exception {
    int count = 30_000;
    Path ringDirectory = temp.resolve("ring");
    Path directDirectory = temp.resolve("direct");
    EnginePipeline ring =
        EnginePipeline.builder()
            .journal(Journal.create(ringDirectory, JournalFixture.HEADER, Durability.ASYNC))
            .start();
    DirectLog direct =
        new DirectLog(Journal.create(directDirectory, JournalFixture.HEADER, Durability.ASYNC));
    try (ring;
        direct) {
      for (int i = 0; i < count; i++) {
        assertThat(ring.append(Events.event(i))).isEqualTo(direct.append(Events.event(i)));
      }
    }
    assertThat(ring.events()).isEqualTo(direct.events()).isEqualTo(count);
    assertThat(ring.bytes()).isEqualTo(direct.bytes());
    assertThat(ring.digest()).isEqualTo(direct.digest());
    assertThat(JournalFixture.queueFile(ringDirectory))
        .hasSameBinaryContentAs(JournalFixture.queueFile(directDirectory));

    EventDigest digest = new EventDigest();
    JournalFixture.read(ringDirectory)
        .records()
        .forEach(record -> digest.add(record, record.length));
    assertThat(digest.hex()).isEqualTo(ring.digest());
  }

  /// `Disruptor.shutdown` right after `start` loses events; ours may not.
  @Test
  void close_rightAfterStart_losesNothing() {
    for (int run = 0; run < 300; run++) {
      int count = run % 7;
      AtomicLong dispatched = new AtomicLong();
      AtomicLong beside = new AtomicLong();
      EnginePipeline pipeline =
          EnginePipeline.builder()
              .dispatch((position, event) -> dispatched.incrementAndGet())
              .beside("metrics", (position, event) -> beside.incrementAndGet())
              .start();
      try (pipeline) {
        Events.events(count).forEach(pipeline::append);
      }
      assertThat(dispatched).as("run %d", run).hasValue(count);
      assertThat(beside).as("run %d", run).hasValue(count);
      assertThat(pipeline.events()).as("run %d", run).isEqualTo(count);
    }
  }

  /// More events than slots, and a dispatcher that lets none through until the end of the appends
  /// cannot be far.
  @Test
  void append_fullRing_waitsForRoom() throws Exception {
    int slots = 16;
    CountDownLatch open = new CountDownLatch(1);
    AtomicLong appended = new AtomicLong();
    EnginePipeline pipeline =
        EnginePipeline.builder()
            .slots(slots)
            .dispatch((position, event) -> awaitOpen(open))
            .start();
    Thread producer =
        new Thread(() -> {
          for (int i = 0; i < 10 * slots; i++) {
            pipeline.append(Events.event(i));
            appended.incrementAndGet();
          }
        });
    producer.start();
    while (appended.get() < slots) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    TimeUnit.MILLISECONDS.sleep(20);
    assertThat(appended).hasValue(slots);
    open.countDown();
    producer.join();
    pipeline.close();
    assertThat(pipeline.events()).isEqualTo(10 * slots);
  }

  private static void awaitOpen(CountDownLatch open) {
    try {
      open.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Counts what it is given, and what of that is committed.
  private static class CountedJournal implements Journal {

    final AtomicLong appended = new AtomicLong();
    final AtomicLong committed = new AtomicLong();
    final AtomicLong commits = new AtomicLong();
    boolean closed;

    @Override
    public void append(byte[] record, int length) {
      appended.incrementAndGet();
    }

    @Override
    public void commit() {
      commits.incrementAndGet();
      committed.set(appended.get());
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  @Test
  void dispatch_seesOnlyWhatIsCommitted() {
    CountedJournal journal = new CountedJournal();
    AtomicLong early = new AtomicLong();
    EnginePipeline pipeline =
        EnginePipeline.builder()
            .journal(journal)
            .dispatch((position, event) -> {
              if (position >= journal.committed.get()) {
                early.incrementAndGet();
              }
            })
            .start();
    try (pipeline) {
      Events.events(50_000).forEach(pipeline::append);
    }
    assertThat(early).hasValue(0);
    assertThat(journal.committed).hasValue(50_000);
    assertThat(journal.closed).isTrue();
  }

  @Test
  void commit_coversAllThatHasGathered() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch open = new CountDownLatch(1);
    CountedJournal journal =
        new CountedJournal() {
          @Override
          public void commit() {
            super.commit();
            first.countDown();
            awaitOpen(open);
          }
        };
    EnginePipeline pipeline = EnginePipeline.builder().journal(journal).start();
    try (pipeline) {
      pipeline.append(Events.event(0));
      first.await();
      Events.events(100).forEach(pipeline::append);
      open.countDown();
    }
    assertThat(journal.commits).hasValue(2);
    assertThat(journal.committed).hasValue(101);
  }

  @Test
  void clear_letsGoOfEvents() throws Exception {
    try (EnginePipeline pipeline = EnginePipeline.builder().start()) {
      EngineEvent event = Events.step(0, 1000);
      WeakReference<EngineEvent> reference = new WeakReference<>(event);
      pipeline.append(event);
      event = null;
      while (reference.get() != null) {
        System.gc();
        TimeUnit.MILLISECONDS.sleep(5);
      }
    }
  }

  enum Dying {
    JOURNAL,
    COMMIT,
    DISPATCH,
    BESIDE;

    /// A pipeline whose handler of this name fails at position 1000.
    EnginePipeline.Builder builder(RuntimeException cause, AtomicLong dispatched) {
      return EnginePipeline.builder()
          .slots(64)
          .journal(
              new CountedJournal() {
                @Override
                public void append(byte[] record, int length) {
                  if (JOURNAL == Dying.this && appended.get() == 1000) {
                    throw cause;
                  }
                  super.append(record, length);
                }

                @Override
                public void commit() {
                  if (COMMIT == Dying.this && appended.get() > 1000) {
                    throw cause;
                  }
                  super.commit();
                }
              })
          .dispatch((position, event) -> {
            if (DISPATCH == Dying.this && position == 1000) {
              throw cause;
            }
            dispatched.incrementAndGet();
          })
          .beside(
              "metrics",
              (position, event) -> {
                if (BESIDE == Dying.this && position == 1000) {
                  throw cause;
                }
              });
    }
  }

  @ParameterizedTest
  @EnumSource(Dying.class)
  void handlerThatThrows_stopsTheProducerWithTheCause(Dying dying) {
    IllegalStateException cause = new IllegalStateException("no power");
    AtomicLong dispatched = new AtomicLong();
    AtomicLong told = new AtomicLong();
    EnginePipeline pipeline =
        dying.builder(cause, dispatched).onFailure(told::incrementAndGet).start();
    long[] appended = {0};
    assertThatThrownBy(
            () -> {
              while (true) {
                pipeline.append(Events.event(appended[0]++));
              }
            })
        .isInstanceOf(EngineStoppedException.class)
        .hasMessageContaining(dying == Dying.BESIDE ? "metrics failed" : " failed at position 1")
        .cause()
        .isSameAs(cause);
    assertThat(appended[0]).isBetween(1001L, 1001L + 3 * 64);
    assertThatThrownBy(() -> pipeline.append(Events.event(0)))
        .isInstanceOf(EngineStoppedException.class);
    assertThatThrownBy(pipeline::checkRunning).isInstanceOf(EngineStoppedException.class);
    assertThatThrownBy(pipeline::close)
        .isInstanceOf(EngineStoppedException.class)
        .cause()
        .isSameAs(cause);
    pipeline.close();
    assertThat(told).hasValue(1);
    if (dying != Dying.BESIDE) {
      assertThat(dispatched.get()).isLessThanOrEqualTo(1000);
    }
  }

  @Test
  void handlerThatThrowsAtTheLastEvent_isReportedByClose() {
    EnginePipeline pipeline =
        EnginePipeline.builder()
            .dispatch((position, event) -> {
              throw new AssertionError("at " + position);
            })
            .start();
    pipeline.append(Events.event(0));
    assertThatThrownBy(pipeline::close)
        .isInstanceOf(EngineStoppedException.class)
        .hasMessage(
            "the engine has stopped: dispatch failed at position 0: java.lang.AssertionError: at 0")
        .hasCauseInstanceOf(AssertionError.class);
  }

  /// The journal's memory is not given back under a thread that may still write there.
  @Test
  void close_handlerHangsAfterAFailure_returnsAndLeavesTheJournalOpen() {
    CountDownLatch hanging = new CountDownLatch(1);
    CountDownLatch open = new CountDownLatch(1);
    CountedJournal journal = new CountedJournal();
    EnginePipeline pipeline =
        EnginePipeline.builder()
            .journal(journal)
            .dispatch((position, event) -> {
              hanging.countDown();
              awaitOpen(open);
            })
            .beside(
                "metrics",
                (position, event) -> {
                  awaitOpen(hanging);
                  throw new IllegalStateException("no metrics");
                })
            .stopNanosMax(TimeUnit.MILLISECONDS.toNanos(50))
            .start();
    pipeline.append(Events.event(0));
    assertThatThrownBy(pipeline::close)
        .isInstanceOf(EngineStoppedException.class)
        .cause()
        .hasMessage("no metrics")
        .satisfies(cause ->
            assertThat(cause.getSuppressed())
                .hasOnlyOneElementSatisfying(late ->
                    assertThat(late)
                        .hasMessage(
                            "fusespill-dispatch has not returned within 50 ms; the journal stays open")));
    assertThat(journal.closed).isFalse();
    open.countDown();
  }

  @Test
  void close_journalThatCannotClose_isReported() {
    EnginePipeline pipeline =
        EnginePipeline.builder()
            .journal(
                new CountedJournal() {
                  @Override
                  public void close() {
                    throw new JournalException("cannot close");
                  }
                })
            .start();
    assertThatThrownBy(pipeline::close)
        .isInstanceOf(EngineStoppedException.class)
        .hasMessageContaining("cannot close");
  }

  /// With blocking waits an interrupted handler cannot wait on; it must not pass over an event
  /// either.
  @Test
  void handlerThatIsInterrupted_stopsTheEngine() {
    EnginePipeline pipeline =
        EnginePipeline.builder()
            .dispatch((position, event) -> Thread.currentThread().interrupt())
            .start();
    assertThatThrownBy(
            () -> {
              while (true) {
                pipeline.append(Events.event(0));
              }
            })
        .isInstanceOf(EngineStoppedException.class)
        .hasMessageContaining("fusespill-dispatch failed")
        .hasCauseInstanceOf(InterruptedException.class);
    assertThatThrownBy(pipeline::close).isInstanceOf(EngineStoppedException.class);
  }

  @Test
  void append_closed_isRefused() {
    EnginePipeline pipeline = EnginePipeline.builder().start();
    assertThatThrownBy(pipeline::events).isInstanceOf(IllegalStateException.class);
    pipeline.close();
    pipeline.close();
    assertThatThrownBy(() -> pipeline.append(Events.event(0)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the pipeline is closed and takes no more events");
    assertThat(pipeline.events()).isZero();
    assertThat(pipeline.bytes()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 3, 1 << 21})
  void slots_illegal_isRefusedNamingTheRange(int slots) {
    assertThatThrownBy(() -> EnginePipeline.builder().slots(slots))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("slots is " + slots + ", must be a power of two from 1 to 1048576");
  }

  @Test
  void threads_areGoneAfterClose() {
    EnginePipeline pipeline =
        EnginePipeline.builder().beside("counting-for-this-test", NOTHING).start();
    assertThat(threadNames()).contains("fusespill-counting-for-this-test");
    pipeline.close();
    assertThat(threadNames()).doesNotContain("fusespill-counting-for-this-test");
  }

  private static List<String> threadNames() {
    return Thread.getAllStackTraces().keySet().stream().map(Thread::getName).toList();
  }
}
