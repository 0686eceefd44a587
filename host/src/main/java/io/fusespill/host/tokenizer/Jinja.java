package io.fusespill.host.tokenizer;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.JinjavaInterpreterResolver;
import com.hubspot.jinjava.el.TruthyTypeConverter;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import com.hubspot.jinjava.lib.fn.Functions;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.objects.date.StrftimeFormatter;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import io.fusespill.host.checkpoint.CheckpointException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import jinjava.de.odysseus.el.ExpressionFactoryImpl;
import jinjava.de.odysseus.el.tree.TreeStore;
import jinjava.de.odysseus.el.tree.impl.Cache;
import jinjava.javax.el.CompositeELResolver;
import jinjava.javax.el.ExpressionFactory;

/// Jinja as chat templates expect it: Jinjava, with the settings, functions, filters and tags that
/// transformers adds to Jinja, and what of Python's syntax and strings Jinjava lacks.
///
/// What is rendered is never taken as a template again: messages cannot smuggle one in.
final class Jinja {

  private static final int CACHED_EXPRESSIONS = 1000;
  private static final int RANGE_MAX = 100_000;

  private final Engine engine;

  /// @param clock for `strftime_now`
  Jinja(Clock clock) {
    engine = new Engine(config(clock));
    Context context = engine.getGlobalContext();
    register(context, "raise_exception");
    register(context, "strftime_now");
    context.registerFunction(
        new ELFunctionDefinition("", "range", Jinja.class, "range", Object.class, Object[].class));
    context.registerFilter(new PythonJson());
    context.registerExpTest(new LoopTest("iterable"));
    context.registerExpTest(new LoopTest("sequence"));
    context.registerTag(new GenerationTag());
    context.registerTag(new PythonFor());
  }

  private static JinjavaConfig config(Clock clock) {
    CompositeELResolver resolver = new CompositeELResolver();
    resolver.add(new PythonStrings());
    resolver.add(JinjavaInterpreterResolver.DEFAULT_RESOLVER_READ_ONLY);
    return JinjavaConfig.newBuilder()
        .withNestedInterpretationEnabled(false)
        .withKeepTrailingNewline(true)
        .withDisabled(Map.of(Context.Library.TAG, Set.of("extends", "from", "import", "include")))
        .withLocale(Locale.ROOT)
        .withTimeZone(clock.getZone())
        .withRangeLimit(RANGE_MAX + 1)
        .withDateTimeProvider(clock::millis)
        .withElResolver(resolver)
        .withLegacyOverrides(
            LegacyOverrides.newBuilder()
                .withEvaluateMapKeys(true)
                .withIterateOverMapKeys(true)
                .withUsePyishObjectMapper(true)
                .withUseNaturalOperatorPrecedence(true)
                .withKeepNullableLoopValues(true)
                .withHandleBackslashInQuotesOnly(true)
                .build())
        .build();
  }

  private static void register(Context context, String function) {
    context.registerFunction(
        new ELFunctionDefinition("", function, Jinja.class, function, String.class));
    // Templates ask whether it is defined.
    context.put(function, function);
  }

  RenderResult render(String source, Map<String, Object> bindings) {
    try {
      return engine.renderForResult(PythonWhitespace.apply(source), bindings);
    } catch (RuntimeException e) {
      throw new CheckpointException("the chat template cannot be rendered: " + e.getMessage(), e);
    }
  }

  /// What a template says against its messages.
  static final class RaisedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    RaisedException(String message) {
      super(message);
    }
  }

  /// The function `raise_exception`.
  public static String raise_exception(String message) {
    throw new RaisedException(message);
  }

  /// The function `strftime_now`: the date and time in the form that Python's `strftime` describes.
  public static String strftime_now(String format) {
    JinjavaConfig config = JinjavaInterpreter.getCurrent().getConfig();
    Instant now = Instant.ofEpochMilli(config.getDateTimeProvider().getCurrentTimeMillis());
    return StrftimeFormatter.format(
        ZonedDateTime.ofInstant(now, config.getTimeZone()), format, Locale.ENGLISH);
  }

  /// The function `range`. Jinjava's own ends early where there are more numbers than its limit.
  ///
  /// @throws CheckpointException if there are more
  public static List<Integer> range(Object first, Object... more) {
    List<Integer> numbers = Functions.range(first, more);
    if (numbers.size() > RANGE_MAX) {
      throw new CheckpointException(
          "range has more than the legal %,d numbers".formatted(RANGE_MAX));
    }
    return numbers;
  }

  /// Jinjava with another parser.
  private static final class Engine extends Jinjava {

    private final ExpressionFactory expressions =
        new ExpressionFactoryImpl(
            new TreeStore(new PythonSyntax(), new Cache(CACHED_EXPRESSIONS)),
            new TruthyTypeConverter());

    Engine(JinjavaConfig config) {
      super(config);
    }

    @Override
    public ExpressionFactory getExpressionFactory() {
      return expressions;
    }
  }

  /// Whether a value can be looped over: strings can, in Python.
  private record LoopTest(String name) implements ExpTest {

    @Override
    public String getName() {
      return name;
    }

    @Override
    public boolean evaluate(Object value, JinjavaInterpreter interpreter, Object... args) {
      return value instanceof Iterable
          || value instanceof CharSequence
          || value instanceof Map
          || (value != null && value.getClass().isArray());
    }
  }

  /// `{% generation %}` marks what the assistant said, for training; here it is as if it were not
  /// there.
  private static final class GenerationTag implements Tag {

    private static final long serialVersionUID = 1L;

    @Override
    public String getName() {
      return "generation";
    }

    @Override
    public String interpret(TagNode tag, JinjavaInterpreter interpreter) {
      StringBuilder text = new StringBuilder();
      for (Node child : tag.getChildren()) {
        text.append(child.render(interpreter));
      }
      return text.toString();
    }
  }
}
