package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.live.LiveFixture.Run;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the devices of a run are, and how alike two runs of the same requests must be there.
enum Hardware {
  /// Cores of this machine, which compute the same in any batch.
  HOST(4, ElementType.F32) {
    @Override
    Share device(int number, int tokens) {
      return Share.host(tokens / blockTokens(), 1);
    }

    @Override
    void requireAlike(LiveFixture live, List<TextRequest> requests, Run one, Run other) {
      assertThat(other.outputs()).isEqualTo(one.outputs());
    }
  },
  /// Logical devices of the first GPU. Sums depend on the batch there, and sequences may part where
  /// two tokens are all but alike.
  GPU(8, null) {
    @Override
    Share device(int number, int tokens) {
      return new Share(0, number + 1, tokens / blockTokens(), 0);
    }

    @Override
    void requireAlike(LiveFixture live, List<TextRequest> requests, Run one, Run other) {
      NearTies.requireAlike(live.checkpoint(), requests, one.outputs(), other.outputs());
    }
  },
  /// A GPU, and beside it cores of this machine.
  GPU_AND_HOST(8, null) {
    @Override
    Share device(int number, int tokens) {
      int blocks = tokens / blockTokens();
      return number == 0 ? new Share(0, 1, blocks, 0) : Share.host(blocks, 1);
    }

    @Override
    void requireAlike(LiveFixture live, List<TextRequest> requests, Run one, Run other) {
      GPU.requireAlike(live, requests, one, other);
    }
  };

  private final int blockTokens;
  private final @Nullable ElementType kvType;

  Hardware(int blockTokens, @Nullable ElementType kvType) {
    this.blockTokens = blockTokens;
    this.kvType = kvType;
  }

  /// The first device, or an auxiliary one.
  abstract Share device(int number, int tokens);

  abstract void requireAlike(LiveFixture live, List<TextRequest> requests, Run one, Run other);

  int blockTokens() {
    return blockTokens;
  }

  @Nullable ElementType kvType() {
    return kvType;
  }
}
