/// Arithmetic on the CPU: memory by address, vector kernels, and the threads that run them.
@NullMarked
package io.fusespill.host.kernel;

import org.jspecify.annotations.NullMarked;
