/// The way of an event out of the engine: through one ring into a journal, and only then to whoever
/// acts on it.
///
/// Start reading at [EnginePipeline], which draws the ring. [Journal] is where records go and
/// [JournalReader] where they come back from; both hold the engine's canonical bytes, whose layout
/// is `RecordLayout` of the codec.
@NullMarked
package io.fusespill.journal;

import org.jspecify.annotations.NullMarked;
