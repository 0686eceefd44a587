package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import io.fusespill.cuda.blas.CublasLibrary;
import io.fusespill.cuda.blas.CublasLt;
import io.fusespill.cuda.driver.Bandwidth;
import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.Cuda;
import io.fusespill.cuda.driver.CudaException;
import io.fusespill.cuda.driver.GpuInfo;
import io.fusespill.host.kernel.Cores;
import io.fusespill.host.kernel.ReadBandwidth;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Says what of this machine can run a model.
@Command(
    name = "devices",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Lists the devices of this machine that can run a model: GPUs and the host itself, with memory, "
          + "and with bandwidths measured here.",
      ""
    },
    footer = {
      "",
      "GPUs need an NVIDIA driver; their matrix products need cuBLASLt (of CUDA 12 or 13, or pip's nvidia-cublas).",
      "Exit code 0 also where there is no GPU: one line says why.",
      "",
      "Examples:",
      "  fusespill devices",
      "  fusespill devices --no-measure --json"
    })
final class DevicesCommand implements Callable<Integer> {

  private static final double GIB = 1L << 30;
  private static final double GIGA = 1e9;
  private static final long READ_BYTES = 512L << 20;

  @Spec private CommandSpec spec;

  @Option(
      names = "--no-measure",
      description =
          "Leave out the bandwidths. Otherwise a second each for the host and a GPU, 128 MiB of pinned memory "
              + "and up to 1 GiB on the GPU.")
  private boolean noMeasure;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @SuppressWarnings("NullAway.Init") // picocli sets it
  DevicesCommand() {}

  /// @param problem why something is not known of it; null if all is
  private record Gpu(
      GpuInfo info,
      @Nullable Long freeBytes,
      @Nullable Bandwidth bandwidth,
      @Nullable String blasVersion,
      @Nullable String problem) {}

  private record Host(
      String name, int cores, long memoryBytes, long freeBytes, @Nullable Long bandwidth) {}

  @Override
  public Integer call() {
    Host host = host();
    List<Gpu> gpus = new ArrayList<>();
    CublasLibrary blas = CublasLibrary.find();
    for (GpuInfo info : Cuda.devices()) {
      gpus.add(gpu(info, blas));
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(toJson(host, gpus, blas));
    } else {
      print(out, host, gpus, blas);
    }
    out.flush();
    return 0;
  }

  private Host host() {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    int cores = Cores.allowed().length;
    return new Host(
        processor(),
        cores,
        system.getTotalMemorySize(),
        system.getFreeMemorySize(),
        noMeasure
            ? null
            : Long.valueOf(
                ReadBandwidth.measure(
                    cores, Math.min(READ_BYTES, system.getTotalMemorySize() / 8))));
  }

  private Gpu gpu(GpuInfo info, CublasLibrary blas) {
    Long free = null;
    Bandwidth bandwidth = null;
    String version = null;
    String problem = null;
    try (Context context = Context.open(info.index())) {
      free = context.freeBytes();
      if (blas.library().isPresent()) {
        try (CublasLt library = CublasLt.open(context)) {
          version = library.version();
        }
      }
      bandwidth = noMeasure ? null : Bandwidth.measure(context);
    } catch (CudaException e) {
      problem = e.getMessage();
    }
    return new Gpu(info, free, bandwidth, version, problem);
  }

