package io.fusespill.host.model;

/// Attention over KV that lies in a pool other than the asking device's: the asker computes the
/// linear layers, the service writes keys and values and attends.
public interface AttentionService extends AutoCloseable {

  /// Begins a call and returns at once. One call at a time.
  void submit(AttentionCall call);

  /// Waits until the submitted call is done and its output written. What went wrong in it is thrown
  /// here.
  void await();

  @Override
  void close();
}
