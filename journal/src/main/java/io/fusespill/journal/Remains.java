package io.fusespill.journal;

import io.fusespill.engine.codec.RecordLayout;
import java.io.IOException;

/// What lies behind the last readable excerpt of a journal that nobody writes any more.
///
/// A crash leaves nothing but zeros there, or scraps of the one record that was being written.
/// Intact records of later positions mean that the journal was damaged in its middle.
///
/// @param scraps whether there is anything but zeros
/// @param laterPosition position of the first intact record beyond the one looked for, or -1
record Remains(boolean scraps, long laterPosition) {

  /// Looks for records beyond `position` at every place where one could begin.
  static Remains of(FileWindow window, long from, long position) throws IOException {
    boolean scraps = false;
    for (long at = from; window.holds(at, Integer.BYTES); at += Integer.BYTES) {
      if (window.intAt(at) != 0) {
        scraps = true;
        if (laterRecord(window, at, position)) {
          return new Remains(true, window.longAt(at + RecordLayout.POSITION));
        }
      }
    }
    return new Remains(scraps, -1);
  }

  private static boolean laterRecord(FileWindow window, long at, long position) throws IOException {
    if (!window.holds(at, RecordLayout.PAYLOAD)) {
      return false;
    }
    int length = window.intAt(at + RecordLayout.LENGTH);
    return length >= RecordLayout.PAYLOAD
        && length <= Journal.RECORD_BYTES_MAX
        && window.longAt(at + RecordLayout.POSITION) > position
        && window.holds(at, length)
        && RecordFrame.intact(window.array(), window.index(at), length);
  }
}
