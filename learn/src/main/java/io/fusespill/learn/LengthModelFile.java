package io.fusespill.learn;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.traces.LengthAccuracy;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The file of a [LengthModel]: JSON, the same bytes for the same model. It holds nothing of the
/// prompts but the buckets of their words.
final class LengthModelFile {

  private static final String FORMAT = "fusespill-length-model";

  /// Raised when the form of the file changes, or what a feature of the same name counts.
  private static final int VERSION = 1;

  private static final long BYTES_MAX = 64 << 20;
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private LengthModelFile() {}

  static void write(LengthModel model, Path file) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("format", FORMAT);
    root.put("version", VERSION);
    root.put("seed", model.seed());
    root.set("evaluation", json(model.evaluation()));
    root.put("base", model.trees().base());
    ArrayNode trees = root.putArray("trees");
    model.trees().trees().forEach(tree -> trees.add(json(tree)));
    try {
      Files.writeString(file, JSON.writeValueAsString(root) + "\n");
    } catch (IOException e) {
      throw new LengthModelException("%s: cannot be written: %s".formatted(file, e), e);
    }
  }

  private static ObjectNode json(Evaluation evaluation) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("training_requests", evaluation.trainingRequests());
    node.put("held_out_requests", evaluation.heldOutRequests());
    node.set("learned", json(evaluation.learned()));
    node.set("bucket_mean", json(evaluation.bucketMean()));
    node.set("bucket_median", json(evaluation.bucketMedian()));
    node.set("global_median", json(evaluation.globalMedian()));
    node.put("gain", evaluation.gain());
    node.put("gain_error", evaluation.gainError());
    return node;
  }

  private static ObjectNode json(LengthAccuracy.Summary summary) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("mean_absolute_error", summary.meanAbsoluteError());
    node.put("median_absolute_error", summary.medianAbsoluteError());
    if (Double.isNaN(summary.pairwiseAccuracy())) {
      node.putNull("pairwise_accuracy");
    } else {
      node.put("pairwise_accuracy", summary.pairwiseAccuracy());
    }
    return node;
  }

  private static ObjectNode json(Tree tree) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    switch (tree) {
      case Tree.Split split -> {
        node.put("feature", PromptFeatures.name(split.feature()));
        node.put("at_most", split.atMost());
        node.set("then", json(split.then()));
        node.set("else", json(split.otherwise()));
      }
      case Tree.Leaf leaf -> node.put("value", leaf.value());
    }
    return node;
  }

  static LengthModel read(Path file) {
    try {
      return model(JSON.readTree(content(file)));
    } catch (JsonProcessingException e) {
      throw new LengthModelException(
          "%s: is no length model but something that is no JSON; train one with train-length"
              .formatted(file),
          e);
    } catch (NoSuchFileException e) {
      throw new LengthModelException("%s: no such file".formatted(file), e);
    } catch (IOException e) {
      throw new LengthModelException("%s: cannot be read: %s".formatted(file, e), e);
    } catch (IllegalArgumentException e) {
      throw new LengthModelException("%s: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static String content(Path file) throws IOException {
    long bytes = Files.size(file);
    if (bytes > BYTES_MAX) {
      throw new IllegalArgumentException(
          "has %d bytes, a length model at most %d".formatted(bytes, BYTES_MAX));
    }
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          "is no length model but something that is no text; train one with train-length", e);
    }
  }

  private static LengthModel model(JsonNode root) {
    if (!root.path("format").asText().equals(FORMAT)) {
      throw new IllegalArgumentException(
          "is no length model: \"format\" must be \"%s\"; train one with train-length"
              .formatted(FORMAT));
    }
    JsonNode version = field(root, "version");
    if (!version.isInt() || version.intValue() != VERSION) {
      throw new IllegalArgumentException(
          "is a length model of version %s, must be %d; train it again with train-length"
              .formatted(version, VERSION));
    }
    List<Tree> trees = new ArrayList<>();
    field(root, "trees").forEach(tree -> trees.add(tree(tree)));
    return new LengthModel(
        new BoostedTrees(number(root, "base"), trees),
        field(root, "seed").longValue(),
        evaluation(field(root, "evaluation")));
  }

  private static Tree tree(JsonNode node) {
    if (node.has("value")) {
      return new Tree.Leaf(number(node, "value"));
    }
    String name = field(node, "feature").asText();
    int feature = PromptFeatures.index(name);
    if (feature < 0) {
      throw new IllegalArgumentException(
          "is damaged: no feature \"%s\"; train it again with train-length".formatted(name));
    }
    return new Tree.Split(
        feature, number(node, "at_most"), tree(field(node, "then")), tree(field(node, "else")));
  }

  private static Evaluation evaluation(JsonNode node) {
    return new Evaluation(
        field(node, "training_requests").longValue(),
        field(node, "held_out_requests").longValue(),
        summary(node, "learned"),
        summary(node, "bucket_mean"),
        summary(node, "bucket_median"),
        summary(node, "global_median"),
        number(node, "gain"),
        number(node, "gain_error"));
  }

  private static LengthAccuracy.Summary summary(JsonNode evaluation, String name) {
    JsonNode node = field(evaluation, name);
    return new LengthAccuracy.Summary(
        field(evaluation, "held_out_requests").longValue(),
        number(node, "mean_absolute_error"),
        (int) number(node, "median_absolute_error"),
        field(node, "pairwise_accuracy").isNull() ? Double.NaN : number(node, "pairwise_accuracy"));
  }

  private static double number(JsonNode node, String name) {
    JsonNode value = field(node, name);
    if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
      throw new IllegalArgumentException(
          "is damaged: %s is %s, must be a number; train it again with train-length"
              .formatted(name, value));
    }
    return value.doubleValue();
  }

  private static JsonNode field(JsonNode node, String name) {
    JsonNode value = node.get(name);
    if (value == null) {
      throw new IllegalArgumentException(
          "is damaged: no field \"%s\"; train it again with train-length".formatted(name));
    }
    return value;
  }
}
