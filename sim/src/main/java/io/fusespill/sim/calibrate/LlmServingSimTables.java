package io.fusespill.sim.calibrate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fusespill.sim.calibrate.CsvTable.Row;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The kernel tables of LLMServingSim 2: times of one layer of vLLM on a card, by tokens
/// (`dense.csv`), by sequences (`per_sequence.csv`) and of attention by prompt chunk, its context,
/// decodes and their context (`attention.csv`), in microseconds. Where the profile's `meta.yaml`
/// says that it has them (`skew_profile`), also of attention with some long contexts among short
/// ones (`skew.csv`). What it says of the card, the model and the block size has to be what the
/// profile is made for.
///
/// J. Cho et al., "LLMServingSim", IISWC 2024.
public final class LlmServingSimTables {

  private static final String TOKENS = "tokens";
  private static final String SEQUENCES = "sequences";
  private static final String MICROS = "time_us";
  private static final double NANOS = 1e3;
  private static final String META = "meta.yaml";
  private static final YAMLMapper YAML = new YAMLMapper();

  /// How often each kernel of `dense.csv` runs in a layer; 0 for once a step.
  private static final Map<String, Integer> IN_A_LAYER =
      Map.of(
          "qkv_proj", 1,
          "rotary_emb", 1,
          "o_proj", 1,
          "gate_up_proj", 1,
          "act_fn", 1,
          "down_proj", 1,
          "layernorm", 2,
          "embedding", 0,
          "final_layernorm", 0);

  private LlmServingSimTables() {}

  /// The profile of a card.
  ///
  /// @param folder that of the tables, or the one above it
  /// @param card one card
  /// @param blockTokens tokens of a KV block
  /// @throws ProfileException if a table is missing, is not one of these, or is of another card,
  ///   model or block size
  public static FittedProfile read(
      Path folder, String name, TensorParallelGroup card, ModelProfile model, int blockTokens) {
    Path tables = Files.isDirectory(folder.resolve("tp1")) ? folder.resolve("tp1") : folder;
    JsonNode said = said(tables);
    requireOrigin(tables, said, card, model, blockTokens);
    List<StepSample> decodes = new ArrayList<>();
    List<StepSample> prefills = new ArrayList<>();
    for (Row row : CsvTable.read(tables, "attention").rows()) {
      StepSample sample = attention(row, model.layers());
      (sample.shape().prefills() == 0 ? decodes : prefills).add(sample);
    }
    return new KernelTables(
            layers(CsvTable.read(tables, "dense"), model.layers()),
            head(CsvTable.read(tables, "per_sequence")),
            decodes,
            prefills,
            said.path("skew_profile").path("enabled").asBoolean()
                ? uneven(CsvTable.read(tables, "skew"))
                : List.of(),
            List.of(),
            KernelTables.kvTokens(card, model))
        .profile(
            name,
            card.name(),
            model,
            blockTokens,
            "kernel tables of LLMServingSim, %s".formatted(KernelTables.lastNames(tables)));
  }

  /// What the profile says of itself, beside the tables or above them; nothing where it does not.
  private static JsonNode said(Path tables) {
    Path above = tables.toAbsolutePath().normalize().getParent();
    Path meta = tables.resolve(META);
    if (!Files.exists(meta) && above != null) {
      meta = above.resolve(META);
    }
    try {
      return Files.exists(meta) ? YAML.readTree(Files.readString(meta)) : MissingNode.getInstance();
    } catch (IOException e) {
      throw new ProfileException("%s: not YAML: %s".formatted(meta, e.getMessage()), e);
    }
  }

  private static void requireOrigin(
      Path tables, JsonNode said, TensorParallelGroup card, ModelProfile model, int blockTokens) {
    String meta = "%s of %s: ".formatted(META, KernelTables.lastNames(tables));
    TableOrigin.requireCards(meta + "hardware", said.path("hardware").asText(), card);
    TableOrigin.requireModel(meta + "model", said.path("model").asText(), model);
    JsonNode blockSize = said.path("engine_effective").path("block_size");
    if (blockSize.isNumber() && blockSize.asInt() != blockTokens) {
      throw new ProfileException(
          "%sblock_size is %d, must be the %d of the profile: give --block-size %d"
              .formatted(meta, blockSize.asInt(), blockTokens, blockSize.asInt()));
    }
  }

  private static List<UnevenSample> uneven(CsvTable skew) {
    List<UnevenSample> samples = new ArrayList<>();
    for (Row row : skew.rows()) {
      int decodes = (int) row.whole("n");
      long few = row.whole("nb");
      long context = few * row.whole("kv_big") + (decodes - few) * row.whole("kvs");
      StepShape shape =
          shape(decodes, context, (int) row.whole("pc"), row.whole("kp"))
              .withContextPadding(decodes * row.whole("kv_big") - context);
      samples.add(new UnevenSample(shape, row.positive("t_skew_us") / row.positive("t_mean_us")));
    }
    return samples;
  }

  private static Curve layers(CsvTable dense, int layers) {
    Map<Long, Double> nanos = new TreeMap<>();
    for (Row row : dense.rows()) {
      Integer times = IN_A_LAYER.get(row.text("layer"));
      if (times == null) {
        throw new ProfileException(
            "dense table has a kernel %s, known are %s"
                .formatted(
                    row.text("layer"),
                    String.join(", ", IN_A_LAYER.keySet().stream().sorted().toList())));
      }
      double micros = row.positive(MICROS) * (times == 0 ? 1 : times * layers);
      nanos.merge(row.whole(TOKENS), micros * NANOS, Double::sum);
    }
    return new Curve("layers", StepFeature.COMPUTED_TOKENS, nanos);
  }

  private static Curve head(CsvTable perSequence) {
    Map<Long, Double> nanos = new TreeMap<>();
    for (Row row : perSequence.rows()) {
      nanos.merge(row.whole(SEQUENCES), row.positive(MICROS) * NANOS, Double::sum);
    }
    return new Curve("head and sampler", StepFeature.SAMPLED_TOKENS, nanos);
  }

  private static StepSample attention(Row row, int layers) {
    int rows = (int) row.whole("n_decode");
    StepShape shape =
        shape(
            rows,
            rows * row.whole("kv_decode"),
            (int) row.whole("prefill_chunk"),
            row.whole("kv_prefill"));
    return new StepSample(shape, Math.round(row.positive(MICROS) * NANOS * layers));
  }

  private static StepShape shape(int decodes, long context, int chunk, long before) {
    int prefills = chunk == 0 ? 0 : 1;
    return new StepShape(
        decodes,
        context,
        prefills,
        chunk,
        StepShape.pairs(before, chunk),
        chunk + decodes,
        decodes + prefills);
  }
}
