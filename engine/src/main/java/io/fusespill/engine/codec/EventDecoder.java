package io.fusespill.engine.codec;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.ResidentsSorted;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
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
import java.util.TreeMap;
import java.util.zip.CRC32C;

/// Turns an event's canonical bytes back into the event. One decoder serves one thread.
public final class EventDecoder {

  private static final TransferKind[] TRANSFER_KINDS = TransferKind.values();
  private static final TransferMode[] TRANSFER_MODES = TransferMode.values();
  private static final FinishReason[] FINISH_REASONS = FinishReason.values();
  private static final PreemptionKind[] PREEMPTION_KINDS = PreemptionKind.values();
  private static final PreemptionReason[] PREEMPTION_REASONS = PreemptionReason.values();
  private static final RejectionReason[] REJECTION_REASONS = RejectionReason.values();
  private static final PlaceKind[] PLACE_KINDS = PlaceKind.values();

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
      EngineEvent event = payload(type, nanos, new PayloadReader(buffer));
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

  private static EngineEvent payload(EventType type, long at, PayloadReader in) {
    return switch (type) {
      case RUN_STARTED -> new RunStarted(at, in.text(), in.text(), in.fixed64(), config(in));
      case REQUEST_ARRIVED ->
          new RequestArrived(
              at, in.integer(), in.integer(), in.integer(), in.integer(), in.integer());
      case REQUEST_CANCELLED -> new RequestCancelled(at, in.integer());
      case STEP_COMPLETED ->
          new StepCompleted(at, in.integer(), in.unsigned(), in.ints(), in.ints());
      case STEP_FAILED -> new StepFailed(at, in.integer(), in.unsigned(), in.text());
      case TRANSFER_COMPLETED -> new TransferCompleted(at, in.integer());
      case TRANSFER_FAILED -> new TransferFailed(at, in.integer(), in.text());
      case REQUEST_REJECTED ->
          new RequestRejected(
              at,
              in.integer(),
              in.integer(),
              in.integer(),
              in.constant(REJECTION_REASONS),
              in.unsigned(),
              in.unsigned());
      case SEQUENCE_ADMITTED -> new SequenceAdmitted(at, in.integer(), in.integer());
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
      case STEP_PLANNED -> new StepPlanned(at, step(in), in.integer(), in.integer());
      case SEQUENCE_FINISHED -> new SequenceFinished(at, in.integer(), in.constant(FINISH_REASONS));
      case CHECKPOINTED -> new Checkpointed(at, in.fixed64());
    };
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
      previous += (int) ((folded >>> 1) ^ -(folded & 1));
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

  private static EngineConfig config(PayloadReader in) {
    KvLayout kv = new KvLayout(in.integer(), in.unsigned(), in.integer());
    EngineLimits limits =
        new EngineLimits(in.integer(), in.integer(), in.integer(), in.integer(), in.integer());
    int placeCount = in.count();
    List<Place> places = new ArrayList<>(placeCount);
    for (int id = 0; id < placeCount; id++) {
      places.add(new Place(id, in.text(), in.constant(PLACE_KINDS), in.flag(), in.integer()));
    }
    int linkCount = in.count();
    List<Link> links = new ArrayList<>(linkCount);
    for (int i = 0; i < linkCount; i++) {
      links.add(new Link(in.integer(), in.integer(), in.unsigned(), in.unsigned()));
    }
    String policy = in.text();
    int optionCount = in.count();
    TreeMap<String, String> options = new TreeMap<>();
    for (int i = 0; i < optionCount; i++) {
      options.put(in.text(), in.text());
    }
    return new EngineConfig(
        kv, limits, new Topology(places, links), new PolicySpec(policy, options));
  }
}
