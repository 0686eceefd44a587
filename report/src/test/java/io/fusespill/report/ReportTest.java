package io.fusespill.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.journal.JournalReader;
import io.fusespill.sim.Faults;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the page says, as text.
class ReportTest {

  private static final int REQUESTS = 60;

  @TempDir private static Path folder;

  private static Path baseline;
  private static Path run;
  private static Path faulty;

  @BeforeAll
  static void simulate() {
    baseline =
        Runs.simulate(
            folder.resolve("baseline"), PolicySpec.of("vllm-0.2.7"), REQUESTS, Faults.NONE);
    run = Runs.simulate(folder.resolve("run"), PolicySpec.of("fusespill"), REQUESTS, Faults.NONE);
    faulty =
        Runs.simulate(
            folder.resolve("faulty"),
            PolicySpec.of("fusespill"),
            REQUESTS,
            new Faults(3_000, 20_000, 200_000, 10_000_000_000L));
  }

  private static Report.Source source(String name, Path journal, ObjectNode summary) {
    return new Report.Source(name, () -> JournalReader.open(journal), summary);
  }

  private static Report.Source source(Path journal) {
    return source(journal.getFileName().toString(), journal, new ObjectMapper().createObjectNode());
  }

  private static String page(Report.Source... sources) {
    Path file = folder.resolve("page.html");
    Report.write(List.of(sources), 3, file, events -> {});
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void page_hasItsSectionsAndFetchesNothing() {
    String page = page(source(baseline), source(run));
    for (String section :
        List.of(
            "overview",
            "comparison",
            "timeline",
            "figures",
            "decisions",
            "prediction",
            "configuration",
            "limits")) {
      assertThat(page).contains("<section id=\"%s\">".formatted(section));
    }
    assertThat(page).contains("default-src 'none'");
    assertThat(page.replaceAll("http://www\\.w3\\.org/[0-9a-zA-Z/]*", ""))
        .doesNotContainPattern("(?i)(src|href)=\"(https?:)?//")
        .doesNotContainPattern("url\\(['\"]?https?:")
        .doesNotContain("@import");
  }

  @Test
  void figuresOfOneRun_standSideBySide() {
    String side = "<div class=\"kinds single\">";
    assertThat(page(source(run))).contains(side);
    assertThat(page(source(baseline), source(run))).doesNotContain(side);
  }

  @Test
  void runsWithoutChoicesOrPrediction_haveNoSuchSection() {
    assertThat(page(source(baseline)))
        .doesNotContain("<section id=\"decisions\">")
        .doesNotContain("<section id=\"prediction\">");
  }

  @Test
  void bothMeanErrors_sayWhatTheyAreOf() {
    assertThat(page(source(run)))
        .contains("A moment is a sequence in each 128th step", "takes its pairs from each 32nd")
        .containsPattern("[0-9] pairs of each 32nd[^:]* step");
  }

  @Test
  void sameJournals_giveTheSamePage() {
    assertThat(page(source(baseline), source(run))).isEqualTo(page(source(baseline), source(run)));
  }

  @Test
  void dearestDecisions_areToldWithTheirStory() {
    String page = page(source(run));
    assertThat(page.split("<article class=\"card choice\" id=\"choice-", -1)).hasSize(3 + 1);
    assertThat(page)
        .contains("ms lost per free s", "The whole story of sequence", "Show in the timeline");
  }

  @Test
  void limits_nameWhatTheRunAndTheModelDoNotTell() {
    ObjectNode summary =
        new ObjectMapper().createObjectNode().put("extrapolated_steps", 17).put("skipped_rows", 2);
    String page = page(source("faulty", faulty, summary));
    assertThat(page)
        .contains(
            "Simulated: step times are computed from data sheets",
            "17 steps beyond what was measured",
            "2 rows skipped",
            "Few requests",
            " cancelled request",
            " failed transfer",
            "Host attention has the host to itself");
  }

  @Test
  void load_isMoreThanTheMachineCanServe_onlyWhereRequestsWait() {
    String saturated = "The load is more than the machine can serve";
    Path light =
        Runs.simulate(folder.resolve("light"), PolicySpec.of("continuous"), 3, Faults.NONE);
    assertThat(page(source(light))).doesNotContain(saturated);
    assertThat(page(source(run))).contains(saturated);
  }

  @Test
  void oracle_isCalledAnUpperBound() {
    Path oracle = folder.resolve("oracle");
    Runs.simulateWithOracle(oracle, 40);
    assertThat(page(source(oracle))).contains("The predictor knows the truth", "upper bound");
  }

  @Test
  void differentWorkloads_areNamedBeforeAnyGain() {
    Path shorter =
        Runs.simulate(folder.resolve("shorter"), PolicySpec.of("continuous"), 30, Faults.NONE);
    assertThat(page(source(baseline), source(shorter)))
        .contains("The runs did not serve the same requests");
    assertThat(page(source(baseline), source(run)))
        .doesNotContain("The runs did not serve the same requests");
  }

  @Test
  void runThatServedNothing_isNotTheBestAtAnything() {
    Path rejected = Runs.simulateRejecting(folder.resolve("rejected"), 5);
    String alone = page(source(rejected));
    assertThat(alone)
        .contains("Of 5 requests none was served to its end.", figure("rejected requests", "5"))
        .doesNotContain("<section id=\"prediction\">", "TTFT, p99");
    String page = page(source(rejected), source(run));
    assertThat(page)
        .contains("run serves 60 requests")
        .doesNotContain(" NaN ", ">NaN<", "against rejected</div>")
        .containsPattern(
            "TTFT, p99<span class=\"unit\">s</span></th><td class=\"\">–</td><td class=\"best\">")
        .contains("wasted tokens</th><td class=\"\">0</td><td class=\"best\">");
    assertThat(page(source(run), source(rejected)))
        .contains("<span class=\"gain\">−100.0 %</span>")
        .doesNotContain("gain good\">−100.0 %");
  }

  @Test
  void whatWentWrong_isCounted() {
    Path failed =
        Runs.simulate(
            folder.resolve("failed"),
            PolicySpec.of("continuous"),
            5,
            new Faults(1_000_000, 0, 0, 1));
    assertThat(page(source(failed)))
        .contains(figure("failed requests", "5"))
        .containsPattern(figure("failed steps", "[1-9][0-9]*"))
        .contains("--failed)\"></i>failed step or transfer")
        .doesNotContain("The load is more than the machine can serve");
    assertThat(page(source(faulty)))
        .contains("completed requests</th>", "cancelled requests</th>")
        .doesNotContain("rejected requests</th>");
    assertThat(page(source(run)))
        .doesNotContain("failed steps</th>", "failed step or transfer", "cancelled requests</th>");
  }

  private static String figure(String label, String value) {
    return "%s</th><td class=\"\">%s</td>".formatted(label, value);
  }

  @Test
  void nameWithMarkup_isText() {
    String name = "<img src=x onerror=alert(1)>";
    assertThat(page(source(name, run, new ObjectMapper().createObjectNode())))
        .doesNotContain(name)
        .contains("&lt;img src=x onerror=alert(1)&gt;");
  }

  @Test
  void pageThatCannotBeWrittenWhole_leavesTheEarlierOne() throws IOException {
    Path file = Files.writeString(folder.resolve("page.html"), "earlier");
    Files.createDirectory(folder.resolve(".page.html.unfinished"));
    assertThatThrownBy(() -> Report.write(List.of(source(run)), 3, file, events -> {}))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining(file.toString());
    assertThat(file).hasContent("earlier");
  }

  @Test
  void unwritableFile_isNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "").resolve("report.html");
    assertThatThrownBy(() -> Report.write(List.of(source(run)), 3, file, events -> {}))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("cannot write " + file);
  }
}
