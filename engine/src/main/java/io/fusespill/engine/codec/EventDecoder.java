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
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.Handling;
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
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/// Turns an event's canonical bytes back into the event. One decoder serves one thread.
public final class EventDecoder {

  private static final TransferKind[] TRANSFER_KINDS = TransferKind.values();
  private static final TransferMode[] TRANSFER_MODES = TransferMode.values();
  private static final FinishReason[] FINISH_REASONS = FinishReason.values();
  private static final PreemptionKind[] PREEMPTION_KINDS = PreemptionKind.values();
  private static final PreemptionReason[] PREEMPTION_REASONS = PreemptionReason.values();
  private static final RejectionReason[] REJECTION_REASONS = RejectionReason.values();
  private static final Handling[] HANDLINGS = Handling.values();

  private final CRC32C crc = new CRC32C();

  /// The event in the first `length` bytes of `bytes`.
  ///
  /// @param position where the record is expected to stand in its log
  /// @throws CodecException if the bytes are torn or altered, stand at another position, or have a
  ///   type or version that is not known here
  public EngineEvent decode(long position, byte[] bytes, int length) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, length).order(ByteOrder.LITTLE_ENDIAN);
    EventType type = header(position, buffer, bytes, length);
    long nanos = buffer.getLong(RecordLayout.NANOS);
    buffer.position(RecordLayout.PAYLOAD);
    try {
      int version = buffer.getShort(RecordLayout.VERSION);
      EngineEvent event = payload(type, version, nanos, new PayloadReader(buffer));
      if (EventType.versionFor(event) != version) {
        throw new CodecException(
            "version %d says what version %d can say"
                .formatted(version, EventType.versionFor(event)));
      }
      if (buffer.hasRemaining()) {
        throw new CodecException("%d bytes are left over".formatted(buffer.remaining()));
      }
      return event;
    } catch (BufferUnderflowException | IllegalArgumentException | CodecException e) {
      throw new CodecException(
          "record at position %d is not a valid %s: %s".formatted(position, type, e.getMessage()));
    }
  }

  private EventType header(long position, ByteBuffer buffer, byte[] bytes, int length) {
    if (length < RecordLayout.PAYLOAD || buffer.getInt(RecordLayout.LENGTH) != length) {
      throw new CodecException(
          "record at position %d is torn: %d bytes".formatted(position, length));
    }
    if (buffer.getInt(RecordLayout.CRC) != EventEncoder.crc(crc, bytes, length)) {
      throw new CodecException(
          "record at position %d is damaged: its checksum does not match".formatted(position));
    }
    if (buffer.getLong(RecordLayout.POSITION) != position) {
      throw new CodecException(
          "record at position %d says that it is number %d"
              .formatted(position, buffer.getLong(RecordLayout.POSITION)));
    }
    int number = buffer.getShort(RecordLayout.TYPE);
    int version = buffer.getShort(RecordLayout.VERSION);
    EventType type = EventType.numbered(number);
    if (type == null || version < 1 || version > type.version()) {
      throw new CodecException(
          "record at position %d has type %d version %d, which this version does not know; a newer one wrote it"
              .formatted(position, number, version));
    }
    return type;
  }

  private static Prompt prompt(PayloadReader in, int version) {
    Ints ids = in.ints();
    String parameters = in.text();
    return new Prompt(ids, version == 3 ? 1 : in.integer(), parameters);
  }

  private static EngineEvent payload(EventType type, int version, long at, PayloadReader in) {
    return switch (type) {
      case RUN_STARTED ->
          new RunStarted(at, in.text(), in.text(), in.fixed64(), ConfigCodec.read(in, version));
      case CONFIGURATION_CHANGED ->
          new ConfigurationChanged(at, in.text(), ConfigCodec.read(in, version));
      case REQUEST_ARRIVED ->
          new RequestArrived(
              at,
              in.integer(),
              in.integer(),
              in.integer(),
              in.integer(),
              in.integer(),
              version == 1 ? 0 : in.integer(),
              version < 3 ? Prompt.NONE : prompt(in, version));
      case REQUEST_CANCELLED -> new RequestCancelled(at, in.integer());
      case STEP_COMPLETED ->
          new StepCompleted(
              at,
              in.integer(),
              in.unsigned(),
              in.ints(),
              in.ints(),
              version == 1 ? 0 : in.unsigned());
      case STEP_FAILED -> new StepFailed(at, in.integer(), in.unsigned(), in.text());
      case TRANSFER_COMPLETED -> new TransferCompleted(at, in.integer());
      case TRANSFER_FAILED -> new TransferFailed(at, in.integer(), in.text());
      case PLACE_FAILED -> new PlaceFailed(at, in.integer(), in.text());
      case PLACE_RESTORED -> new PlaceRestored(at, in.integer());
      case SEQUENCE_FAILED ->
          new SequenceFailed(at, in.integer(), in.unsigned(), in.integer(), in.text());
      case REQUEST_REJECTED ->
          new RequestRejected(
              at,
              in.integer(),
              in.integer(),
              in.integer(),
              in.constant(REJECTION_REASONS),
              in.unsigned(),
              in.unsigned());
      case SEQUENCE_ADMITTED ->
          new SequenceAdmitted(at, in.integer(), in.integer(), version == 1 ? 0 : in.integer());
      case SEQUENCE_ROUTED -> new SequenceRouted(at, in.integer(), in.integer());
      case SEQUENCE_PREEMPTED ->
          new SequencePreempted(
              at, in.integer(), in.constant(PREEMPTION_KINDS), in.constant(PREEMPTION_REASONS));
      case RESIDENTS_SORTED -> new ResidentsSorted(at, in.integer());
      case TRANSFER_PLANNED ->
          new TransferPlanned(
              at,
              new TransferPlan(
                  in.integer(),
                  in.constant(TRANSFER_KINDS),
                  in.constant(TRANSFER_MODES),
                  in.integer(),
                  in.integer(),
                  in.ints(),
                  in.ints(),
                  in.ints()));
      case STEP_PLANNED -> {
        StepPlan plan = step(in);
        int free = in.integer();
        int waiting = in.integer();
        yield new StepPlanned(
            at, version == 1 ? plan : plan.withRemote(in.integer(), in.integer()), free, waiting);
      }
      case SEQUENCE_FINISHED -> new SequenceFinished(at, in.integer(), in.constant(FINISH_REASONS));
      case CHECKPOINTED -> new Checkpointed(at, in.fixed64());
      case HANDLING_CHOSEN -> handling(at, in);
      case SHARE_CHOSEN ->
          new ShareChosen(
              at,
              in.integer(),
              in.integer(),
              in.integer(),
              in.integer(),
              in.unsigned(),
              in.unsigned());
    };
  }

  private static HandlingChosen handling(long at, PayloadReader in) {
    int sequence = in.integer();
    int device = in.integer();
    int remaining = in.integer();
    int blocks = in.integer();
    int chosen = in.integer();
    int count = in.count();
    List<HandlingEstimate> estimates = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      estimates.add(
          new HandlingEstimate(
              in.constant(HANDLINGS), in.integer() - 1, in.unsigned(), in.unsigned()));
    }
    return new HandlingChosen(at, sequence, device, remaining, blocks, chosen, estimates);
  }

  private static StepPlan step(PayloadReader in) {
    int device = in.integer();
    long step = in.unsigned();
    int entries = in.count();
    int[] sequences = new int[entries];
    int[] newTokens = new int[entries];
    int[] computedTokens = new int[entries];
    int previous = 0;
    for (int i = 0; i < entries; i++) {
      long word = in.unsigned();
      long folded = word >>> 1;
      long sequence = previous + ((folded >>> 1) ^ -(folded & 1));
      if (sequence < 0 || sequence > Integer.MAX_VALUE) {
        throw new CodecException(
            "%d is not a sequence of 0 to %d".formatted(sequence, Integer.MAX_VALUE));
      }
      previous = (int) sequence;
      sequences[i] = previous;
      newTokens[i] = (word & 1) == 0 ? 1 : in.integer();
      if (newTokens[i] == 1 && (word & 1) == 1) {
        throw new CodecException("an entry with one new token is in its long form");
      }
      computedTokens[i] = in.integer();
    }
    Ints newBlocks = in.ints();
    int copyCount = in.count();
    List<BlockCopy> copies = new ArrayList<>(copyCount);
    for (int i = 0; i < copyCount; i++) {
      copies.add(new BlockCopy(in.integer(), in.integer(), in.integer()));
    }
    return new StepPlan(
        device,
        step,
        Ints.of(sequences),
        Ints.of(newTokens),
        Ints.of(computedTokens),
        newBlocks,
        List.copyOf(copies),
        in.ints(),
        in.integer());
  }
}
