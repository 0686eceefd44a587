package io.fusespill.replay.explain;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.HandlingEstimate;
import org.jspecify.annotations.Nullable;

/// Stories and summaries as JSON. Places go by name, times are nanoseconds; what never came is
/// null.
public final class StoryJson {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final double MILLION = 1e6;

  private final Topology topology;

  public StoryJson(Topology topology) {
    this.topology = topology;
  }

  public ObjectNode of(Story story) {
    ObjectNode json = JSON.objectNode();
    json.put("sequence", story.sequence());
    json.put("request", story.request().request());
    json.put("prompt_tokens", story.request().promptTokens());
    json.put("max_output_tokens", story.request().maxOutputTokens());
    json.put("hint_tokens", story.request().hintTokens());
    json.put("output_tokens", story.outputTokens());
    json.put("ended", story.ended());
    nanos(json, "ttft_nanos", story.ttftNanos());
    nanos(json, "tpot_nanos", story.tpotNanos());
    nanos(json, "e2e_nanos", story.e2eNanos());
    json.put("total_nanos", story.totalNanos());
    ArrayNode times = json.putArray("times");
    for (TimeIn time : story.times()) {
      ObjectNode node = times.addObject();
      node.put("phase", time.phase().name());
      node.put("place", name(time.place()));
      node.put("nanos", time.nanos());
    }
    ArrayNode moments = json.putArray("moments");
    story.moments().forEach(moment -> moments.add(moment(moment)));
    return json;
  }

  private ObjectNode moment(Moment moment) {
    ObjectNode json = JSON.objectNode();
    json.put("what", moment.getClass().getSimpleName());
    json.put("at_nanos", moment.atNanos());
    switch (moment) {
      case Moment.Arrived m -> {}
      case Moment.FirstToken m -> {}
      case Moment.Cancelled m -> {}
      case Moment.Bound m -> json.put("place", name(m.device()));
      case Moment.Admitted m ->
          json.put("place", name(m.device())).put("kept_blocks", m.keptBlocks());
      case Moment.Forked m -> json.put("parent", m.parent());
      case Moment.Chosen m -> json.setAll(choice(m.choice()));
      case Moment.Ended m -> json.put("reason", m.reason().name());
      case Moment.Stretch m -> {
        json.put("until_nanos", m.untilNanos());
        json.put("phase", m.phase().name());
        json.put("place", name(m.place()));
        json.put("steps", m.steps());
        json.put("tokens", m.tokens());
        json.put("recomputed_tokens", m.recomputedTokens());
        json.put("paused_nanos", m.pausedNanos());
      }
      case Moment.Preempted m -> {
        json.put("kind", m.kind().name());
        json.put("reason", m.reason().name());
      }
      case Moment.Moved m -> {
        nanos(json, "done_nanos", m.doneNanos());
        json.put("kind", m.kind().name());
        json.put("mode", m.mode().name());
        json.put("from", name(m.from()));
        json.put("to", name(m.to()));
        json.put("blocks", m.blocks());
        json.put("failure", m.failure());
      }
      case Moment.StepLost m -> {
        json.put("place", name(m.device()));
        json.put("failure", m.cause());
      }
      case Moment.Unsampled m -> {
        json.put("place", name(m.device()));
        json.put("failure", m.cause());
      }
      case Moment.Rejected m -> {
        json.put("reason", m.reason().name());
        json.put("needed", m.needed());
        json.put("available", m.available());
        json.put("unit", m.reason().unit());
      }
    }
    return json;
  }

