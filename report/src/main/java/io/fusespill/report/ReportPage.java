package io.fusespill.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.charts.Charts;
import io.fusespill.charts.Figure;
import io.fusespill.charts.FigureKind;
import io.fusespill.charts.RunData;
import io.fusespill.charts.Style;
import io.fusespill.charts.Theme;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.metrics.PredictionFigures;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.explain.Choice;
import io.fusespill.replay.explain.HandlingTally;
import io.fusespill.replay.explain.Moment;
import io.fusespill.replay.explain.Outcome.Fate;
import io.fusespill.replay.explain.Story;
import io.fusespill.replay.explain.Wording;
import io.fusespill.replay.timeline.RemainingLengths;
import io.fusespill.report.Metric.Better;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/// The page: everything in one file, and nothing fetched. A policy in it forbids the browser what
/// it does not need.
final class ReportPage {

  /// A choice with the story of its sequence.
  record Told(int run, Choice choice, Story story) {}

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /// Width of a figure that takes two columns of the page.
  private static final double WIDE_INCHES = 7;

  /// Figures of one kind that are shown without a click.
  private static final int OPEN_FIGURES = 3;

  private static final EnumSet<FigureKind> COMPARING =
      EnumSet.of(FigureKind.THROUGHPUT, FigureKind.LATENCY);

  private final List<ReportRun> runs;
  private final List<Told> told;
  private final List<Warning> warnings;
  private final Html html = new Html();

  /// @param runs at least one; the first is the baseline
  /// @param told the most expensive choices
  ReportPage(List<ReportRun> runs, List<Told> told) {
    this.runs = runs;
    this.told = told;
    this.warnings = Warning.of(runs);
  }

