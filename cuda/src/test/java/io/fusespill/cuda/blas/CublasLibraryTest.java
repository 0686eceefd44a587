package io.fusespill.cuda.blas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.cuda.driver.CudaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CublasLibraryTest {

  private static final String SO_13 = "libcublasLt.so.13";
  private static final String SO_12 = "libcublasLt.so.12";

  @TempDir private Path root;
  private final Map<String, String> environment = new HashMap<>();

  private Path put(String file) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    return Files.createFile(path);
  }

  private CublasLibrary find() {
    return CublasLibrary.find(root, environment, null, 13);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "usr/local/cuda/lib64/libcublasLt.so.13",
        "usr/local/cuda-13.0/targets/x86_64-linux/lib/libcublasLt.so.13",
        "usr/lib/x86_64-linux-gnu/libcublasLt.so.12",
        "opt/torch/.venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublasLt.so.13",
        "opt/torch/lib/python3.12/site-packages/nvidia/cublas/lib/libcublasLt.so.12",
        "usr/local/lib/python3.12/dist-packages/nvidia/cublas/lib/libcublasLt.so.12"
      })
  void find_usualPlaces(String file) throws IOException {
    Path library = put(file);
    assertThat(find().library()).contains(library);
  }

  @Test
  void find_variablesComeBeforeUsualPlaces() throws IOException {
    put("usr/local/cuda/lib64/" + SO_13);
    Path path = put("ld/" + SO_12);
    environment.put("LD_LIBRARY_PATH", "/no/such/folder::" + root.resolve("ld"));
    assertThat(find().library()).contains(path);
    Path home = put("home/lib64/" + SO_12);
    environment.put("CUDA_HOME", root.resolve("home").toString());
    assertThat(find().library()).contains(home);
  }

  @Test
  void find_pythonOfThePath() throws IOException {
    Path library = put("venv/lib/python3.11/site-packages/nvidia/cublas/lib/" + SO_12);
    environment.put("PATH", "/usr/bin:" + root.resolve("venv/bin"));
    assertThat(find().library()).contains(library);
  }

  @Test
  void find_newestFirst_butNoneThatTheDriverIsTooOldFor() throws IOException {
    put("usr/local/cuda-12.8/lib64/" + SO_12);
    Path twelve = put("usr/local/cuda-13.0/lib64/" + SO_12);
    Path thirteen = put("usr/local/cuda-13.0/lib64/" + SO_13);
    assertThat(find().library()).contains(thirteen);
    assertThat(CublasLibrary.find(root, environment, null, 12).library()).contains(twelve);
  }

  @Test
  void find_settingsWin_andNothingElseIsLookedAt() throws IOException {
    put("usr/local/cuda/lib64/" + SO_13);
    Path file = put("own/libcublasLt.so.13.1.0");
    Path folder = put("folder/" + SO_12).getParent();
    environment.put(CublasLibrary.VARIABLE, folder.toString());
    assertThat(find().library()).contains(folder.resolve(SO_12));
    assertThat(CublasLibrary.find(root, environment, file.toString(), 13).library()).contains(file);
    environment.put(CublasLibrary.VARIABLE, root.resolve("nowhere").toString());
    assertThatThrownBy(find()::require)
        .isInstanceOf(CudaException.class)
        .hasMessageContaining(root.resolve("nowhere").toString())
        .hasMessageContaining(CublasLibrary.VARIABLE);
  }

  @Test
  void missing_namesWhatWasSearched() throws IOException {
    Files.createDirectories(root.resolve("usr/local/cuda/lib64"));
    assertThatThrownBy(find()::require)
        .hasMessageContaining(SO_13)
        .hasMessageContaining(root.resolve("usr/local/cuda/lib64").toString())
        .hasMessageContaining("FUSESPILL_CUBLAS");
  }
}
