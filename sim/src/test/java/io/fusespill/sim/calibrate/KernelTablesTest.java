package io.fusespill.sim.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.RegionErrors;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Tables made from known times: the profile adds the kernels up as a step runs them.
class KernelTablesTest {

  private static final ModelProfile MODEL = ModelProfiles.named("llama-3.1-8b");
  private static final TensorParallelGroup CARD = DeviceSpec.parse("rtx-4090").group();

  @TempDir Path folder;

  // ------------------------------------------------------------ LLMServingSim

  /// A layer of 100 µs up to 64 tokens, twice as long beyond; a norm counts twice, the embedding
  /// once a step.
  @Test
  void llmServingSim_isTheSumOfItsKernels() throws IOException {
    writeLlmServingSim(1);
    FittedProfile profile = readLlmServingSim();
    FittedModel model = new FittedModel(profile.places().getFirst());

    long decode = model.nanos(new StepShape(32, 32 * 1_000, 0, 0, 0, 32, 32));
    assertThat((double) decode)
        .isCloseTo(
            32 * (100e3 + 2 * 3e3 + (5 + 32 * 1_000 * 0.004) * 1e3) + 7e3 + 1_100e3,
            Percentage.withPercentage(1));

    long mixed =
        model.nanos(new StepShape(16, 16 * 1_000, 1, 256, StepShape.pairs(512, 256), 272, 17));
    assertThat((double) mixed)
        .isCloseTo(
            32
                    * (200e3
                        + 2 * 3e3
                        + (9 + StepShape.pairs(512, 256) * 0.0002 + 16 * 1_000 * 0.006) * 1e3)
                + 7e3
                + 1_100e3,
            Percentage.withPercentage(1.5));
    assertThat(profile.places().getFirst().errors().meanPercent()).isLessThan(1);
    assertThat(profile.source()).contains("LLMServingSim").doesNotContain(folder.toString());
    assertThat(model.extrapolations()).isZero();
  }

  /// What one layer was measured with, and no whole model could hold, is left away.
  @Test
  void llmServingSim_contextBeyondTheCard_isNotMeasured() throws IOException {
    writeLlmServingSim(1);

    long most =
        readLlmServingSim()
            .places()
            .getFirst()
            .ranges()
            .get(StepFeature.DECODE_CONTEXT_TOKENS)
            .max();

    assertThat(most * MODEL.kvBytesPerToken()).isLessThan(25_250_627_584L);
    assertThat(most).isGreaterThan(20_000);
  }

  @Test
  void llmServingSim_damaged_namesFileLineAndColumn() throws IOException {
    writeLlmServingSim(-1);
    assertThatThrownBy(this::readLlmServingSim)
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("attention.csv.gz:2: time_us is '-")
        .hasMessageContaining("must be a number above 0");

    write("attention.csv.gz", "a,b\n1,2,3\n");
    assertThatThrownBy(this::readLlmServingSim)
        .hasMessageContaining(":2: has 3 columns, must have 2");

    write("attention.csv.gz", "prefill_chunk,kv_prefill,n_decode,time_us\n0,0,1,5\n");
    assertThatThrownBy(this::readLlmServingSim).hasMessageContaining("has no column kv_decode");

    Files.delete(folder.resolve("attention.csv.gz"));
    assertThatThrownBy(this::readLlmServingSim)
        .hasMessageContaining("no " + folder.resolve("attention.csv"));
  }

  @Test
  void llmServingSim_unknownKernel_isAnError() throws IOException {
    writeLlmServingSim(1);
    write("dense.csv.gz", "layer,tokens,time_us\nmoe_gate,1,5\n");

    assertThatThrownBy(this::readLlmServingSim)
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("dense table has a kernel moe_gate, known are act_fn, down_proj,");
  }