  /// The processor's name, or what the JVM calls its kind.
  private static String processor() {
    try {
      return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).trim())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }

  private static void print(PrintWriter out, Host host, List<Gpu> gpus, CublasLibrary blas) {
    Table devices =
        new Table().row("device", "memory", "free", "cores", "capability", "memory GB/s", "name");
    for (Gpu gpu : gpus) {
      GpuInfo info = gpu.info();
      devices.row(
          "cuda:" + info.index(),
          gib(info.memoryBytes()),
          gpu.freeBytes() == null ? "" : gib(gpu.freeBytes()),
          info.multiprocessors() + " SMs",
          info.computeCapability(),
          gpu.bandwidth() == null ? "" : giga(gpu.bandwidth().onDevice()),
          info.name());
    }
    devices.row(
        "host",
        gib(host.memoryBytes()),
        gib(host.freeBytes()),
        String.valueOf(host.cores()),
        "",
        host.bandwidth() == null ? "" : giga(host.bandwidth()),
        host.name());
    devices.print(out);
    if (!gpus.isEmpty()) {
      out.println();
      Table links =
          new Table().row("link", "PCI Express", "GB/s out", "GB/s back", "GB/s both at once");
      for (Gpu gpu : gpus) {
        Bandwidth bandwidth = gpu.bandwidth();
        links.row(
            "host > cuda:" + gpu.info().index(),
            gpu.info().pciLink().orElse("unknown"),
            bandwidth == null ? "" : giga(bandwidth.toDevice()),
            bandwidth == null ? "" : giga(bandwidth.toHost()),
            bandwidth == null ? "" : giga(bandwidth.bothWays()));
      }
      links.print(out);
    }
    out.println();
    Cuda.unavailable().ifPresent(reason -> out.println("no GPU: " + reason));
    Cuda.driverVersion().ifPresent(version -> out.println("driver: up to CUDA " + version));
    Optional<String> version =
        gpus.stream().map(Gpu::blasVersion).filter(each -> each != null).findFirst();
    if (blas.library().isPresent()) {
      out.println(
          "cuBLASLt: %s%s"
              .formatted(
                  version.map(each -> each + " in ").orElse(""), blas.library().orElseThrow()));
    } else if (!gpus.isEmpty()) {
      out.println(blas.missing());
    }
    for (Gpu gpu : gpus) {
      if (gpu.problem() != null) {
        out.println("cuda:%d: %s".formatted(gpu.info().index(), gpu.problem()));
      }
    }
  }

  private static String gib(long bytes) {
    return "%,.1f GiB".formatted(bytes / GIB);
  }

  private static String giga(long bytesPerSecond) {
    return "%,.1f".formatted(bytesPerSecond / GIGA);
  }

  private static ObjectNode toJson(Host host, List<Gpu> gpus, CublasLibrary blas) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    ArrayNode list = node.putArray("gpus");
    for (Gpu gpu : gpus) {
      GpuInfo info = gpu.info();
      ObjectNode each = list.addObject();
      each.put("device", "cuda:" + info.index());
      each.put("name", info.name());
      each.put("memory_bytes", info.memoryBytes());
      each.put("free_bytes", gpu.freeBytes());
      each.put("multiprocessors", info.multiprocessors());
      each.put("compute_capability", info.computeCapability());
      each.put("l2_bytes", info.l2Bytes());
      each.put("pci_address", info.pciAddress());
      each.put("pci_link", info.pciLink().orElse(null));
      Bandwidth bandwidth = gpu.bandwidth();
      if (bandwidth != null) {
        each.put("memory_bytes_per_second", bandwidth.onDevice());
        each.put("host_to_device_bytes_per_second", bandwidth.toDevice());
        each.put("device_to_host_bytes_per_second", bandwidth.toHost());
        each.put("both_ways_bytes_per_second", bandwidth.bothWays());
      }
      each.put("cublaslt_version", gpu.blasVersion());
      each.put("problem", gpu.problem());
    }
    node.put("no_gpu", Cuda.unavailable().orElse(null));
    node.put("driver_cuda", Cuda.driverVersion().orElse(null));
    ObjectNode library = node.putObject("cublaslt");
    library.put("library", blas.library().map(Path::toString).orElse(null));
    library.put("missing", blas.library().isPresent() ? null : blas.missing());
    ObjectNode machine = node.putObject("host");
    machine.put("name", host.name());
    machine.put("cores", host.cores());
    machine.put("memory_bytes", host.memoryBytes());
    machine.put("free_bytes", host.freeBytes());
    if (host.bandwidth() != null) {
      machine.put("memory_bytes_per_second", host.bandwidth());
    }
    return node;
  }
}
