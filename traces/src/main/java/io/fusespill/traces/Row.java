package io.fusespill.traces;

/// One row as the file has it; 0 declared tokens where it declares none.
@SuppressWarnings("ArrayRecordComponent") // Handed on, never compared.
record Row(
    Arrival arrival,
    int promptTokens,
    int outputTokens,
    int declaredOutputTokens,
    int tokensPerHash,
    long[] prefixHashes) {

  Row(Arrival arrival, int promptTokens, int outputTokens) {
    this(arrival, promptTokens, outputTokens, 0, 0, TraceRequest.NO_HASHES);
  }

  /// A time of the file's own clock: the field, what it says, and what that is in nanoseconds.
  record Arrival(String field, String text, long nanos) {

    /// Where a file has no times, all requests arrive at once.
    static final Arrival NONE = new Arrival("", "", 0);

    boolean given() {
      return !field.isEmpty();
    }

    static Arrival parse(String field, String text, ArrivalUnit unit) {
      return new Arrival(field, text, unit.nanos(field, text));
    }
  }
}
