package io.fusespill.engine.state;

import io.fusespill.engine.config.PolicySpec;

/// What blocks still hold that a sequence can begin with instead of computing it: beginnings of
/// prompts, and what the sequence itself had when it was preempted.
final class KeptBlocks {

  private final PrefixTree prefixes;
  private final int blockTokens;
  private boolean cachesPrefixes;

  /// @param prefixes what prompts begin with
  KeptBlocks(PrefixTree prefixes, int blockTokens) {
    this.prefixes = prefixes;
    this.blockTokens = blockTokens;
  }

  void follow(PolicySpec policy) {
    cachesPrefixes = policy.cachesPrefixes();
  }

  /// Leading blocks of the waiting sequence that are in the pool, all but the one in which it would
  /// compute its next token.
  ///
  /// @param device the pool's
  /// @param reserved blocks that are about to be taken, and hold nothing any more then
  int count(Sequence sequence, BlockPool pool, int device, int reserved) {
    if (!pool.keeping()) {
      return 0;
    }
    find(sequence.request());
    int most = (sequence.totalTokens - 1) / blockTokens;
    int kept = 0;
    while (kept < most && block(sequence, pool, device, kept, reserved) != BlockPool.NOBODY) {
      kept++;
    }
    return kept;
  }

  /// How many of the first `kept` of those somebody holds.
  int held(Sequence sequence, BlockPool pool, int device, int kept, int reserved) {
    find(sequence.request());
    int held = 0;
    for (int i = 0; i < kept; i++) {
      held += pool.holders(block(sequence, pool, device, i, reserved)) > 0 ? 1 : 0;
    }
    return held;
  }

  /// The sequence begins with the first `kept` of those, which are in its table from now on.
  ///
  /// @param kept at most what [#count] says
  void adopt(Sequence sequence, BlockPool pool, int device, int kept) {
    find(sequence.request());
    for (int i = 0; i < kept; i++) {
      int block = block(sequence, pool, device, i, 0);
      pool.share(block);
      sequence.table.append(block);
    }
    Request request = sequence.request();
    if (cachesPrefixes && !request.beginning.kept()) {
      prefixes.keep(request.beginning, request.prompt(), request.promptTokens(), blockTokens);
    }
    sequence.former.clear();
    sequence.formerPlace = Sequence.NOWHERE;
  }

  private void find(Request request) {
    if (!request.beginning.kept()) {
      prefixes.find(request.beginning, request.prompt(), knownBlocks(request), blockTokens);
    }
  }

  private int knownBlocks(Request request) {
    return cachesPrefixes
        ? PrefixTree.blocks(request.prompt(), request.promptTokens(), blockTokens)
        : 0;
  }

  /// The block that holds the sequence's `index`-th full block: by what it holds within the prompt,
  /// and behind that, or where that is not known, because the sequence left it there.
  private int block(Sequence sequence, BlockPool pool, int device, int index, int reserved) {
    PrefixTree.Beginning beginning = sequence.request().beginning;
    if (index < beginning.size()) {
      return pool.holding(beginning.get(index), reserved);
    }
    if (index < knownBlocks(sequence.request())
        || sequence.formerPlace != device
        || index >= sequence.former.size()) {
      return BlockPool.NOBODY;
    }
    int block = sequence.former.get(index);
    boolean there =
        pool.holdsStill(block, sequence.id(), index) && !pool.isUpcoming(block, reserved);
    return there ? block : BlockPool.NOBODY;
  }

  /// Blocks of the prompt that have become full since `before` tokens were computed can be found by
  /// what they hold.
  void fill(Sequence sequence, BlockPool pool, int before) {
    PrefixTree.Beginning beginning = sequence.request().beginning;
    if (beginning.kept() && pool.keeping() && before < sequence.request().promptTokens()) {
      int full = Math.min(sequence.computedTokens / blockTokens, beginning.size());
      for (int i = before / blockTokens; i < full; i++) {
        pool.cache(sequence.table.get(i), beginning.get(i));
      }
    }
  }

  /// Remembers which full blocks a sequence has that is about to give them up, unless they are
  /// lost.
  ///
  /// @param pool that of its place
  void leaveBehind(Sequence sequence, BlockPool pool) {
    sequence.former.clear();
    sequence.formerPlace = Sequence.NOWHERE;
    if (sequence.lost || !pool.keeping()) {
      return;
    }
    sequence.formerPlace = sequence.place;
    for (int i = 0; i < sequence.computedTokens / blockTokens; i++) {
      int block = sequence.table.get(i);
      pool.leftBehind(block, sequence.id(), i);
      sequence.former.append(block);
    }
  }

  /// What blocks hold that nobody has but lost sequences is of no use any more.
  ///
  /// @param residents those of the pool's place
  static void forgetLost(BlockPool pool, SequenceQueue residents) {
    if (!pool.keeping()) {
      return;
    }
    int[] holders = new int[pool.total()];
    for (int i = 0; i < residents.size(); i++) {
      BlockTable table = residents.get(i).table;
      for (int b = 0; residents.get(i).lost && b < table.size(); b++) {
        if (++holders[table.get(b)] == pool.holders(table.get(b))) {
          pool.forget(table.get(b));
        }
      }
    }
  }

  /// The request has ended.
  void release(Request request) {
    prefixes.release(request.beginning);
  }
}
