/// Devices that are GPUs: their steps, their blocks and the copies between these and others.
@NullMarked
package io.fusespill.cuda.exec;

import org.jspecify.annotations.NullMarked;
