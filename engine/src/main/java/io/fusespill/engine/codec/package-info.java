/// The canonical, versioned bytes of an event.
@NullMarked
package io.fusespill.engine.codec;

import org.jspecify.annotations.NullMarked;
