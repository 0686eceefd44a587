package io.fusespill.sweep;

import io.fusespill.replay.explain.Wording;
import io.fusespill.sim.workload.TraceWorkload;
import io.fusespill.sim.workload.Workload;
import io.fusespill.traces.TraceException;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceRequest;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// Traces that many scenarios share, read once: scenarios that differ in rate, policy or hardware
/// take the same parsed requests. Generated workloads are drawn each time, which is cheap.
///
/// Thread-safe. Holds at most 4 million requests (about 200 MB); a trace that does not fit is read
/// anew by each scenario.
public final class TraceCache {

  private static final long REQUESTS_MAX = 4_000_000;

  /// @param requests empty where there are too many to keep
  private record Recorded(
      long count, long skipped, String skippedReason, List<TraceRequest> requests) {}

  private final Map<TraceWorkload, Recorded> traces = new ConcurrentHashMap<>();
  private final Map<Path, String> digests = new ConcurrentHashMap<>();
  private final AtomicLong kept = new AtomicLong();

  /// The requests of a workload, as its own `open` would give them.
  ///
  /// @throws TraceException if it is a trace that cannot be read
  public TraceReader open(Workload workload, long seed) {
    if (workload instanceof TraceWorkload trace) {
      Recorded recorded = recorded(trace);
      if (!recorded.requests.isEmpty()) {
        return trace.arranged(new KeptReader(recorded), seed);
      }
    }
    return workload.open(seed);
  }

  /// How many requests a workload has.
  ///
  /// @throws TraceException if it is a trace that cannot be read
  public long count(Workload workload) {
    return workload instanceof TraceWorkload trace ? recorded(trace).count : workload.count();
  }

  /// How many rows of a workload's trace were left out, and why the first; empty for none.
  ///
  /// @throws TraceException if it is a trace that cannot be read
  String skipped(Workload workload) {
    if (workload instanceof TraceWorkload trace && recorded(trace).skipped > 0) {
      return "skipped %s of the trace, the first: %s"
          .formatted(Wording.count(recorded(trace).skipped, "row"), recorded(trace).skippedReason);
    }
    return "";
  }

  private Recorded recorded(TraceWorkload trace) {
    return traces.computeIfAbsent(trace.recorded(), this::read);
  }

  private Recorded read(TraceWorkload trace) {
    List<TraceRequest> requests = new ArrayList<>();
    long count = 0;
    try (TraceReader reader = trace.open(0)) {
      while (reader.hasNext()) {
        TraceRequest request = reader.next();
        if (++count + kept.get() <= REQUESTS_MAX) {
          requests.add(request);
        }
      }
      boolean whole = requests.size() == count;
      kept.addAndGet(whole ? count : 0);
      return new Recorded(
          count,
          reader.skipped(),
          reader.skippedReason(),
          whole ? List.copyOf(requests) : List.of());
    }
  }

  /// SHA-256 of a file's bytes, in hex.
  ///
  /// @throws TraceException if it cannot be read
  String digest(Path file) {
    return digests.computeIfAbsent(
        file,
        path -> {
          try (DigestInputStream in =
              new DigestInputStream(Files.newInputStream(path), Sha256.start())) {
            in.transferTo(OutputStream.nullOutputStream());
            return Sha256.hex(in.getMessageDigest());
          } catch (IOException e) {
            throw new TraceException("%s: cannot be read (%s)".formatted(path, e), e);
          }
        });
  }

  /// Requests in memory as a reader.
  private static final class KeptReader implements TraceReader {

    private final Iterator<TraceRequest> requests;
    private final long skipped;

    KeptReader(Recorded recorded) {
      requests = recorded.requests.iterator();
      skipped = recorded.skipped;
    }

    @Override
    public boolean hasNext() {
      return requests.hasNext();
    }

    @Override
    public TraceRequest next() {
      return requests.next();
    }

    @Override
    public long skipped() {
      return skipped;
    }
  }
}
