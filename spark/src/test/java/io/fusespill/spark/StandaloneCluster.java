package io.fusespill.spark;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A master and workers, each a JVM of its own on the loopback, from the jars of the test's class
/// path.
final class StandaloneCluster implements AutoCloseable {

  private static final int START_SECONDS = 90;
  private static final Pattern MASTER = Pattern.compile("Starting Spark master at (spark://\\S+)");
  private static final Pattern REGISTERED =
      Pattern.compile("(Successfully registered) with master");

  /// A process and what it writes.
  private record Node(String name, Process process, Path log) {}

  private final Path folder;
  private final Node master;
  private final String url;
  private final List<Node> workers = new ArrayList<>();

  /// @param folder for logs and what Spark needs
  StandaloneCluster(Path folder, int workers) throws IOException {
    this.folder = folder;
    Path jars = Files.createDirectories(folder.resolve("home").resolve("jars"));
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      Path jar = Path.of(entry).toAbsolutePath();
      if (entry.endsWith(".jar") && !jar.getFileName().toString().startsWith("fusespill")) {
        Files.createSymbolicLink(jars.resolve(jar.getFileName()), jar);
      }
    }
    try {
      master =
          start(
              "master", "master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0");
      url = await(master, MASTER);
      for (int i = 1; i <= workers; i++) {
        this.workers.add(
            start(
                "worker-" + i,
                "worker.Worker",
                "--host",
                "127.0.0.1",
                "--webui-port",
                "0",
                "--cores",
                "1",
                "--memory",
                "1g",
                "--work-dir",
                folder.resolve("work-" + i).toString(),
                url));
      }
      for (Node worker : this.workers) {
        await(worker, REGISTERED);
      }
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  String url() {
    return url;
  }

  /// Ends a worker and its executors, all at once and without a word.
  void kill(int worker) {
    kill(workers.get(worker));
  }

  @Override
  public void close() {
    workers.forEach(StandaloneCluster::kill);
    if (master != null) {
      kill(master);
    }
  }

  private static void kill(Node node) {
    List<ProcessHandle> all = new ArrayList<>(List.of(node.process().toHandle()));
    node.process().descendants().forEach(all::add);
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(each -> each.onExit().orTimeout(10, TimeUnit.SECONDS).join());
  }

  private Node start(String name, String main, String... arguments) throws IOException {
    Path log = folder.resolve(name + ".log");
    List<String> command =
        Stream.of(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx256m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-Dspark.master.rest.enabled=false",
                    "-Dlog4j2.configurationFile="
                        + Path.of("conf/log4j2.properties").toAbsolutePath().toUri(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    ClusterNode.class.getName(),
                    "org.apache.spark.deploy." + main),
                List.of(arguments))
            .flatMap(List::stream)
            .toList();
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("SPARK_HOME", folder.resolve("home").toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.13");
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    builder.redirectErrorStream(true).redirectOutput(log.toFile());
    return new Node(name, builder.start(), log);
  }

  /// Waits until the log says it, and returns what it says in the pattern's group.
  private static String await(Node node, Pattern pattern) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (true) {
      String log = Files.readString(node.log());
      Matcher matcher = pattern.matcher(log);
      if (matcher.find()) {
        return matcher.group(1);
      }
      if (!node.process().isAlive() || System.nanoTime() > end) {
        throw new IllegalStateException(
            "%s %s: no '%s' in its log:%n%s"
                .formatted(
                    node.name(),
                    node.process().isAlive()
                        ? "took more than %d s".formatted(START_SECONDS)
                        : "has ended",
                    pattern,
                    log));
      }
      try {
        node.process().waitFor(100, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted", e);
      }
    }
  }
}
