package io.fusespill.traces;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The formats of traces.
public enum TraceFormat {
  AZURE(
      "azure",
      "Azure LLM inference traces 2023 and 2024, CSV: TIMESTAMP,ContextTokens,GeneratedTokens",
      AzureTraceReader::recognises,
      AzureTraceReader::new),
  BURSTGPT(
      "burstgpt",
      "BurstGPT, CSV: Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type",
      BurstGptTraceReader::recognises,
      BurstGptTraceReader::new),
  MOONCAKE(
      "mooncake",
      "Mooncake, JSONL: timestamp (ms), input_length, output_length, hash_ids",
      MooncakeTraceReader::recognises,
      MooncakeTraceReader::new,
      MooncakeTraceWriter::new),
  RAGPULSE(
      "ragpulse",
      "RAGPulse, JSONL: timestamp (s, as text), input_length, output_length, hash_ids by part",
      RagPulseTraceReader::recognises,
      RagPulseTraceReader::new),
  LENGTHS(
      "lengths",
      "lengths, CSV: num_prefill_tokens,num_decode_tokens or prompt_len,output_len;"
          + " perhaps arrived_at (s), declared_output_tokens",
      LengthsTraceReader::recognises,
      LengthsTraceReader::new,
      LengthsTraceWriter::new),
  VLLM_JSONL(
      "vllm",
      "lengths, JSONL: prompt_len, output_len, perhaps arrival (s), declared_output_tokens",
      VllmTraceReader::recognises,
      VllmTraceReader::new,
      VllmTraceWriter::new),
  LLMSERVINGSIM(
      "llmservingsim",
      "LLMServingSim, JSONL: input_toks, output_toks, arrival_time_ns or arrival_time (s)",
      LlmServingSimTraceReader::recognises,
      LlmServingSimTraceReader::new);

  private final String label;
  private final String description;
  private final Predicate<FirstLine> recogniser;
  private final ReaderFactory reader;
  private final @Nullable WriterFactory writer;

  TraceFormat(
      String label, String description, Predicate<FirstLine> recogniser, ReaderFactory reader) {
    this(label, description, recogniser, reader, null);
  }

  TraceFormat(
      String label,
      String description,
      Predicate<FirstLine> recogniser,
      ReaderFactory reader,
      @Nullable WriterFactory writer) {
    this.label = label;
    this.description = description;
    this.recogniser = recogniser;
    this.reader = reader;
    this.writer = writer;
  }

  /// The name on the command line.
  public String label() {
    return label;
  }

  /// One line: what it is and which fields are read.
  public String description() {
    return description;
  }

  /// The format with this name on the command line.
  public static TraceFormat named(String label) {
    return Arrays.stream(values())
        .filter(format -> format.label.equals(label))
        .findFirst()
        .orElseThrow(() ->
            new TraceException(
                "no trace format \"%s\", must be one of %s"
                    .formatted(label, list(Arrays.stream(values())))));
  }

  /// The format of a file, plain or gzip, told by its first line.
  public static TraceFormat detect(Path file) {
    return detect(file, List.of());
  }

  /// The same for who knows other formats besides, which a message names too.
  public static TraceFormat detect(Path file, List<String> others) {
    FirstLine line;
    try (LineReader lines = LineReader.open(file)) {
      if (!lines.advance()) {
        throw new TraceException("%s: is empty, must hold a trace".formatted(file));
      }
      line = FirstLine.of(lines.text());
    }
    return Arrays.stream(values())
        .filter(format -> format.recogniser.test(line))
        .findFirst()
        .orElseThrow(() -> unknown(file, line, others));
  }

  private static TraceException unknown(Path file, FirstLine line, List<String> others) {
    if (line.text().chars().anyMatch(TraceFormat::isNoText)) {
      return new TraceException(
          "%s: is no text in UTF-8, must be CSV or JSON lines, plain or gzip".formatted(file));
    }
    return new TraceException(
        "%s: in no known format, begins \"%s\"; name the right one with --format: %s"
            .formatted(
                file,
                Excerpt.of(line.text()),
                Stream.concat(others.stream(), Arrays.stream(values()).map(TraceFormat::label))
                    .collect(Collectors.joining(", "))));
  }

  /// NUL, or what stands where bytes are no UTF-8.
  private static boolean isNoText(int character) {
    return character == 0 || character == '\ufffd';
  }

  /// Opens a file, plain or gzip, which is read as the requests are asked for.
  public TraceReader open(Path file, ReadOptions options) {
    return open(LineReader.open(file), options);
  }

  TraceReader open(LineReader lines, ReadOptions options) {
    try {
      return reader.create(lines, options);
    } catch (TraceException e) {
      lines.close();
      throw e;
    }
  }

  /// Whether [#create] works.
  public boolean writable() {
    return writer != null;
  }

  /// Creates a file, or empties the one that is there.
  public TraceWriter create(Path file) {
    if (writer == null) {
      throw new TraceException(
          "%s cannot be written, must be one of %s"
              .formatted(label, list(Arrays.stream(values()).filter(TraceFormat::writable))));
    }
    return writer.create(file);
  }

  private static String list(Stream<TraceFormat> formats) {
    return formats.map(TraceFormat::label).collect(Collectors.joining(", "));
  }

  @FunctionalInterface
  private interface ReaderFactory {
    TraceReader create(LineReader lines, ReadOptions options);
  }

  @FunctionalInterface
  private interface WriterFactory {
    TraceWriter create(Path file);
  }
}
