package io.fusespill.engine.codec;

import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.ResidentsSorted;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.SequenceRouted;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.PlaceRestored;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// The canonical bytes of an event: the same event at the same position has the same bytes on every
/// machine.
///
/// One encoder serves one thread and reuses its buffer.
public final class EventEncoder {

  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final PayloadWriter out = new PayloadWriter();
  private final CRC32C crc = new CRC32C();

  /// Encodes the event and returns the record's length; [#bytes] holds it until the next call.
  public int encode(long position, EngineEvent event) {
    EventType type = EventType.of(event);
    out.clear(RecordLayout.PAYLOAD);
    payload(event);
    byte[] bytes = out.bytes();
    int length = out.size();
    SHORT.set(bytes, RecordLayout.TYPE, (short) type.number());
    SHORT.set(bytes, RecordLayout.VERSION, (short) EventType.versionFor(event));
    INT.set(bytes, RecordLayout.LENGTH, length);
    LONG.set(bytes, RecordLayout.POSITION, position);
    LONG.set(bytes, RecordLayout.NANOS, event.atNanos());
    INT.set(bytes, RecordLayout.CRC, crc(crc, bytes, length));
    return length;
  }

  /// The buffer whose first bytes are the record last encoded.
  public byte[] bytes() {
    return out.bytes();
  }

  static int crc(CRC32C crc, byte[] bytes, int length) {
    crc.reset();
    crc.update(bytes, 0, RecordLayout.CRC);
    crc.update(bytes, RecordLayout.PAYLOAD, length - RecordLayout.PAYLOAD);
    return (int) crc.getValue();
  }

  private void payload(EngineEvent event) {
    switch (event) {
      case StepPlanned e -> {
        step(e.plan());
        out.unsigned(e.freeBlocks());
        out.unsigned(e.waiting());
        if (e.plan().remoteEntries() > 0) {
          out.unsigned(e.plan().remotePlace());
          out.unsigned(e.plan().remoteEntries());
        }
      }
      case StepCompleted e -> {
        out.unsigned(e.device());
        out.unsigned(e.step());
        out.ints(e.ended());
        out.ints(e.sampledTokens());
        if (e.busyNanos() != 0) {
          out.unsigned(e.busyNanos());
        }
      }
      case SequenceFinished e -> {
        out.unsigned(e.sequence());
        out.unsigned(e.reason().ordinal());
      }
      case SequenceAdmitted e -> {
        out.unsigned(e.sequence());
        out.unsigned(e.device());
        if (e.keptBlocks() != 0) {
          out.unsigned(e.keptBlocks());
        }
      }
      case SequenceRouted e -> {
        out.unsigned(e.sequence());
        out.unsigned(e.device());
      }
      case RequestArrived e -> {
        out.unsigned(e.request());
        out.unsigned(e.firstSequence());
        out.unsigned(e.samples());
        out.unsigned(e.promptTokens());
        out.unsigned(e.maxOutputTokens());
        boolean text = !e.prompt().equals(Prompt.NONE);
        if (text || e.hintTokens() != 0) {
          out.unsigned(e.hintTokens());
        }
        if (text) {
          out.ints(e.prompt().ids());
          out.text(e.prompt().parameters());
          if (e.prompt().tokensPerId() > 1) {
            out.unsigned(e.prompt().tokensPerId());
          }
        }
      }
      case SequencePreempted e -> {
        out.unsigned(e.sequence());
        out.unsigned(e.kind().ordinal());
        out.unsigned(e.reason().ordinal());
      }
      case TransferPlanned e -> transfer(e.plan());
      case RequestCancelled e -> out.unsigned(e.request());
      case StepFailed e -> {
        out.unsigned(e.device());
        out.unsigned(e.step());
        out.text(e.cause());
      }
      case TransferCompleted e -> out.unsigned(e.transfer());
      case TransferFailed e -> {
        out.unsigned(e.transfer());
        out.text(e.cause());
      }
      case PlaceFailed e -> {
        out.unsigned(e.place());
        out.text(e.cause());
      }
      case PlaceRestored e -> out.unsigned(e.place());
      case SequenceFailed e -> {
        out.unsigned(e.device());
        out.unsigned(e.step());
        out.unsigned(e.sequence());
        out.text(e.cause());
      }
      case RequestRejected e -> {
        out.unsigned(e.request());
        out.unsigned(e.firstSequence());
        out.unsigned(e.samples());
        out.unsigned(e.reason().ordinal());
        out.unsigned(e.needed());
        out.unsigned(e.available());
      }
      case HandlingChosen e -> handling(e);
      case ShareChosen e -> {
        out.unsigned(e.device());
        out.unsigned(e.place());
        out.unsigned(e.sharePpm());
        out.unsigned(e.closedFormPpm());
        out.unsigned(e.tokensPerSecond());
        out.unsigned(e.aloneTokensPerSecond());
      }
      case ResidentsSorted e -> out.unsigned(e.place());
      case Checkpointed e -> out.fixed64(e.stateHash());
      case RunStarted e -> {
        out.text(e.engineVersion());
        out.text(e.configDigest());
        out.fixed64(e.seed());
        ConfigCodec.write(e.config(), out);
      }
      case ConfigurationChanged e -> {
        out.text(e.configDigest());
        ConfigCodec.write(e.config(), out);
      }
    }
  }

  private void handling(HandlingChosen event) {
    out.unsigned(event.sequence());
    out.unsigned(event.device());
    out.unsigned(event.remainingTokens());
    out.unsigned(event.blocks());
    out.unsigned(event.chosen());
    out.unsigned(event.estimates().size());
    for (HandlingEstimate estimate : event.estimates()) {
      out.unsigned(estimate.handling().ordinal());
      out.unsigned(estimate.place() + 1L);
      out.unsigned(estimate.lostNanos());
      out.unsigned(estimate.freeNanos());
    }
  }

  /// Entries are written one by one: the sequence's difference from the one before with a bit that
  /// says whether it computes one token only, the number of new tokens otherwise, and the tokens
  /// computed before.
  private void step(StepPlan plan) {
    out.unsigned(plan.device());
    out.unsigned(plan.step());
    int entries = plan.size();
    out.unsigned(entries);
    out.ensure(18 * entries);
    Ints sequences = plan.sequences();
    Ints newTokens = plan.newTokens();
    Ints computedTokens = plan.computedTokens();
    int previous = 0;
    for (int i = 0; i < entries; i++) {
      int sequence = sequences.get(i);
      int tokens = newTokens.get(i);
      long delta = (long) sequence - previous;
      long folded = (delta << 1) ^ (delta >> 63);
      out.unsignedUnchecked(folded << 1 | (tokens == 1 ? 0 : 1));
      if (tokens != 1) {
        out.small(tokens);
      }
      out.small(computedTokens.get(i));
      previous = sequence;
    }
    out.ints(plan.newBlocks());
    out.unsigned(plan.copies().size());
    for (BlockCopy copy : plan.copies()) {
      out.unsigned(copy.sequence());
      out.unsigned(copy.source());
      out.unsigned(copy.target());
    }
    out.ints(plan.transfers());
    out.unsigned(plan.batchedTokens());
  }

  private void transfer(TransferPlan plan) {
    out.unsigned(plan.transfer());
    out.unsigned(plan.kind().ordinal());
    out.unsigned(plan.mode().ordinal());
    out.unsigned(plan.from());
    out.unsigned(plan.to());
    out.ints(plan.sequences());
    out.ints(plan.sourceBlocks());
    out.ints(plan.targetBlocks());
  }
}
