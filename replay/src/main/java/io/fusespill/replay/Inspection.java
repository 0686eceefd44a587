package io.fusespill.replay;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The state of a log at one position as a fold over its events, and that state as JSON: queues,
/// tables, pools with their blocks, steps and transfers in flight.
public final class Inspection {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /// When something that is in flight was planned.
  private record Planned(long position, long atNanos) {}

  private final EngineState state = new EngineState();
  private final Map<String, Planned> inFlight = new TreeMap<>();
  private @Nullable EngineEvent last;

  /// Takes the next event of the log.
  ///
  /// @throws IllegalStateException if it does not follow from those before it
  public void accept(EngineEvent event) {
    Planned here = new Planned(state.events(), event.atNanos());
    state.apply(event);
    last = event;
    if (event instanceof StepPlanned planned) {
      forgetDone();
      inFlight.put(key(planned.plan()), here);
    } else if (event instanceof TransferPlanned planned) {
      inFlight.put(key(planned.plan()), here);
    }
  }

  /// Steps and transfers that are done are forgotten once there are many.
  private void forgetDone() {
    if (inFlight.size() < 1_024) {
      return;
    }
    Map<String, Planned> kept = new TreeMap<>();
    for (Place place : state.config().topology().places()) {
      for (int i = 0; i < state.stepsInFlight(place.id()); i++) {
        keep(key(state.stepInFlight(place.id(), i)), kept);
        state.orderedInFlight(place.id(), i).forEach(plan -> keep(key(plan), kept));
      }
      state.orderedPlanned(place.id()).forEach(plan -> keep(key(plan), kept));
    }
    for (int id = state.firstTransfer(); id < state.nextTransfer(); id++) {
      TransferPlan plan = state.transferInFlight(id);
      if (plan != null) {
        keep(key(plan), kept);
      }
    }
    inFlight.clear();
    inFlight.putAll(kept);
  }

  private void keep(String key, Map<String, Planned> kept) {
    Planned planned = inFlight.get(key);
    if (planned != null) {
      kept.put(key, planned);
    }
  }

  private static String key(StepPlan plan) {
    return "step " + plan.device() + " " + plan.step();
  }

  private static String key(TransferPlan plan) {
    return "transfer " + plan.transfer();
  }

  public EngineState state() {
    return state;
  }

  // ------------------------------------------------------------------ JSON

  /// Everything about the state; the run must have started.
  public ObjectNode toJson() {
    ObjectNode json = JSON.objectNode();
    json.put("events", state.events());
    json.put("at_nanos", state.nowNanos());
    json.put("last_event", last == null ? null : last.getClass().getSimpleName());
    json.put("policy", state.config().policy().name());
    json.put("state_hash", "%016x".formatted(state.hash()));
    json.put("arrived", state.nextRequest());
    json.put("live_requests", state.liveRequests());
    json.put("transfers_in_flight", state.transfersInFlight());
    json.set("transfers", transfers());
    json.set("waiting", sequences(state.waiting()));
    ArrayNode places = json.putArray("places");
    for (Place place : state.config().topology().places()) {
      places.add(place(place));
    }
    return json;
  }

  private ArrayNode transfers() {
    ArrayNode json = JSON.arrayNode();
    for (int id = state.firstTransfer(); id < state.nextTransfer(); id++) {
      TransferPlan plan = state.transferInFlight(id);
      if (plan != null) {
        json.add(transfer(plan));
      }
    }
    for (Place place : state.config().topology().places()) {
      state.orderedPlanned(place.id()).forEach(plan -> json.add(transfer(plan)));
      for (int i = 0; i < state.stepsInFlight(place.id()); i++) {
        state.orderedInFlight(place.id(), i).forEach(plan -> json.add(transfer(plan)));
      }
    }
    return json;
  }

