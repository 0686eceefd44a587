package io.fusespill.live;

/// Devices that are cores of this machine.
class CrashTest extends CrashContract {

  CrashTest() {
    super(Hardware.HOST);
  }
}
