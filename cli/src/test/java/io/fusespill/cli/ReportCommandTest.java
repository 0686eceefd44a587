package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportCommandTest {

  @TempDir private Path folder;

  @Test
  void demo_endsWithAReportOnItsRuns_whichCanBeExported() throws IOException {
    Cli demo = Cli.run("demo", "--out", folder);

    assertThat(demo.exitCode()).as(demo.err()).isZero();
    Path page = folder.resolve("report.html");
    assertThat(demo.out()).contains(page.toString());
    assertThat(Files.readString(page))
        .contains("5 runs compared", ">vllm-0.2.7-recompute<", ">fusespill+host<");

    Cli nowhere =
        Cli.run("report", folder.resolve("fusespill"), "-o", folder.resolve("no/page.html"));
    assertThat(nowhere.exitCode()).isEqualTo(2);
    assertThat(nowhere.err()).contains("there is no folder " + folder.resolve("no"));

    for (String format : new String[] {"perfetto", "csv"}) {
      Cli export = Cli.run("export", folder.resolve("fusespill"), "--to", format);
      assertThat(export.exitCode()).as(export.err()).isZero();
    }
    assertThat(folder.resolve("fusespill/trace.json.gz")).isNotEmptyFile();
    assertThat(folder.resolve("fusespill/csv/steps.csv")).isNotEmptyFile();
  }

  @Test
  void folderOfRuns_isToldFromARun() throws IOException {
    Path runs = folder.resolve("runs");
    Path trace = Files.writeString(folder.resolve("t.csv"), "prompt_len,output_len\n100,10\n");
    Cli.run(
        "simulate",
        "--trace",
        trace,
        "--model",
        "vicuna-7b",
        "--device",
        "a10",
        "--out",
        runs.resolve("one"));
    for (Cli refused :
        new Cli[] {
          Cli.run("report", runs, "-o", folder.resolve("page.html")),
          Cli.run("charts", runs, "-o", folder.resolve("figures")),
          Cli.run("verify", runs)
        }) {
      assertThat(refused.exitCode()).isEqualTo(2);
      assertThat(refused.errorLines())
          .containsExactly(
              "fusespill: %s is no run, but a folder of runs: name those meant, for example %s"
                  .formatted(runs, runs.resolve("one")));
    }
  }

  @Test
  void runsOfTheSameName_areToldApartByTheirPath() throws IOException {
    for (String side : new String[] {"left", "right"}) {
      Path trace = Files.writeString(folder.resolve("t.csv"), "prompt_len,output_len\n100,10\n");
      Cli.run(
          "simulate",
          "--trace",
          trace,
          "--model",
          "vicuna-7b",
          "--device",
          "a10",
          "--out",
          folder.resolve(side).resolve("run"));
    }
    Path page = folder.resolve("page.html");

    Cli report =
        Cli.run("report", folder.resolve("left/run"), folder.resolve("right/run"), "-o", page);

    assertThat(report.exitCode()).as(report.err()).isZero();
    assertThat(report.out().strip()).isEqualTo("wrote " + page);
    assertThat(Files.readString(page)).contains(">left/run<", ">right/run<");
  }
}
