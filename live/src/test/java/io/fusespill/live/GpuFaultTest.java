package io.fusespill.live;

import org.junit.jupiter.api.Tag;

/// Logical devices of a GPU.
@Tag("gpu")
class GpuFaultTest extends FaultContract {

  GpuFaultTest() {
    super(Hardware.GPU);
  }
}
