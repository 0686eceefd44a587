package io.fusespill.sim;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.PolicySpec;
import java.util.List;
import org.junit.jupiter.api.Test;

class TensorParallelScenarioTest {

  // 64 GiB / 8 MiB = 8,192 host blocks; each card copies its half of a block over its own link.
  @Test
  void resolve_pair_isOnePlaceWithTheLinksOfBothCards() {
    ResolvedScenario scenario =
        new Scenario(
                "vicuna-7b",
                List.of(DeviceSpec.parse("a10:tp=2,blocks=100")),
                "pcie4-16gbps",
                64,
                PolicySpec.of("continuous"),
                new Scenario.Limits(0, 0, 0, 0, 0),
                "roofline",
                Faults.NONE,
                1,
                0,
                JsonNodeFactory.instance.objectNode())
            .resolve();

    assertThat(scenario.config().topology().places())
        .extracting(place -> place.name() + " " + place.blocks())
        .containsExactly("a10-tp2 100", "host 8192");
    assertThat(scenario.config().topology().links())
        .containsExactly(
            new Link(0, 1, 32_000_000_000L, 2_280), new Link(1, 0, 32_000_000_000L, 2_280));
    JsonNode place = scenario.description().get("places").get(0);
    assertThat(place.get("cards").asInt()).isEqualTo(2);
    assertThat(place.get("peak_flops_per_second").asLong()).isEqualTo(250_000_000_000_000L);
    assertThat(place.get("all_reduce_nanos").asLong()).isEqualTo(20_000);
  }
}