  /// The whole document.
  String html() {
    String script = resource("report.js");
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.add(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; script-src 'sha256-%s'\">\n",
        sha256(script));
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<link rel=\"icon\" href=\"data:,\">\n");
    html.add("<title>%s · FuseSpill report</title>\n", title());
    html.raw("<style>\n")
        .raw(resource("report.css"))
        .raw(Charts.fontCss())
        .raw("</style>\n</head>\n<body>\n");
    html.raw("<a class=\"skip\" href=\"#overview\">Skip to the report</a>\n");
    html.raw("<div class=\"frame\">\n");
    navigation();
    html.raw("<main>\n");
    overview();
    comparison();
    timeline();
    figures();
    decisions();
    prediction();
    configuration();
    warnings();
    html.add(
        "<footer>Made by fusespill %s from the journals of the runs; every figure is a fold over their events, so the same journals give the same page. Nothing in it is fetched from anywhere. <code>fusespill verify RUN</code> decides a journal again and proves it byte for byte.</footer>\n",
        runs.getFirst().header().engineVersion());
    html.raw("</main>\n</div>\n");
    data();
    html.raw("<script>").raw(script).raw("</script>\n</body>\n</html>\n");
    return html.toString();
  }

  private String title() {
    return runs.size() == 1
        ? runs.getFirst().name()
        : runs.size() + " runs: " + String.join(", ", runs.stream().map(ReportRun::name).toList());
  }

  private void navigation() {
    html.raw("<nav aria-label=\"Sections\">\n<div class=\"brand\">FuseSpill report</div>\n");
    link("overview", "Overview", "");
    link("comparison", runs.size() == 1 ? "Figures in numbers" : "Comparison", "");
    link("timeline", "Timeline", "");
    link("figures", "Figures", "");
    if (hasChoices()) {
      link("decisions", "Decisions", "");
    }
    if (hasPrediction()) {
      link("prediction", "Length prediction", "");
    }
    link("configuration", "Configuration", "");
    link("limits", "Read before quoting", Integer.toString(warnings.size()));
    html.raw("<div class=\"spacer\"></div>\n");
    html.raw(
        """
        <fieldset aria-label="Theme">
        <label><input type="radio" name="theme" value="auto" checked>Auto</label>
        <label><input type="radio" name="theme" value="light">Light</label>
        <label><input type="radio" name="theme" value="dark">Dark</label>
        </fieldset>
        </nav>
        """);
  }

  private void link(String id, String text, String count) {
    html.add("<a href=\"#%s\">%s", id, text);
    if (!count.isEmpty()) {
      html.add(" <span class=\"count\">%s</span>", count);
    }
    html.raw("</a>\n");
  }

  private void overview() {
    html.raw("<section id=\"overview\">\n<header class=\"top\">\n");
    html.add("<h1>%s", runs.size() == 1 ? runs.getFirst().name() : runs.size() + " runs compared");
    if (runs.stream().anyMatch(ReportRun::simulated)) {
      html.raw("<span class=\"badge\">simulated</span>");
    }
    html.raw("</h1>\n");
    html.add("<p class=\"what\">%s</p>\n</header>\n", subject());
    ReportRun best = best();
    html.add("<p class=\"headline\">%s</p>\n", headline(best));
    html.raw("<div class=\"tiles\">\n");
    for (Metric metric :
        List.of(Metric.OUTPUT_RATE, Metric.TTFT_MEAN, Metric.ITL_P99, Metric.PREEMPTIONS)) {
      tile(metric, best);
    }
    html.raw("</div>\n");
    long serious =
        warnings.stream().filter(warning -> warning.kind() != Warning.Kind.MODEL).count();
    if (serious > 0) {
      html.add(
          "<div class=\"callout\">%s · <a href=\"#limits\">read before quoting a figure</a></div>\n",
          warnings.stream()
              .filter(warning -> warning.kind() != Warning.Kind.MODEL)
              .map(Warning::title)
              .distinct()
              .collect(Collectors.joining(" · ")));
    }
    html.raw("</section>\n");
  }

  /// What ran, as far as all runs have it in common.
  private String subject() {
    Set<String> models = new LinkedHashSet<>();
    Set<String> machines = new LinkedHashSet<>();
    Set<String> requests = new LinkedHashSet<>();
    for (ReportRun run : runs) {
      models.add(run.config().path("model").asText("a model"));
      StringJoiner places = new StringJoiner(" + ");
      run.engineConfig()
          .topology()
          .places()
          .forEach(place ->
              places.add(
                  "%s (%s)".formatted(place.name(), Wording.count(place.blocks(), "block"))));
      machines.add(places.toString());
      String trace = run.config().path("workload").path("trace").asText("");
      requests.add(
          Wording.count(run.metrics().arrived(), "request")
              + (trace.isEmpty() ? "" : " of " + trace));
    }
    return "%s on %s · %s"
        .formatted(
            String.join(", ", models),
            String.join(" or ", machines),
            String.join(" or ", requests));
  }

  private ReportRun best() {
    ReportRun best = runs.getLast();
    for (ReportRun run : runs) {
      if (Metric.OUTPUT_RATE.of(run.report()) > Metric.OUTPUT_RATE.of(best.report())) {
        best = run;
      }
    }
    return best;
  }

  private String headline(ReportRun best) {
    long completed = best.metrics().completed();
    if (completed == 0) {
      return "Of %s none was served to its end."
          .formatted(Wording.count(best.metrics().arrived(), "request"));
    }
    RunReport report = best.report();
    StringBuilder text = new StringBuilder();
    text.append(
        "%s serves %s with %s output tokens a second; a first token takes %s s on average"
            .formatted(
                best.name(),
                Wording.count(completed, "request"),
                Metric.OUTPUT_RATE.text(Metric.OUTPUT_RATE.of(report)),
                Metric.TTFT_MEAN.text(Metric.TTFT_MEAN.of(report))));
    double itl = Metric.ITL_P99.of(report);
    if (Double.isFinite(itl)) {
      text.append(
          ", the 99th percentile between two tokens is %s ms".formatted(Metric.ITL_P99.text(itl)));
    }
    text.append('.');
    double gain = gain(Metric.OUTPUT_RATE, best);
    if (best != runs.getFirst() && Double.isFinite(gain)) {
      text.append(
          " That is %.2f times the throughput of %s.".formatted(1 + gain, runs.getFirst().name()));
    }
    return text.toString();
  }

  private void tile(Metric metric, ReportRun best) {
    double value = metric.of(best.report());
    html.add("<div class=\"card tile\"><div class=\"label\">%s</div>", metric.label());
    html.add("<div class=\"value\">%s<span>%s</span></div>", metric.text(value), metric.unit());
    html.add("<div class=\"beside\">%s", best.name());
    if (best != runs.getFirst() && Double.isFinite(gain(metric, best))) {
      html.raw(" · ");
      gainText(metric, best);
      html.add(" against %s", runs.getFirst().name());
    }
    html.raw("</div></div>\n");
  }

  private double gain(Metric metric, ReportRun run) {
    double base = metric.of(runs.getFirst().report());
    return base == 0 ? Double.NaN : metric.of(run.report()) / base - 1;
  }

  /// Whether it has figures to be good at: a run that completed nothing wasted nothing either.
  private static boolean served(ReportRun run) {
    return run.metrics().completed() > 0;
  }

  private void gainText(Metric metric, ReportRun run) {
    double gain = gain(metric, run);
    if (!Double.isFinite(gain)) {
      html.raw("<span class=\"gain\"></span>");
      return;
    }
    boolean none = Math.abs(gain) < 0.0005;
    boolean good = metric.better() == Better.HIGHER ? gain > 0 : gain < 0;
    boolean judged = !none && metric.better() != Better.NEITHER && served(run);
    String kind = !judged ? "" : good ? " good" : " bad";
    String text = gain >= 9.995 ? "× %.0f".formatted(1 + gain) : "%+.1f %%".formatted(100 * gain);
    html.add("<span class=\"gain%s\">%s</span>", kind, none ? "±0 %" : text.replace('-', '−'));
  }

  private void comparison() {
    html.add(
        "<section id=\"comparison\">\n<h2>%s</h2>\n",
        runs.size() == 1 ? "Figures in numbers" : "Comparison");
    html.raw(
        "<p class=\"lead\">Throughput, TPOT and E2E are of what completed, TTFT and ITL of all tokens that came. TTFT and E2E begin with a request's arrival at the engine.");
    if (runs.size() > 1) {
      html.add(" Percentages are against %s; the best of a row is bold.", runs.getFirst().name());
    }
    html.raw(
        "</p>\n<div class=\"card scroll\"><table class=\"compare\">\n<thead><tr><th scope=\"col\"></th>");
    for (ReportRun run : runs) {
      html.add("<th scope=\"col\">%s", run.name());
      if (runs.size() > 1 && run == runs.getFirst()) {
        html.raw("<span class=\"tag\">baseline</span>");
      }
      html.raw("</th>");
    }
    html.raw("</tr></thead>\n<tbody>\n");
    String group = "";
    for (Metric metric : Metric.values()) {
      if (values(runs, metric).noneMatch(value -> value != 0)) {
        continue;
      }
      if (!group.equals(metric.group())) {
        group = metric.group();
        html.add(
            "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"%s\">%s</th></tr>\n",
            runs.size() + 1, group);
      }
      row(metric);
    }
    html.raw("</tbody>\n</table></div>\n</section>\n");
  }

  /// Of the runs that have one.
  private static DoubleStream values(List<ReportRun> runs, Metric metric) {
    return runs.stream()
        .mapToDouble(run -> metric.of(run.report()))
        .filter(value -> !Double.isNaN(value));
  }

  private void row(Metric metric) {
    html.add("<tr><th scope=\"row\">%s", metric.label());
    if (!metric.unit().isEmpty()) {
      html.add("<span class=\"unit\">%s</span>", metric.unit());
    }
    html.raw("</th>");
    double best =
        values(runs.stream().filter(ReportPage::served).toList(), metric)
            .reduce((a, b) -> metric.better() == Better.HIGHER ? Math.max(a, b) : Math.min(a, b))
            .orElse(Double.NaN);
    double largest = values(runs, metric).max().orElseThrow();
    for (ReportRun run : runs) {
      double value = metric.of(run.report());
      boolean bold =
          runs.size() > 1 && metric.better() != Better.NEITHER && value == best && served(run);
      html.add("<td class=\"%s\">%s", bold ? "best" : "", metric.text(value, largest));
      if (run != runs.getFirst()) {
        gainText(metric, run);
      }
      html.raw("</td>");
    }
    html.raw("</tr>\n");
  }

  private void timeline() {
    html.raw("<section id=\"timeline\">\n<h2>Timeline</h2>\n");
    html.raw(
        "<p class=\"lead\">What each device and link did, where the KV was and what each sequence went through. Click a decision to read why it was taken.</p>\n");
    html.raw("<div class=\"card\">\n<div class=\"bar\">\n");
    if (runs.size() > 1) {
      html.raw("<select id=\"timeline-run\" aria-label=\"Run\">");
      for (int i = 0; i < runs.size(); i++) {
        html.add(
            "<option value=\"%s\"%s>%s</option>",
            i, i == runs.indexOf(best()) ? " selected" : "", runs.get(i).name());
      }
      html.raw("</select>\n");
    }
    html.raw(
        """
        <span class="buttons" role="group" aria-label="Zoom">
        <button type="button" class="square" id="timeline-in" aria-label="Zoom in" title="Zoom in (+)">+</button>
        <button type="button" class="square" id="timeline-out" aria-label="Zoom out" title="Zoom out (−)">−</button>
        <button type="button" id="timeline-all" title="Show the whole run (0)">All</button>
        </span>
        <span class="buttons" role="group" aria-label="Move">
        <button type="button" class="square" id="timeline-left" aria-label="Earlier" title="Earlier (←)">←</button>
        <button type="button" class="square" id="timeline-right" aria-label="Later" title="Later (→)">→</button>
        </span>
        <span class="buttons" role="group" aria-label="Decisions">
        <button type="button" id="timeline-previous" title="Previous decision (p)">‹ Decision</button>
        <button type="button" id="timeline-next" title="Next decision (n)">Decision ›</button>
        </span>
        <label class="check"><input type="checkbox" id="timeline-waiting">also sequences that only wait</label>
        <output class="window" id="timeline-window" for="timeline-canvas"></output>
        </div>
        """);
    html.add(
        """
        <div class="stage">
        <canvas id="timeline-canvas" tabindex="0" role="img" data-first="%s" aria-label="Timeline of the run. Arrow keys move, plus and minus zoom, n and p go to the next and the previous decision, Enter explains it." aria-describedby="timeline-keys"></canvas>
        <div class="tip" id="timeline-tip" role="status"></div>
        <div class="hint" id="timeline-hint">Click the timeline to zoom with the wheel, or hold Ctrl</div>
        </div>
        <div class="picked" id="timeline-picked" aria-live="polite"></div>
        """,
        runs.indexOf(best()));
    html.raw("<div class=\"legend\">");
    legend("waiting", "waiting");
    legend("prefill", "prefill");
    legend("decode", "decode on a device");
    if (runs.stream().anyMatch(run -> run.metrics().remoteDecodes() > 0)) {
      legend("attend", "decode, attended for by a host");
    }
    if (runs.stream().anyMatch(run -> run.devices() > 1)) {
      legend("decode-other", "decode on another device");
    }
    legend("used", "resting on a device, KV in use");
    legend("resting", "swapped: KV on host or disk");
    legend("moving", "KV moves, blocks leaving");
    if (runs.stream().map(ReportRun::metrics).anyMatch(ReportPage::failures)) {
      legend("failed", "failed step or transfer");
    }
    html.raw("</div>\n");
    html.raw(
        "<div class=\"keys\" id=\"timeline-keys\">Drag moves, <kbd>Shift</kbd> + drag or drag on the axis zooms to a range, wheel zooms, double click zooms in. <kbd>←</kbd> <kbd>→</kbd> move, <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom, <kbd>↑</kbd> <kbd>↓</kbd> choose a sequence, <kbd>n</kbd> <kbd>p</kbd> next and previous decision, <kbd>Enter</kbd> explains it.</div>\n");
    html.raw("</div>\n<noscript><p>The timeline needs JavaScript.</p></noscript>\n</section>\n");
  }

  private static boolean failures(RunMetrics metrics) {
    return metrics.failedSteps() + metrics.failedTransfers() > 0;
  }

  private void legend(String color, String text) {
    html.add("<span><i style=\"background:var(--%s)\"></i>%s</span>", color, text);
  }

  /// Figures that compare the runs, then those of each run, kind by kind.
  private void figures() {
    List<RunData> charted = runs.stream().map(ReportRun::charted).toList();
    html.raw("<section id=\"figures\">\n<h2>Figures</h2>\n");
    html.raw(
        "<p class=\"lead\">Each says at its foot what its numbers come from. As files for a paper, with their data as CSV: <code>fusespill charts</code>.</p>\n");
    html.add("<div class=\"figures%s\">\n", runs.size() > 1 ? " pair" : "");
    for (FigureKind kind : COMPARING) {
      if (runs.size() > 1 || kind != FigureKind.THROUGHPUT) {
        kind.of(charted)
            .forEach(each ->
                figure(each, kind == FigureKind.LATENCY ? WIDE_INCHES : Style.COLUMN_INCHES));
      }
    }
    html.raw("</div>\n");
    html.add("<div class=\"kinds%s\">\n", runs.size() == 1 ? " single" : "");
    for (FigureKind kind : EnumSet.complementOf(COMPARING)) {
      List<Figure> each = kind.of(charted);
      if (!each.isEmpty()) {
        boolean open = each.size() <= OPEN_FIGURES || kind == FigureKind.KV;
        html.raw(open ? "<details class=\"kind\" open>" : "<details class=\"kind\">");
        html.raw("<summary>");
        html.add("%s</summary>\n<div class=\"figures\">\n", sentence(kind.description()));
        each.forEach(figure -> figure(figure, Style.COLUMN_INCHES));
        html.raw("</div></details>\n");
      }
    }
    html.raw("</div>\n</section>\n");
  }

  private void figure(Figure figure, double inches) {
    html.add(
        "<figure class=\"card%s\" aria-label=\"%s\">",
        inches > Style.COLUMN_INCHES ? " wide" : "", figure.title());
    html.raw("<div class=\"on-light\">");
    html.raw(figure.svg(new Style(Theme.LIGHT, inches))).raw("</div>");
    String dark = Columns.packed(figure.svg(new Style(Theme.DARK, inches)));
    html.add("<div class=\"on-dark\" data-svg=\"%s\"></div>", dark);
    html.raw("</figure>\n");
  }

  private static String sentence(String text) {
    return Character.toUpperCase(text.charAt(0)) + text.substring(1);
  }

  private boolean hasChoices() {
    return runs.stream().anyMatch(run -> run.handlings().choices() > 0);
  }

  private void decisions() {
    if (!hasChoices()) {
      return;
    }
    html.raw("<section id=\"decisions\">\n<h2>Decisions</h2>\n");
    html.raw(
        "<p class=\"lead\">Where a device has no room, policy fusespill weighs every way to handle a sequence: the time that the device loses for others, for how long its blocks stay free. Losses are estimates; copies and times away are measured.</p>\n");
    html.raw(
        "<article class=\"card choice\" id=\"explanation\" aria-label=\"The chosen decision\" hidden></article>\n");
    for (ReportRun run : runs) {
      if (run.handlings().choices() > 0) {
        tallies(run);
      }
    }
    html.add(
        "<h3 style=\"margin:1.4rem 0 .7rem\">The %s with the greatest estimated loss</h3>\n",
        told.size() == 1 ? "decision" : told.size() + " decisions");
    html.raw("<div class=\"told\">\n");
    told.forEach(this::tell);
    html.raw("</div>\n</section>\n");
  }

  private void tallies(ReportRun run) {
    html.raw("<div class=\"card scroll\" style=\"margin-bottom:.9rem\"><table>\n<thead><tr>");
    html.add("<th scope=\"col\">%s</th>", run.name());
    for (String head :
        List.of(
            "chosen",
            "begun",
            "recomputed instead",
            "lost s",
            "free s, mean",
            "copy ms, mean",
            "away s, mean",
            "ended away",
            "tokens elsewhere",
            "tokens again")) {
      html.add("<th scope=\"col\">%s</th>", head);
    }
    html.raw("</tr></thead>\n<tbody>\n");
    for (HandlingTally tally : run.handlings().tallies()) {
      html.add("<tr><th scope=\"row\">%s</th>", Wording.words(tally.handling()));
      for (String cell :
          List.of(
              "%,d".formatted(tally.choices()),
              "%,d".formatted(tally.begun()),
              "%,d".formatted(tally.recomputedInstead()),
              Wording.seconds(tally.lostNanos()),
              Wording.seconds(tally.meanFreeNanos()),
              Wording.millis(tally.meanCopyNanos()),
              Wording.seconds(tally.meanAwayNanos()),
              "%,d".formatted(tally.endedAway()),
              "%,d".formatted(tally.elsewhereTokens()),
              "%,d".formatted(tally.recomputedTokens()))) {
        html.add("<td>%s</td>", cell);
      }
      html.raw("</tr>\n");
    }
    html.raw("</tbody></table></div>\n");
  }

  private void tell(Told each) {
    ReportRun run = runs.get(each.run());
    Choice choice = each.choice();
    Wording wording = new Wording(run.timeline().requireTopology());
    String id = "choice-%d-%d".formatted(each.run(), choice.position());
    html.add("<article class=\"card choice\" id=\"%s\">\n<header>", id);
    html.add(
        "<h3 tabindex=\"-1\">Sequence %s: %s</h3>",
        choice.chosen().sequence(), wording.title(choice).replaceAll(" \\(position \\d+\\)$", ""));
    html.add(
        "<span class=\"when\">%s s · position %s · %s</span></header>\n",
        Wording.seconds(choice.chosen().atNanos()), "%,d".formatted(choice.position()), run.name());
    html.raw("<div class=\"scroll\"><table><thead><tr>");
    html.raw(
        "<th scope=\"col\" class=\"text\">handling</th><th scope=\"col\" class=\"text\">place</th><th scope=\"col\">lost ms</th><th scope=\"col\">free s</th><th scope=\"col\">ms lost per free s</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < choice.chosen().estimates().size(); i++) {
      HandlingEstimate estimate = choice.chosen().estimates().get(i);
      html.raw(i == choice.chosen().chosen() ? "<tr class=\"chosen\">" : "<tr>");
      html.add(
          "<td>%s</td><td class=\"text\">%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n",
          Wording.words(estimate.handling()),
          estimate.place() < 0
              ? "–"
              : run.timeline().requireTopology().place(estimate.place()).name(),
          Wording.millis(estimate.lostNanos()),
          Wording.seconds(estimate.freeNanos()),
          Wording.lostPerFree(estimate));
    }
    html.raw("</tbody></table></div>\n");
    html.add(
        "<p class=\"said\"><b>believed</b><span>%s to come</span></p>\n",
        Wording.count(choice.chosen().remainingTokens(), "token"));
    html.add("<p class=\"said\"><b>came</b><span>%s</span></p>\n", Wording.came(choice));
    html.add(
        "<details><summary>The whole story of sequence %s</summary>\n<p>%s</p>\n<ol class=\"story\">\n",
        each.story().sequence(), Wording.heading(each.story()));
    for (Moment moment : each.story().moments()) {
      boolean self =
          moment instanceof Moment.Chosen chosen && chosen.choice().position() == choice.position();
      html.raw(self ? "<li class=\"this\">" : "<li>");
      html.add(
          "<time>%s s</time><span>%s</span></li>\n",
          Wording.seconds(moment.atNanos()), wording.describe(moment, each.story()));
    }
    html.raw("</ol></details>\n");
    html.add(
        "<div class=\"acts\"><button type=\"button\" data-run=\"%s\" data-position=\"%s\">Show in the timeline</button></div>\n</article>\n",
        each.run(), choice.position());
  }

  private boolean hasPrediction() {
    return runs.stream().anyMatch(run -> run.prediction().isPresent());
  }

  private void prediction() {
    if (!hasPrediction()) {
      return;
    }
    html.raw("<section id=\"prediction\">\n<h2>Length prediction</h2>\n");
    html.add(
        "<p class=\"lead\">How well the predictor knew the remaining output tokens of running sequences. A calibrated one has as many moments within a quantile as the quantile says. A moment is a sequence in each %sth step of a device; the figure of remaining output takes its pairs from each %snd, so that its mean error is another.</p>\n",
        ReportRun.STEPS_BETWEEN_PREDICTIONS, RemainingLengths.STEPS_BETWEEN_SAMPLES);
    html.raw("<div class=\"card scroll\"><table><thead><tr><th scope=\"col\"></th>");
    List<ReportRun> with = runs.stream().filter(run -> run.prediction().isPresent()).toList();
    with.forEach(run -> html.add("<th scope=\"col\">%s</th>", run.name()));
    html.raw("</tr></thead>\n<tbody>\n");
    List<PredictionFigures> figures =
        with.stream().map(run -> run.prediction().orElseThrow()).toList();
    predictionRow("predictor", figures, f -> f.kind().label());
    predictionRow("moments looked at", figures, f -> "%,d".formatted(f.moments()));
    predictionRow(
        "mean error of the median, tokens", figures, f -> "%,.1f".formatted(f.meanErrorOfMedian()));
    predictionRow("bias of the mean, tokens", figures, f -> "%+,.1f".formatted(f.bias()));
    predictionRow(
        "pairs in the right order", figures, f -> "%.1f %%".formatted(100 * f.orderedByMedian()));
    for (int level = 0; level < PredictionFigures.LEVELS.size(); level++) {
      int index = level;
      predictionRow(
          "within the %d %% quantile".formatted(PredictionFigures.LEVELS.get(level) / 10),
          figures,
          f -> "%.1f %%".formatted(100 * f.calibration().get(index)));
    }
    for (int band = 0; band < PredictionFigures.BAND_STARTS.size(); band++) {
      int index = band;
      if (figures.stream().anyMatch(f -> f.bands().get(index).moments() > 0)) {
        predictionRow(
            "mean error after %s, tokens".formatted(band(band)),
            figures,
            f -> "%,.1f".formatted(f.bands().get(index).meanErrorOfMedian()));
      }
    }
    html.raw("</tbody></table></div>\n</section>\n");
  }

  private static String band(int index) {
    List<Integer> starts = PredictionFigures.BAND_STARTS;
    return index + 1 == starts.size()
        ? "%,d and more".formatted(starts.get(index))
        : "%,d to %,d".formatted(starts.get(index), starts.get(index + 1) - 1);
  }

  private void predictionRow(
      String name, List<PredictionFigures> figures, Function<PredictionFigures, String> cell) {
    html.add("<tr><th scope=\"row\">%s</th>", name);
    figures.forEach(figure -> html.add("<td>%s</td>", cell.apply(figure)));
    html.raw("</tr>\n");
  }

  private void configuration() {
    html.raw("<section id=\"configuration\">\n<h2>Configuration</h2>\n");
    html.raw(
        "<p class=\"lead\">The resolved configuration of each run, as its journal holds it. The digest is the SHA-256 of its canonical text.</p>\n<div class=\"stack\">\n");
    if (runs.size() > 1) {
      differences();
    }
    for (ReportRun run : runs) {
      html.add("<details class=\"card plain\"><summary>%s</summary>", run.name());
      html.add(
          "<p style=\"padding:0 1rem\"><small class=\"digest mono\">config %s</small></p>",
          run.header().configDigest());
      html.add("<pre tabindex=\"0\">%s</pre></details>\n", pretty(run.config()));
    }
    html.raw("</div>\n</section>\n");
  }

  private void differences() {
    Map<String, List<String>> rows = new TreeMap<>();
    for (int i = 0; i < runs.size(); i++) {
      Map<String, String> flat = new TreeMap<>();
      flatten("", runs.get(i).config(), flat);
      for (Map.Entry<String, String> entry : flat.entrySet()) {
        List<String> values =
            rows.computeIfAbsent(
                entry.getKey(), key -> new ArrayList<>(Collections.nCopies(runs.size(), "–")));
        values.set(i, entry.getValue());
      }
    }
    rows.values().removeIf(values -> values.stream().distinct().count() == 1);
    html.raw("<div class=\"card scroll\"><table><thead><tr><th scope=\"col\">what differs</th>");
    runs.forEach(run -> html.add("<th scope=\"col\">%s</th>", run.name()));
    html.raw("</tr></thead>\n<tbody>\n");
    if (rows.isEmpty()) {
      html.add(
          "<tr><td colspan=\"%s\">nothing: the runs are of one configuration</td></tr>",
          runs.size() + 1);
    }
    rows.forEach((key, values) -> {
      html.add("<tr><th scope=\"row\" class=\"mono\">%s</th>", key);
      values.forEach(value -> html.add("<td>%s</td>", value));
      html.raw("</tr>\n");
    });
    html.raw("</tbody></table></div>\n");
  }

  private static void flatten(String path, JsonNode node, Map<String, String> into) {
    if (node.isObject()) {
      node.properties()
          .forEach(field ->
              flatten(
                  path.isEmpty() ? field.getKey() : path + "." + field.getKey(),
                  field.getValue(),
                  into));
    } else if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        flatten("%s[%d]".formatted(path, i), node.get(i), into);
      }
    } else {
      into.put(path, node.asText());
    }
  }

  private void warnings() {
    html.raw("<section id=\"limits\">\n<h2>Read before quoting</h2>\n");
    html.raw(
        "<p class=\"lead\">What these runs and the model behind them do not tell.</p>\n<ul class=\"warnings\">\n");
    for (Warning warning : warnings) {
      html.add(
          "<li class=\"%s\"><strong>%s</strong><p>%s",
          Wording.words(warning.kind()), warning.title(), warning.text());
      if (!warning.runs().isEmpty()) {
        html.add(" (%s)", String.join(", ", warning.runs()));
      }
      html.raw("</p></li>\n");
    }
    html.raw("</ul>\n</section>\n");
  }

  /// What the script reads.
  private void data() {
    ObjectNode words = JsonNodeFactory.instance.objectNode();
    words.set("handlings", words(Handling.values()));
    words.set("transfers", words(TransferKind.values()));
    words.set("preemptions", words(PreemptionKind.values()));
    words.set("finishes", words(FinishReason.values()));
    ArrayNode fates = words.putArray("fates");
    Arrays.stream(Fate.values()).map(Wording::fate).forEach(fates::add);
    script("words", "application/json", words.toString());
    for (int i = 0; i < runs.size(); i++) {
      TimelineData timeline = runs.get(i).timeline();
      script("timeline-" + i, "text/plain", timeline.columns());
      script(
          "timeline-names-" + i, "application/json", timeline.names(runs.get(i).name()).toString());
    }
  }

  private static ArrayNode words(Enum<?>[] constants) {
    ArrayNode words = JsonNodeFactory.instance.arrayNode();
    Arrays.stream(constants).map(Wording::words).forEach(words::add);
    return words;
  }

  private void script(String id, String type, String text) {
    html.add("<script type=\"%s\" id=\"%s\">", type, id);
    html.raw(Html.script(text)).raw("</script>\n");
  }

  private static String pretty(JsonNode json) {
    try {
      return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a configuration cannot be written as JSON", e);
    }
  }

  private static String resource(String name) {
    try (InputStream in = ReportPage.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no resource %s in the report module".formatted(name));
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String sha256(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return Base64.getEncoder().encodeToString(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
