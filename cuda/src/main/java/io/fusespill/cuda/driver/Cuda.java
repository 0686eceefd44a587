package io.fusespill.cuda.driver;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/// The NVIDIA driver of this machine and its GPUs, looked for once.
public final class Cuda {

  static final String LIBRARY = "libcuda.so.1";

  private static final String TEMPORARY = "java.io.tmpdir";

  private final @Nullable String reason;
  private final List<GpuInfo> devices;
  private final int driverVersion;

  private Cuda(@Nullable String reason, List<GpuInfo> devices, int driverVersion) {
    this.reason = reason;
    this.devices = devices;
    this.driverVersion = driverVersion;
  }

  private static final class Found {
    static final Cuda CUDA = probe();
  }

  /// Why this machine has no GPU that we can use, in one line; empty if it has one.
  public static Optional<String> unavailable() {
    return Optional.ofNullable(Found.CUDA.reason);
  }

  /// The GPUs, in the driver's order; none if [#unavailable] has a reason.
  public static List<GpuInfo> devices() {
    return Found.CUDA.devices;
  }

  /// The newest CUDA that the driver can run, for example `13.0`; empty without a driver.
  public static Optional<String> driverVersion() {
    int version = Found.CUDA.driverVersion;
    return version == 0
        ? Optional.empty()
        : Optional.of("%d.%d".formatted(version / 1000, version % 1000 / 10));
  }

  /// The GPU of that number.
  ///
  /// @throws CudaException if there is none
  public static GpuInfo device(int index) {
    Cuda cuda = Found.CUDA;
    if (cuda.reason != null) {
      throw new CudaException("cuda:%d: %s".formatted(index, cuda.reason));
    }
    if (index < 0 || index >= cuda.devices.size()) {
      throw new CudaException(
          "GPU %d does not exist: this machine has %d, numbered from 0"
              .formatted(index, cuda.devices.size()));
    }
    return cuda.devices.get(index);
  }

  private static Cuda probe() {
    String unsupported = unsupported(System.getProperty("os.name"), System.getProperty("os.arch"));
    if (unsupported != null) {
      return none(unsupported);
    }
    try {
      library();
    } catch (IllegalArgumentException e) {
      return none(
          "no NVIDIA driver: %s is not on this machine (or not in LD_LIBRARY_PATH)"
              .formatted(LIBRARY));
    }
    try {
      loadJcuda();
      return list();
    } catch (ExceptionInInitializerError e) {
      return none(firstLine(e.getCause() == null ? e : e.getCause()));
    } catch (LinkageError | IOException e) {
      return none("JCuda's native library does not load: " + firstLine(e));
    } catch (CudaException e) {
      return none(String.valueOf(e.getMessage()));
    }
  }

  /// Loads the driver's library.
  ///
  /// @throws IllegalArgumentException if this machine has none
  @SuppressWarnings("restricted")
  static SymbolLookup library() {
    return SymbolLookup.libraryLookup(LIBRARY, Arena.global());
  }

  static @Nullable String unsupported(String system, String processor) {
    return system.equals("Linux") && (processor.equals("amd64") || processor.equals("x86_64"))
        ? null
        : "GPUs need Linux on x86-64, this is %s on %s".formatted(system, processor);
  }

  private static Cuda list() {
    Driver.check(JCudaDriver.cuInit(0), "starting the NVIDIA driver");
    int[] version = new int[1];
    Driver.check(JCudaDriver.cuDriverGetVersion(version), "reading the driver's version");
    int[] count = new int[1];
    Driver.check(JCudaDriver.cuDeviceGetCount(count), "counting GPUs");
    if (count[0] == 0) {
      return none("the NVIDIA driver shows no GPU (is CUDA_VISIBLE_DEVICES empty?)");
    }
    List<GpuInfo> devices = new ArrayList<>();
    for (int i = 0; i < count[0]; i++) {
      devices.add(describe(i));
    }
    return new Cuda(null, List.copyOf(devices), version[0]);
  }

  private static Cuda none(String reason) {
    return new Cuda(reason, List.of(), 0);
  }

  static CUdevice handle(int index) {
    CUdevice device = new CUdevice();
    Driver.check(JCudaDriver.cuDeviceGet(device, index), "opening GPU " + index);
    return device;
  }

  private static GpuInfo describe(int index) {
    String reading = "reading what GPU " + index + " is";
    CUdevice device = handle(index);
    byte[] name = new byte[256];
    Driver.check(JCudaDriver.cuDeviceGetName(name, name.length, device), reading);
    long[] bytes = new long[1];
    Driver.check(JCudaDriver.cuDeviceTotalMem(bytes, device), reading);
    String[] pci = new String[1];
    Driver.check(JCudaDriver.cuDeviceGetPCIBusId(pci, 32, device), reading);
    return new GpuInfo(
        index,
        text(name),
        bytes[0],
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, reading),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, reading),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, reading),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, reading),
        attribute(
            device,
            CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
            reading),
        pci[0].trim().toLowerCase(Locale.ROOT));
  }

  private static int attribute(CUdevice device, int attribute, String reading) {
    int[] value = new int[1];
    Driver.check(JCudaDriver.cuDeviceGetAttribute(value, attribute, device), reading);
    return value[0];
  }

  private static String text(byte[] zeroTerminated) {
    int length = 0;
    while (length < zeroTerminated.length && zeroTerminated[length] != 0) {
      length++;
    }
    return new String(zeroTerminated, 0, length, StandardCharsets.UTF_8);
  }

  /// JCuda unpacks its native library into the folder for temporary files, under a name that is
  /// always the same, and takes what lies there unseen. So it gets a folder of its own, which is
  /// gone as soon as the library is loaded.
  private static void loadJcuda() throws IOException {
    Path folder = Files.createTempDirectory("fusespill-cuda");
    String before = System.getProperty(TEMPORARY);
    System.setProperty(TEMPORARY, folder.toString());
    try {
      JCudaDriver.setExceptionsEnabled(false);
    } finally {
      System.setProperty(TEMPORARY, before);
      try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
        for (Path file : files) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private static String firstLine(Throwable e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
  }
}
