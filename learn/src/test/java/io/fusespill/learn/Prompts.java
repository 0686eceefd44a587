package io.fusespill.learn;

import io.fusespill.traces.SeededRandom;
import java.util.ArrayList;
import java.util.List;

/// Made-up requests whose prompts are about equally long whatever they ask for.
final class Prompts {

  private static final List<String> TOPICS =
      List.of("rivers", "engines", "the moon", "old maps", "bread", "glass", "trade", "winter");

  private Prompts() {}

  /// Outputs follow from what is asked for, with a tenth of noise.
  static List<TextRequest> telling(int count) {
    SeededRandom random = new SeededRandom(1, "telling");
    List<TextRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int things = random.nextInt(2, 30);
      String topic = TOPICS.get(random.nextInt(0, TOPICS.size() - 1)) + " " + i;
      String prompt;
      int tokens;
      switch (random.nextInt(0, 2)) {
        case 0 -> {
          prompt = "Answer yes or no, is there anything new about %s?".formatted(topic);
          tokens = 5;
        }
        case 1 -> {
          prompt = "List %d ideas about %s in a fresh voice.".formatted(things, topic);
          tokens = 20 * things;
        }
        default -> {
          prompt = "Write a detailed essay about %s for my class.".formatted(topic);
          tokens = 900;
        }
      }
      requests.add(request(prompt, tokens + random.nextInt(0, Math.max(1, tokens / 10))));
    }
    return requests;
  }

  /// The same prompts, outputs drawn without a look at them.
  static List<TextRequest> silent(int count) {
    SeededRandom random = new SeededRandom(1, "silent");
    return telling(count).stream()
        .map(request -> request(request.prompt(), random.nextInt(1, 1000)))
        .toList();
  }

  static TextRequest request(String prompt, int outputTokens) {
    return new TextRequest(prompt, TokenEstimate.of(prompt), outputTokens, null);
  }
}
