package io.fusespill.sim.profile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpellingTest {

  @ParameterizedTest
  @CsvSource({
    "NVIDIA H100 80GB HBM3, h100, true",
    "NVIDIA A100-SXM4-40GB, a100-40g, true",
    "NVIDIA A100-SXM4-40GB, a10, false",
    "NVIDIA GeForce RTX 4090, rtx-4090, true",
    "NVIDIA L40S, l4, false",
    "NVIDIA H200, h200-tp2, false",
    "h200-tp2, h200, false",
    "h200-tp2, h200-tp2, true",
    "rtx-4090+rtx-3090, rtx-4090, false",
    "host:threads=1, host:threads=16, false",
    "host:threads=1, h200-host, false",
  })
  void sameCard(String one, String other, boolean same) {
    assertThat(Spelling.sameCard(one, other)).isEqualTo(same);
    assertThat(Spelling.sameCard(other, one)).isEqualTo(same);
  }

  @ParameterizedTest
  @CsvSource({
    "meta-llama/Llama-3.1-8B-Instruct, llama-3.1-8b, true",
    "meta-llama/Llama-3.1-70B, llama-3.1-8b, false",
    "opt-1.3b, opt-13b, false",
    "Qwen2.5-7B, qwen2, false",
    "Llama-2-7b-hf, llama-2-7b, true",
    "vicuna-7b, llama-2-7b, false",
  })
  void sameModel(String one, String other, boolean same) {
    assertThat(Spelling.sameModel(one, other)).isEqualTo(same);
    assertThat(Spelling.sameModel(other, one)).isEqualTo(same);
  }
}
