package io.fusespill.sim.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonReaderTest {

  @Test
  void whole_exponent_isExact() {
    assertThat(whole("125e12")).isEqualTo(125_000_000_000_000L);
    assertThat(whole("362.05e12")).isEqualTo(362_050_000_000_000L);
  }

  @ParameterizedTest
  @CsvSource({
    "1.5, whole number",
    "1e30, whole number",
    "1e999999999, whole number",
    "true, whole number",
    "\"1\", whole number",
    "[1], whole number",
  })
  void whole_otherValue_namesFileKeyAndValue(String value, String expected) {
    assertProblem("{\"a\": " + value + "}", json -> json.whole("a"), "test.json: a is ", expected);
  }

  @Test
  void count_aboveInt_isAProblem() {
    assertProblem("{\"a\": 3e9}", json -> json.count("a"), "a is 3000000000", "at most 2147483647");
  }

  @Test
  void number_textAndMissing_areProblems() {
    assertProblem("{\"a\": \"1\"}", json -> json.number("a"), "a is \"1\"", "must be a number");
    assertProblem("{}", json -> json.number("a"), "test.json: a is missing");
    assertProblem("{\"a\": null}", json -> json.number("a"), "a is null, must have a value");
  }

  @Test
  void missing_keyWithATypo_isAskedFor() {
    assertProblem(
        "{\"num_hiden_layers\": 3}",
        json -> json.count("num_hidden_layers"),
        "num_hidden_layers is missing; did you mean num_hiden_layers?");
  }

  @Test
  void parse_unknownKey_isNamedWithItsNeighbour() {
    assertProblem(
        "{\"bandwidth\": 1, \"bandwith\": 2}",
        json -> json.whole("bandwidth"),
        "test.json: bandwith is not a key of this format; did you mean bandwidth?");
  }

  @Test
  void parse_unknownKeyInside_isNamedWithItsPath() {
    assertProblem(
        "{\"outer\": {\"a\": 1, \"b\": 2}}",
        json -> json.object("outer").whole("a"),
        "outer.b is not a key");
    assertProblem(
        "{\"list\": [{\"a\": 1}, {\"b\": 2}]}",
        json -> json.objects("list").size(),
        "list[0].a is not a key");
  }

  @Test
  void parse_notJson_saysSo() {
    assertProblem("{", json -> 0, "test.json: not JSON");
    assertProblem("{} {}", json -> 0, "test.json: not JSON");
    assertProblem("{\"a\": 1, \"a\": 2}", json -> json.whole("a"), "test.json: not JSON");
    assertProblem("[1]", json -> 0, "test.json: is not a JSON object");
  }

  @Test
  void kinds_wrongKind_isAProblem() {
    assertProblem("{\"a\": 1}", json -> json.text("a"), "a is 1", "text in quotes");
    assertProblem("{\"a\": 1}", json -> json.flag("a"), "a is 1", "true or false");
    assertProblem("{\"a\": 1}", json -> json.object("a"), "a is 1", "an object");
    assertProblem("{\"a\": 1}", json -> json.objects("a"), "a is 1", "a list");
    assertProblem("{\"a\": [1]}", json -> json.texts("a"), "a holds 1", "texts");
    assertProblem("{\"a\": [\"x\"]}", json -> json.wholes("a"), "a is \"x\"", "whole number");
  }

  @Test
  void read_noSuchFile_namesIt() {
    assertThatThrownBy(() -> JsonReader.read(Path.of("nowhere", "x.json"), json -> 0))
        .isInstanceOf(ProfileException.class)
        .hasMessage("no file " + Path.of("nowhere", "x.json"));
  }

  private static long whole(String value) {
    return parse("{\"a\": " + value + "}", json -> json.whole("a"));
  }

  private static <T> T parse(String text, Function<JsonReader, T> reader) {
    return JsonReader.parse(text, "test.json", reader);
  }

  private static void assertProblem(
      String text, Function<JsonReader, ?> reader, String... expected) {
    assertThatThrownBy(() -> parse(text, reader))
        .isInstanceOf(ProfileException.class)
        .hasMessageContainingAll(expected);
  }
}
