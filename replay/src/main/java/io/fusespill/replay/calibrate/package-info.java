/// What a journal tells of how long steps and transfers took, and how near a simulation with fitted
/// times comes to the run.
@NullMarked
package io.fusespill.replay.calibrate;

import org.jspecify.annotations.NullMarked;
