package io.fusespill.live;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.plan.Ints;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.traces.JsonFault;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/// The requests of a run as JSON lines, so that one that is interrupted knows what is still to be
/// sent.
public final class RequestFile {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private RequestFile() {}

  /// Writes all requests, or nothing.
  public static void write(Path file, List<TextRequest> requests) {
    Path temporary = file.resolveSibling(file.getFileName() + ".next");
    try {
      try (BufferedWriter out = Files.newBufferedWriter(temporary, StandardCharsets.UTF_8)) {
        for (TextRequest request : requests) {
          out.write(line(request));
          out.write('\n');
        }
      }
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write %s: %s".formatted(file, e), e);
    }
  }

  private static String line(TextRequest request) throws JsonProcessingException {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("arrival_nanos", request.arrivalNanos());
    json.put("hint_tokens", request.hintTokens());
    json.put("max_output_tokens", request.maxOutputTokens());
    json.set("params", MAPPER.readTree(request.params().toJson()));
    ArrayNode ids = json.putArray("prompt_ids");
    for (int i = 0; i < request.promptIds().size(); i++) {
      ids.add(request.promptIds().get(i));
    }
    return MAPPER.writeValueAsString(json);
  }

  /// Reads what [#write] wrote.
  ///
  /// @throws LiveException if the file cannot be read or is damaged
  public static List<TextRequest> read(Path file) {
    List<TextRequest> requests = new ArrayList<>();
    try {
      for (String line : Files.readAllLines(file)) {
        JsonNode json = MAPPER.readTree(line);
        JsonNode ids = json.required("prompt_ids");
        int[] prompt = new int[ids.size()];
        for (int i = 0; i < prompt.length; i++) {
          prompt[i] = ids.get(i).intValue();
        }
        requests.add(
            new TextRequest(
                json.required("arrival_nanos").longValue(),
                Ints.of(prompt),
                SamplingParams.parse(json.required("params").toString()),
                json.required("hint_tokens").intValue(),
                json.required("max_output_tokens").intValue()));
      }
    } catch (IOException e) {
      throw damaged(file, requests.size() + 1, JsonFault.of(e), e);
    } catch (IllegalArgumentException e) {
      throw damaged(file, requests.size() + 1, String.valueOf(e.getMessage()), e);
    }
    return requests;
  }

  private static LiveException damaged(Path file, int line, String fault, Exception cause) {
    return new LiveException(
        "%s, line %d, cannot be read: %s; put it back from a copy, or start the run again"
            .formatted(file, line, fault),
        cause);
  }
}
