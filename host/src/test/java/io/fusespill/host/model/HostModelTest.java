package io.fusespill.host.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.kernel.WorkerPool;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

class HostModelTest {

  private static final ModelConfig CONFIG = RandomModel.config(16, false, false);
  private static final int[] IDS = {1, 2, 300, 301, -1};

  @Test
  void whatCannotBeComputedIsNamed() {
    withModel((model, pool) -> {
      Batch batch = new Batch();
      batch.add(IDS, 2, 4, 0, new int[] {0}, true, false);
      assertThatThrownBy(() -> model.forward(batch, pool, null))
          .hasMessage("token must be 0 to 300, got 301");
      batch.clear();
      batch.add(IDS, 0, 1, 16, new int[] {0}, true, false);
      assertThatThrownBy(() -> model.forward(batch, pool, null))
          .hasMessage("17 tokens need 2 blocks of 16 tokens, the table has 1");
      batch.clear();
      batch.add(IDS, 0, 1, 0, new int[] {4}, true, false);
      assertThatThrownBy(() -> model.forward(batch, pool, null))
          .hasMessage("block must be 0 to 3, got 4");
      batch.clear();
      batch.add(IDS, 0, 1, 0, new int[] {0}, true, true);
      assertThatThrownBy(() -> model.forward(batch, pool, null))
          .hasMessage("entry 0 is remote, and there is no attention service");
      assertThatThrownBy(() -> batch.add(IDS, 3, 3, 0, new int[] {0}, true, false))
          .hasMessage("an entry takes at least one of the 5 tokens, got 3 to 3");
    });
  }

  @Test
  void logitsThatNobodyWantedAreRefused() {
    withModel((model, pool) -> {
      Batch batch = new Batch();
      int entry = batch.add(IDS, 0, 2, 0, new int[] {0}, false, false);
      model.forward(batch, pool, null);
      assertThatThrownBy(() -> model.argmax(entry))
          .hasMessageContaining("entry 0 of the last pass wanted no logits");
    });
  }

  @Test
  void aPoolOfAnotherShapeIsRefused() {
    KvShape shape = new KvShape(2, 2, 8, 16, ElementType.F32);
    withModel((model, ignored) -> {
      try (KvPool pool = KvPool.of(shape, 1)) {
        assertThatThrownBy(() -> model.forward(new Batch(), pool, null))
            .hasMessageContaining("the model needs 2 layers of 2 KV heads of 16");
      }
    });
  }

  /// The last of so many positions takes a table of rotations that no memory holds.
  @Test
  void aPassThatFindsNoMemoryLeavesTheModelAsItWas() {
    withModel((model, pool) -> {
      Batch batch = new Batch();
      batch.add(IDS, 0, 1, Integer.MAX_VALUE - 1, new int[] {0}, true, true);
      assertThatThrownBy(() -> model.forward(batch, pool, new Idle()))
          .isInstanceOf(OutOfMemoryError.class);
      batch.clear();
      int entry = batch.add(IDS, 0, 2, 0, new int[] {0}, true, false);
      model.forward(batch, pool, null);
      assertThat(model.argmax(entry)).isNotNegative();
    });
  }

  private static final class Idle implements AttentionService {
    @Override
    public void submit(AttentionCall call) {}

    @Override
    public void await() {}

    @Override
    public void close() {}
  }

  private static void withModel(BiConsumer<HostModel, KvPool> test) {
    RandomModel source = new RandomModel(1, name -> ElementType.BF16);
    try (ModelWeights weights = ModelWeights.of(CONFIG, source);
        WorkerPool workers = WorkerPool.of(1);
        KvPool pool = KvPool.of(KvShape.of(CONFIG, 16, ElementType.F32), 4);
        HostModel model = new HostModel(weights, workers)) {
      test.accept(model, pool);
    }
  }
}
