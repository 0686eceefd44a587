package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.PolicyOption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/// The documents have every option of every command, with the default that its help names, and no
/// other. A command's options stand in its section of `docs/cli.md`, or in what that links to.
class OptionsDocsTest {

  private static final Path DOCS = Path.of("..", "docs");
  private static final Pattern HEADING = Pattern.compile("^(#+) (.*)$", Pattern.MULTILINE);
  private static final Pattern LINK = Pattern.compile("]\\(([\\w-]+\\.md)?(?:#([\\w-]+))?\\)");
  private static final Pattern LONG_OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z-]*");

  /// Options of the script `spark/cluster`, which has a table of its own.
  private static final Set<String> SPARK_CLUSTER = Set.of("--cores", "--memory", "--port");

  private static final Pattern DEFAULT = Pattern.compile("\\(default:? ([\\w.-]+)[,;)]");

  private static String read(String page) {
    try {
      return Files.readString(DOCS.resolve(page));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final List<CommandLine> COMMANDS = leaves(FuseSpill.commandLine()).toList();

  /// All commands that have no further ones, by their full names.
  static List<String> commands() {
    return COMMANDS.stream().map(OptionsDocsTest::name).toList();
  }

  private static Stream<CommandLine> leaves(CommandLine command) {
    return command.getSubcommands().isEmpty()
        ? Stream.of(command)
        : command.getSubcommands().values().stream().flatMap(OptionsDocsTest::leaves);
  }

  private static String name(CommandLine command) {
    return command.getCommandSpec().qualifiedName(" ").replaceFirst("^fusespill ", "");
  }

  private static List<OptionSpec> options(String command) {
    return COMMANDS.stream()
        .filter(each -> name(each).equals(command))
        .flatMap(each -> each.getCommandSpec().options().stream())
        .filter(option -> !option.usageHelp() && !option.versionHelp())
        .toList();
  }

  private static String section(String page, Pattern heading) {
    Matcher matcher = HEADING.matcher(page);
    StringBuilder sections = new StringBuilder();
    int level = 0;
    int from = 0;
    while (matcher.find()) {
      if (level > 0 && matcher.group(1).length() <= level) {
        sections.append(page, from, matcher.start());
        level = 0;
      }
      if (level == 0 && heading.matcher(matcher.group(2)).find()) {
        level = matcher.group(1).length();
        from = matcher.start();
      }
    }
    return level > 0 ? sections.append(page.substring(from)).toString() : sections.toString();
  }

  /// The command's section of `cli.md`, the pages that it links to, and the sections of `cli.md`
  /// that any of these link to.
  private static String documents(String command) {
    String cli = read("cli.md");
    String named = command.startsWith("bench ") ? "bench" : Pattern.quote(command);
    String own = section(cli, Pattern.compile("`" + named + "[ `]"));
    StringBuilder all = new StringBuilder(own);
    links(own)
        .filter(page -> page.group(1) != null)
        .forEach(link -> all.append(read(link.group(1))));
    links(all.toString())
        .filter(link -> "cli.md".equals(link.group(1)) || link.group(1) == null)
        .filter(link -> link.group(2) != null)
        .forEach(link ->
            all.append(
                section(cli, Pattern.compile("^`?" + Pattern.quote(link.group(2)) + "`?$"))));
    return all.toString();
  }

  private static Stream<MatchResult> links(String text) {
    return LINK.matcher(text).results();
  }

  private static Pattern mention(String option) {
    return Pattern.compile("(?<![\\w-])" + Pattern.quote(option) + "(?![\\w-])");
  }

  @ParameterizedTest
  @MethodSource("commands")
  void everyOption_isDocumented(String command) {
    String documents = documents(command);

    assertThat(
            options(command).stream()
                .flatMap(option -> Stream.of(option.names()))
                .filter(name -> !mention(name).matcher(documents).find()))
        .isEmpty();
  }

  @ParameterizedTest
  @MethodSource("commands")
  void defaults_areThoseOfTheHelp(String command) {
    List<String> rows = documents(command).lines().filter(line -> line.startsWith("| `-")).toList();

    for (OptionSpec option : options(command)) {
      Matcher told = DEFAULT.matcher(String.join(" ", option.description()));
      Pattern name = mention(option.longestName());
      List<String> own =
          rows.stream().filter(row -> name.matcher(row.split("\\|")[1]).find()).toList();
      if (told.find() && !own.isEmpty()) {
        Pattern value = mention(told.group(1));
        assertThat(own)
            .as("%s has the default %s by its help", option.longestName(), told.group(1))
            .anyMatch(row -> value.matcher(row.replaceAll("(?<=\\d),(?=\\d)", "")).find());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void optionsOfAPolicy_haveTheirDefaultsOnItsPage(PolicyKind policy) {
    List<String> told =
        read("policies/" + policy.label() + ".md")
            .lines()
            .filter(line -> line.startsWith("| `"))
            .map(line -> line.replace("`", ""))
            .toList();

    for (PolicyOption option : policy.options()) {
      assertThat(told)
          .as(option.name())
          .anyMatch(
              row -> row.startsWith("| " + option.name() + " | " + option.defaultValue() + " |"));
    }
  }

  /// Those that `cli.md` names at exit code 1.
  @ParameterizedTest
  @ValueSource(strings = {"verify", "compare", "evaluate", "sweep", "capacity", "cheapest"})
  void commandThatEndsWithOne_saysSo(String command) {
    assertThat(section(read("cli.md"), Pattern.compile("^Exit codes$")))
        .containsPattern("\\| 1 \\|.*`" + command + "[ `]");
    assertThat(Cli.run(command, "--help").out()).containsPattern("(?i)(exit codes?|code).*\\b1\\b");
  }

  @Test
  void documentedOptions_areThere() throws IOException {
    Set<String> known = new TreeSet<>(SPARK_CLUSTER);
    commands().forEach(command -> options(command).forEach(o -> known.addAll(List.of(o.names()))));
    try (Stream<Path> pages = Files.walk(DOCS)) {
      for (Path page : pages.filter(path -> path.toString().endsWith(".md")).toList()) {
        Stream<String> told =
            Files.readString(page)
                .lines()
                .filter(line -> line.strip().startsWith("./fusespill ") || line.startsWith("| `-"))
                .map(line -> line.startsWith("|") ? line.split("\\|")[1] : line)
                .flatMap(line -> LONG_OPTION.matcher(line).results().map(MatchResult::group));
        assertThat(told.filter(name -> !known.contains(name))).as(page.toString()).isEmpty();
      }
    }
  }
}
