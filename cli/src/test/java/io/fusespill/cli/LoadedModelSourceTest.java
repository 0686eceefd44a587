package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.cli.LoadedModel.Source;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.LoadFormat;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.NullSource;

/// What `resume` knows of the model that was running.
final class LoadedModelSourceTest {

  @ParameterizedTest
  @NullSource
  @EnumSource(names = {"BF16", "F16"})
  void isWhatItWas(@Nullable ElementType type) {
    Path folder = Path.of("models", "x").toAbsolutePath();
    Source source = new Source(folder, null, LoadFormat.DUMMY, 7, type);
    ObjectNode json = source.toJson();
    assertThat(json.has("dtype")).isEqualTo(type != null);
    assertThat(Source.of(json)).isEqualTo(source);
  }
}
