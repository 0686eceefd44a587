package io.fusespill.host.sampling;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.host.checkpoint.JsonFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// How a request's output tokens are picked and when its output ends: names, defaults and ranges of
/// vLLM's `SamplingParams`.
///
/// @param n samples, 1 to 1024; 1 where sampling is greedy
/// @param temperature 0 (greedy) to 100
/// @param topK how many of the likeliest tokens are kept; 0 and -1: all
/// @param topP share of the probability that the kept tokens reach, above 0 to 1
/// @param minP least probability of a kept token as a share of the likeliest's, 0 to 1
/// @param repetitionPenalty divides positive and multiplies negative logits of tokens in prompt or
///   output, above 0 to 100
/// @param presencePenalty taken off the logits of tokens in the output, -2 to 2
/// @param frequencyPenalty the same for each time that a token is in the output, -2 to 2
/// @param seed of what is random; without one [#withSeed] must give it before anything is sampled
/// @param stop texts that end the output and are not part of it
/// @param stopTokenIds ids that end the output, beside those that end a sequence of the model
/// @param minTokens output tokens before anything may end the output
/// @param maxTokens output tokens at most, from 1
/// @param ignoreEos whether ids that end a sequence of the model do not end the output
/// @param logprobs how many of the likeliest tokens are reported with each token, 0 to 20; with 0
///   the token alone, empty: nothing
public record SamplingParams(
    int n,
    double temperature,
    int topK,
    double topP,
    double minP,
    double repetitionPenalty,
    double presencePenalty,
    double frequencyPenalty,
    OptionalLong seed,
    List<String> stop,
    List<Integer> stopTokenIds,
    int minTokens,
    int maxTokens,
    boolean ignoreEos,
    OptionalInt logprobs) {

  /// vLLM's defaults.
  public static final SamplingParams DEFAULT =
      new SamplingParams(
          1,
          1,
          0,
          1,
          0,
          1,
          0,
          0,
          OptionalLong.empty(),
          List.of(),
          List.of(),
          0,
          16,
          false,
          OptionalInt.empty());

  private static final int MAX_SAMPLES = 1024;
  private static final int MAX_TOKENS = 10_000_000;
  private static final int MAX_LOGPROBS = 20;
  private static final int MAX_STOPS = 64;
  private static final double MAX_TEMPERATURE = 100;

  /// Below this, sampling is greedy.
  private static final double GREEDY_TEMPERATURE = 1e-5;

  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  /// @throws IllegalArgumentException for a value out of its range; the message names the key as it
  ///   is in JSON
  public SamplingParams {
    stop = List.copyOf(stop);
    stopTokenIds = List.copyOf(stopTokenIds);
    // One way to say all tokens, and no negative zeros: the text is canonical.
    topK = topK == -1 ? 0 : topK;
    temperature += 0.0;
    minP += 0.0;
    presencePenalty += 0.0;
    frequencyPenalty += 0.0;
    check("n", n, n >= 1 && n <= MAX_SAMPLES, "1 to " + MAX_SAMPLES);
    check(
        "temperature",
        temperature,
        temperature >= 0 && temperature <= MAX_TEMPERATURE,
        "0 (greedy) to 100");
    check("top_k", topK, topK >= 0, "-1 or 0 (all tokens), or 1 and more");
    check("top_p", topP, topP > 0 && topP <= 1, "above 0 to 1");
    check("min_p", minP, minP >= 0 && minP <= 1, "0 to 1");
    check(
        "repetition_penalty",
        repetitionPenalty,
        repetitionPenalty > 0 && repetitionPenalty <= 100,
        "above 0 to 100");
    check("presence_penalty", presencePenalty, Math.abs(presencePenalty) <= 2, "-2 to 2");
    check("frequency_penalty", frequencyPenalty, Math.abs(frequencyPenalty) <= 2, "-2 to 2");
    check("stop", stop.size() + " texts", stop.size() <= MAX_STOPS, "at most " + MAX_STOPS);
    check(
        "stop",
        "an empty text",
        stop.stream().noneMatch(String::isEmpty),
        "texts of 1 character and more");
    check(
        "stop_token_ids",
        stopTokenIds,
        stopTokenIds.size() <= MAX_STOPS && stopTokenIds.stream().allMatch(id -> id >= 0),
        "at most " + MAX_STOPS + " ids from 0");
    check("max_tokens", maxTokens, maxTokens >= 1 && maxTokens <= MAX_TOKENS, "1 to " + MAX_TOKENS);
    check("min_tokens", minTokens, minTokens >= 0, "0 and more");
    check("min_tokens", minTokens, minTokens <= maxTokens, "at most max_tokens, " + maxTokens);
    int reported = logprobs.orElse(0);
    check("logprobs", reported, reported >= 0 && reported <= MAX_LOGPROBS, "0 to " + MAX_LOGPROBS);
    check(
        "n",
        n,
        n == 1 || temperature >= GREEDY_TEMPERATURE,
        "1 with temperature 0, where all samples would be the same");
  }

  private static void check(String key, Object value, boolean legal, String range) {
    if (!legal) {
      throw new IllegalArgumentException("%s is %s; legal: %s".formatted(key, value, range));
    }
  }

  /// Whether the likeliest token is picked, and nothing is random.
  public boolean greedy() {
    return temperature < GREEDY_TEMPERATURE;
  }

  /// Whether logits depend on the tokens before.
  public boolean penalises() {
    return repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0;
  }

  /// The same with that seed.
  public SamplingParams withSeed(long newSeed) {
    return new SamplingParams(
        n,
        temperature,
        topK,
        topP,
        minP,
        repetitionPenalty,
        presencePenalty,
        frequencyPenalty,
        OptionalLong.of(newSeed),
        stop,
        stopTokenIds,
        minTokens,
        maxTokens,
        ignoreEos,
        logprobs);
  }

  /// These as a JSON object in one line: every key, always in the same order. Equal parameters have
  /// equal texts.
  public String toJson() {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("n", n);
    json.put("temperature", temperature);
    json.put("top_k", topK);
    json.put("top_p", topP);
    json.put("min_p", minP);
    json.put("repetition_penalty", repetitionPenalty);
    json.put("presence_penalty", presencePenalty);
    json.put("frequency_penalty", frequencyPenalty);
    if (seed.isPresent()) {
      json.put("seed", seed.getAsLong());
    } else {
      json.putNull("seed");
    }
    ArrayNode stops = json.putArray("stop");
    stop.forEach(stops::add);
    ArrayNode ids = json.putArray("stop_token_ids");
    stopTokenIds.forEach(ids::add);
    json.put("min_tokens", minTokens);
    json.put("max_tokens", maxTokens);
    json.put("ignore_eos", ignoreEos);
    if (logprobs.isPresent()) {
      json.put("logprobs", logprobs.getAsInt());
    } else {
      json.putNull("logprobs");
    }
    return json.toString();
  }

  /// Reads a JSON object; keys that are missing or null have their defaults. `stop` may be one
  /// text.
  ///
  /// @throws IllegalArgumentException for what is no JSON object, unknown keys, and values of the
  ///   wrong kind or out of range
  public static SamplingParams parse(String json) {
    JsonNode node;
    try {
      node = MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "sampling parameters are not JSON: " + JsonFile.fault(e), e);
    }
    if (!node.isObject()) {
      throw new IllegalArgumentException(
          "sampling parameters are %s; legal: a JSON object".formatted(node));
    }
    Builder builder = new Builder();
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (!field.getValue().isNull()) {
        builder.set(field.getKey(), field.getValue());
      }
    }
    return builder.build();
  }

  /// Values as they are read.
  private static final class Builder {

    private int n = DEFAULT.n;
    private double temperature = DEFAULT.temperature;
    private int topK = DEFAULT.topK;
    private double topP = DEFAULT.topP;
    private double minP = DEFAULT.minP;
    private double repetitionPenalty = DEFAULT.repetitionPenalty;
    private double presencePenalty = DEFAULT.presencePenalty;
    private double frequencyPenalty = DEFAULT.frequencyPenalty;
    private OptionalLong seed = DEFAULT.seed;
    private List<String> stop = DEFAULT.stop;
    private List<Integer> stopTokenIds = DEFAULT.stopTokenIds;
    private int minTokens = DEFAULT.minTokens;
    private int maxTokens = DEFAULT.maxTokens;
    private boolean ignoreEos = DEFAULT.ignoreEos;
    private OptionalInt logprobs = DEFAULT.logprobs;

    void set(String key, JsonNode value) {
      switch (key) {
        case "n" -> n = whole(key, value);
        case "temperature" -> temperature = number(key, value);
        case "top_k" -> topK = whole(key, value);
        case "top_p" -> topP = number(key, value);
        case "min_p" -> minP = number(key, value);
        case "repetition_penalty" -> repetitionPenalty = number(key, value);
        case "presence_penalty" -> presencePenalty = number(key, value);
        case "frequency_penalty" -> frequencyPenalty = number(key, value);
        case "seed" -> seed = OptionalLong.of(seed(key, value));
        case "stop" -> stop = texts(key, value);
        case "stop_token_ids" -> stopTokenIds = ids(key, value);
        case "min_tokens" -> minTokens = whole(key, value);
        case "max_tokens" -> maxTokens = whole(key, value);
        case "ignore_eos" -> ignoreEos = flag(key, value);
        case "logprobs" -> logprobs = OptionalInt.of(whole(key, value));
        default -> {
          String known = String.join(", ", MAPPER.convertValue(keys(), String[].class));
          throw new IllegalArgumentException(
              "%s is no sampling parameter; known: %s".formatted(key, known));
        }
      }
    }

    SamplingParams build() {
      return new SamplingParams(
          n,
          temperature,
          topK,
          topP,
          minP,
          repetitionPenalty,
          presencePenalty,
          frequencyPenalty,
          seed,
          stop,
          stopTokenIds,
          minTokens,
          maxTokens,
          ignoreEos,
          logprobs);
    }
  }

  private static List<String> keys() {
    try {
      List<String> keys = new ArrayList<>();
      MAPPER.readTree(DEFAULT.toJson()).fieldNames().forEachRemaining(keys::add);
      return keys;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static IllegalArgumentException wrong(String key, JsonNode value, String legal) {
    return new IllegalArgumentException("%s is %s; legal: %s".formatted(key, value, legal));
  }

  private static int whole(String key, JsonNode value) {
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw wrong(key, value, "whole numbers");
    }
    return value.intValue();
  }

  private static long seed(String key, JsonNode value) {
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw wrong(key, value, "whole numbers of 64 bits");
    }
    return value.longValue();
  }

  private static double number(String key, JsonNode value) {
    if (!value.isNumber()) {
      throw wrong(key, value, "numbers");
    }
    return value.doubleValue();
  }

  private static boolean flag(String key, JsonNode value) {
    if (!value.isBoolean()) {
      throw wrong(key, value, "true, false");
    }
    return value.booleanValue();
  }

  private static List<String> texts(String key, JsonNode value) {
    List<String> texts = new ArrayList<>();
    for (JsonNode text : value.isArray() ? value : List.of(value)) {
      if (!text.isTextual()) {
        throw wrong(key, value, "a text, or a list of texts");
      }
      texts.add(text.textValue());
    }
    return texts;
  }

  private static List<Integer> ids(String key, JsonNode value) {
    if (!value.isArray()) {
      throw wrong(key, value, "a list of token ids");
    }
    List<Integer> ids = new ArrayList<>();
    value.forEach(id -> ids.add(whole(key, id)));
    return ids;
  }
}
