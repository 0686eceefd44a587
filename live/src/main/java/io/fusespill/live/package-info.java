/// Real models under the engine: what runs where, requests with text, and runs that go on after a
/// crash.
@NullMarked
package io.fusespill.live;

import org.jspecify.annotations.NullMarked;
