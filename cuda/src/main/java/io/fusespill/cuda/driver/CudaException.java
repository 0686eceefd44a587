package io.fusespill.cuda.driver;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A call of NVIDIA's software that failed: what was being done, the driver's name for the failure,
/// and its words.
///
/// After some failures, such as an illegal address in a kernel, nothing works any more on that GPU
/// until the process ends: [#isFatal].
public final class CudaException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /// The code of what is not the driver's to answer.
  public static final int NO_CODE = -1;

  private static final int OUT_OF_MEMORY = 2;
  private static final int INVALID_CONTEXT = 201;
  private static final int NO_BINARY_FOR_GPU = 209;

  private final int code;

  /// A failure of which the message says all.
  public CudaException(String message) {
    this(NO_CODE, message);
  }

  CudaException(int code, String message) {
    super(message);
    this.code = code;
  }

  /// The driver's number of the failure, its `CUresult`, or [#NO_CODE].
  public int code() {
    return code;
  }

  public boolean isOutOfMemory() {
    return code == OUT_OF_MEMORY;
  }

  /// Whether the context is lost, with all memory in it: a kernel went wrong, or the GPU did.
  public boolean isFatal() {
    return isFatal(code);
  }

  static boolean isFatal(int code) {
    return switch (code) {
      case 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721 -> true;
      default -> false;
    };
  }

  static String message(int code, @Nullable String name, @Nullable String words, String doing) {
    String mend =
        switch (code) {
          case OUT_OF_MEMORY ->
              "; take less, for example fewer KV blocks, shorter steps or a smaller model, or free what others have taken";
          case INVALID_CONTEXT -> "; bind the context to this thread first";
          case NO_BINARY_FOR_GPU -> "; the kernels are built for compute capability 8.0 and newer";
          default -> "";
        };
    return String.format(
        Locale.ROOT,
        "%s failed: %s (%s)%s",
        doing,
        name == null ? "CUDA error " + code : name,
        words == null ? "unknown" : words,
        mend);
  }
}
