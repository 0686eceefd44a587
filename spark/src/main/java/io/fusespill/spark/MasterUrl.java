package io.fusespill.spark;

import io.fusespill.sweep.SweepException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Where the executors are: threads of this process, or a standalone cluster.
///
/// @param masters of a cluster, one of which leads; empty for this process
record MasterUrl(String text, List<InetSocketAddress> masters) {

  static final String LEGAL =
      "must be local, local[N], local[*] or spark://HOST:PORT (several: spark://HOST:PORT,HOST:PORT)";
  private static final Pattern LOCAL = Pattern.compile("local(\\[(\\*|[0-9]{1,9})])?");
  private static final String CLUSTER = "spark://";
  private static final int THREADS_MAX = 1_024;
  private static final int CONNECT_MILLIS = 3_000;

  MasterUrl {
    masters = List.copyOf(masters);
  }

  /// @throws SweepException if it is none
  static MasterUrl parse(String text) {
    Matcher local = LOCAL.matcher(text);
    if (local.matches()) {
      String threads = local.group(2);
      if (threads != null && !threads.equals("*")) {
        int count = Integer.parseInt(threads);
        if (count < 1 || count > THREADS_MAX) {
          throw new SweepException(
              "master is '%s', must have 1 to %,d threads".formatted(text, THREADS_MAX));
        }
      }
      return new MasterUrl(text, List.of());
    }
    if (!text.startsWith(CLUSTER)) {
      throw new SweepException("master is '%s', %s".formatted(text, LEGAL));
    }
    List<InetSocketAddress> masters = new ArrayList<>();
    for (String each : text.substring(CLUSTER.length()).split(",", -1)) {
      masters.add(address(text, each));
    }
    return new MasterUrl(text, masters);
  }

  private static InetSocketAddress address(String text, String hostAndPort) {
    URI uri;
    try {
      uri = URI.create(CLUSTER + hostAndPort);
    } catch (IllegalArgumentException e) {
      throw new SweepException("master is '%s', %s".formatted(text, LEGAL), e);
    }
    if (uri.getHost() == null
        || uri.getPort() < 1
        || uri.getPort() > 65_535
        || !uri.getAuthority().equals(hostAndPort)
        || uri.getUserInfo() != null) {
      throw new SweepException("master is '%s', %s".formatted(text, LEGAL));
    }
    return InetSocketAddress.createUnresolved(uri.getHost(), uri.getPort());
  }

  /// Whether the executors are threads of this process.
  boolean isLocal() {
    return masters.isEmpty();
  }

  /// Whether every master is on this machine and reached by the loopback.
  boolean isLoopback() {
    return masters.stream().allMatch(MasterUrl::isLoopback);
  }

  private static boolean isLoopback(InetSocketAddress master) {
    InetAddress address = new InetSocketAddress(master.getHostString(), 0).getAddress();
    return address != null && address.isLoopbackAddress();
  }

  /// Asks every master for a connection, for Spark itself would try for minutes.
  ///
  /// @throws SweepException if none accepts one
  void requireReachable() {
    List<String> failures = new ArrayList<>();
    for (InetSocketAddress master : masters) {
      InetSocketAddress resolved = new InetSocketAddress(master.getHostString(), master.getPort());
      if (resolved.isUnresolved()) {
        failures.add("unknown host %s".formatted(master.getHostString()));
        continue;
      }
      try (Socket socket = new Socket()) {
        socket.connect(resolved, CONNECT_MILLIS);
        return;
      } catch (IOException e) {
        failures.add(
            "%s:%d: %s".formatted(master.getHostString(), master.getPort(), e.getMessage()));
      }
    }
    if (!failures.isEmpty()) {
      throw new SweepException(
          "no Spark master answers at %s (%s); is it running?"
              .formatted(text, String.join("; ", failures)));
    }
  }
}
