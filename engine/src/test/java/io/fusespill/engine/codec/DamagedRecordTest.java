package io.fusespill.engine.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.fusespill.engine.Seeds;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Bytes that are not an event are refused with a [CodecException], whatever they are.
class DamagedRecordTest {

  private static final long POSITION = 77;

  @ParameterizedTest
  @MethodSource("io.fusespill.engine.codec.EventExamples#all")
  void decode_anyBitFlipped_isRefused(EngineEvent event) {
    byte[] record = Records.encode(POSITION, event);
    for (int bit = 0; bit < 8 * record.length; bit++) {
      byte[] damaged = record.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      assertRefused("bit " + bit, damaged, damaged.length);
    }
  }

  @ParameterizedTest
  @MethodSource("io.fusespill.engine.codec.EventExamples#all")
  void decode_anyTruncation_isRefused(EngineEvent event) {
    byte[] record = Records.encode(POSITION, event);
    for (int length = 0; length < record.length; length++) {
      assertRefused("cut to " + length, Arrays.copyOf(record, length), length);
      assertRefused("first " + length, record, length);
    }
    assertRefused("a byte more", Arrays.copyOf(record, record.length + 1), record.length + 1);
  }

  /// A checksum protects against accidents, not against another writer's mistakes.
  @ParameterizedTest
  @MethodSource("io.fusespill.engine.codec.EventExamples#all")
  void decode_anyPayloadByteAlteredUnderARightChecksum_isRefusedOrAnEvent(EngineEvent event) {
    byte[] record = Records.encode(0, event);
    for (int at = RecordLayout.PAYLOAD; at < record.length; at++) {
      for (int value : List.of(0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)) {
        byte[] altered = record.clone();
        altered[at] = (byte) value;
        decodeOrRefuse(Records.reseal(altered));
      }
    }
  }

  @Test
  void decode_anyPayloadUnderARightChecksum_isRefusedOrAnEvent() {
    Seeds.forEach(
        2_000,
        DamagedRecordTest.class,
        random -> {
          byte[] payload = new byte[random.nextInt(60)];
          random.nextBytes(payload);
          for (int i = 0; i < payload.length; i++) {
            payload[i] = (byte) (payload[i] & (random.nextInt(3) == 0 ? 0xFF : 0x07));
          }
          for (EventType type : EventType.values()) {
            decodeOrRefuse(Records.sealed(type.number(), 1, payload));
          }
        });
  }

  private static void decodeOrRefuse(byte[] record) {
    try {
      Records.decode(0, record);
    } catch (CodecException e) {
      assertThat(e).hasMessageContaining("position 0");
    }
  }

  @Test
  void decode_atAnotherPosition_saysBoth() {
    byte[] record = Records.encode(POSITION, new SequenceFinished(0, 1, FinishReason.STOP));
    assertThatThrownBy(() -> Records.decode(POSITION + 1, record))
        .isExactlyInstanceOf(CodecException.class)
        .hasMessageContainingAll("position 78", "number 77");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1",
    "12, 1",
    "63, 1",
    "75, 1",
    "32767, 1",
    "-32768, 1",
    "70, 0",
    "70, 2",
    "70, 32767",
    "70, -1"
  })
  void decode_unknownTypeOrVersion_saysThatANewerOneWroteIt(int type, int version) {
    assertThatThrownBy(() -> Records.decode(0, Records.sealed(type, version, Records.hex("05 00"))))
        .isExactlyInstanceOf(CodecException.class)
        .hasMessageContaining("position 0 has type %d version %d", type, version)
        .hasMessageContaining("newer");
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # type, payload,                  what is wrong
          3,      80 00,                    shortest form
          3,      85 80 00,                 shortest form
          3,      80 80 80 80 08,           is not a whole number of 0 to 2147483647
          3,      FF FF FF FF FF FF FF FF FF 01, -1 is not a whole number of 0 to 2147483647
          3,      FF FF FF FF FF FF FF FF FF FF 01, more than 64 bits
          3,      '',                       is not a valid REQUEST_CANCELLED
          3,      80,                       is not a valid REQUEST_CANCELLED
          3,      05 05,                    1 bytes are left over
          70,     05 04,                    no constant 4 among 4
          66,     05 03 00,                 no constant 3 among 3
          6,      05 03 41 42,              is not a valid TRANSFER_COMPLETED: 3 bytes are left over
          7,      05 03 41 42,              a list of 3 in 2 bytes
          7,      05 FF FF FF FF 07,        a list of 2147483647 in 0 bytes
          4,      00 00 05 02 02,           a list of 5 in 2 bytes
          4,      00 00 01 80 80 80 80 10 00, a difference has more than 32 bits
          2,      00 00 00 01 01,           has 0 samples
          2,      00 00 01 00 01,           0 prompt tokens
          69,     00 00 00 00 00 00 00 00 00, a step computes or transfers something
          69,     00 00 01 02 00 00 00 00 00 00 00, -1 is not a sequence of 0 to 2147483647
          69,     00 00 01 80 80 80 80 40 00 00 00 00 00 00 00, 4294967296 is not a sequence
          5,      00 00 01 80,              a text is not in UTF-8
          5,      00 00 02 C0 80,           a text is not in UTF-8
          5,      00 00 03 ED A0 80,        a text is not in UTF-8
          72,     05 00 09 04 01 01 00 00 01 01, handling 1 of 1 was chosen
          72,     05 00 09 04 00 00,        handling 0 of 0 was chosen
          72,     05 00 09 04 00 01 00 00 01 00, frees blocks for 0 ns
          72,     05 00 09 04 00 01 00 00 FF FF FF FF FF FF FF FF FF 01 01, loses -1 ns
          72,     05 00 09 04 00 01 06 00 01 01, no constant 6 among 6
          73,     00 01 C1 84 3D 00 00 00,  a share of 1000001
          73,     00 01 00 C1 84 3D 00 00,  0 to 1000000 are legal
          73,     00 01 00 00 FF FF FF FF FF FF FF FF FF 01 00, rates of -1
          68,     00 00 00 01 01 01 00 00 00, transfer 0 goes from place 1 to itself
          68,     00 00 00 00 01 01 00 01 00 00, 1 source and 0 target blocks
          """)
  void decode_payloadThatNoWriterWrites_saysWhatIsWrong(int type, String payload, String problem) {
    assertThatThrownBy(() -> Records.decode(0, Records.sealed(type, payload)))
        .isExactlyInstanceOf(CodecException.class)
        .hasMessageContainingAll("record at position 0 is not a valid", problem);
  }

  private static void assertRefused(String what, byte[] bytes, int length) {
    try {
      EngineEvent event = new EventDecoder().decode(POSITION, bytes, length);
      fail("%s was taken for %s", what, event);
    } catch (CodecException e) {
      assertThat(e).as(what).hasMessageContaining("position " + POSITION);
    }
  }
}