  /// Contexts that differ take longer by a tenth of what the longest is above the mean, in the
  /// units of the plain table, whose times are those of one run: the other's are of three.
  @Test
  void llmServingSim_unevenContexts_countWhereTheProfileSaysThatItHasThem() throws IOException {
    writeLlmServingSim(1);
    writeSkew();
    StepShape even = new StepShape(16, 16 * 512, 0, 0, 0, 16, 16);
    StepShape uneven = even.withContextPadding(16 * 300);
    StepShape beside =
        new StepShape(16, 16 * 512, 1, 256, StepShape.pairs(0, 256), 272, 17)
            .withContextPadding(16 * 300);

    FittedModel without = new FittedModel(readLlmServingSim().places().getFirst());
    assertThat(without.nanos(uneven)).isEqualTo(without.nanos(even));

    for (String meta : new String[] {"false", "true"}) {
      Files.writeString(
          folder.resolve("meta.yaml"), "skew_profile:\n  enabled: %s\n".formatted(meta));
      FittedProfile profile = readLlmServingSim();
      FittedModel model = new FittedModel(profile.places().getFirst());
      boolean there = meta.equals("true");
      assertThat((double) model.nanos(uneven) - without.nanos(uneven))
          .isCloseTo(there ? 32 * 300 * 0.1e3 : 0, Offset.offset(32 * 300 * 0.003e3));
      assertThat((double) model.nanos(beside) - without.nanos(beside))
          .isCloseTo(there ? 32 * 300 * 0.2e3 : 0, Offset.offset(32 * 300 * 0.006e3));
      assertThat(profile.places().getFirst().regions())
          .extracting(RegionErrors::region)
          .matches(labels -> labels.contains("uneven contexts alone") == there);
      assertThat(model.nanos(even)).isEqualTo(without.nanos(even));
      assertThat(model.extrapolations()).isZero();
      assertThat(model.breakdown(uneven).overheadNanos())
          .as("what contexts add is no overhead")
          .isCloseTo(model.breakdown(even).overheadNanos(), Offset.offset(10L));
    }
  }

