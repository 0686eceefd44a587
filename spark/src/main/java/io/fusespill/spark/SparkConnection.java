package io.fusespill.spark;

import io.fusespill.sweep.SweepException;
import io.fusespill.sweep.SweepTask;
import java.io.File;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.package$;

/// This process as a Spark application: there is one at a time.
///
/// Whatever system properties say in keys that begin with `spark.` comes before what is set here.
final class SparkConnection implements AutoCloseable {

  private static final int REGISTER_SECONDS = 30;
  private static final String LOOPBACK = "127.0.0.1";

  /// Executors print and read as this process does.
  private static final List<String> EXECUTOR_PROPERTIES =
      List.of("file.encoding", "user.language", "user.country", "user.timezone");

  private final MasterUrl master;
  private final SparkContext context;

  private SparkConnection(MasterUrl master, SparkContext context) {
    this.master = master;
    this.context = context;
  }

  /// Registers with the master.
  ///
  /// @throws SweepException if it cannot be reached or does not take the application
  static SparkConnection open(MasterUrl master) {
    master.requireReachable();
    SparkConf conf = conf(master);
    FutureTask<SparkContext> registration = new FutureTask<>(() -> new SparkContext(conf));
    // A thread of its own: where something else listens on the port, the constructor tries for a
    // minute, and it cannot be interrupted.
    Thread.ofPlatform().daemon().name("spark-registration").start(registration);
    try {
      return new SparkConnection(master, registration.get(REGISTER_SECONDS, TimeUnit.SECONDS));
    } catch (TimeoutException e) {
      throw new SweepException(
          "%s has not taken the application after %d s; is it a standalone master of Spark %s?"
              .formatted(master.text(), REGISTER_SECONDS, package$.MODULE$.SPARK_VERSION()),
          e);
    } catch (ExecutionException e) {
      throw new SweepException(
          "Spark does not start on %s: %s".formatted(master.text(), e.getCause()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SweepException("interrupted while Spark was starting", e);
    }
  }

  private static SparkConf conf(MasterUrl master) {
    SparkConf conf = new SparkConf();
    conf.setMaster(master.text());
    conf.setIfMissing("spark.app.name", "fusespill sweep");
    conf.setIfMissing("spark.ui.enabled", "false");
    conf.setIfMissing("spark.ui.showConsoleProgress", "false");
    if (master.isLoopback()) {
      conf.setIfMissing("spark.driver.host", LOOPBACK);
      conf.setIfMissing("spark.driver.bindAddress", LOOPBACK);
    }
    if (!master.isLocal()) {
      conf.setIfMissing("spark.jars", String.join(",", jars()));
      conf.setIfMissing(
          "spark.executor.extraJavaOptions",
          EXECUTOR_PROPERTIES.stream()
              .map(name -> "-D%s=%s".formatted(name, System.getProperty(name)))
              .collect(Collectors.joining(" ")));
    }
    return conf;
  }

  /// The jars of this program, which executors fetch from this process: those that lie beside the
  /// sweep's and this module's. Spark's own are on every machine of a cluster.
  private static List<String> jars() {
    List<String> jars = new ArrayList<>();
    for (Class<?> type : List.of(SweepTask.class, SparkConnection.class)) {
      Path place = place(type);
      if (Files.isRegularFile(place)) {
        jars.addAll(jarsIn(place.resolveSibling("")));
      }
    }
    return jars;
  }

  private static List<String> jarsIn(Path folder) {
    File[] files = folder.toFile().listFiles((parent, name) -> name.endsWith(".jar"));
    return files == null
        ? List.of()
        : Stream.of(files)
            // The backend of the log is Spark's there.
            .filter(file -> !file.getName().startsWith("slf4j-"))
            .map(file -> file.toURI().toString())
            .sorted()
            .toList();
  }

  private static Path place(Class<?> type) {
    CodeSource source = type.getProtectionDomain().getCodeSource();
    try {
      return Path.of(source.getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(source + " is no file", e);
    }
  }

  MasterUrl master() {
    return master;
  }

  SparkContext context() {
    return context;
  }

  /// Whether somebody is there to run tasks.
  boolean hasExecutors() {
    // This process counts too.
    return master.isLocal() || context.getExecutorMemoryStatus().size() > 1;
  }

  @Override
  public void close() {
    context.stop();
  }
}
