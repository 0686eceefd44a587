/// What a log tells: reports, the state at any position, and the proof that its decisions follow
/// from its inputs.
@NullMarked
package io.fusespill.replay;

import org.jspecify.annotations.NullMarked;
