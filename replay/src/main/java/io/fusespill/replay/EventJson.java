package io.fusespill.replay;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.plan.Ints;
import java.io.IOException;

/// An event as one JSON object: its position and type, then the components of its record by name.
public final class EventJson {

  private final ObjectMapper mapper =
      new ObjectMapper()
          .registerModule(new SimpleModule().addSerializer(Ints.class, new IntsSerializer()));

  /// The object; `position` and `event` come first.
  public ObjectNode toJson(long position, EngineEvent event) {
    ObjectNode json = mapper.createObjectNode();
    json.put("position", position);
    json.put("event", event.getClass().getSimpleName());
    json.setAll((ObjectNode) mapper.valueToTree(event));
    if (event instanceof Checkpointed checkpointed) {
      json.put("stateHash", "%016x".formatted(checkpointed.stateHash()));
    }
    if (event instanceof RequestRejected rejected) {
      json.put("unit", rejected.reason().unit());
    }
    return json;
  }

  private static final class IntsSerializer extends StdSerializer<Ints> {

    private static final long serialVersionUID = 1L;

    IntsSerializer() {
      super(Ints.class);
    }

    @Override
    public void serialize(Ints values, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      int[] array = values.toArray();
      out.writeArray(array, 0, array.length);
    }
  }
}
