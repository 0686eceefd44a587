/// Request traces: readers of the public formats, generators of workloads, writers and a summary.
///
/// A trace is a stream of [TraceRequest]s in time order, read lazily; [TraceFormat] lists the
/// formats. Start reading there.
@NullMarked
package io.fusespill.traces;

import org.jspecify.annotations.NullMarked;
