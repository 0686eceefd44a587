package io.fusespill.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.spark.SweepFixture.Run;
import io.fusespill.sweep.LocalEngine;
import io.fusespill.sweep.SweepEngine;
import io.fusespill.sweep.SweepEngines;
import io.fusespill.sweep.SweepException;
import io.fusespill.sweep.SweepTask;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/// The same sweep on threads of this process, on Spark's threads in it, and on a cluster that loses
/// a worker.
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = ThreadMode.SEPARATE_THREAD)
class SparkEngineTest {

  private static final String CLASS_PATH = "spark.executor.extraClassPath";
  private static final String MEMORY = "spark.executor.memory";
  private static final String FLAGS = "spark.executor.extraJavaOptions";

  private static final SweepEngine SPARK = SweepEngines.named("spark");

  @TempDir private static Path folder;

  @BeforeAll
  static void configure() {
    // A build's class folders are no jars, which is what the engine sends to executors.
    System.setProperty(CLASS_PATH, System.getProperty("java.class.path"));
    System.setProperty(MEMORY, "512m");
    System.setProperty(FLAGS, "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
  }

  @AfterAll
  static void reset() {
    System.clearProperty(CLASS_PATH);
    System.clearProperty(MEMORY);
    System.clearProperty(FLAGS);
  }

  @Test
  void everyEngine_hasTheSameRows_evenIfAWorkerIsKilled() throws IOException, SQLException {
    SweepFixture sweep = new SweepFixture(folder.resolve("same"), 40, "1, 2, 3, 4, 5");
    Run local = sweep.run(new LocalEngine(), "local", null, ended -> {});
    assertThat(sweep.plan.distinct().size()).isEqualTo(100);
    String expected = sweep.table(local).toString();

    requireSame(sweep, expected, sweep.run(SPARK, "threads", "local[2]", ended -> {}));
    try (StandaloneCluster cluster = new StandaloneCluster(folder, 2)) {
      Run onCluster =
          sweep.run(
              SPARK,
              "cluster",
              cluster.url(),
              ended -> {
                if (ended == 1) {
                  sweep.moveFiles(true);
                }
              });
      sweep.moveFiles(false);
      requireSame(sweep, expected, onCluster);

      SweepFixture longer = new SweepFixture(folder.resolve("longer"), 2_000, "1");
      Run whole = longer.run(new LocalEngine(), "local", null, ended -> {});
      Run killed =
          longer.run(
              SPARK,
              "killed",
              cluster.url(),
              ended -> {
                if (ended == 3) {
                  cluster.kill(0);
                }
              });
      requireSame(longer, longer.table(whole).toString(), killed);
    }
  }

  private static void requireSame(SweepFixture sweep, String expected, Run run)
      throws SQLException {
    String parts = run.directory().resolve("parts") + "/*.parquet";
    assertThat(SweepFixture.differences(expected, parts)).isEmpty();
    assertThat(SweepFixture.differences(expected, sweep.table(run).toString())).isEmpty();
    assertThat(SweepFixture.rowsOf(parts)).isEqualTo(sweep.plan.distinct().size());
    assertThat(run.results().size()).isEqualTo(sweep.plan.distinct().size());
    assertThat(run.twice()).isEmpty();
    assertThat(run.requests())
        .isEqualTo(sweep.plan.distinct().stream().mapToLong(SweepTask::requests).sum());
  }

  @Test
  void executorThatCannotWork_endsTheSweep_andNamesTheReason() throws IOException {
    SweepFixture sweep = new SweepFixture(folder.resolve("apart"), 5, "1");
    Path parts = folder.resolve("apart").resolve("run").resolve("parts");

    assertThatThrownBy(() -> sweep.run(SPARK, "run", "local[1]", ended -> removeMark(parts)))
        .isInstanceOf(SweepException.class)
        .hasMessageContaining("the executor on ")
        .hasMessageContaining(
            "does not see %s, which must be on a file system that all machines share"
                .formatted(parts))
        .hasMessageEndingWith(
            "what has finished is kept, and the same command goes on with the rest");
  }

  private static void removeMark(Path parts) {
    try (DirectoryStream<Path> marks = Files.newDirectoryStream(parts, ".running-*")) {
      for (Path mark : marks) {
        Files.delete(mark);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void noMaster_isToldAtOnce() throws IOException {
    SweepFixture sweep = new SweepFixture(folder.resolve("none"), 5, "1");
    assertThatThrownBy(() -> sweep.run(SPARK, "none", null, ended -> {}))
        .isInstanceOf(SweepException.class)
        .hasMessage(
            "--engine spark needs --master, which must be local, local[N], local[*] or spark://HOST:PORT (several: spark://HOST:PORT,HOST:PORT)");
    assertThatThrownBy(() -> sweep.run(SPARK, "none", "spark://127.0.0.1:1", ended -> {}))
        .isInstanceOf(SweepException.class)
        .hasMessageStartingWith("no Spark master answers at spark://127.0.0.1:1 (");
  }
}
