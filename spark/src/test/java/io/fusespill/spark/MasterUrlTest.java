package io.fusespill.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sweep.SweepException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MasterUrlTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "local | true | true | 0",
        "local[1] | true | true | 0",
        "local[*] | true | true | 0",
        "spark://127.0.0.1:7077 | false | true | 1",
        "spark://[::1]:7077 | false | true | 1",
        "spark://127.0.0.1:7077,127.0.0.2:7078 | false | true | 2",
        "spark://192.0.2.1:7077,127.0.0.1:7077 | false | false | 2",
      })
  void parse_legal_saysWhere(String text, boolean local, boolean loopback, int masters) {
    MasterUrl url = MasterUrl.parse(text);

    assertThat(url.isLocal()).isEqualTo(local);
    assertThat(url.isLoopback()).isEqualTo(loopback);
    assertThat(url.masters()).hasSize(masters);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Local",
        "local[]",
        "local[0]",
        "local[1025]",
        "local[2,3]",
        "local-cluster[2,1,512]",
        "yarn",
        "k8s://host:443",
        "spark://",
        "spark://host",
        "spark://host:0",
        "spark://host:65536",
        "spark://host:7077/path",
        "spark://user@host:7077",
        "spark://a:1,,b:2",
        "spark://a b:1",
        "host:7077",
      })
  void parse_illegal_namesItAndWhatIsLegal(String text) {
    assertThatThrownBy(() -> MasterUrl.parse(text))
        .isInstanceOf(SweepException.class)
        .hasMessageStartingWith("master is '%s', must ".formatted(text));
  }

  @Test
  void requireReachable_oneOfSeveralAnswers_isEnough() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      MasterUrl.parse("spark://127.0.0.1:1,127.0.0.1:" + socket.getLocalPort()).requireReachable();
    }
  }

  @Test
  void requireReachable_nobodyAnswers_saysWhyOfEach() {
    assertThatThrownBy(
            () -> MasterUrl.parse("spark://127.0.0.1:1,no-such-host.invalid:2").requireReachable())
        .isInstanceOf(SweepException.class)
        .hasMessage(
            "no Spark master answers at spark://127.0.0.1:1,no-such-host.invalid:2 (127.0.0.1:1: Connection refused; unknown host no-such-host.invalid); is it running?");
  }
}
