/// Output lengths predicted from the text of prompts: training, a model file, and traces with
/// declared lengths. Start reading at [LengthTrainer].
@NullMarked
package io.fusespill.learn;

import org.jspecify.annotations.NullMarked;
