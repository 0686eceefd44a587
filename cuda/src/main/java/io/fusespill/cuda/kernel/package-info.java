/// Our CUDA kernels as Java methods, each with its grid, and the compiled kernels as a resource.
@NullMarked
package io.fusespill.cuda.kernel;

import org.jspecify.annotations.NullMarked;
