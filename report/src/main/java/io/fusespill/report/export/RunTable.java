package io.fusespill.report.export;

import io.fusespill.tables.Column;
import io.fusespill.tables.Schema;
import java.util.Locale;

/// The tables of a run. Times are nanoseconds since the run's start; what never came is empty.
public enum RunTable {
  /// One row a request, as it ended.
  REQUESTS(
      whole("request", "", "number of the request, by arrival"),
      Column.text("ending", "completed, rejected, cancelled or failed"),
      at("arrival_ns", "it came to the engine"),
      at("first_token_ns", "its first output token was there"),
      at("end_ns", "its last token was there, or it was given up"),
      nanos("ttft_ns", "from arrival to the first token"),
      nanos("e2e_ns", "from arrival to the last token, or to when it was given up"),
      whole("prompt_tokens", "tokens", "length of the prompt"),
      whole("output_tokens", "tokens", "tokens of all its sequences"),
      whole("samples", "sequences", "sequences that it asked for"),
      whole("preemptions", "preemptions", "how often its sequences lost their place")),

  /// One row a sequence, as it ended: where its time went.
  SEQUENCES(
      whole("sequence", "", "number of the sequence"),
      whole("request", "", "number of its request"),
      at("arrival_ns", "its request came"),
      at(
          "end_ns",
          "it ended, behind its last token by the steps that ran ahead; empty where the journal ends first"),
      whole("prompt_tokens", "tokens", "length of the prompt"),
      whole("output_tokens", "tokens", "tokens that it produced"),
      nanos("ttft_ns", "from arrival to its first token"),
      nanos("tpot_ns", "mean time a token after the first; empty below two"),
      nanos("waiting_ns", "in the waiting queue, without KV"),
      nanos("prefill_ns", "in steps that compute its prompt, or its tokens again"),
      nanos("decode_ns", "in steps that produce a token each"),
      nanos("resting_ns", "its KV lay in a place, and no step used it"),
      nanos("moving_ns", "an asynchronous transfer was under way"),
      whole("preemptions", "preemptions", "how often it lost its place"),
      whole("choices", "choices", "handlings that were chosen for it")),

  /// One row a step, as it was done.
  STEPS(
      Column.text("device", "name of the device"),
      whole("step", "", "number of the step on that device"),
      at("planned_ns", "it was planned"),
      at("start_ns", "the device began with it"),
      at("end_ns", "its results were there"),
      whole("batch_rows", "rows", "entries of the step"),
      whole("prefill_rows", "rows", "entries that compute more than the next token"),
      whole("prefill_tokens", "tokens", "tokens that those compute"),
      whole("decode_rows", "rows", "entries that extend KV by one token"),
      whole("remote_rows", "rows", "of those, the ones that a host attends for"),
      whole("new_blocks", "blocks", "blocks that it took"),
      whole("free_blocks", "blocks", "blocks free on the device once it had its own"),
      Column.text("failure", "why it came to nothing; empty where it did not")),

  /// One row a transfer, as it was done.
  TRANSFERS(
      whole("transfer", "", "number of the transfer"),
      Column.text("kind", "swap_out, swap_in, spill, unspill or offload"),
      Column.text("mode", "ordered: in front of a step; async: on its own"),
      Column.text("from_place", "where the KV was"),
      Column.text("to_place", "where it went"),
      at("planned_ns", "it was planned"),
      at("start_ns", "its channel was free for it"),
      at("end_ns", "it was done"),
      Column.flag("end_estimated", "whether the end is computed from the link's bandwidth"),
      whole("blocks", "blocks", "blocks copied"),
      whole("bytes", "bytes", "bytes copied"),
      whole("sequences", "sequences", "sequences whose KV moved"),
      Column.text("failure", "why it came to nothing; empty where it did not")),

  /// One row a handling that was weighed, those not chosen included.
  CHOICES(
      whole("position", "", "the choice's event in the journal"),
      at("chosen_at_ns", "it was chosen"),
      whole("sequence", "", "for which sequence"),
      Column.text("device", "the device that had no room, or gains by the move"),
      whole("held_blocks", "blocks", "blocks that the sequence held there"),
      Column.text("handling", "what was weighed"),
      Column.text("to_place", "where the KV would go; empty for nowhere"),
      Column.flag("chosen", "whether this one was chosen"),
      nanos("lost_ns", "estimated: time that the device loses for others"),
      nanos("free_ns", "estimated: how long the blocks stay free for others"),
      whole("believed_remaining_tokens", "tokens", "output tokens expected still to come"),
      whole("true_remaining_tokens", "tokens", "those that came; empty where the end is not known"),
      Column.text("fate", "what became of the choice"),
      nanos("copy_ns", "measured: how long the KV was under way"),
      nanos("away_ns", "measured: from the preemption until it was back"));

  private final Schema schema;

  RunTable(Column... columns) {
    schema = Schema.of(columns);
  }

  private static Column whole(String name, String unit, String description) {
    return Column.whole(name, unit, description);
  }

  private static Column at(String name, String what) {
    return Column.whole(name, "nanoseconds", "when " + what);
  }

  private static Column nanos(String name, String description) {
    return Column.whole(name, "nanoseconds", description);
  }

  public Schema schema() {
    return schema;
  }

  /// Name of its file, without the ending.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
