package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.plan.Ints;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.host.sampling.TokenLogprobs;
import io.fusespill.host.tokenizer.Tokenizer;
import io.fusespill.live.LiveBatch;
import io.fusespill.live.LivePlan;
import io.fusespill.live.LiveSpec;
import io.fusespill.live.Output;
import io.fusespill.live.TextRequest;
import io.fusespill.replay.RunReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// A prompt in, text streamed out.
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    preprocessor = Underscores.class,
    description = {
      "Runs a model on this machine and prints what it says, as soon as it is certain.",
      "The model is a Hugging Face folder; everything runs through the engine, so --device with few blocks, --aux and --policy do here what they do under load.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill generate --model models/Qwen3-0.6B --prompt 'The sea is' --max-tokens 64 --temperature 0",
      "  fusespill generate --model models/Qwen3-0.6B --chat 'What is a KV cache?' --top-p 0.9 -n 3",
      "  fusespill generate --model models/Qwen3-0.6B --system 'Be brief.' --chat 'Why is the sky blue?' \\",
      "    --chat-template-kwargs '{\"enable_thinking\": false}'",
      "  fusespill generate --model models/Qwen3-0.6B --prompt-file story.txt --logprobs 3 --json"
    })
final class GenerateCommand implements Callable<Integer> {

  private static final String STANDARD_INPUT = "-";

