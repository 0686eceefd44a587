package io.fusespill.live;

/// Devices that are cores of this machine.
class LiveFaultTest extends FaultContract {

  LiveFaultTest() {
    super(Hardware.HOST);
  }
}
