package io.fusespill.live;

import io.fusespill.engine.config.StepCosts;
import io.fusespill.host.exec.CostProbe;
import io.fusespill.host.model.KvShape;
import io.fusespill.host.model.ModelWeights;
import java.util.Map;
import java.util.TreeMap;

/// Costs of a model on this machine, each measured once, when it is first asked for. Not
/// thread-safe.
public final class ProbedCosts implements LivePlan.Costs {

  /// What a plain solid-state disk reads and writes; nobody waits for its probe.
  private static final long DISK_BYTES_PER_SECOND = 1_000_000_000;

  private final ModelWeights weights;
  private final KvShape kv;
  private final Map<Integer, StepCosts> devices = new TreeMap<>();
  private long copyBytesPerSecond;

  public ProbedCosts(ModelWeights weights, KvShape kv) {
    this.weights = weights;
    this.kv = kv;
  }

  @Override
  public StepCosts device(int threads) {
    return devices.computeIfAbsent(threads, each -> CostProbe.measure(weights, kv, each));
  }

  @Override
  public StepCosts attention(int threads) {
    return CostProbe.attention(weights.config(), kv, threads);
  }

  @Override
  public long copyBytesPerSecond() {
    if (copyBytesPerSecond == 0) {
      copyBytesPerSecond = CostProbe.copyBytesPerSecond(kv);
    }
    return copyBytesPerSecond;
  }

  @Override
  public long diskBytesPerSecond() {
    return DISK_BYTES_PER_SECOND;
  }
}
