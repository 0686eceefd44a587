package io.fusespill.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.plan.TransferKind;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Every number of the configuration at both ends of its range and one beyond.
class ConfigTest {

  private static final int TOKENS = 16_777_216;

  static Stream<Arguments> ranges() {
    return Stream.of(
        range("max-num-seqs", 1, 65_536, n -> new EngineLimits((int) n, 1, 1, 1, 0)),
        range("max-num-batched-tokens", 1, TOKENS, n -> new EngineLimits(1, (int) n, 1, 1, 0)),
        range("max-model-len", 1, TOKENS, n -> new EngineLimits(1, 1, (int) n, 1, 0)),
        range("max-attempts", 1, 1_000, n -> new EngineLimits(1, 1, 1, (int) n, 0)),
        range("checkpoint-every", 0, Integer.MAX_VALUE, n -> new EngineLimits(1, 1, 1, 1, (int) n)),
        range("block-size", 1, 1_024, n -> new KvLayout((int) n, 1, 1)),
        range("blockBytes", 1, Long.MAX_VALUE, n -> new KvLayout(1, n, 1)),
        range("copiesPerBlock", 1, 65_536, n -> new KvLayout(1, 1, (int) n)),
        range("bytesPerSecond", 1, Long.MAX_VALUE, n -> new Link(0, 1, n, 0)),
        range("copyNanos", 0, Long.MAX_VALUE, n -> new Link(0, 1, 1, n)),
        range("channel", -1, 65_535, n -> new Link(0, 1, 1, 0, (int) n)),
        range("place id", 0, 1_023, n -> Place.device((int) n, "p", 1)),
        range("blocks of place p", 1, 100_000_000, n -> Place.device(0, "p", (int) n)),
        range("blocks of place p", 0, 100_000_000, n -> Place.host(0, "p", (int) n)),
        range("blocks of place p", 0, 100_000_000, n -> Place.disk(0, "p", (int) n)));
  }

  private static Arguments range(String name, long min, long max, LongFunction<Object> factory) {
    return Arguments.of(name, min, max, factory);
  }

  @ParameterizedTest
  @MethodSource("ranges")
  void number_outOfItsRange_isNamedWithWhatIsLegal(
      String name, long min, long max, LongFunction<Object> factory) {
    assertThat(factory.apply(min)).isNotNull();
    assertThat(factory.apply(max)).isNotNull();
    assertRefused(name, min - 1, min, factory);
    if (max < Integer.MAX_VALUE) {
      assertRefused(name, max + 1, min, factory);
    }
  }

