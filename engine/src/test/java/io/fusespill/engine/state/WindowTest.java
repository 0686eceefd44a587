package io.fusespill.engine.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class WindowTest {

  @Test
  void freshWindow_isEmpty() {
    assertWindow(new Window<>(), new TreeMap<>(), 0);
  }

  @Test
  void add_givesNumbersFromZeroUp() {
    Window<String> window = new Window<>();
    window.add("a");
    window.add("b");
    assertThat(window.get(0)).isEqualTo("a");
    assertThat(window.get(1)).isEqualTo("b");
    assertThat(window.next()).isEqualTo(2);
  }

  @Test
  void put_beyondNext_leavesTheNumbersBetweenWithoutValue() {
    Window<String> window = new Window<>();
    window.add("a");
    window.put(40, "b");
    assertThat(window.get(39)).isNull();
    assertThat(window.get(40)).isEqualTo("b");
    assertThat(window.get(0)).isEqualTo("a");
    assertThat(window.live()).isEqualTo(2);
  }

  @Test
  void put_intoAnEmptyWindowFarAway_movesTheBaseThere() {
    Window<String> window = new Window<>();
    window.put(1_000_000_000, "far");
    assertThat(window.base()).isEqualTo(1_000_000_000);
    assertThat(window.get(1_000_000_000)).isEqualTo("far");
  }

  @Test
  void put_inThePlaceOfAnother_countsOnce() {
    Window<String> window = new Window<>();
    window.add("a");
    window.put(0, "b");
    assertThat(window.get(0)).isEqualTo("b");
    assertThat(window.live()).isEqualTo(1);
    window.remove(0);
    assertThat(window.live()).isZero();
  }

  @Test
  void remove_theOldest_movesTheBaseToTheOldestLeft() {
    Window<String> window = new Window<>();
    window.add("a");
    window.add("b");
    window.add("c");
    window.remove(1);
    assertThat(window.base()).isEqualTo(0);
    window.remove(0);
    assertThat(window.base()).isEqualTo(2);
    window.remove(2);
    assertThat(window.base()).isEqualTo(3);
    assertThat(window.live()).isZero();
  }

  @Test
  void get_negativeOrForgottenNumber_isNull() {
    Window<String> window = new Window<>();
    for (int i = 0; i < 20; i++) {
      window.add("v" + i);
      window.remove(i);
    }
    assertThat(window.get(-1)).isNull();
    assertThat(window.get(3)).isNull();
    assertThat(window.get(20)).isNull();
    assertThat(window.get(Integer.MAX_VALUE)).isNull();
  }

  /// Against a tree map: adds, puts with gaps, puts into gaps, removals.
  @Test
  void randomOperations_agreeWithANaiveModel() {
    Seeds.forEach(
        200,
        WindowTest.class,
        random -> {
          Window<Integer> window = new Window<>();
          TreeMap<Integer, Integer> model = new TreeMap<>();
          int next = 0;
          for (int i = 0; i < 150; i++) {
            switch (random.nextInt(5)) {
              case 0, 1 -> {
                window.add(i);
                model.put(next++, i);
              }
              case 2 -> {
                int number = next + random.nextInt(12);
                window.put(number, i);
                model.put(number, i);
                next = number + 1;
              }
              case 3 -> {
                int number = model.isEmpty() ? next : model.firstKey() + random.nextInt(20);
                if (number < next && !model.containsKey(number)) {
                  window.put(number, i);
                  model.put(number, i);
                }
              }
              default -> {
                List<Integer> numbers = new ArrayList<>(model.keySet());
                for (int n = Math.min(numbers.size(), random.nextInt(3)); n > 0; n--) {
                  int number =
                      numbers.remove(random.nextInt(2) == 0 ? 0 : random.nextInt(numbers.size()));
                  window.remove(number);
                  model.remove(number);
                }
              }
            }
            assertWindow(window, model, next);
          }
        });
  }

  private static void assertWindow(
      Window<Integer> window, TreeMap<Integer, Integer> model, int next) {
    assertThat(window.next()).as("next").isEqualTo(next);
    assertThat(window.live()).as("live").isEqualTo(model.size());
    assertThat(window.base()).as("base").isEqualTo(model.isEmpty() ? next : model.firstKey());
    for (int number = -2; number < next + 20; number++) {
      assertThat(window.get(number)).as("value of %d", number).isEqualTo(model.get(number));
    }
  }
}
