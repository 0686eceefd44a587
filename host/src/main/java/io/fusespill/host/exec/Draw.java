package io.fusespill.host.exec;

/// How a token is drawn from logits, as [io.fusespill.host.sampling.Sampler] does it: all that a
/// device needs that samples by itself.
///
/// @param temperature 0 for the likeliest token
/// @param topK 0 for all tokens, or -1
/// @param topP 1 for all
/// @param minP 0 for all
/// @param key of the sample's stream of [io.fusespill.host.random.CounterRandom]
/// @param position output tokens before this one: the place in that stream
public record Draw(
    double temperature, int topK, double topP, double minP, long key, long position) {

  static final Draw GREEDY = new Draw(0, 0, 1, 0, 0, 0);
}
