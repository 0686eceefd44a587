/// Matrix products by cuBLASLt, found on the machine and called without a binding of its own.
@NullMarked
package io.fusespill.cuda.blas;

import org.jspecify.annotations.NullMarked;
