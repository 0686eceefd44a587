package io.fusespill.replay.evaluate;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.journal.DirectLog;
import io.fusespill.journal.Journal;
import io.fusespill.replay.Latencies;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.Simulation;
import io.fusespill.sim.TopologySpec;
import io.fusespill.sim.TopologySpec.Device;
import io.fusespill.sim.TopologySpec.Host;
import io.fusespill.sim.TopologySpec.Link;
import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfile;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.traces.ArrivalProcess;
import io.fusespill.traces.LengthFilter;
import io.fusespill.traces.PublishedLengths;
import io.fusespill.traces.WorkloadGenerator;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Which handling policy `fusespill` chooses where: KV capacity × link bandwidth × bandwidth of a
/// host that attends.
///
/// Each cell is one simulation: so many ShareGPT-like requests at once, roofline step times, seed
/// 0, 64 GiB on the host.
///
/// @param device spelt as for `simulate --device`, without blocks
/// @param blocks KV blocks of the device
/// @param linkBytesPerSecond each way
/// @param hostBytesPerSecond at which the host reads KV; 0 for a host that does not attend
public record HandlingGrid(
    String model,
    String device,
    int requests,
    List<Integer> blocks,
    List<Double> linkBytesPerSecond,
    List<Double> hostBytesPerSecond) {

  /// Vicuna-7B on an A10, from a slow network to two PCIe 5 links, from no host to a fast one.
  public static final HandlingGrid DEFAULT =
      new HandlingGrid(
          "vicuna-7b",
          "a10",
          600,
          List.of(300, 818, 2400),
          List.of(0.05e9, 0.25e9, 1e9, 4e9, 16e9, 64e9),
          List.of(0.0, 50e9, 133e9, 400e9));

  private static final String HOST = "xeon-8358p";
  private static final double HOST_GIB = 64;
  private static final int PROMPT_MAX = 1_024;
  private static final int TOTAL_MAX = 1_512;

  /// How often each handling was chosen under one combination, and what came of it.
  ///
  /// @param chosen by handling, those never chosen included
  /// @param journalDigest of the run's log
  public record Cell(
      int blocks,
      double linkBytesPerSecond,
      double hostBytesPerSecond,
      Map<Handling, Long> chosen,
      double outputTokensPerSecond,
      String journalDigest) {

    public Cell {
      chosen = new EnumMap<>(chosen);
    }

    /// How often this handling was chosen.
    public long chosen(Handling handling) {
      return chosen.getOrDefault(handling, 0L);
    }

    /// The handling chosen most often; of equals, the first of [Handling].
    public Handling most() {
      Handling most = Handling.RECOMPUTE;
      for (Handling handling : Handling.values()) {
        most = chosen(handling) > chosen(most) ? handling : most;
      }
      return most;
    }

    /// All choices.
    public long choices() {
      return chosen.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  public HandlingGrid {
    blocks = List.copyOf(blocks);
    linkBytesPerSecond = List.copyOf(linkBytesPerSecond);
    hostBytesPerSecond = List.copyOf(hostBytesPerSecond);
  }

  /// Cells of the grid.
  public int size() {
    return blocks.size() * linkBytesPerSecond.size() * hostBytesPerSecond.size();
  }

  /// Runs every cell, so many at once, and returns them by blocks, then link, then host. The result
  /// does not depend on `threads`.
  ///
  /// @param done hears how many cells are done, from any thread
  public List<Cell> run(int threads, LongConsumer done) {
    AtomicLong count = new AtomicLong();
    List<Future<Cell>> cells = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      for (int size : blocks) {
        for (double link : linkBytesPerSecond) {
          for (double host : hostBytesPerSecond) {
            cells.add(
                pool.submit(() -> {
                  Cell cell = cell(size, link, host);
                  done.accept(count.incrementAndGet());
                  return cell;
                }));
          }
        }
      }
      List<Cell> results = new ArrayList<>();
      for (Future<Cell> cell : cells) {
        results.add(cell.get());
      }
      return results;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted in the middle of a grid", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e);
    }
  }

  private Cell cell(int size, double link, double host) {
    RunMetrics metrics = new RunMetrics(new Latencies(outcome -> {}));
    Scenario scenario =
        new Scenario(
            model,
            topology(size, link, host),
            PolicySpec.of(PolicyKind.FUSESPILL.label()),
            new Scenario.Limits(0, 0, 0, 0, 0),
            Scenario.Serving.DEFAULT,
            "roofline",
            Faults.NONE,
            1,
            0,
            JsonNodeFactory.instance.objectNode());
    try (DirectLog log =
        new DirectLog(Journal.none(), (position, event) -> metrics.accept(event))) {
      new Simulation(scenario.resolve().setup(), workload(), log, (arrived, live, now) -> {}).run();
      Map<Handling, Long> chosen = new EnumMap<>(Handling.class);
      for (Handling handling : Handling.values()) {
        chosen.put(handling, metrics.handlings(handling));
      }
      double seconds = metrics.durationNanos() / 1e9;
      return new Cell(
          size,
          link,
          host,
          chosen,
          seconds == 0 ? 0 : metrics.outputTokens() / seconds,
          log.digest());
    }
  }

  private TopologySpec topology(int size, double link, double host) {
    LinkProfile profile = LinkProfiles.named("pcie4-16gbps");
    DeviceSpec spec = DeviceSpec.parse("%s:blocks=%d".formatted(device, size));
    Device named = new Device(spec.group().name(), spec, profile.name());
    String hostName = host == 0 ? "host" : HOST;
    long rate = Math.round(link);
    return new TopologySpec(
        List.of(named),
        List.of(new Host(hostName, HOST_GIB, attending(host))),
        List.of(),
        List.of(
            new Link(named.name(), hostName, rate, profile.copyNanos(), ""),
            new Link(hostName, named.name(), rate, profile.copyNanos(), "")));
  }

  /// The bundled host with another memory, of which it reads KV at `bytesPerSecond`.
  private static @Nullable HardwareProfile attending(double bytesPerSecond) {
    if (bytesPerSecond == 0) {
      return null;
    }
    HardwareProfile host = HardwareProfiles.named(HOST);
    return new HardwareProfile(
        host.name(),
        host.kind(),
        host.description(),
        host.memoryBytes(),
        host.usableBytes(),
        host.contextBytes(),
        host.peakFlopsPerSecond(),
        Math.round(bytesPerSecond / host.efficiency().kvBandwidth()),
        host.efficiency(),
        host.layerOverheadNanos(),
        host.stepOverheadNanos(),
        host.sources());
  }

  private WorkloadGenerator workload() {
    return new WorkloadGenerator(
        PublishedLengths.named("sharegpt"),
        new LengthFilter(PROMPT_MAX, TOTAL_MAX),
        ArrivalProcess.atOnce(),
        requests,
        0);
  }
}
