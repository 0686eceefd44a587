package io.fusespill.cuda.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// What a GPU is.
///
/// @param index the driver's number, from 0
/// @param memoryBytes all of its memory, of which the driver keeps some
/// @param multiprocessors streaming multiprocessors (SMs)
/// @param major major version of the compute capability
/// @param minor minor version of the compute capability
/// @param l2Bytes size of the L2 cache
/// @param sharedBytesMax most shared memory that a block may ask for
/// @param pciAddress for example `0000:04:00.0`
public record GpuInfo(
    int index,
    String name,
    long memoryBytes,
    int multiprocessors,
    int major,
    int minor,
    int l2Bytes,
    int sharedBytesMax,
    String pciAddress) {

  private static final Path PCI = Path.of("/sys/bus/pci/devices");

  /// Compute capability, for example `9.0`.
  public String computeCapability() {
    return major + "." + minor;
  }

  /// The fastest PCI Express link that it and its slot agree on, for example `32.0 GT/s x16`; empty
  /// where the system does not say.
  public Optional<String> pciLink() {
    return pciLink(PCI);
  }

  Optional<String> pciLink(Path devices) {
    Path device = devices.resolve(pciAddress);
    try {
      String speed = Files.readString(device.resolve("max_link_speed")).trim();
      String width = Files.readString(device.resolve("max_link_width")).trim();
      return speed.isEmpty() || width.equals("0") || width.equals("255")
          ? Optional.empty()
          : Optional.of(speed.replace(" PCIe", "") + " x" + width);
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
