package io.fusespill.live;

/// Devices that are cores of this machine.
class SpillTest extends SpillContract {

  SpillTest() {
    super(Hardware.HOST);
  }
}
