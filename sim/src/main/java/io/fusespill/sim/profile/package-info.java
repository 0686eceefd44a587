/// What devices, links and models are: numbers with their sources, read from JSON, and what follows
/// from them by arithmetic alone.
@NullMarked
package io.fusespill.sim.profile;

import org.jspecify.annotations.NullMarked;
