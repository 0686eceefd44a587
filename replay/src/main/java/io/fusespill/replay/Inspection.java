package io.fusespill.replay;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;

/// A state as JSON: queues, tables and pools.
public final class Inspection {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private Inspection() {}

  /// Everything about `state`, whose run must have started.
  public static ObjectNode of(EngineState state) {
    ObjectNode json = JSON.objectNode();
    json.put("events", state.events());
    json.put("at_nanos", state.nowNanos());
    json.put("state_hash", "%016x".formatted(state.hash()));
    json.put("arrived", state.nextRequest());
    json.put("live_requests", state.liveRequests());
    json.put("transfers_in_flight", state.transfersInFlight());
    json.set("waiting", sequences(state.waiting()));
    ArrayNode places = json.putArray("places");
    for (Place place : state.config().topology().places()) {
      places.add(place(state, place));
    }
    return json;
  }

  private static ObjectNode place(EngineState state, Place place) {
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
      StepPlan step = state.stepInFlight(place.id(), i);
      ObjectNode flight = json.withArray("steps_in_flight").addObject();
      flight.put("step", step.step());
      flight.put("entries", step.size());
      flight.put("batched_tokens", step.batchedTokens());
    }
    if (!state.waiting(place.id()).isEmpty()) {
      json.set("waiting", sequences(state.waiting(place.id())));
    }
    json.set(place.computes() ? "running" : "swapped", sequences(state.residents(place.id())));
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
    ArrayNode table = json.putArray("block_table");
    for (int b = 0; b < sequence.table().size(); b++) {
      table.add(sequence.table().get(b));
    }
    return json;
  }
}
