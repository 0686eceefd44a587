package io.fusespill.cli;

import io.fusespill.charts.FigureFiles.Format;
import io.fusespill.charts.FigureKind;
import io.fusespill.charts.GridKind;
import io.fusespill.charts.Theme;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.host.checkpoint.LoadFormat;
import io.fusespill.journal.Durability;
import io.fusespill.report.export.ExportFormat;
import io.fusespill.sweep.LocalEngine;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// What the completion script offers for options with few values, as they are documented. Told when
/// asked for: every command makes these objects, and the figures' would load the charts' classes.
abstract class Candidates implements Iterable<String> {

  private final Supplier<Stream<String>> values;

  private Candidates(Supplier<Stream<String>> values) {
    this.values = values;
  }

  private static Stream<String> lowerCase(Enum<?>[] constants) {
    return Arrays.stream(constants).map(constant -> constant.name().toLowerCase(Locale.ROOT));
  }

  @Override
  public Iterator<String> iterator() {
    return values.get().distinct().iterator();
  }

  static final class Policies extends Candidates {
    Policies() {
      super(() -> PolicyKind.labels().stream());
    }
  }

  static final class Figures extends Candidates {
    Figures() {
      super(() -> Stream.concat(FigureKind.labels().stream(), GridKind.labels().stream()));
    }
  }

  static final class FigureFormats extends Candidates {
    FigureFormats() {
      super(() -> lowerCase(Format.values()));
    }
  }

  static final class Themes extends Candidates {
    Themes() {
      super(() -> lowerCase(Theme.values()));
    }
  }

  static final class ExportFormats extends Candidates {
    ExportFormats() {
      super(() -> lowerCase(ExportFormat.values()));
    }
  }

  static final class Engines extends Candidates {
    Engines() {
      super(() -> Stream.of(LocalEngine.NAME, "spark"));
    }
  }

  static final class Journals extends Candidates {
    Journals() {
      super(() -> lowerCase(Durability.values()));
    }
  }

  static final class LoadFormats extends Candidates {
    LoadFormats() {
      super(() -> lowerCase(LoadFormat.values()));
    }
  }
}
