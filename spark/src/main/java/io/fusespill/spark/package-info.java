/// Sweeps on Apache Spark, and the only place that knows of it.
@NullMarked
package io.fusespill.spark;

import org.jspecify.annotations.NullMarked;
