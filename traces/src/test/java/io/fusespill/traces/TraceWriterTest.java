package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

final class TraceWriterTest {

  private static final List<TraceRequest> REQUESTS =
      List.of(
          new TraceRequest(0, 1, 1),
          new TraceRequest(1, 512, 2, 0, 512, new long[] {7}),
          new TraceRequest(1_000_000, 513, 3, 0, 512, new long[] {7, -8}),
          new TraceRequest(4_314_579_000L, TraceLimits.MAX_TOKENS, TraceLimits.MAX_TOKENS),
          new TraceRequest(Long.MAX_VALUE, 10, 20));

  private static final List<TraceRequest> DECLARING =
      List.of(
          new TraceRequest(0, 1, 2).declaring(3),
          new TraceRequest(1, 4, 5),
          new TraceRequest(2, 6, 7).declaring(TraceLimits.MAX_TOKENS));

  @TempDir Path folder;

  static Stream<TraceFormat> writable() {
    return Arrays.stream(TraceFormat.values()).filter(TraceFormat::writable);
  }

  @ParameterizedTest
  @MethodSource("writable")
  void write_thenRead_isTheSame(TraceFormat format) {
    Path file = folder.resolve("trace");
    write(format, file, REQUESTS);

    assertThat(TraceFormat.detect(file)).isEqualTo(format);
    List<TraceRequest> read = TestTraces.drain(format.open(file, ReadOptions.ALL));
    if (format == TraceFormat.MOONCAKE) {
      assertThat(read).isEqualTo(REQUESTS);
    } else {
      assertThat(read).isEqualTo(REQUESTS.stream().map(TraceWriterTest::withoutHashes).toList());
    }
  }

  @Test
  void write_eachFormat_hasItsDocumentedForm() throws Exception {
    List<TraceRequest> requests =
        List.of(
            new TraceRequest(0, 600, 5, 0, 512, new long[] {1, 2}),
            new TraceRequest(1_500_000_000, 7, 8));

    assertThat(written(TraceFormat.LENGTHS, requests))
        .isEqualTo("arrived_at,num_prefill_tokens,num_decode_tokens\n0,600,5\n1.5,7,8\n");
    assertThat(written(TraceFormat.VLLM_JSONL, requests))
        .isEqualTo(
            """
            {"prompt_len": 600, "output_len": 5, "arrival": 0}
            {"prompt_len": 7, "output_len": 8, "arrival": 1.5}
            """);
    assertThat(written(TraceFormat.MOONCAKE, requests))
        .isEqualTo(
            """
            {"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [1, 2]}
            {"timestamp": 1500, "input_length": 7, "output_length": 8, "hash_ids": []}
            """);
  }

  @ParameterizedTest
  @MethodSource("writable")
  void write_declaredLengths_areReadAgain(TraceFormat format) {
    Path file = folder.resolve("trace");
    write(format, file, DECLARING);

    assertThat(TestTraces.drain(format.open(file, ReadOptions.ALL))).isEqualTo(DECLARING);
  }

  @Test
  void write_declaredLengths_haveTheirDocumentedForm() throws Exception {
    assertThat(written(TraceFormat.LENGTHS, DECLARING))
        .isEqualTo(
            """
            arrived_at,num_prefill_tokens,num_decode_tokens,declared_output_tokens
            0,1,2,3
            0.000000001,4,5,
            0.000000002,6,7,10000000
            """);
    assertThat(written(TraceFormat.VLLM_JSONL, DECLARING.subList(0, 2)))
        .isEqualTo(
            """
            {"prompt_len": 1, "output_len": 2, "arrival": 0, "declared_output_tokens": 3}
            {"prompt_len": 4, "output_len": 5, "arrival": 0.000000001}
            """);
  }

  @Test
  void write_declaredLengthToMooncake_isAFieldMore() throws Exception {
    assertThat(written(TraceFormat.MOONCAKE, DECLARING.subList(0, 1)))
        .isEqualTo(
            """
            {"timestamp": 0, "input_length": 1, "output_length": 2, "hash_ids": [], "declared_output_tokens": 3}
            """);
  }

