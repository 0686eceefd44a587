package io.fusespill.sim.calibrate;

import io.fusespill.sim.calibrate.CsvTable.Row;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The kernel tables of LLMServingSim 2: times of one layer of vLLM on a card, by tokens
/// (`dense.csv`), by sequences (`per_sequence.csv`) and of attention by prompt chunk, its context,
/// decodes and their context (`attention.csv`), in microseconds.
///
/// J. Cho et al., "LLMServingSim", IISWC 2024.
public final class LlmServingSimTables {

  private static final String TOKENS = "tokens";
  private static final String SEQUENCES = "sequences";
  private static final String MICROS = "time_us";
  private static final double NANOS = 1e3;

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
  /// @throws ProfileException if a table is missing, or is not one of these
  public static FittedProfile read(
      Path folder, String name, TensorParallelGroup card, ModelProfile model, int blockTokens) {
    Path tables = Files.isDirectory(folder.resolve("tp1")) ? folder.resolve("tp1") : folder;
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
            List.of(),
            KernelTables.kvTokens(card, model))
        .profile(
            name,
            card.name(),
            model,
            blockTokens,
            "kernel tables of LLMServingSim, %s".formatted(KernelTables.lastNames(tables)));
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
    int chunk = (int) row.whole("prefill_chunk");
    int rows = (int) row.whole("n_decode");
    StepShape shape =
        new StepShape(
            rows,
            rows * row.whole("kv_decode"),
            chunk == 0 ? 0 : 1,
            chunk,
            StepShape.pairs(row.whole("kv_prefill"), chunk),
            chunk + rows,
            rows + (chunk == 0 ? 0 : 1));
    return new StepSample(shape, Math.round(row.positive(MICROS) * NANOS * layers));
  }
}
