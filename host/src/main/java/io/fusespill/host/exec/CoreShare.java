package io.fusespill.host.exec;

/// Hands out a machine's cores one after another, and begins again where there are more threads
/// than cores.
final class CoreShare {

  private final int[] cores;
  private int next;

  CoreShare(int[] cores) {
    this.cores = cores;
  }

  int[] take(int count) {
    int[] taken = new int[count];
    for (int i = 0; i < count; i++) {
      taken[i] = cores[next++ % cores.length];
    }
    return taken;
  }
}