  @Test
  void write_firstDeclaresNothingAndALaterOneDoes_lengthsRefuses() {
    try (TraceWriter writer = TraceFormat.LENGTHS.create(folder.resolve("trace"))) {
      writer.write(DECLARING.get(1));
      assertThatThrownBy(() -> writer.write(DECLARING.get(0)))
          .isInstanceOf(TraceException.class)
          .hasMessageContaining("declares 3 output tokens")
          .hasMessageContaining("vllm");
    }
  }

  @Test
  void write_nothing_leavesAHeader() throws Exception {
    assertThat(written(TraceFormat.LENGTHS, List.of()))
        .isEqualTo("arrived_at,num_prefill_tokens,num_decode_tokens\n");
  }

  @Test
  void write_hashesThatAreNoBlocks_mooncakeRefuses() {
    try (TraceWriter writer = TraceFormat.MOONCAKE.create(folder.resolve("trace"))) {
      assertThatThrownBy(() -> writer.write(new TraceRequest(0, 513, 1, new long[] {1, 2, 3})))
          .isInstanceOf(TraceException.class)
          .hasMessageContaining(
              "513 prompt tokens has 3 prefix hashes of any number of tokens, mooncake must have 2");
      TraceRequest uneven = new TraceRequest(0, 100, 1, 0, 100, new long[] {1});
      assertThatThrownBy(() -> writer.write(uneven))
          .isInstanceOf(TraceException.class)
          .hasMessageContaining("has 1 prefix hashes of 100 tokens");
    }
  }

  /// Blocks that are the same in all their parts get the same id.
  @Test
  void write_hashesOfSmallerParts_mergesThemIntoBlocks() {
    long[] parts = new long[5];
    Arrays.fill(parts, 7);
    parts[2] = 6;
    parts[4] = 8;
    long[] others = {7, 7, 7, 9};
    Path file = folder.resolve("trace");
    write(
        TraceFormat.MOONCAKE,
        file,
        List.of(
            new TraceRequest(0, 1_100, 1, 0, 256, parts),
            new TraceRequest(0, 1_024, 1, 0, 256, others)));

    List<TraceRequest> read = TestTraces.drain(TraceFormat.MOONCAKE.open(file, ReadOptions.ALL));
    long[] first = read.get(0).prefixHashes();
    long[] second = read.get(1).prefixHashes();
    assertThat(first).hasSize(3).doesNotHaveDuplicates();
    assertThat(second[0]).isEqualTo(first[0]);
    assertThat(second[1]).isNotEqualTo(first[1]);
  }

  @ParameterizedTest
  @EnumSource(names = {"AZURE", "BURSTGPT", "RAGPULSE", "LLMSERVINGSIM"})
  void create_readOnlyFormat_listsTheOthers(TraceFormat format) {
    Path file = folder.resolve("trace");

    assertThatThrownBy(() -> format.create(file))
        .isInstanceOf(TraceException.class)
        .hasMessageStartingWith(format.label() + " cannot be written")
        .hasMessageContaining("lengths")
        .hasMessageContaining("vllm")
        .hasMessageContaining("mooncake");
    assertThat(file).doesNotExist();
  }

  @Test
  void create_folderMissing_namesTheFile() {
    Path file = folder.resolve("none/trace");

    assertThatThrownBy(() -> TraceFormat.LENGTHS.create(file))
        .isInstanceOf(TraceException.class)
        .hasMessageStartingWith(file + ": cannot be written (")
        .hasMessageContaining("NoSuchFileException");
  }

  private String written(TraceFormat format, List<TraceRequest> requests) throws Exception {
    Path file = folder.resolve(format.label());
    write(format, file, requests);
    return Files.readString(file);
  }

  private static void write(TraceFormat format, Path file, List<TraceRequest> requests) {
    try (TraceWriter writer = format.create(file)) {
      requests.forEach(writer::write);
    }
  }

  private static TraceRequest withoutHashes(TraceRequest request) {
    return new TraceRequest(request.arrivalNanos(), request.promptTokens(), request.outputTokens());
  }
}
