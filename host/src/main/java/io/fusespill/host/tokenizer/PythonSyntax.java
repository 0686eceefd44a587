package io.fusespill.host.tokenizer;

import com.hubspot.jinjava.el.ExtendedSyntaxBuilder;
import com.hubspot.jinjava.el.ext.AstNamedParameter;
import com.hubspot.jinjava.el.ext.AstRangeBracket;
import com.hubspot.jinjava.el.ext.ExtendedParser;
import com.hubspot.jinjava.el.ext.NamedParameterOperator;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.objects.collections.PyList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import jinjava.de.odysseus.el.tree.Bindings;
import jinjava.de.odysseus.el.tree.impl.Builder;
import jinjava.de.odysseus.el.tree.impl.Parser;
import jinjava.de.odysseus.el.tree.impl.Scanner.ScanException;
import jinjava.de.odysseus.el.tree.impl.Scanner.Symbol;
import jinjava.de.odysseus.el.tree.impl.ast.AstDot;
import jinjava.de.odysseus.el.tree.impl.ast.AstIdentifier;
import jinjava.de.odysseus.el.tree.impl.ast.AstNode;
import jinjava.de.odysseus.el.tree.impl.ast.AstNull;
import jinjava.de.odysseus.el.tree.impl.ast.AstParameters;
import jinjava.de.odysseus.el.tree.impl.ast.AstUnary;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELException;
import org.jspecify.annotations.Nullable;

/// Jinjava's expressions, with three of Python's forms that it reads otherwise or not: `not a == b`
/// (Jinjava: `(not a) == b`), `f(a=b - c)` (`f((a=b) - c)`), and slices with a step, `x[::-1]`.
final class PythonSyntax extends ExtendedSyntaxBuilder {

  private static final long serialVersionUID = 1L;

  PythonSyntax() {
    super(Feature.METHOD_INVOCATIONS, Feature.NULL_PROPERTIES, Feature.VARARGS);
  }

  @Override
  protected Parser createParser(String expression) {
    return new PythonParser(this, expression);
  }

  private static final class PythonParser extends ExtendedParser {

    /// Stands for the missing begin and end of `[::step]`.
    private static final AstNode WHOLE = new AstNull();

    PythonParser(Builder context, String input) {
      super(context, input);
    }

    @Override
    protected AstParameters params(Symbol left, Symbol right) throws ScanException, ParseException {
      consumeToken(left);
      List<AstNode> nodes = new ArrayList<>();
      AstNode node = parameter();
      while (node != null) {
        nodes.add(node);
        if (getToken().getSymbol() != Symbol.COMMA) {
          break;
        }
        consumeToken();
        node = parameter();
      }
      consumeToken(right);
      return createAstParameters(nodes);
    }

    private @Nullable AstNode parameter() throws ScanException, ParseException {
      if (getToken().getSymbol() != Symbol.IDENTIFIER
          || !lookahead(0).equals(NamedParameterOperator.TOKEN)) {
        return expr(false);
      }
      AstIdentifier name = identifier(consumeToken().getImage());
      consumeToken();
      return new AstNamedParameter(name, expr(true));
    }

    /// Filters and tests are properties to the parser. Jinjava takes the result of one that it does
    /// not know as nothing.
    @Override
    protected AstDot createAstDot(AstNode base, String property, boolean lvalue) {
      if (base instanceof AstIdentifier identifier) {
        Context known = JinjavaInterpreter.getCurrent().getContext();
        String name = identifier.getName();
        String bare = name.substring(name.indexOf(':') + 1);
        if ((name.startsWith(FILTER_PREFIX) && known.getFilter(bare) == null)
            || (name.startsWith(EXPTEST_PREFIX) && known.getExpTest(bare) == null)) {
          throw new ELException("unknown filter or test " + bare);
        }
      }
      return super.createAstDot(base, property, lvalue);
    }

    @Override
    protected AstNode eq(boolean required) throws ScanException, ParseException {
      if (getToken().getSymbol() != Symbol.NOT) {
        return super.eq(required);
      }
      consumeToken();
      return createAstUnary(eq(true), AstUnary.NOT);
    }

    /// `[::step]` asks for the first of two expressions at its first colon.
    @Override
    protected @Nullable AstNode expr(boolean required) throws ScanException, ParseException {
      if (!required
          && getToken().getSymbol() == Symbol.COLON
          && lookahead(0).getSymbol() == Symbol.COLON) {
        consumeToken();
        return WHOLE;
      }
      return super.expr(required);
    }

    @Override
    protected AstRangeBracket createAstRangeBracket(
        AstNode base,
        @Nullable AstNode start,
        @Nullable AstNode end,
        boolean lvalue,
        boolean strict) {
      return WHOLE.equals(start)
          ? new Slice(base, null, null, end, strict)
          : new Slice(base, start, end, null, strict);
    }
  }

  /// `base[start:end]` or `base[::step]`: part of a list or string. Indices below 0 count from the
  /// end, those beyond it are cut.
  private static final class Slice extends AstRangeBracket {

    private static final AstNode NONE = new AstNull();

    private final AstNode step;

    Slice(
        AstNode base,
        @Nullable AstNode start,
        @Nullable AstNode end,
        @Nullable AstNode step,
        boolean strict) {
      super(base, orNone(start), orNone(end), false, strict, false);
      this.step = orNone(step);
    }

    private static AstNode orNone(@Nullable AstNode node) {
      return node == null ? NONE : node;
    }

    @Override
    public Object eval(Bindings bindings, ELContext context) {
      Object base = prefix.eval(bindings, context);
      List<Object> all = new ArrayList<>();
      switch (base) {
        case String text -> text.codePoints().mapToObj(Character::toString).forEach(all::add);
        case Object[] array -> all.addAll(Arrays.asList(array));
        case Iterable<?> list -> list.forEach(all::add);
        case null, default ->
            throw new ELException(prefix + " is no list or string to take a part of");
      }
      int stride = (int) number(step, 1, bindings, context);
      if (stride == 0) {
        throw new ELException("a slice has step 0");
      }
      List<Object> taken = new ArrayList<>();
      int start = index(property, 0, all.size(), bindings, context);
      int end = index(rangeMax, all.size(), all.size(), bindings, context);
      for (int i = stride > 0 ? start : end - 1; i >= start && i < end; i += stride) {
        taken.add(all.get(i));
      }
      return base instanceof String
          ? taken.stream().map(String::valueOf).collect(Collectors.joining())
          : new PyList(taken);
    }

    private static int index(
        AstNode node, int missing, int size, Bindings bindings, ELContext context) {
      long index = number(node, missing, bindings, context);
      return Math.clamp(index < 0 ? index + size : index, 0, size);
    }

    private static long number(AstNode node, int missing, Bindings bindings, ELContext context) {
      return switch (node.eval(bindings, context)) {
        case null -> missing;
        case Number number -> number.longValue();
        case Object other ->
            throw new ELException("a slice's index is " + other + "; legal: numbers");
      };
    }
  }
}
