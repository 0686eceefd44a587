/// The seam between decisions and a device, real or simulated.
@NullMarked
package io.fusespill.engine.exec;

import org.jspecify.annotations.NullMarked;