  private ObjectNode choice(Choice choice) {
    HandlingChosen chosen = choice.chosen();
    ObjectNode json = JSON.objectNode();
    json.put("position", choice.position());
    json.put("sequence", chosen.sequence());
    json.put("device", name(chosen.device()));
    json.put("blocks", chosen.blocks());
    json.put("output_tokens", choice.outputTokens());
    json.put("chosen", chosen.choice().handling().name());
    ArrayNode estimates = json.putArray("estimates");
    for (HandlingEstimate estimate : chosen.estimates()) {
      ObjectNode node = estimates.addObject();
      node.put("handling", estimate.handling().name());
      node.put("place", name(estimate.place()));
      node.put("lost_nanos", estimate.lostNanos());
      node.put("free_nanos", estimate.freeNanos());
    }
    json.put("believed_remaining_tokens", chosen.remainingTokens());
    Outcome outcome = choice.outcome();
    if (outcome.remainingKnown()) {
      json.put("true_remaining_tokens", outcome.remainingTokens());
    } else {
      json.putNull("true_remaining_tokens");
    }
    json.put("fate", outcome.fate().name());
    json.put("carried_out", outcome.carriedOut() == null ? null : outcome.carriedOut().name());
    nanos(json, "begun_after_nanos", outcome.begunNanos());
    nanos(json, "copy_nanos", outcome.copyNanos());
    nanos(json, "away_nanos", outcome.awayNanos());
    json.put("elsewhere_tokens", outcome.elsewhereTokens());
    json.put("elsewhere_nanos", outcome.elsewhereNanos());
    json.put("recomputed_tokens", outcome.recomputedTokens());
    return json;
  }

  public ObjectNode of(HandlingSummary summary) {
    ObjectNode json = JSON.objectNode();
    json.put("choices", summary.choices());
    ArrayNode handlings = json.putArray("handlings");
    for (HandlingTally tally : summary.tallies()) {
      ObjectNode node = handlings.addObject();
      node.put("handling", tally.handling().name());
      node.put("choices", tally.choices());
      node.put("begun", tally.begun());
      node.put("recomputed_instead", tally.recomputedInstead());
      node.put("lost_nanos", tally.lostNanos());
      node.put("mean_free_nanos", tally.meanFreeNanos());
      node.put("mean_copy_nanos", tally.meanCopyNanos());
      node.put("mean_away_nanos", tally.meanAwayNanos());
      node.put("ended_away", tally.endedAway());
      node.put("elsewhere_tokens", tally.elsewhereTokens());
      node.put("elsewhere_pace_nanos", tally.elsewherePaceNanos());
      node.put("recomputed_tokens", tally.recomputedTokens());
    }
    ObjectNode remaining = json.putObject("remaining_tokens");
    remaining.put("choices", summary.remaining().choices());
    remaining.put("mean_believed", summary.remaining().meanBelieved());
    remaining.put("mean_true", summary.remaining().meanTrue());
    remaining.put("bias", summary.remaining().bias());
    remaining.put("mean_absolute_error", summary.remaining().meanAbsoluteError());
    ArrayNode dearest = json.putArray("most_expensive");
    for (Choice choice : summary.dearest()) {
      dearest.addObject().put("at_nanos", choice.chosen().atNanos()).setAll(choice(choice));
    }
    json.put("shares_chosen", summary.sharesChosen());
    ArrayNode shares = json.putArray("shares");
    summary.shares().forEach(share -> shares.add(share(share)));
    return json;
  }

  private ObjectNode share(ShareChosen share) {
    ObjectNode json = JSON.objectNode();
    json.put("at_nanos", share.atNanos());
    json.put("device", name(share.device()));
    json.put("place", name(share.place()));
    json.put("share", share.sharePpm() / MILLION);
    json.put("closed_form", share.closedFormPpm() / MILLION);
    json.put("tokens_per_second", share.tokensPerSecond());
    json.put("alone_tokens_per_second", share.aloneTokensPerSecond());
    return json;
  }

  private @Nullable String name(int place) {
    return place < 0 ? null : topology.place(place).name();
  }

  private static void nanos(ObjectNode json, String key, long nanos) {
    if (nanos < 0) {
      json.putNull(key);
    } else {
      json.put(key, nanos);
    }
  }
}
