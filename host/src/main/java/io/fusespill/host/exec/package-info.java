/// An executor that runs steps and transfers on this machine: CPU devices with KV in memory and on
/// disk.
@NullMarked
package io.fusespill.host.exec;

import org.jspecify.annotations.NullMarked;
