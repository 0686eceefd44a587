/// Scheduling policies: deterministic functions from a view of the state to decisions.
@NullMarked
package io.fusespill.engine.policy;

import org.jspecify.annotations.NullMarked;
