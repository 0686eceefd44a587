package io.fusespill.host.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplingParamsTest {

  private static final String ALL =
      "{\"n\":3,\"temperature\":0.7,\"top_k\":40,\"top_p\":0.95,\"min_p\":0.05,"
          + "\"repetition_penalty\":1.1,\"presence_penalty\":-0.5,\"frequency_penalty\":0.25,"
          + "\"seed\":-9223372036854775808,\"stop\":[\"</s>\",\"\\n\\n\"],\"stop_token_ids\":[7,2],"
          + "\"min_tokens\":2,\"max_tokens\":512,\"ignore_eos\":true,\"logprobs\":5}";

  @Test
  void text_isCanonical() {
    assertThat(SamplingParams.parse(ALL).toJson()).isEqualTo(ALL);
    assertThat(SamplingParams.DEFAULT.toJson())
        .isEqualTo(
            "{\"n\":1,\"temperature\":1.0,\"top_k\":0,\"top_p\":1.0,\"min_p\":0.0,"
                + "\"repetition_penalty\":1.0,\"presence_penalty\":0.0,\"frequency_penalty\":0.0,"
                + "\"seed\":null,\"stop\":[],\"stop_token_ids\":[],\"min_tokens\":0,"
                + "\"max_tokens\":16,\"ignore_eos\":false,\"logprobs\":null}");
  }

  @Test
  void text_readAgain_isTheSame() {
    SamplingParams params = SamplingParams.parse(ALL);
    assertThat(SamplingParams.parse(params.toJson())).isEqualTo(params);
    assertThat(SamplingParams.parse(SamplingParams.DEFAULT.toJson()))
        .isEqualTo(SamplingParams.DEFAULT);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {}                           | {"seed":null}
          {"top_k":-1}                 | {"top_k":0}
          {"temperature":1}            | {"temperature":1.0}
          {"presence_penalty":-0.0}    | {}
          {"stop":"x"}                 | {"stop":["x"]}
          {"max_tokens":16,"n":1}      | {"n":1}
          """)
  void whatMeansTheSame_hasOneText(String one, String other) {
    assertThat(SamplingParams.parse(one).toJson()).isEqualTo(SamplingParams.parse(other).toJson());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"n":0}                        | n is 0; legal: 1 to 1024
          {"n":1025}                     | n is 1025; legal: 1 to 1024
          {"n":2,"temperature":0}        | n is 2; legal: 1 with temperature 0
          {"temperature":-0.1}           | temperature is -0.1; legal: 0 (greedy) to 100
          {"temperature":101}            | temperature is 101.0; legal: 0 (greedy) to 100
          {"temperature":1e999}          | temperature is Infinity
          {"top_k":-2}                   | top_k is -2; legal: -1 or 0 (all tokens), or 1 and more
          {"top_k":1.5}                  | top_k is 1.5; legal: whole numbers
          {"top_p":0}                    | top_p is 0.0; legal: above 0 to 1
          {"top_p":1.01}                 | top_p is 1.01; legal: above 0 to 1
          {"min_p":-0.1}                 | min_p is -0.1; legal: 0 to 1
          {"min_p":1.1}                  | min_p is 1.1; legal: 0 to 1
          {"repetition_penalty":0}       | repetition_penalty is 0.0; legal: above 0 to 100
          {"presence_penalty":2.1}       | presence_penalty is 2.1; legal: -2 to 2
          {"frequency_penalty":-3}       | frequency_penalty is -3.0; legal: -2 to 2
          {"seed":9223372036854775808}   | seed is 9223372036854775808; legal: whole numbers of 64 bits
          {"seed":"x"}                   | seed is "x"; legal: whole numbers of 64 bits
          {"stop":[""]}                  | stop is an empty text
          {"stop":[1]}                   | stop is [1]; legal: a text, or a list of texts
          {"stop_token_ids":[-1]}        | stop_token_ids is [-1]; legal
          {"stop_token_ids":3}           | stop_token_ids is 3; legal: a list of token ids
          {"max_tokens":0}               | max_tokens is 0; legal: 1 to 10000000
          {"min_tokens":-1}              | min_tokens is -1; legal: 0 and more
          {"min_tokens":17}              | min_tokens is 17; legal: at most max_tokens, 16
          {"logprobs":21}                | logprobs is 21; legal: 0 to 20
          {"logprobs":-1}                | logprobs is -1; legal: 0 to 20
          {"ignore_eos":1}               | ignore_eos is 1; legal: true, false
          {"topk":1}                     | topk is no sampling parameter; known: n, temperature, top_k, top_p
          {"n":1,"n":1}                  | not JSON: Duplicate
          {"n":1                         | not JSON
          [1]                            | legal: a JSON object
          """)
  void wrongValues_areNamed(String json, String message) {
    assertThatThrownBy(() -> SamplingParams.parse(json))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message)
        .extracting(Throwable::getMessage)
        .asString()
        .doesNotContain("\n");
  }

  @Test
  void seed_canBeGivenLater() {
    SamplingParams params = SamplingParams.DEFAULT.withSeed(5);
    assertThat(params.seed()).hasValue(5);
    assertThat(params).isEqualTo(SamplingParams.parse("{\"seed\":5}"));
  }

  @Test
  void temperatureNearZero_isGreedy() {
    assertThat(SamplingParams.parse("{\"temperature\":0.000009}").greedy()).isTrue();
    assertThat(SamplingParams.parse("{\"temperature\":0.00001}").greedy()).isFalse();
  }
}
