package io.fusespill.engine.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// An event is written in the lowest version that can say it, and read in no other.
class SecondVersionTest {

  private static final String CONFIG =
      """
      03 312E30  02 6162  0000000000000000  # version, digest, seed
      10 AC02 01  08 40 8001 03 00          # KV, limits
      01 03 677075 00 01 0A                 # one device
      00                                    # no links
      01 61                                 # policy "a"
      """;

  @ParameterizedTest
  @MethodSource("io.fusespill.engine.codec.EventExamples#all")
  void encode_writesTheLowestVersion(EngineEvent event) {
    byte[] record = Records.encode(0, event);
    assertThat((int) record[RecordLayout.VERSION]).isEqualTo(EventType.versionFor(event));
    assertThat(EventType.versionFor(event)).isLessThanOrEqualTo(EventType.of(event).version());
  }

  @ParameterizedTest
  @MethodSource("io.fusespill.engine.codec.EventExamples#all")
  void decode_inAnotherVersion_isRefused(EngineEvent event) {
    byte[] record = Records.encode(0, event);
    record[RecordLayout.VERSION] ^= 3;
    assertThatThrownBy(() -> Records.decode(0, Records.reseal(record)))
        .isExactlyInstanceOf(CodecException.class);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # type, payload,                                what is wrong
          2,      00 00 01 01 01 00,                      version 2 says what version 1 can say
          4,      00 00 00 00 00,                         version 2 says what version 1 can say
          69,     00 00 01 00 05 00 00 00 01 00 00 00 00, 0 of 1 entries attend in place 0
          69,     00 00 01 00 05 00 00 00 01 00 00 01 02, 2 of 1 entries attend in place 1
          69,     00 00 01 00 05 00 00 00 01 00 00 01,    is not a valid STEP_PLANNED
          2,      00 00 01 01 01 81 80 80 08,             a hint of 16777217 output tokens
          """)
  void decode_secondVersionThatNoWriterWrites_saysWhatIsWrong(
      int type, String payload, String problem) {
    assertThatThrownBy(() -> Records.decode(0, Records.sealed(type, 2, Records.hex(payload))))
        .isExactlyInstanceOf(CodecException.class)
        .hasMessageContainingAll("record at position 0 is not a valid", problem);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # behind the policy's name,   what is wrong
          00 01 04 6E6F6E65 00 00,       a configuration that version 1 can say is in version 2
          00 00 04 6E6F6E65 00 00,       depth
          00 09 04 6E6F6E65 00 00,       depth
          00 02 04 6E6F6E65 01 00,       a DEVICE cannot attend
          00 02 04 6E6F6E65 02 00,       a flag is neither 0 nor 1
          00 02 04 6E6F6E65 00 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00, 2 step costs for 1 places
          00 02 04 6E6F6E65 00 01 00 00 00 00 00 00 00 00 81A094A58D1D, tokenPicos
          02 01 62 00 01 61 00 02 04 6E6F6E65 00 00, option a is not behind the one before it
          02 01 61 00 01 61 00 02 04 6E6F6E65 00 00, option a is not behind the one before it
          """)
  void decode_configurationThatNoWriterWrites_saysWhatIsWrong(String payload, String problem) {
    byte[] bytes = Records.hex(CONFIG + payload);
    assertThatThrownBy(() -> Records.decode(0, Records.sealed(1, 2, bytes)))
        .isExactlyInstanceOf(CodecException.class)
        .hasMessageContainingAll("record at position 0 is not a valid RUN_STARTED", problem);
  }

  @Test
  void decode_firstVersion_hasWhatTheFirstVersionMeant() {
    byte[] bytes = Records.hex(CONFIG + "00");
    RunStarted started = (RunStarted) Records.decode(0, Records.sealed(1, 1, bytes));
    assertThat(started.config().limits().maxStepsInFlight()).isEqualTo(1);
    assertThat(started.config().predictor()).isEqualTo("none");
    assertThat(started.config().costs()).isEmpty();
    byte[] again = Records.encode(0, started);
    assertThat(Arrays.copyOfRange(again, RecordLayout.PAYLOAD, again.length)).isEqualTo(bytes);
  }
}
