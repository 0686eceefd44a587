package io.fusespill.cli;

import io.fusespill.live.LiveBatch;
import io.fusespill.live.TextRequest;
import java.util.List;

/// Moves a progress bar as requests of a live run end.
final class LiveProgress {

  private LiveProgress() {}

  /// A batch that moves the bar.
  static LiveBatch batch(List<TextRequest> requests, ProgressLine progress) {
    int[] left = requests.stream().mapToInt(request -> request.params().n()).toArray();
    int[] ended = new int[1];
    return new LiveBatch(
        requests,
        (request, sample, token, logprobs) -> {
          if (token < 0 && --left[request] == 0) {
            progress.at(++ended[0]);
          }
        });
  }
}
