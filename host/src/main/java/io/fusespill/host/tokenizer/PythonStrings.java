package io.fusespill.host.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;
import org.jspecify.annotations.Nullable;

/// The methods of Python's strings that chat templates call.
final class PythonStrings extends ELResolver {

  @Override
  public @Nullable Object invoke(
      ELContext context,
      Object base,
      Object method,
      Class<?> @Nullable [] types,
      Object @Nullable [] params) {
    if (!(base instanceof String text)) {
      return null;
    }
    Object[] args = params == null ? new Object[0] : params;
    Object result =
        switch (method + "/" + args.length) {
          case "strip/0" -> text.strip();
          case "strip/1" -> strip(text, text(args[0]), true, true);
          case "lstrip/0" -> text.stripLeading();
          case "lstrip/1" -> strip(text, text(args[0]), true, false);
          case "rstrip/0" -> text.stripTrailing();
          case "rstrip/1" -> strip(text, text(args[0]), false, true);
          case "split/0" -> words(text);
          case "split/1" -> split(text, text(args[0]), Integer.MAX_VALUE);
          case "split/2" -> split(text, text(args[0]), ((Number) args[1]).intValue());
          case "startswith/1" -> text.startsWith(text(args[0]));
          case "endswith/1" -> text.endsWith(text(args[0]));
          case "upper/0" -> text.toUpperCase(Locale.ROOT);
          case "lower/0" -> text.toLowerCase(Locale.ROOT);
          case "title/0" -> title(text);
          case "capitalize/0" -> capitalize(text);
          case "replace/2" -> text.replace(text(args[0]), text(args[1]));
          case "find/1" -> (long) text.indexOf(text(args[0]));
          case "count/1" -> (long) split(text, text(args[0]), Integer.MAX_VALUE).length - 1;
          default -> null;
        };
    context.setPropertyResolved(result != null);
    return result;
  }

  private static String text(Object argument) {
    return String.valueOf(argument);
  }

  private static String strip(String text, String characters, boolean left, boolean right) {
    int from = 0;
    int to = text.length();
    while (left && from < to && characters.indexOf(text.charAt(from)) >= 0) {
      from++;
    }
    while (right && from < to && characters.indexOf(text.charAt(to - 1)) >= 0) {
      to--;
    }
    return text.substring(from, to);
  }

  // Arrays: the resolver of arrays knows indices from the end.
  private static Object[] words(String text) {
    return text.isBlank() ? new Object[0] : text.strip().split("\\s+");
  }

  private static Object[] split(String text, String separator, int splits) {
    List<String> parts = new ArrayList<>();
    int from = 0;
    int at = text.indexOf(separator);
    while (at >= 0 && !separator.isEmpty() && (splits < 0 || parts.size() < splits)) {
      parts.add(text.substring(from, at));
      from = at + separator.length();
      at = text.indexOf(separator, from);
    }
    parts.add(text.substring(from));
    return parts.toArray();
  }

  private static String capitalize(String text) {
    return text.isEmpty()
        ? text
        : text.substring(0, 1).toUpperCase(Locale.ROOT)
            + text.substring(1).toLowerCase(Locale.ROOT);
  }

  private static String title(String text) {
    StringBuilder title = new StringBuilder();
    boolean inWord = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      title.append(inWord ? Character.toLowerCase(c) : Character.toUpperCase(c));
      inWord = Character.isLetter(c);
    }
    return title.toString();
  }

  @Override
  public @Nullable Object getValue(ELContext context, Object base, Object property) {
    return null;
  }

  @Override
  public @Nullable Class<?> getType(ELContext context, Object base, Object property) {
    return null;
  }

  @Override
  public void setValue(ELContext context, Object base, Object property, Object value) {}

  @Override
  public boolean isReadOnly(ELContext context, Object base, Object property) {
    return true;
  }

  @Override
  public java.util.@Nullable Iterator<java.beans.FeatureDescriptor> getFeatureDescriptors(
      ELContext context, Object base) {
    return null;
  }

  @Override
  public @Nullable Class<?> getCommonPropertyType(ELContext context, Object base) {
    return null;
  }
}
