package io.fusespill.host.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import io.fusespill.host.checkpoint.CheckpointException;
import io.fusespill.host.checkpoint.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Text to token ids and back, as a folder's `tokenizer.json` says: Hugging Face's own tokenizers,
/// called natively. Nothing is truncated, padded or fetched. Safe for any number of threads.
public final class Tokenizer implements AutoCloseable {

  private final Path folder;
  private final HuggingFaceTokenizer natives;
  private final Map<String, Integer> added;
  private final BitSet special;
  private final @Nullable JsonFile config;

  private Tokenizer(
      Path folder,
      HuggingFaceTokenizer natives,
      Map<String, Integer> added,
      BitSet special,
      @Nullable JsonFile config) {
    this.folder = folder;
    this.natives = natives;
    this.added = added;
    this.special = special;
    this.config = config;
  }

  /// Opens a folder with `tokenizer.json`, and `tokenizer_config.json` where there is one.
  ///
  /// @throws CheckpointException if it is missing or damaged
  public static Tokenizer open(Path folder) {
    Path file = folder.resolve("tokenizer.json");
    if (!Files.isRegularFile(file)) {
      boolean old = Files.isRegularFile(folder.resolve("tokenizer.model"));
      throw new CheckpointException(
          "%s is missing%s; take a folder that has it, for example with --tokenizer"
              .formatted(
                  file,
                  old ? ", tokenizer.model alone is not read (transformers converts it)" : ""));
    }
    JsonFile json = JsonFile.read(file);
    Map<String, Integer> added = new TreeMap<>();
    BitSet special = new BitSet();
    for (JsonNode token : json.get("added_tokens")) {
      int id = token.path("id").asInt(-1);
      if (id < 0 || !token.path("content").isTextual()) {
        throw new CheckpointException(
            "%s: added_tokens has %s; legal: objects with id and content".formatted(file, token));
      }
      added.put(token.path("content").textValue(), id);
      special.set(id, token.path("special").asBoolean(false));
    }
    Path config = folder.resolve("tokenizer_config.json");
    return new Tokenizer(
        folder,
        natives(file),
        added,
        special,
        Files.isRegularFile(config) ? JsonFile.read(config) : null);
  }

  private static HuggingFaceTokenizer natives(Path file) {
    NativeLibrary.prepare();
    try {
      return HuggingFaceTokenizer.builder()
          .optTokenizerPath(file)
          .optTruncation(false)
          .optPadding(false)
          .build();
    } catch (IOException | RuntimeException e) {
      throw new CheckpointException(
          "%s is no tokenizer that can be read: %s; fetch the file again"
              .formatted(file, String.valueOf(e.getMessage()).lines().findFirst().orElse("")),
          e);
    } catch (UnsatisfiedLinkError | ExceptionInInitializerError e) {
      throw new CheckpointException(
          "the native tokenizer cannot be loaded: %s; it is unpacked into %s, which must be writable"
              .formatted(e, NativeLibrary.cache()),
          e);
    }
  }

  /// The ids of a text.
  ///
  /// @param withSpecialTokens whether those are added that the tokenizer puts around a text, such
  ///   as the one that begins a sequence; not for what a chat template made
  public int[] encode(String text, boolean withSpecialTokens) {
    long[] ids = natives.encode(text, withSpecialTokens, false).getIds();
    int[] narrow = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      narrow[i] = Math.toIntExact(ids[i]);
    }
    return narrow;
  }

  /// The text of ids.
  ///
  /// @param skipSpecialTokens whether special tokens are left out
  public String decode(int[] ids, boolean skipSpecialTokens) {
    return decode(ids, 0, ids.length, skipSpecialTokens);
  }

  String decode(int[] ids, int from, int to, boolean skipSpecialTokens) {
    long[] wide = new long[to - from];
    for (int i = from; i < to; i++) {
      wide[i - from] = ids[i];
    }
    return natives.decode(wide, skipSpecialTokens);
  }

  /// Whether the id is that of a special token, which is no text.
  public boolean isSpecial(int id) {
    return special.get(id);
  }

  /// The id of an added token, such as `<|im_end|>`; empty if there is none of that text.
  public OptionalInt addedId(String token) {
    Integer id = added.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /// The id that `tokenizer_config.json` says begins a sequence.
  public OptionalInt bosId() {
    return addedId(namedToken("bos_token"));
  }

  /// The id that `tokenizer_config.json` says ends a sequence.
  public OptionalInt eosId() {
    return addedId(namedToken("eos_token"));
  }

  /// The text of `bos_token` and the like, which is a text or an object; empty if there is none.
  private String namedToken(String key) {
    return config == null ? "" : ChatTemplate.tokenText(config.get(key));
  }

  /// How the model wants chats to be written.
  ///
  /// @throws CheckpointException if the folder has no template, or one that cannot be read
  public ChatTemplate chatTemplate() {
    return ChatTemplate.open(folder);
  }

  /// How chats are to be written, by a template in the place of the folder's.
  ///
  /// @throws CheckpointException if the file cannot be read
  public ChatTemplate chatTemplate(Path file) {
    return ChatTemplate.of(file, folder);
  }

  @Override
  public void close() {
    natives.close();
  }
}
