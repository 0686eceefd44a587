/// Runs that did not happen: the arrivals of a journal under another configuration, and branches
/// off a journal at one of its positions.
@NullMarked
package io.fusespill.replay.whatif;

import org.jspecify.annotations.NullMarked;
