package io.fusespill.cuda.blas;

import io.fusespill.cuda.driver.Cuda;
import io.fusespill.cuda.driver.CudaException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Where cuBLASLt is on this machine, or where it was looked for.
///
/// What is set comes first: the system property `fusespill.cublas`, then `FUSESPILL_CUBLAS` in the
/// environment, each the library or a folder with it; then nothing else is looked at. Otherwise the
/// first of: CUDA_HOME, CUDA_PATH, the folders of LD_LIBRARY_PATH, the usual folders of the CUDA
/// toolkit, Python's packages `nvidia-cublas`.
///
/// @param library the file, if there is one
/// @param searched folders and files that were looked at, in order
/// @param setting what names the place, if something does
public record CublasLibrary(Optional<Path> library, List<Path> searched, Optional<String> setting) {

  static final String PROPERTY = "fusespill.cublas";
  static final String VARIABLE = "FUSESPILL_CUBLAS";

  private static final int NEWEST = 13;
  private static final int OLDEST = 12;

  private static final String TARGET = "targets/x86_64-linux/lib";
  private static final String PYTHON = "lib/python3*/";

  public CublasLibrary {
    searched = List.copyOf(searched);
  }

  /// Looks for it.
  public static CublasLibrary find() {
    int driver =
        Cuda.driverVersion()
            .map(version -> Integer.parseInt(version.substring(0, version.indexOf('.'))))
            .orElse(NEWEST);
    return find(Path.of("/"), System.getenv(), System.getProperty(PROPERTY), driver);
  }

  /// @param root of the file system, for folders that no variable names
  /// @param driver major version of CUDA that the driver can run: newer libraries do not work
  static CublasLibrary find(
      Path root, Map<String, String> environment, @Nullable String property, int driver) {
    List<String> names =
        IntStream.iterate(Math.min(NEWEST, driver), version -> version >= OLDEST, i -> i - 1)
            .mapToObj(version -> "libcublasLt.so." + version)
            .toList();
    String variable = environment.get(VARIABLE);
    if (property != null) {
      return first(List.of(Path.of(property)), names, Optional.of("-D" + PROPERTY));
    }
    if (variable != null) {
      return first(List.of(Path.of(variable)), names, Optional.of(VARIABLE));
    }
    return first(folders(root, environment), names, Optional.empty());
  }

  private static CublasLibrary first(
      List<Path> places, List<String> names, Optional<String> setting) {
    for (Path place : places) {
      if (Files.isRegularFile(place)) {
        return new CublasLibrary(Optional.of(place), places, setting);
      }
      for (String name : names) {
        Path file = place.resolve(name);
        if (Files.isRegularFile(file)) {
          return new CublasLibrary(Optional.of(file), places, setting);
        }
      }
    }
    return new CublasLibrary(Optional.empty(), places, setting);
  }

  private static List<Path> folders(Path root, Map<String, String> environment) {
    List<Path> folders = new ArrayList<>();
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      for (Path home : paths(environment.get(variable))) {
        folders.add(home.resolve("lib64"));
        folders.add(home.resolve(TARGET));
      }
    }
    folders.addAll(paths(environment.get("LD_LIBRARY_PATH")));
    for (String pattern :
        List.of(
            "usr/local/cuda/lib64",
            "usr/local/cuda/" + TARGET,
            "usr/local/cuda-*/lib64",
            "usr/local/cuda-*/" + TARGET,
            "opt/cuda/lib64",
            "usr/lib/x86_64-linux-gnu",
            "usr/lib64")) {
      folders.addAll(expand(root, pattern));
    }
    for (Path packages : pythonPackages(root, environment)) {
      folders.add(packages.resolve("nvidia/cu13/lib"));
      folders.add(packages.resolve("nvidia/cublas/lib"));
    }
    return folders.stream().distinct().filter(Files::isDirectory).toList();
  }

  private static List<Path> pythonPackages(Path root, Map<String, String> environment) {
    List<Path> packages = new ArrayList<>();
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      for (Path prefix : paths(environment.get(variable))) {
        packages.addAll(expand(prefix, PYTHON + "site-packages"));
      }
    }
    for (Path programs : paths(environment.get("PATH"))) {
      Path prefix = programs.getParent();
      if (prefix != null && programs.endsWith("bin")) {
        packages.addAll(expand(prefix, PYTHON + "site-packages"));
        packages.addAll(expand(prefix, PYTHON + "dist-packages"));
      }
    }
    for (Path home : paths(environment.get("HOME"))) {
      packages.addAll(expand(home, ".local/" + PYTHON + "site-packages"));
    }
    packages.addAll(expand(root, "opt/*/.venv/" + PYTHON + "site-packages"));
    packages.addAll(expand(root, "opt/*/" + PYTHON + "site-packages"));
    packages.addAll(expand(root, "usr/local/" + PYTHON + "*-packages"));
    packages.addAll(expand(root, "usr/lib/python3*/dist-packages"));
    return packages;
  }

  private static List<Path> paths(@Nullable String variable) {
    if (variable == null) {
      return List.of();
    }
    List<Path> paths = new ArrayList<>();
    for (String part : variable.split(":", -1)) {
      if (!part.isBlank()) {
        paths.add(Path.of(part));
      }
    }
    return paths;
  }

  /// The folders that fit a pattern with `*` in names; the last names first, as they are the
  /// newest.
  private static List<Path> expand(Path root, String pattern) {
    List<Path> found = List.of(root);
    for (String name : pattern.split("/", -1)) {
      List<Path> next = new ArrayList<>();
      for (Path folder : found) {
        if (name.contains("*")) {
          next.addAll(children(folder, name));
        } else {
          next.add(folder.resolve(name));
        }
      }
      found = next;
    }
    return found.stream().filter(Files::isDirectory).toList();
  }

  private static List<Path> children(Path folder, String glob) {
    if (!Files.isReadable(folder) || !Files.isDirectory(folder)) {
      return List.of();
    }
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, glob)) {
      List<Path> children = new ArrayList<>();
      stream.forEach(children::add);
      children.sort(Comparator.reverseOrder());
      return children;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + folder, e);
    } catch (DirectoryIteratorException e) {
      throw new UncheckedIOException("cannot list " + folder, e.getCause());
    }
  }

  /// The file.
  ///
  /// @throws CudaException with [#missing] if there is none
  public Path require() {
    return library.orElseThrow(() -> new CudaException(missing()));
  }

  /// One line that says what was not found where, and the mend.
  public String missing() {
    String names = "libcublasLt.so.%d or .so.%d".formatted(NEWEST, OLDEST);
    String mend = "%s or -D%s names the file or its folder".formatted(VARIABLE, PROPERTY);
    if (setting.isPresent()) {
      return "cuBLASLt is not at %s, which %s names: neither a file nor a folder with %s"
          .formatted(searched.getFirst(), setting.get(), names);
    }
    return "cuBLASLt (%s, of CUDA's toolkit or pip's nvidia-cublas) is in none of %s; %s"
        .formatted(
            names,
            searched.isEmpty()
                ? "the usual folders"
                : String.join(", ", searched.stream().map(Path::toString).toList()),
            mend);
  }
}
