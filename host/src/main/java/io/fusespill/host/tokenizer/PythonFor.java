package io.fusespill.host.tokenizer;

import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.JinjavaInterpreter.InterpreterScopeClosable;
import com.hubspot.jinjava.lib.tag.ForTag;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.tree.parse.TagToken;
import com.hubspot.jinjava.util.ForLoop;
import com.hubspot.jinjava.util.ObjectIterator;
import com.hubspot.jinjava.util.ObjectTruthValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.commons.lang3.tuple.Pair;

/// The tag `for` as Jinja has it: with a condition, `for x in y if z`, and variables that last for
/// one turn of the loop.
final class PythonFor extends ForTag {

  private static final long serialVersionUID = 1L;

  @Override
  public String interpretUnchecked(TagNode tag, JinjavaInterpreter interpreter) {
    Pair<List<String>, String> parts = getLoopVarsAndExpression((TagToken) tag.getMaster());
    List<String> names = parts.getLeft();
    String expression = parts.getRight();
    int condition = condition(expression);
    List<Object> values = new ArrayList<>();
    ForLoop all =
        ObjectIterator.getLoop(
            interpreter.resolveELExpression(
                condition < 0 ? expression : expression.substring(0, condition),
                tag.getLineNumber()));
    while (all.hasNext()) {
      Object value = interpreter.wrap(all.next());
      if (condition < 0
          || holds(
              expression.substring(condition + " if ".length()), names, value, tag, interpreter)) {
        values.add(value);
      }
    }
    return render(tag, interpreter, names, values);
  }

  private static boolean holds(
      String condition,
      List<String> names,
      Object value,
      TagNode tag,
      JinjavaInterpreter interpreter) {
    try (InterpreterScopeClosable _ = interpreter.enterScope()) {
      bind(interpreter.getContext(), names, value);
      return ObjectTruthValue.evaluate(
          interpreter.resolveELExpression(condition, tag.getLineNumber()));
    }
  }

  private static String render(
      TagNode tag, JinjavaInterpreter interpreter, List<String> names, List<Object> values) {
    StringBuilder text = new StringBuilder();
    ForLoop loop = ObjectIterator.getLoop(values);
    try (InterpreterScopeClosable _ = interpreter.enterScope()) {
      interpreter.getContext().put(LOOP, loop);
      while (loop.hasNext()) {
        Object value = loop.next();
        try (InterpreterScopeClosable _ = interpreter.enterScope()) {
          bind(interpreter.getContext(), names, value);
          for (Node child : tag.getChildren()) {
            text.append(child.render(interpreter));
            if (loop.isContinued()) {
              break;
            }
          }
        }
      }
    }
    return text.toString();
  }

  private static void bind(Context context, List<String> names, Object value) {
    if (names.size() == 1) {
      context.put(names.getFirst(), value);
    } else if (value instanceof Map.Entry<?, ?> entry) {
      context.put(names.getFirst(), entry.getKey());
      context.put(names.get(1), entry.getValue());
    } else if (value instanceof List<?> list) {
      for (int i = 0; i < names.size(); i++) {
        context.put(names.get(i), i < list.size() ? list.get(i) : null);
      }
    }
  }

  /// Where the condition's ` if ` is, outside of brackets and strings; -1 if there is none.
  private static int condition(String expression) {
    char quote = 0;
    int depth = 0;
    for (int i = 0; i < expression.length(); i++) {
      char c = expression.charAt(i);
      if (quote != 0) {
        if (c == '\\') {
          i++;
        } else if (c == quote) {
          quote = 0;
        }
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == '(' || c == '[' || c == '{') {
        depth++;
      } else if (c == ')' || c == ']' || c == '}') {
        depth--;
      } else if (depth == 0 && expression.startsWith(" if ", i)) {
        return i;
      }
    }
    return -1;
  }
}
