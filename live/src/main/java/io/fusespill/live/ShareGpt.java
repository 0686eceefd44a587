package io.fusespill.live;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.engine.plan.Ints;
import io.fusespill.host.tokenizer.Tokenizer;
import io.fusespill.traces.JsonFault;
import io.fusespill.traces.LengthFilter;
import io.fusespill.traces.SeededRandom;
import io.fusespill.traces.TraceFile;
import io.fusespill.traces.TraceLimits;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/// Conversations as ShareGPT's file has them: a JSON array of objects with `conversations`, a list
/// of objects with a `value`; plain or gzip. A request is the first turn, and its output as long as
/// the second.
public final class ShareGpt {

  /// The lengths that vLLM's benchmarks keep.
  public static final LengthFilter VLLM = new LengthFilter(1024, 2048);

  /// Shorter prompts and outputs are left out, as in vLLM's benchmarks.
  private static final int TOKENS_MIN = 4;

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private record Conversation(String prompt, String output) {}

  private final Path file;
  private final List<Conversation> conversations;

  private ShareGpt(Path file, List<Conversation> conversations) {
    this.file = file;
    this.conversations = conversations;
  }

  /// Whether the file begins as such a file does: with an array.
  public static boolean recognises(Path file) {
    try (InputStream in = new BufferedInputStream(TraceFile.open(file))) {
      int first = in.read();
      while (first == 0xef || first == 0xbb || first == 0xbf || Character.isWhitespace(first)) {
        first = in.read();
      }
      return first == '[';
    } catch (IOException e) {
      return false;
    }
  }

  /// Reads all conversations of two turns and more.
  ///
  /// @throws LiveException if the file cannot be read or is no such file
  public static ShareGpt read(Path file) {
    List<Conversation> conversations = new ArrayList<>();
    int index = 0;
    try (InputStream in = TraceFile.open(file);
        JsonParser parser = MAPPER.createParser(in)) {
      if (parser.nextToken() != JsonToken.START_ARRAY) {
        throw new LiveException(
            "%s is no ShareGPT file: it must be a JSON array of conversations".formatted(file));
      }
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        JsonNode turns = MAPPER.<JsonNode>readTree(parser).path("conversations");
        if (!turns.isArray()) {
          throw new LiveException(
              "%s, element %d, has no list of conversations: it is no ShareGPT file"
                  .formatted(file, index));
        }
        if (turns.size() >= 2) {
          conversations.add(
              new Conversation(text(file, index, turns, 0), text(file, index, turns, 1)));
        }
        index++;
      }
    } catch (IOException e) {
      throw new LiveException(
          "%s, element %d, cannot be read: %s".formatted(file, index, JsonFault.of(e)), e);
    }
    return new ShareGpt(file, conversations);
  }

  private static String text(Path file, int index, JsonNode turns, int turn) {
    JsonNode value = turns.get(turn).path("value");
    if (!value.isTextual()) {
      throw new LiveException(
          "%s, element %d, turn %d has no text in \"value\"".formatted(file, index, turn));
    }
    return value.textValue();
  }

  /// Requests drawn from the conversations that are neither too short nor too long, none twice.
  ///
  /// @param count at most; fewer where there are no more
  /// @param outputTokens of every request, 0 for the second turn's
  /// @param progress hears how many there are
  /// @throws LiveException if there is none
  public List<SizedPrompt> sample(
      Tokenizer tokenizer,
      int count,
      int outputTokens,
      LengthFilter lengths,
      long seed,
      IntConsumer progress) {
    List<Conversation> order = shuffled(seed);
    List<SizedPrompt> sampled = new ArrayList<>();
    for (Conversation conversation : order) {
      if (sampled.size() == count) {
        break;
      }
      int[] prompt = tokenizer.encode(conversation.prompt(), true);
      int output =
          outputTokens > 0 ? outputTokens : tokenizer.encode(conversation.output(), true).length;
      if (prompt.length >= TOKENS_MIN
          && output >= TOKENS_MIN
          && output <= TraceLimits.MAX_TOKENS
          && prompt.length <= lengths.maxPromptTokens()
          && prompt.length + output <= lengths.maxTotalTokens()) {
        sampled.add(new SizedPrompt(Ints.of(prompt), output));
        progress.accept(sampled.size());
      }
    }
    if (sampled.isEmpty()) {
      throw new LiveException(
          "%s has no conversation with prompt and output of %d tokens and more, a prompt of at most %d and at most %d together"
              .formatted(file, TOKENS_MIN, lengths.maxPromptTokens(), lengths.maxTotalTokens()));
    }
    return sampled;
  }

  private List<Conversation> shuffled(long seed) {
    List<Conversation> order = new ArrayList<>(conversations);
    SeededRandom random = new SeededRandom(seed, "conversations");
    for (int i = order.size() - 1; i > 0; i--) {
      int other = random.nextInt(0, i);
      Conversation swapped = order.get(i);
      order.set(i, order.get(other));
      order.set(other, swapped);
    }
    return order;
  }
}
