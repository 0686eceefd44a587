package io.fusespill.journal;

import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.ExceptionHandler;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.dsl.Disruptor;
import com.lmax.disruptor.dsl.ProducerType;
import io.fusespill.engine.EventLog;
import io.fusespill.engine.event.EngineEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// The engine's log in production: one ring, from which each event goes into the journal first, then to whoever acts on
/// it. One thread appends.
///
/// An append waits while the ring is full. When a handler throws, everything stops: no handler acts on another event, and
/// [#append] and [#close] throw with the handler's failure as the cause.
public final class EnginePipeline implements EventLog, AutoCloseable {
  /*
   *                     ┌──────────┐ commit ┌──────────┐
   *               ┌────►│ journal  ├───────►│ dispatch ├──┐
   *  append   ┌───┴──┐  └──────────┘        └──────────┘  │  ┌───────┐
   * ─────────►│ ring │                                    ├─►│ clear │
   *           └───┬──┘  ┌──────────────────────────────┐  │  └───────┘
   *               └────►│ beside (metrics, any number) ├──┘
   *                     └──────────────────────────────┘
   *
   * Each box is a thread. The journal's sequence moves at the end of a batch, so one commit covers all that was in the
   * ring, and dispatch sees none of it before. The slot is cleared last, or the ring would keep 4096 events alive; only
   * then can it take another event.
   *
   * A handler that throws would by default end its own thread, and the producer would wait for ever. Here it notes its
   * failure and from then on all handlers let events pass without a look, so that the ring drains and nobody waits. What
   * passed unjournaled is not dispatched, because the failure is noted before the journal's sequence moves.
   *
   * Halting a Disruptor whose handlers have not started yet loses events, so building one waits for every start.
   */
  ...
