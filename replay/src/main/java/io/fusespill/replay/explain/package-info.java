/// Why a run went as it did: the story of a sequence, and what came of the handlings that were
/// chosen.
@NullMarked
package io.fusespill.replay.explain;

import org.jspecify.annotations.NullMarked;
