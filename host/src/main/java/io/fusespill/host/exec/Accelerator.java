package io.fusespill.host.exec;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.exec.Completions;
import io.fusespill.host.model.AttentionService;
import io.fusespill.host.model.KvPool;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// Hardware other than this machine's cores that is one device: a GPU, or a part of one.
public interface Accelerator {

  /// Takes the memory of the place's pool. Who asked closes it.
  ///
  /// @throws RuntimeException with what was being done, if there is not that much
  BlockStore.Remote store(Place place);

  /// Makes memory of this machine fit for fast copies, until the answer is closed.
  AutoCloseable pin(KvPool pool);

  /// Starts the place's device.
  ///
  /// @param store what [#store] returned for the place
  /// @param stores of all places, by their numbers
  /// @param attention who attends in a place for this device
  Device device(
      Place place,
      BlockStore.Remote store,
      IntFunction<BlockStore> stores,
      IntFunction<@Nullable AttentionService> attention,
      Completions completions);
}
