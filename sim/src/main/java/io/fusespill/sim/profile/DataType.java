package io.fusespill.sim.profile;

import java.util.Arrays;
import java.util.List;

/// How a number of weights and KV is stored.
public enum DataType {
  FLOAT16("float16", 2),
  BFLOAT16("bfloat16", 2),
  FLOAT32("float32", 4);

  private final String label;
  private final int bytes;

  DataType(String label, int bytes) {
    this.label = label;
    this.bytes = bytes;
  }

  /// The name that checkpoints use.
  public String label() {
    return label;
  }

  public int bytes() {
    return bytes;
  }

  static DataType of(String label) {
    for (DataType type : values()) {
      if (type.label.equals(label)) {
        return type;
      }
    }
    List<String> known = Arrays.stream(values()).map(DataType::label).toList();
    throw new ProfileException(
        "dtype is \"%s\", must be one of %s%s"
            .formatted(label, String.join(", ", known), NearMatch.hint(label, known)));
  }
}
