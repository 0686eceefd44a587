/// The `fusespill` command: options in, wiring, tables and JSON out.
@NullMarked
package io.fusespill.cli;

import org.jspecify.annotations.NullMarked;
