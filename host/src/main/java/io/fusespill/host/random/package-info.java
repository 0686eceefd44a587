/// Random numbers that depend on where they are used alone, and not on what was drawn before.
@NullMarked
package io.fusespill.host.random;

import org.jspecify.annotations.NullMarked;
