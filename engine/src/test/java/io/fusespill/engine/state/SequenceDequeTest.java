package io.fusespill.engine.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.Seeds;
import io.fusespill.engine.event.Prompt;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

class SequenceDequeTest {

  @Test
  void first_ofAnEmptyQueue_isNull() {
    assertThat(new SequenceDeque().isEmpty()).isTrue();
    assertThat(new SequenceDeque().isEmpty()).isTrue();
  }

  @Test
  void addFirst_newestInFront() {
    SequenceDeque queue = queue(1, 2);
    queue.addFirst(sequence(0));
    assertThat(requests(queue)).containsExactly(0, 1, 2);
    assertThat(queue.get(0).request().id()).isZero();
  }

  @Test
  void insert_inside_movesTheLaterOnesBack() {
    SequenceDeque queue = queue(1, 2, 3);
    queue.insert(1, sequence(9));
    queue.insert(4, sequence(8));
    queue.insert(0, sequence(7));
    assertThat(requests(queue)).containsExactly(7, 1, 9, 2, 3, 8);
  }

  @Test
  void remove_anywhere_keepsTheOrderOfTheOthers() {
    for (int gone = 0; gone < 5; gone++) {
      SequenceDeque queue = queue(0, 1, 2, 3, 4);
      queue.remove(queue.get(gone));
      List<Integer> left = new ArrayList<>(List.of(0, 1, 2, 3, 4));
      left.remove(gone);
      assertThat(requests(queue)).isEqualTo(left);
    }
  }

  @Test
  void remove_whatIsNotThere_changesNothing() {
    SequenceDeque queue = queue(0, 1);
    assertThatThrownBy(() -> queue.remove(sequence(1)))
        .isExactlyInstanceOf(IllegalStateException.class)
        .hasMessageContaining("sequence 1 is not in the queue");
    assertThat(requests(queue)).containsExactly(0, 1);
  }

  @Test
  void sortOldestFirst_isStable() {
    SequenceDeque queue = new SequenceDeque();
    Sequence firstOfThree = sequence(3);
    Sequence secondOfThree = sequence(3);
    queue.addLast(firstOfThree);
    queue.addLast(sequence(1));
    queue.addLast(secondOfThree);
    queue.addLast(sequence(0));
    queue.sortOldestFirst();
    assertThat(requests(queue)).containsExactly(0, 1, 3, 3);
    assertThat(queue.get(2)).isSameAs(firstOfThree);
    assertThat(queue.get(3)).isSameAs(secondOfThree);
  }

  /// Against an array list, over many growths and turns of the ring.
  @Test
  void randomOperations_agreeWithANaiveModel() {
    Seeds.forEach(
        200,
        SequenceDequeTest.class,
        random -> {
          SequenceDeque queue = new SequenceDeque();
          List<Sequence> model = new ArrayList<>();
          int ceiling = 1 + random.nextInt(60);
          for (int i = 0; i < 200; i++) {
            Sequence sequence = sequence(random.nextInt(20));
            int index = random.nextInt(model.size() + 1);
            switch (model.size() >= ceiling ? 4 : random.nextInt(7)) {
              case 0, 1 -> {
                queue.addLast(sequence);
                model.addLast(sequence);
              }
              case 2 -> {
                queue.addFirst(sequence);
                model.addFirst(sequence);
              }
              case 3 -> {
                queue.insert(index, sequence);
                model.add(index, sequence);
              }
              case 4, 5 -> {
                if (!model.isEmpty()) {
                  int gone = Math.min(index, model.size() - 1);
                  queue.remove(model.remove(gone));
                }
              }
              default -> {
                queue.sortOldestFirst();
                model.sort(Comparator.comparing(s -> s.request().id()));
              }
            }
            assertSame(queue, model);
          }
        });
  }

  private static void assertSame(SequenceDeque queue, List<Sequence> model) {
    assertThat(queue.size()).isEqualTo(model.size());
    for (int i = 0; i < model.size(); i++) {
      assertThat(queue.get(i)).as("at %d", i).isSameAs(model.get(i));
      assertThat(queue.indexOf(model.get(i))).isEqualTo(i);
    }
    assertThat(queue.indexOf(sequence(0))).isEqualTo(-1);
  }

  private static SequenceDeque queue(int... requests) {
    SequenceDeque queue = new SequenceDeque();
    for (int request : requests) {
      queue.addLast(sequence(request));
    }
    return queue;
  }

  private static Sequence sequence(int request) {
    return new Sequence(request, new Request(request, request, 1, 1, 1, 0, 8, Prompt.NONE, 0));
  }

  private static List<Integer> requests(SequenceDeque queue) {
    List<Integer> requests = new ArrayList<>();
    for (int i = 0; i < queue.size(); i++) {
      requests.add(queue.get(i).request().id());
    }
    return requests;
  }
}
