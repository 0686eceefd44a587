/// Predictors of how many tokens a sequence will still produce. Start reading at [LengthPredictor].
@NullMarked
package io.fusespill.engine.length;

import org.jspecify.annotations.NullMarked;
