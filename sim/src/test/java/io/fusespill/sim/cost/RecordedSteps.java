package io.fusespill.sim.cost;

import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.ModelProfiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;
import java.util.zip.GZIPInputStream;

/// Sums the predicted time of a recorded run's steps by cause. A report, not a check: what was
/// measured is printed by whoever measured it.
///
/// A row of the log is `kind,batch,tokens,padded,…`: a prefill of `batch` prompts with `tokens`
/// tokens together, or a decode of `batch` sequences with `tokens` tokens of context together;
/// `padded` tokens pass the linear layers. Prompts of one step are taken as equally long.
///
/// `java io.fusespill.sim.cost.RecordedSteps steps.csv.gz a10 vicuna-7b`
final class RecordedSteps {

  private record Part(String name, ToLongFunction<StepCost> nanos) {}

  private static final List<Part> PARTS =
      List.of(
          new Part("weights", StepCost::weightsNanos),
          new Part("kv", StepCost::kvNanos),
          new Part("prefill linear", StepCost::prefillLinearNanos),
          new Part("decode linear", StepCost::decodeLinearNanos),
          new Part("prefill attention", StepCost::prefillAttentionNanos),
          new Part("activations", StepCost::activationNanos),
          new Part("head", StepCost::headNanos),
          new Part("overhead", StepCost::overheadNanos));

  private RecordedSteps() {}

  public static void main(String[] arguments) throws IOException {
    List<StepShape> steps = read(Path.of(arguments[0]));
    StepTimeModel model =
        new RooflineModel(
            HardwareProfiles.named(arguments[1]), ModelProfiles.named(arguments[2]), 16);
    System.out.println(report(steps, model));
  }

  static List<StepShape> read(Path file) throws IOException {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file));
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      List<StepShape> steps = new ArrayList<>();
      for (String line : lines.lines().skip(1).toList()) {
        steps.add(shape(line.split(",", -1)));
      }
      return steps;
    }
  }

  static String report(List<StepShape> steps, StepTimeModel model) {
    List<StepCost> costs = steps.stream().map(model::breakdown).toList();
    long total = costs.stream().mapToLong(StepCost::totalNanos).sum();
    StringBuilder text = new StringBuilder();
    for (Part part : PARTS) {
      long nanos = costs.stream().mapToLong(part.nanos()).sum();
      text.append(line(part.name(), nanos, total));
    }
    return text.append(line("total", total, total)).toString();
  }

  private static StepShape shape(String[] cells) {
    int batch = Integer.parseInt(cells[1]);
    long tokens = Long.parseLong(cells[2]);
    int padded = Integer.parseInt(cells[3]);
    if (cells[0].equals("decode")) {
      return new StepShape(batch, tokens, 0, 0, 0, padded, batch);
    }
    long pairs = batch * StepShape.pairs(0, tokens / batch);
    return new StepShape(0, 0, batch, tokens, pairs, padded, batch);
  }

  private static String line(String name, long nanos, long total) {
    return String.format(
        Locale.ROOT, "%-18s %9.2f s %5.1f %%%n", name, nanos / 1e9, 100.0 * nanos / total);
  }
}
