/// NVIDIA's driver: contexts, memory, streams, events, graphs, kernels. Every call is checked, and
/// everything that is open is counted.
@NullMarked
package io.fusespill.cuda.driver;

import org.jspecify.annotations.NullMarked;
