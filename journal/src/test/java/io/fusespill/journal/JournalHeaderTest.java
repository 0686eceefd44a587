package io.fusespill.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class JournalHeaderTest {

  private static final JournalHeader HEADER =
      JournalHeader.of("0.1.0", "{\"policy\":\"continuous\",\"name\":\"Größe 7\"}");

  @Test
  void decode_encoded_isTheSame() {
    assertThat(JournalHeader.decode(HEADER.encode())).isEqualTo(HEADER);
    assertThat(HEADER.schemaVersion()).isEqualTo(1);
    assertThat(HEADER.configDigest())
        .isEqualTo(
            HexFormat.of()
                .formatHex(
                    EventDigest.sha256()
                        .digest(HEADER.configJson().getBytes(StandardCharsets.UTF_8))));
  }

  @Test
  void encode_layout_isAsDocumented() {
    byte[] bytes = JournalHeader.of("1.2", "{}").encode();
    assertThat(new String(bytes, 0, 8, StandardCharsets.US_ASCII)).isEqualTo("FSJOURNL");
    assertThat(HexFormat.of().formatHex(bytes, 12, 23)).isEqualTo("0100000003000000312e32");
    assertThat(HexFormat.of().formatHex(bytes, bytes.length - 6, bytes.length))
        .isEqualTo("020000007b7d");
    assertThat(bytes).hasSize(16 + 4 + 3 + 4 + 64 + 4 + 2);
  }

  @Test
  void constructor_digestOfOtherText_isRefusedNamingBoth() {
    assertThatThrownBy(() -> new JournalHeader(1, "0.1.0", "abcd", "{}"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
        .hasMessageContaining("abcd");
  }

  @Test
  void decode_anyBitFlipped_isRefused() {
    byte[] good = HEADER.encode();
    for (int bit = 0; bit < 8 * good.length; bit++) {
      byte[] bad = good.clone();
      bad[bit / 8] ^= (byte) (1 << bit % 8);
      assertThatThrownBy(() -> JournalHeader.decode(bad))
          .as("bit %d", bit)
          .isInstanceOf(JournalException.class);
    }
  }

  @Test
  void decode_anyPrefix_isRefused() {
    byte[] good = HEADER.encode();
    for (int length = 0; length < good.length; length++) {
      byte[] bad = Arrays.copyOf(good, length);
      assertThatThrownBy(() -> JournalHeader.decode(bad)).isInstanceOf(JournalException.class);
    }
  }

  @Test
  void decode_newerSchema_saysSo() {
    byte[] newer = new JournalHeader(7, "9.0", HEADER.configDigest(), HEADER.configJson()).encode();
    assertThatThrownBy(() -> JournalHeader.decode(newer))
        .isInstanceOf(JournalException.class)
        .hasMessage(
            "has schema version 7, and this program reads versions up to 1: a newer one wrote it, read it with that");
  }

  @Test
  void decode_otherMagic_namesWhatWasFound() {
    assertThatThrownBy(
            () -> JournalHeader.decode("hello, world, hello".getBytes(StandardCharsets.US_ASCII)))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("'68656c6c6f2c2077' in hex, not with 'FSJOURNL'");
  }
}
