/// All mutable state, changed only by [EngineState#apply], and the read-only face that policies
/// see.
@NullMarked
package io.fusespill.engine.state;

import org.jspecify.annotations.NullMarked;
