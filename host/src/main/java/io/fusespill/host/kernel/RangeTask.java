package io.fusespill.host.kernel;

/// Work on independent items that are numbered from 0.
@FunctionalInterface
public interface RangeTask {

  /// Does the items `from` to `to` - 1.
  ///
  /// @param worker the thread's number in its pool, from 0: two calls at one time have two numbers
  void run(int worker, int from, int to);
}
