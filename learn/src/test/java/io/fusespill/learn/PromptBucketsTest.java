package io.fusespill.learn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PromptBucketsTest {

  // 2^0.5 = 1.41, 2^1.5 = 2.83, 2^2.5 = 5.66, 2^9.5 = 724.08
  @ParameterizedTest
  @CsvSource({"1, 0", "2, 2", "3, 3", "4, 4", "5, 4", "6, 5", "724, 18", "725, 19", "1024, 20"})
  void bucket_twoToADoubling(int promptTokens, int bucket) {
    assertThat(PromptBuckets.bucket(promptTokens)).isEqualTo(bucket);
  }

  @Test
  void bucket_longestPrompt_hasOne() {
    assertThat(PromptBuckets.bucket(10_000_000)).isBetween(0, 63);
  }

  @Test
  void predictors_bucketWithEnoughRequests_isItsOwn() {
    List<TextRequest> requests = new ArrayList<>();
    for (int i = 1; i <= 10; i++) {
      requests.add(new TextRequest("long", 100, i, null));
    }
    requests.add(new TextRequest("short", 4, 1000, null));
    PromptBuckets buckets = new PromptBuckets(requests);

    // 1 to 10: mean 5.5, the fifth is 5
    assertThat(buckets.mean(100)).isEqualTo(6);
    assertThat(buckets.median(100)).isEqualTo(5);
    // one request is too few, so all eleven: mean 95.9, the sixth is 6
    assertThat(buckets.mean(4)).isEqualTo(96);
    assertThat(buckets.median(4)).isEqualTo(6);
    assertThat(buckets.median()).isEqualTo(6);
  }
}