  private ObjectNode transfer(TransferPlan plan) {
    ObjectNode json = JSON.objectNode();
    json.put("transfer", plan.transfer());
    json.put("kind", plan.kind().name());
    json.put("mode", plan.mode().name());
    json.put("from", place(plan.from()));
    json.put("to", place(plan.to()));
    json.set("sequences", numbers(plan.sequences()));
    json.put("blocks", plan.blocks());
    planned(json, key(plan));
    return json;
  }

  private String place(int id) {
    return state.config().topology().place(id).name();
  }

  private void planned(ObjectNode json, String key) {
    Planned planned = inFlight.get(key);
    if (planned != null) {
      json.put("planned_position", planned.position());
      json.put("planned_nanos", planned.atNanos());
    }
  }

  private ObjectNode place(Place place) {
    BlockPool pool = state.pool(place.id());
    ObjectNode json = JSON.objectNode();
    json.put("place", place.id());
    json.put("name", place.name());
    json.put("kind", place.kind().name());
    json.put("total_blocks", pool.total());
    json.put("allocated_blocks", pool.allocated());
    json.put("leaving_blocks", pool.leaving());
    json.put("free_blocks", pool.free());
    for (int i = 0; i < state.stepsInFlight(place.id()); i++) {
      json.withArray("steps_in_flight").add(step(state.stepInFlight(place.id(), i)));
    }
    if (!state.waiting(place.id()).isEmpty()) {
      json.set("waiting", sequences(state.waiting(place.id())));
    }
    json.set(place.computes() ? "running" : "swapped", sequences(state.residents(place.id())));
    json.set("block_map", blocks(BlockMap.of(state, place.id())));
    return json;
  }

  private ObjectNode step(StepPlan step) {
    int decodes = 0;
    for (int i = 0; i < step.size(); i++) {
      decodes += step.isDecode(i) ? 1 : 0;
    }
    ObjectNode json = JSON.objectNode();
    json.put("step", step.step());
    json.put("entries", step.size());
    json.put("batched_tokens", step.batchedTokens());
    json.put("decodes", decodes);
    json.put("prefills", step.size() - decodes);
    json.put("remote_entries", step.remoteEntries());
    json.set("sequences", numbers(step.sequences()));
    json.set("transfers", numbers(step.transfers()));
    planned(json, key(step));
    return json;
  }

  private static ArrayNode blocks(BlockMap map) {
    ArrayNode json = JSON.arrayNode();
    for (BlockMap.Run run : map.runs()) {
      ObjectNode one = json.addObject();
      one.put("first", run.first());
      one.put("count", run.count());
      one.put("use", run.use().name().toLowerCase(Locale.ROOT));
      run.sequences().forEach(one.withArray("sequences")::add);
      one.put("pinned", run.pinned());
    }
    return json;
  }

  private static ArrayNode numbers(Ints values) {
    ArrayNode json = JSON.arrayNode();
    for (int i = 0; i < values.size(); i++) {
      json.add(values.get(i));
    }
    return json;
  }

  private static ArrayNode sequences(SequenceQueue queue) {
    ArrayNode json = JSON.arrayNode();
    for (int i = 0; i < queue.size(); i++) {
      json.add(sequence(queue.get(i)));
    }
    return json;
  }

  private static ObjectNode sequence(Sequence sequence) {
    ObjectNode json = JSON.objectNode();
    json.put("sequence", sequence.id());
    json.put("request", sequence.request().id());
    json.put("status", sequence.status().name());
    json.put("prompt_tokens", sequence.request().promptTokens());
    json.put("output_tokens", sequence.outputTokens());
    json.put("computed_tokens", sequence.computedTokens());
    json.put("preemptions", sequence.preemptions());
    json.put("pinned", sequence.pinned());
    json.put("intent", sequence.intent() == null ? null : sequence.intent().name());
    ArrayNode table = json.putArray("block_table");
    for (int b = 0; b < sequence.table().size(); b++) {
      table.add(sequence.table().get(b));
    }
    return json;
  }
}
