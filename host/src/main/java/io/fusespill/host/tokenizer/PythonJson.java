package io.fusespill.host.tokenizer;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.Filter;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The filter `tojson`: JSON as Python's `json.dumps` writes it with `ensure_ascii=False`, with
/// spaces after commas and colons, or indented.
final class PythonJson implements Filter {

  @Override
  public String getName() {
    return "tojson";
  }

  @Override
  public Object filter(@Nullable Object value, JinjavaInterpreter interpreter, String... args) {
    return filter(value, interpreter, args, Map.of());
  }

  @Override
  public Object filter(
      @Nullable Object value,
      JinjavaInterpreter interpreter,
      Object[] args,
      Map<String, Object> named) {
    StringBuilder json = new StringBuilder();
    int indent = named.get("indent") instanceof Number number ? number.intValue() : -1;
    write(value, indent, 0, json);
    return json.toString();
  }

  private static void write(@Nullable Object value, int indent, int depth, StringBuilder json) {
    switch (value) {
      case Map<?, ?> map -> {
        json.append('{');
        String separator = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          json.append(separator);
          newLine(indent, depth + 1, json);
          quote(String.valueOf(entry.getKey()), json);
          json.append(": ");
          write(entry.getValue(), indent, depth + 1, json);
          separator = indent < 0 ? ", " : ",";
        }
        close('}', !map.isEmpty(), indent, depth, json);
      }
      case Iterable<?> list -> {
        json.append('[');
        Iterator<?> elements = list.iterator();
        boolean some = elements.hasNext();
        while (elements.hasNext()) {
          newLine(indent, depth + 1, json);
          write(elements.next(), indent, depth + 1, json);
          if (elements.hasNext()) {
            json.append(indent < 0 ? ", " : ",");
          }
        }
        close(']', some, indent, depth, json);
      }
      case Object[] array -> write(List.of(array), indent, depth, json);
      case null -> json.append("null");
      case Number number -> json.append(number);
      case Boolean flag -> json.append(flag);
      default -> quote(value.toString(), json);
    }
  }

  private static void close(char bracket, boolean some, int indent, int depth, StringBuilder json) {
    if (some) {
      newLine(indent, depth, json);
    }
    json.append(bracket);
  }

  private static void newLine(int indent, int depth, StringBuilder json) {
    if (indent >= 0) {
      json.append('\n').append(" ".repeat(indent * depth));
    }
  }

  private static void quote(String text, StringBuilder json) {
    json.append('"').append(JsonStringEncoder.getInstance().quoteAsString(text)).append('"');
  }
}
