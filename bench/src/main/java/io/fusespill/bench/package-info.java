/// Benchmarks, one class a question. Build and run all of them:
///
/// ```
/// ./mvnw -q -DskipTests -pl bench -am package
/// java @config/jvm.flags -jar bench/target/lib/benchmarks.jar
/// ```
@NullMarked
package io.fusespill.bench;

import org.jspecify.annotations.NullMarked;
