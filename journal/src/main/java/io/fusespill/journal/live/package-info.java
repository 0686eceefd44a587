/// The engine in real time: clients and executors on any thread, one thread that decides.
@NullMarked
package io.fusespill.journal.live;

import org.jspecify.annotations.NullMarked;
