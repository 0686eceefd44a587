/// A model's weights on a GPU, and its forward pass there.
@NullMarked
package io.fusespill.cuda.model;

import org.jspecify.annotations.NullMarked;
