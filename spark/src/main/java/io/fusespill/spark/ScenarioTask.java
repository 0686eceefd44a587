package io.fusespill.spark;

import java.io.Serializable;
import org.apache.spark.broadcast.Broadcast;
import scala.collection.Iterator;
import scala.runtime.AbstractFunction1;

/// Runs the one scenario of a partition on an executor.
final class ScenarioTask extends AbstractFunction1<Iterator<String>, String>
    implements Serializable {

  private static final long serialVersionUID = 1L;

  private final Broadcast<ExecutorSide> side;

  ScenarioTask(Broadcast<ExecutorSide> side) {
    this.side = side;
  }

  @Override
  public String apply(Iterator<String> partition) {
    return side.value().run(partition.next());
  }
}