  @Spec private CommandSpec spec;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      description = "Text to go on from; may be given again.")
  private List<String> prompts = new ArrayList<>();

  @Option(
      names = "--prompt-file",
      paramLabel = "FILE",
      description =
          "A file whose whole text is a prompt, '-' for standard input; may be given again.")
  private List<String> promptFiles = new ArrayList<>();

  @Mixin private ChatOptions chats;

  @Mixin private SamplingOptions samplingOptions;

  @Mixin private LiveOptions liveOptions;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  GenerateCommand() {}

  @Override
  public Integer call() {
    if (chats.isEmpty() && prompts.isEmpty() && promptFiles.isEmpty()) {
      throw new UsageException("no prompt: give one with --prompt, --prompt-file or --chat");
    }
    SamplingParams params = samplingOptions.params(liveOptions.seed());
    LiveSpec live = liveOptions.spec(predictor());
    try (LoadedModel model = liveOptions.load(live, true)) {
      requireKnown(params.stopTokenIds(), model.config().vocabulary());
      Tokenizer tokenizer = model.requireTokenizer();
      List<int[]> encoded = encode(tokenizer);
      LivePlan plan = liveOptions.plan(model, live, params.n());
      int most = plan.config().limits().maxNumSeqs();
      if (params.n() > most) {
        throw new UsageException(
            "--n is %,d, must be at most %,d, the sequences that a device may run (--max-num-seqs)"
                .formatted(params.n(), most));
      }
      List<TextRequest> requests = new ArrayList<>();
      for (int[] ids : encoded) {
        requests.add(new TextRequest(0, checked(ids, model, plan), params, 0));
      }
      return run(model, plan, live, requests, tokenizer);
    }
  }

  private static void requireKnown(List<Integer> stopTokenIds, int vocabulary) {
    for (int id : stopTokenIds) {
      if (id >= vocabulary) {
        throw new UsageException(
            "--stop-token-ids has %d, must be 0 to %d: the model knows no others"
                .formatted(id, vocabulary - 1));
      }
    }
  }

  /// No output's length is known here, so an oracle has nothing to say.
  private String predictor() {
    if (!liveOptions.predictor().oracle()) {
      return "";
    }
    if (liveOptions.predictorGiven()) {
      throw new UsageException(
          "--predictor oracle needs true lengths, which nobody knows here: choose another predictor");
    }
    return "kaplan-meier";
  }

  // --------------------------------------------------------------- prompts

  private List<int[]> encode(Tokenizer tokenizer) {
    List<int[]> encoded = new ArrayList<>();
    for (String prompt : prompts) {
      encoded.add(encode(tokenizer, prompt));
    }
    for (String file : promptFiles) {
      encoded.add(encode(tokenizer, read(file)));
    }
    for (String chat : chats.rendered(tokenizer)) {
      encoded.add(tokenizer.encode(chat, false));
    }
    return encoded;
  }

  private static int[] encode(Tokenizer tokenizer, String prompt) {
    if (prompt.isEmpty()) {
      throw new UsageException("a prompt is empty: give it at least one character");
    }
    return tokenizer.encode(prompt, true);
  }

  private static String read(String file) {
    try {
      return file.equals(STANDARD_INPUT)
          ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
          : Files.readString(Path.of(file));
    } catch (NoSuchFileException e) {
      throw new UsageException(
          "no file %s: name one with --prompt-file, or - for standard input".formatted(file), e);
    } catch (IOException e) {
      throw new UsageException("%s cannot be read as text in UTF-8: %s".formatted(file, e), e);
    }
  }

  private static Ints checked(int[] ids, LoadedModel model, LivePlan plan) {
    int most = plan.config().limits().maxModelTokens() - 1;
    if (ids.length == 0) {
      throw new UsageException("a prompt has no tokens: give it some text");
    }
    if (ids.length > most) {
      throw new UsageException(
          "a prompt has %,d tokens, must have at most %,d: a sequence is at most %,d long (--max-model-len)"
              .formatted(ids.length, most, most + 1));
    }
    for (int id : ids) {
      if (id >= model.config().vocabulary()) {
        throw new UsageException(
            "the tokenizer gives id %d, and the model knows %,d: name the model's own tokenizer with --tokenizer"
                .formatted(id, model.config().vocabulary()));
      }
    }
    return Ints.of(ids);
  }

  // ------------------------------------------------------------------- run

  private int run(
      LoadedModel model,
      LivePlan plan,
      LiveSpec live,
      List<TextRequest> requests,
      Tokenizer tokenizer) {
    PrintWriter out = spec.commandLine().getOut();
    boolean headings = requests.size() > 1 || requests.getFirst().params().n() > 1;
    StreamedText texts =
        new StreamedText(
            requests,
            tokenizer,
            liveOptions.json() ? new Silent() : new Printer(out, tokenizer, headings));
    LiveBatch batch = new LiveBatch(requests, texts);
    RunDirectory directory = ModelRun.directory(liveOptions, live);
    ObjectNode figures = JsonNodeFactory.instance.objectNode();
    ObjectNode workload = JsonNodeFactory.instance.objectNode();
    workload.put("trace", "prompts");
    workload.put("requests", requests.size());
    workload.put("samples", requests.getFirst().params().n());
    ModelRun run = ModelRun.of(model, plan, liveOptions, directory);
    RunReport report = run.run(workload, requests, batch, null, figures);
    List<Output> outputs = batch.outputs();
    requireServed(outputs, plan);
    run.requireNoneGivenUp(outputs);
    if (liveOptions.json()) {
      out.println(toJson(model, requests, outputs, texts, tokenizer, report));
    }
    out.flush();
    return 0;
  }

  private static void requireServed(List<Output> outputs, LivePlan plan) {
    for (Output output : outputs) {
      if (output.rejection() != null) {
        throw new UsageException(
            "prompt %d was turned away, %s: a device has %,d blocks of %d tokens (--device, --swap-space, --max-num-seqs)"
                .formatted(
                    output.request() + 1,
                    output.rejection().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                    plan.config().topology().places().getFirst().blocks(),
                    plan.config().kv().blockTokens()));
      }
    }
  }

  /// Prints texts, several with headings.
  private record Printer(PrintWriter out, Tokenizer tokenizer, boolean headings)
      implements StreamedText.Reader {

    @Override
    public void begin(int request, int sample) {
      if (headings) {
        out.println("--- prompt %d, sample %d".formatted(request + 1, sample + 1));
      }
    }

    @Override
    public void text(String text) {
      out.print(text);
      out.flush();
    }

    @Override
    public void end(StreamedText.Sample sample) {
      out.println();
      if (!sample.logprobs().isEmpty()) {
        out.println();
        Table table = new Table().row("token", "text", "log-probability", "rank", "likeliest");
        for (TokenLogprobs each : sample.logprobs()) {
          StringJoiner top = new StringJoiner("  ");
          each.top()
              .forEach(
                  likely -> top.add("%s %.3f".formatted(text(likely.token()), likely.logprob())));
          table.row(
              String.valueOf(each.token()),
              text(each.token()),
              "%.4f".formatted(each.logprob()),
              String.valueOf(each.rank()),
              top.toString());
        }
        table.printLeft(out);
      }
      out.flush();
    }

    private String text(int token) {
      return JsonNodeFactory.instance.textNode(word(tokenizer, token)).toString();
    }
  }

  /// For those who get it all at the end.
  private record Silent() implements StreamedText.Reader {

    @Override
    public void begin(int request, int sample) {}

    @Override
    public void text(String text) {}

    @Override
    public void end(StreamedText.Sample sample) {}
  }

  private static String word(Tokenizer tokenizer, int token) {
    return tokenizer.decode(new int[] {token}, false);
  }

  private static ObjectNode toJson(
      LoadedModel model,
      List<TextRequest> requests,
      List<Output> outputs,
      StreamedText texts,
      Tokenizer tokenizer,
      RunReport report) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("model", model.name());
    ArrayNode each = json.putArray("outputs");
    for (Output output : outputs) {
      for (Output.Sample sample : output.samples()) {
        StreamedText.Sample text = texts.sample(output.request(), sample.sample());
        ObjectNode one = each.addObject();
        one.put("prompt", output.request());
        one.put("sample", sample.sample());
        one.put("prompt_tokens", requests.get(output.request()).promptIds().size());
        one.put("text", text.text());
        ArrayNode ids = one.putArray("token_ids");
        for (int i = 0; i < sample.tokens().size(); i++) {
          ids.add(sample.tokens().get(i));
        }
        one.put("finish_reason", sample.reason().name().toLowerCase(Locale.ROOT));
        if (!text.logprobs().isEmpty()) {
          ArrayNode logprobs = one.putArray("logprobs");
          text.logprobs().forEach(of -> logprobs.add(toJson(of, tokenizer)));
        }
      }
    }
    json.put("prompt_tokens", report.metrics().promptTokens());
    json.put("completion_tokens", report.metrics().outputTokens());
    json.put("elapsed_time", report.durationSeconds());
    return json;
  }

  private static ObjectNode toJson(TokenLogprobs logprobs, Tokenizer tokenizer) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("token", logprobs.token());
    json.put("text", word(tokenizer, logprobs.token()));
    json.put("logprob", logprobs.logprob());
    json.put("rank", logprobs.rank());
    ArrayNode top = json.putArray("top");
    logprobs
        .top()
        .forEach(likely -> {
          ObjectNode one = top.addObject();
          one.put("token", likely.token());
          one.put("text", word(tokenizer, likely.token()));
          one.put("logprob", likely.logprob());
        });
    return json;
  }
}