  private static void assertRefused(
      String name, long value, long min, LongFunction<Object> factory) {
    assertThatThrownBy(() -> factory.apply(value))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(name)
        .hasMessageContaining("is %d, must be ", value)
        .hasMessageContaining(String.valueOf(min));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 16, 0",
    "1, 16, 1",
    "16, 16, 1",
    "17, 16, 2",
    "2147483647, 1, 2147483647",
    "2147483647, 2, 1073741824"
  })
  void blocks_areRoundedUp(int tokens, int blockTokens, int blocks) {
    assertThat(new KvLayout(blockTokens, 1, 1).blocks(tokens)).isEqualTo(blocks);
  }

  @Test
  void place_computesAsItsKindAllows() {
    assertThatThrownBy(() -> new Place(0, "d", PlaceKind.DISK, true, 1))
        .hasMessageContaining("DISK cannot compute");
    assertThatThrownBy(() -> new Place(0, "g", PlaceKind.DEVICE, false, 1))
        .hasMessageContaining("DEVICE must compute");
    assertThat(new Place(0, "h", PlaceKind.HOST, true, 1).computes()).isTrue();
  }

  @Test
  void topology_thatCannotWork_isRefused() {
    IntFunction<Place> device = id -> Place.device(id, "g" + id, 1);
    assertThatThrownBy(() -> new Topology(List.of(), List.of()))
        .hasMessageContaining("no place computes");
    assertThatThrownBy(() -> new Topology(List.of(Place.host(0, "h", 1)), List.of()))
        .hasMessageContaining("no place computes");
    assertThatThrownBy(() -> new Topology(List.of(device.apply(1)), List.of()))
        .hasMessageContainingAll("g1", "id 1", "index 0");
    assertThatThrownBy(() -> new Topology(List.of(device.apply(0)), List.of(new Link(0, 1, 1, 0))))
        .hasMessageContaining("link end is 1, must be 0 to 0");
    assertThatThrownBy(() -> new Link(2, 2, 1, 0)).hasMessageContaining("place 2 to itself");
    List<Place> pair = List.of(device.apply(0), device.apply(1));
    assertThatThrownBy(
            () -> new Topology(pair, List.of(new Link(0, 1, 1, 0), new Link(0, 1, 2, 0))))
        .hasMessageContaining("two links go from place 0 to place 1");
    assertThatThrownBy(() -> new Topology(pair, List.of(new Link(0, 1, 1, 0, 1))))
        .hasMessageContaining("no link has channel 0, but one has 1");
  }

  @Test
  void sharing_isTheLinkAloneOrAllOnItsChannel() {
    Link up = new Link(0, 2, 1, 0, 0);
    Link down = new Link(2, 0, 1, 0);
    Link other = new Link(1, 2, 5, 0, 0);
    Topology topology =
        new Topology(
            List.of(Place.device(0, "g", 1), Place.device(1, "h", 1), Place.host(2, "c", 1)),
            List.of(up, down, other));
    assertThat(topology.sharing(up)).containsExactly(up, other);
    assertThat(topology.sharing(down)).containsExactly(down);
    assertThat(topology.linkIndex(1, 2)).isEqualTo(2);
    assertThat(topology.linkIndex(2, 1)).isEqualTo(-1);
  }

  @Test
  void swapHost_isTheFirstHostLinkedBothWays() {
    List<Place> places =
        List.of(
            Place.device(0, "g", 1),
            Place.host(1, "one-way", 1),
            Place.disk(2, "d", 1),
            Place.host(3, "h", 1));
    Topology topology =
        new Topology(
            places,
            List.of(
                new Link(0, 1, 1, 0),
                new Link(0, 2, 1, 0),
                new Link(2, 0, 1, 0),
                new Link(3, 0, 1, 0),
                new Link(0, 3, 1, 0)));
    assertThat(topology.swapHost(0)).isEqualTo(3);
    assertThat(topology.linked(0, 1)).isTrue();
    assertThat(topology.linked(1, 0)).isFalse();
    assertThat(new Topology(places, List.of()).swapHost(0)).isEqualTo(-1);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, OFFLOAD",
    "1, 0, OFFLOAD",
    "0, 2, SWAP_OUT",
    "2, 0, SWAP_IN",
    "2, 3, SPILL",
    "3, 2, UNSPILL",
    "0, 3, SWAP_OUT"
  })
  void transferKind_followsTheKindsOfTheTwoPlaces(int from, int to, TransferKind kind) {
    Topology topology =
        new Topology(
            List.of(
                Place.device(0, "g", 1),
                new Place(1, "cpu", PlaceKind.HOST, true, 1),
                Place.host(2, "h", 1),
                Place.disk(3, "d", 1)),
            List.of());
    assertThat(topology.transferKind(from, to)).isEqualTo(kind);
  }

  @Test
  void policySpec_isSortedAndItsOwn() {
    PolicySpec spec = PolicySpec.of("p").with("b", "1").with("a", "2");
    assertThat(spec.options().keySet()).containsExactly("a", "b");
    assertThat(spec.with("a", "3")).isNotEqualTo(spec);
    assertThatThrownBy(() -> spec.options().put("c", "4"))
        .isInstanceOf(UnsupportedOperationException.class);
  }
}