  @Test
  void llmServingSim_metaThatIsNoYaml_isAnError() throws IOException {
    writeLlmServingSim(1);
    Files.writeString(folder.resolve("meta.yaml"), "skew_profile: [");

    assertThatThrownBy(this::readLlmServingSim)
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("meta.yaml: not YAML");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "hardware: RTXPRO6000 | hardware is RTXPRO6000, must be the card rtx-4090",
        "hardware: RTX40 | hardware is RTX40, must be the card rtx-4090",
        "model: meta-llama/Llama-3.1-70B | model is meta-llama/Llama-3.1-70B, must be the model llama-3.1-8b",
        "engine_effective: {block_size: 32} | block_size is 32, must be the 16 of the profile: give --block-size 32",
      })
  void llmServingSim_ofSomethingElse_isAnError(String said, String message) throws IOException {
    writeLlmServingSim(1);
    Files.writeString(folder.resolve("meta.yaml"), said);

    assertThatThrownBy(this::readLlmServingSim)
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("meta.yaml of ")
        .hasMessageContaining(message);
  }

  @Test
  void llmServingSim_ofTheSameInOtherWords_isRead() throws IOException {
    writeLlmServingSim(1);
    Files.writeString(
        folder.resolve("meta.yaml"),
        "{hardware: NVIDIA GeForce RTX 4090 24GB, model: meta-llama/Llama-3.1-8B-Instruct, engine_effective: {block_size: 16}}");

    assertThat(readLlmServingSim().places()).hasSize(1);
  }

  private void writeSkew() throws IOException {
    StringBuilder skew = new StringBuilder("n,nb,pc,kp,kvs,kv_big,kv_mean,t_mean_us,t_skew_us\n");
    for (int decodes : new int[] {4, 16, 64}) {
      for (int chunk : new int[] {0, 64, 256, 512}) {
        for (int few : new int[] {1, decodes / 2}) {
          for (int context : new int[] {128, 256, 512, 1_024}) {
            double mean = (few * 4.0 * context + (decodes - few) * context) / decodes;
            double micros =
                chunk == 0
                    ? 5 + decodes * mean * 0.004
                    : 9 + StepShape.pairs(0, chunk) * 0.0002 + decodes * mean * 0.006;
            double longer = (4 * context - mean) * (chunk == 0 ? 0.1 : 0.2);
            skew.append(
                "%d,%d,%d,0,%d,%d,%s,%s,%s\n"
                    .formatted(
                        decodes,
                        few,
                        chunk,
                        context,
                        4 * context,
                        mean,
                        3 * micros,
                        3 * (micros + longer)));
          }
        }
      }
    }
    write("skew.csv.gz", skew.toString());
  }

  private FittedProfile readLlmServingSim() {
    return LlmServingSimTables.read(folder, "test", CARD, MODEL, 16);
  }

  private void writeLlmServingSim(int sign) throws IOException {
    StringBuilder dense = new StringBuilder("layer,tokens,time_us\n");
    for (int tokens = 1; tokens <= 2_048; tokens *= 2) {
      dense.append("gate_up_proj,%d,%d\n".formatted(tokens, tokens <= 64 ? 100 : 200));
      dense.append("layernorm,%d,3\n".formatted(tokens));
      dense.append("embedding,%d,7\n".formatted(tokens));
    }
    write("dense.csv.gz", dense.toString());
    StringBuilder head = new StringBuilder("layer,sequences,time_us\n");
    for (int rows = 1; rows <= 256; rows *= 2) {
      head.append("lm_head,%d,1000\nsampler,%d,100\n".formatted(rows, rows));
    }
    write("per_sequence.csv.gz", head.toString());
    StringBuilder attention =
        new StringBuilder("prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n");
    for (int chunk : new int[] {0, 16, 32, 64, 128, 256, 512, 1_024}) {
      for (int before : chunk == 0 ? new int[] {0} : new int[] {0, 128, 512, 2_048}) {
        for (int decodes : new int[] {0, 1, 4, 16, 64}) {
          for (int context :
              decodes == 0 ? new int[] {0} : new int[] {16, 128, 512, 1_024, 2_048, 16_384}) {
            if (chunk + decodes > 0) {
              double micros =
                  chunk == 0
                      ? 5 + decodes * context * 0.004
                      : 9 + StepShape.pairs(before, chunk) * 0.0002 + decodes * context * 0.006;
              attention.append(
                  "%d,%d,%d,%d,%s\n".formatted(chunk, before, decodes, context, sign * micros));
            }
          }
        }
      }
    }
    write("attention.csv.gz", attention.toString());
  }

  // ----------------------------------------------------------- aiconfigurator

  /// A product takes 1 ns for 1,000 of columns × depth, at any number of rows.
  @Test
  void aiConfigurator_sizesBetweenAndBeyondTheTable_areInterpolated() throws IOException {
    writeAiConfigurator();
    FittedModel model =
        new FittedModel(
            AiConfiguratorTables.read(folder, "test", CARD, MODEL, 16).places().getFirst());
    FittedModel two =
        new FittedModel(
            AiConfiguratorTables.read(
                    folder, "test", DeviceSpec.parse("rtx-4090:tp=2").group(), MODEL, 16)
                .places()
                .getFirst());
    StepShape decode = new StepShape(8, 8 * 512, 0, 0, 0, 8, 8);
    double small = 32 * 22e3 + 126e3;
    double layers = 32 * (6_144.0 * 4_096 + 4_096.0 * 4_096 + 3 * 14_336.0 * 4_096) / 1e3;
    double head = 128_256.0 * 4_096 / 1e3;

    assertThat((double) model.nanos(decode))
        .isCloseTo(layers + head + 32 * 20e3 + small, Percentage.withPercentage(3));
    assertThat((double) two.nanos(decode))
        .isCloseTo(
            (layers + head) / 2 + 2 * 32 * 10e3 + 32 * 20e3 + small, Percentage.withPercentage(3));
  }

  @Test
  void aiConfigurator_otherAttention_saysWhatThereIs() throws IOException {
    writeAiConfigurator();

    assertThatThrownBy(() ->
            AiConfiguratorTables.read(folder, "test", CARD, ModelProfiles.named("vicuna-7b"), 16))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining(
            "generation_attention_perf has no attention of 32 heads over 32 KV heads of 128; with as many heads it has (KV heads/size) 8/128");
    assertThatThrownBy(() ->
            AiConfiguratorTables.read(
                folder, "test", DeviceSpec.parse("rtx-4090:tp=4").group(), MODEL, 16))
        .hasMessageContaining("custom_allreduce_perf has none between 4 cards");
  }

  @ParameterizedTest
  @CsvSource({
    "NVIDIA H200, h200, true",
    "NVIDIA H200, h200:tp=2, true",
    "NVIDIA H200, h100, false",
    "NVIDIA A100-SXM4-40GB, a100-40g, true",
    "NVIDIA A100-SXM4-40GB, a10, false",
    "NVIDIA H100 80GB HBM3, h100, true",
  })
  void aiConfigurator_ofAnotherCard_isAnError(String measured, String device, boolean same)
      throws IOException {
    writeAiConfigurator(measured);
    ThrowingCallable read =
        () ->
            AiConfiguratorTables.read(folder, "test", DeviceSpec.parse(device).group(), MODEL, 16);

    if (same) {
      assertThatCode(read).doesNotThrowAnyException();
    } else {
      assertThatThrownBy(read)
          .isInstanceOf(ProfileException.class)
          .hasMessageContaining(
              "gemm_perf: device is %s, must be the card %s".formatted(measured, device));
    }
  }

  private void writeAiConfigurator() throws IOException {
    writeAiConfigurator("NVIDIA GeForce RTX 4090");
  }

  private void writeAiConfigurator(String device) throws IOException {
    StringBuilder products = new StringBuilder("device,gemm_dtype,m,n,k,latency\n");
    for (int columns : new int[] {1_024, 4_096, 16_384, 65_536}) {
      for (int depth : new int[] {1_024, 4_096, 16_384}) {
        for (int rows = 1; rows <= 4_096; rows *= 4) {
          products.append(
              "%s,bfloat16,%d,%d,%d,%s\n"
                  .formatted(device, rows, columns, depth, (double) columns * depth / 1e9));
          products.append("%s,fp8,%d,%d,%d,0.000001\n".formatted(device, rows, columns, depth));
        }
      }
    }
    write("gemm_perf.csv.gz", products.toString());
    String head =
        "batch_size,isl,num_heads,num_key_value_heads,head_dim,attn_dtype,kv_cache_dtype,step,window_size,latency\n";
    StringBuilder generation = new StringBuilder(head);
    StringBuilder context = new StringBuilder(head);
    for (int cards : new int[] {1, 2}) {
      String model = "%d,%d,128,bfloat16,bfloat16".formatted(32 / cards, 8 / cards);
      for (int batch = 1; batch <= 64; batch *= 2) {
        for (int size = 16; size <= 1_024; size *= 4) {
          generation.append("%d,1,%s,%d,0,0.02\n".formatted(batch, model, size - 1));
          context.append("%d,%d,%s,0,0,0.03\n".formatted(batch, size, model));
        }
      }
    }
    write("generation_attention_perf.csv.gz", generation.toString());
    write("context_attention_perf.csv.gz", context.toString());
    write(
        "custom_allreduce_perf.csv.gz",
        "num_gpus,message_size,latency\n2,128,0.01\n2,1048576,0.01\n2,536870912,0.01\n");
  }

  private void write(String name, String text) throws IOException {
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(folder.resolve(name)))) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
