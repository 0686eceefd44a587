package io.fusespill.host.model;

import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.kernel.WorkerPool;

/// Attention over a pool in this machine's memory, by threads of its own.
public final class HostAttention implements AttentionService {

  private final ModelConfig config;
  private final KvPool pool;
  private final WorkerPool workers;

  /// A service for models of that shape. One more thread waits for calls and is the first of
  /// `workers`; neither they nor the pool are closed with the service.
  public HostAttention(ModelConfig config, KvPool pool, WorkerPool workers) {
    this.config = config;
    this.pool = pool;
    this.workers = workers;
  }

  @Override
  public void submit(AttentionCall call) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void await() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
