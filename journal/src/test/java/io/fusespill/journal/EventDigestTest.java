package io.fusespill.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class EventDigestTest {

  /// From FIPS 180-4's examples: no bytes, and "abc".
  @Test
  void hex_isSha256() {
    EventDigest digest = new EventDigest();
    assertThat(digest.hex())
        .isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest.add(new byte[] {'a'}, 1);
    digest.add(new byte[] {'b', 'c', 'x'}, 2);
    assertThat(digest.hex())
        .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  }

  @Test
  void hex_recordsOfEverySizeAndAskedInBetween_isThatOfTheirConcatenation() throws Exception {
    Random random = new Random(1);
    MessageDigest expected = MessageDigest.getInstance("SHA-256");
    EventDigest digest = new EventDigest();
    long bytes = 0;
    for (int i = 0; i < 500; i++) {
      byte[] record = new byte[i % 50 == 0 ? 16_300 + i : random.nextInt(300)];
      random.nextBytes(record);
      expected.update(record);
      digest.add(record, record.length);
      bytes += record.length;
      if (i % 70 == 0) {
        digest.hex();
      }
    }
    assertThat(digest.hex()).isEqualTo(HexFormat.of().formatHex(expected.digest()));
    assertThat(digest.events()).isEqualTo(500);
    assertThat(digest.bytes()).isEqualTo(bytes);
  }
}
