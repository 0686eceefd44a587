package io.fusespill.cli;

import io.fusespill.host.sampling.TokenLogprobs;
import io.fusespill.host.tokenizer.TextStream;
import io.fusespill.host.tokenizer.Tokenizer;
import io.fusespill.live.LiveBatch;
import io.fusespill.live.TextRequest;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The texts of a run while their tokens come: one after the other in order of prompts and samples,
/// each as soon as it is certain.
///
/// What comes of a later text while an earlier one still goes on is kept back.
final class StreamedText implements LiveBatch.TokenListener {

  /// Hears the texts in order, on the thread that dispatches.
  interface Reader {

    /// The next text begins.
    void begin(int request, int sample);

    /// What is certain of it now, never empty.
    void text(String text);

    /// It has ended.
    void end(Sample sample);
  }

  /// One sample's text so far, and what was asked to be known of its tokens.
  static final class Sample {

    private final int request;
    private final int sample;
    private final TextStream stream;
    private final StringBuilder text = new StringBuilder();
    private final List<TokenLogprobs> logprobs = new ArrayList<>();
    private int read;
    private boolean ended;

    Sample(int request, int sample, TextStream stream) {
      this.request = request;
      this.sample = sample;
      this.stream = stream;
    }

    /// The whole text, once it has ended.
    String text() {
      return text.toString();
    }

    List<TokenLogprobs> logprobs() {
      return logprobs;
    }
  }

  private final List<List<Sample>> samples = new ArrayList<>();
  private final List<Sample> inOrder = new ArrayList<>();
  private final Reader reader;
  private int turn;
  private boolean begun;

  StreamedText(List<TextRequest> requests, Tokenizer tokenizer, Reader reader) {
    this.reader = reader;
    for (int request = 0; request < requests.size(); request++) {
      List<Sample> each = new ArrayList<>();
      for (int sample = 0; sample < requests.get(request).params().n(); sample++) {
        each.add(new Sample(request, sample, requests.get(request).text(tokenizer)));
      }
      samples.add(each);
      inOrder.addAll(each);
    }
  }

  @Override
  public void token(int request, int number, int token, @Nullable TokenLogprobs logprobs) {
    Sample sample = samples.get(request).get(number);
    if (token < 0) {
      sample.text.append(sample.stream.finish());
      sample.ended = true;
    } else {
      sample.text.append(sample.stream.add(token));
      if (logprobs != null) {
        sample.logprobs.add(logprobs);
      }
    }
    tell();
  }

  private void tell() {
    while (turn < inOrder.size()) {
      Sample sample = inOrder.get(turn);
      if (!begun) {
        reader.begin(sample.request, sample.sample);
        begun = true;
      }
      if (sample.read < sample.text.length()) {
        reader.text(sample.text.substring(sample.read));
        sample.read = sample.text.length();
      }
      if (!sample.ended) {
        return;
      }
      reader.end(sample);
      turn++;
      begun = false;
    }
  }

  /// A sample of a request. For after the run.
  Sample sample(int request, int sample) {
    return samples.get(request).get(sample);
  }
}
