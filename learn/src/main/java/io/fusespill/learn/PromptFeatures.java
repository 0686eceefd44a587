package io.fusespill.learn;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleBiFunction;

/// What is seen of a prompt: a fixed list of numbers with names.
///
/// Counts and shares of characters, what is asked for, phrases that go with long or short answers,
/// and words by their hash. Words are taken from the front and from the end of the prompt, where
/// the instruction stands. A number for a word is its bucket, so the words cannot be read from a
/// model.
final class PromptFeatures {

  /// The index of the one feature that is never 0.
  static final int PROMPT_TOKENS = 0;

  private static final int WORDS_IN_FRONT = 100;
  private static final int WORDS_AT_THE_END = 50;
  private static final int WORD_BUCKETS = 256;
  private static final int BEGINNING_BUCKETS = 32;
  private static final double STEP_MIN = 1.0 / 64;
  private static final int FNV_OFFSET = 0x811c9dc5;
  private static final int FNV_PRIME = 0x01000193;

  /// Phrases in lower case that tell a task or a size.
  private static final List<String> PHRASES =
      List.of(
          "list",
          "write",
          "explain",
          "describe",
          "summarize",
          "summary",
          "translate",
          "classify",
          "rewrite",
          "edit",
          "correct",
          "calculate",
          "compute",
          "solve",
          "find",
          "prove",
          "create",
          "generate",
          "design",
          "implement",
          "compare",
          "analyze",
          "extract",
          "convert",
          "suggest",
          "identify",
          "answer",
          "tell me",
          "give me",
          "what is",
          "what are",
          "how to",
          "how do",
          "how many",
          "how much",
          "why",
          "who",
          "when",
          "where",
          "which",
          "yes or no",
          "true or false",
          "one word",
          "one sentence",
          "only",
          "just",
          "short",
          "brief",
          "concise",
          "long",
          "detailed",
          "comprehensive",
          "step by step",
          "steps",
          "in detail",
          "outline",
          "plan",
          "guide",
          "tutorial",
          "example",
          "examples",
          "ideas",
          "tips",
          "story",
          "essay",
          "poem",
          "song",
          "article",
          "blog",
          "email",
          "letter",
          "report",
          "script",
          "dialogue",
          "conversation",
          "roleplay",
          "pretend",
          "imagine",
          "act as",
          "you are",
          "table",
          "json",
          "html",
          "css",
          "xml",
          "csv",
          "code",
          "function",
          "class",
          "program",
          "algorithm",
          "bug",
          "error",
          "test",
          "query",
          "regex",
          "api",
          "python",
          "java",
          "javascript",
          "typescript",
          "c++",
          "c#",
          "c",
          "rust",
          "go",
          "ruby",
          "php",
          "sql",
          "bash",
          "react",
          "equation",
          "integral",
          "probability",
          "chapter",
          "title",
          "headline",
          "name",
          "sentence",
          "paragraph",
          "review",
          "recipe",
          "multiple choice",
          "options",
          "please");

  private static final List<Named> NUMBERS =
      List.of(
          new Named("prompt tokens", (text, words) -> text.promptTokens()),
          new Named("characters", (text, words) -> text.characters()),
          new Named("words", (text, words) -> words.count()),
          new Named("lines", (text, words) -> text.lines()),
          new Named("letters a word", (text, words) -> text.letters() / (1.0 + words.count())),
          new Named("question marks", (text, words) -> text.count('?')),
          new Named("exclamation marks", (text, words) -> text.count('!')),
          new Named("colons", (text, words) -> text.count(':')),
          new Named("commas", (text, words) -> text.count(',')),
          new Named("full stops", (text, words) -> text.count('.')),
          new Named("quotes", (text, words) -> text.count('"')),
          new Named("code fences", (text, words) -> text.count('`') / 3.0),
          new Named("braces", (text, words) -> text.count('{') + text.count('}')),
          new Named("parentheses", (text, words) -> text.count('(')),
          new Named("semicolons", (text, words) -> text.count(';')),
          new Named("equal signs", (text, words) -> text.count('=')),
          new Named("dollar signs", (text, words) -> text.count('$')),
          new Named("backslashes", (text, words) -> text.count('\\')),
          new Named("share of digits", (text, words) -> text.share(text.digits())),
          new Named("share of capitals", (text, words) -> text.share(text.capitals())),
          new Named("share beyond ASCII", (text, words) -> text.share(text.beyondAscii())),
          new Named("ends with a question mark", (text, words) -> text.endsWith('?')),
          new Named("ends with a colon", (text, words) -> text.endsWith(':')),
          new Named("things asked for", (text, words) -> words.countOfThings()),
          new Named("words asked for", (text, words) -> words.countOf("word")),
          new Named("sentences asked for", (text, words) -> words.countOf("sentence")),
          new Named("paragraphs asked for", (text, words) -> words.countOf("paragraph")),
          new Named("lines asked for", (text, words) -> words.countOf("line")));

