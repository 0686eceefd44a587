package io.fusespill.traces;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/// A file as it is read: gzip is recognised by its first two bytes, whatever the file is called.
public final class TraceFile {

  private static final int GZIP_MAGIC_0 = 0x1f;
  private static final int GZIP_MAGIC_1 = 0x8b;
  private static final int BUFFER_BYTES = 1 << 16;

  private TraceFile() {}

  /// The file's bytes, unpacked.
  ///
  /// @throws IOException if it cannot be read, or only begins as gzip does
  public static InputStream open(Path path) throws IOException {
    InputStream raw = Files.newInputStream(path);
    try {
      PushbackInputStream in = new PushbackInputStream(raw, 2);
      byte[] magic = in.readNBytes(2);
      in.unread(magic);
      boolean gzip =
          magic.length == 2
              && Byte.toUnsignedInt(magic[0]) == GZIP_MAGIC_0
              && Byte.toUnsignedInt(magic[1]) == GZIP_MAGIC_1;
      return gzip ? new GZIPInputStream(in, BUFFER_BYTES) : in;
    } catch (IOException e) {
      raw.close();
      throw e;
    }
  }
}
