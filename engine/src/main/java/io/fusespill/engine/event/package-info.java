/// Every fact that can change the engine's state: inputs from outside and the engine's own
/// decisions.
@NullMarked
package io.fusespill.engine.event;

import org.jspecify.annotations.NullMarked;