  private static final List<String> NAMES = names();
  private static final Map<String, Integer> INDEXES = indexes();

  private PromptFeatures() {}

  private record Named(String name, ToDoubleBiFunction<PromptText, Words> value) {}

  private static List<String> names() {
    List<String> names = new ArrayList<>();
    NUMBERS.forEach(number -> names.add(number.name()));
    PHRASES.forEach(phrase -> names.add("\"%s\"".formatted(phrase)));
    numbered(names, "first word", BEGINNING_BUCKETS);
    numbered(names, "first two words", BEGINNING_BUCKETS);
    numbered(names, "word", WORD_BUCKETS);
    return List.copyOf(names);
  }

  private static void numbered(List<String> names, String name, int buckets) {
    for (int bucket = 0; bucket < buckets; bucket++) {
      names.add("%s %d".formatted(name, bucket));
    }
  }

  private static Map<String, Integer> indexes() {
    Map<String, Integer> indexes = new HashMap<>();
    for (String name : NAMES) {
      indexes.put(name, indexes.size());
    }
    return indexes;
  }

  /// How many numbers there are.
  static int count() {
    return NAMES.size();
  }

  static String name(int index) {
    return NAMES.get(index);
  }

  /// The index of a name, or −1.
  static int index(String name) {
    return INDEXES.getOrDefault(name, -1);
  }

  /// All numbers of a prompt, none of them NaN or infinite.
  static double[] of(String prompt, int promptTokens) {
    PromptText text = PromptText.of(prompt, promptTokens);
    Words words = Words.of(prompt);
    double[] features = new double[NAMES.size()];
    int at = 0;
    for (Named number : NUMBERS) {
      features[at++] = coarse(number.value().applyAsDouble(text, words));
    }
    for (String phrase : PHRASES) {
      features[at++] = words.contain(phrase) ? 1 : 0;
    }
    String first = words.orEmpty(0);
    features[at + bucket(first, BEGINNING_BUCKETS)] = 1;
    at += BEGINNING_BUCKETS;
    features[at + bucket(first + " " + words.orEmpty(1), BEGINNING_BUCKETS)] = 1;
    at += BEGINNING_BUCKETS;
    for (int i = 0; i < words.count(); i++) {
      if (i < WORDS_IN_FRONT || i >= words.count() - WORDS_AT_THE_END) {
        features[at + bucket(words.get(i), WORD_BUCKETS)] = 1;
      }
    }
    return features;
  }

  /// Rounded to eight steps from one power of two to the next, and to 64ths below: CART's time is
  /// the square of how many values there are, and a prompt of 1,003 characters is one of 1,024.
  private static double coarse(double value) {
    double step = Math.max(STEP_MIN, Math.scalb(1.0, Math.getExponent(value) - 3));
    return Math.rint(value / step) * step;
  }

  /// FNV-1a, folded so that its low bits depend on all of them.
  private static int bucket(String word, int buckets) {
    int hash = FNV_OFFSET;
    for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ Byte.toUnsignedInt(b)) * FNV_PRIME;
    }
    return Integer.remainderUnsigned(hash ^ (hash >>> 16), buckets);
  }
}
