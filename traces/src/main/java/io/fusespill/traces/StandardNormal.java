package io.fusespill.traces;

/// The standard normal distribution, with the same last bits on every machine.
@SuppressWarnings("FloatingPointLiteralPrecision") // The constants as they are printed.
final class StandardNormal {

  /*
   * quantile: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal
   * distribution", Applied Statistics 37(3), 1988, PPND16; relative error about 1e-16.
   * cdf: J. F. Hart et al., "Computer Approximations", 1968, algorithm 5666, as given by
   * G. West, "Better approximations to cumulative normal functions", Wilmott, 2005, without
   * its far tail; absolute error below 1e-12.
   * Both are ratios of polynomials; coefficients stand from the highest power down.
   */

  private static final double[] CENTRAL_ABOVE = {
    2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
    4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
    1.3314166789178437745e+2, 3.3871328727963666080e+0
  };
  private static final double[] CENTRAL_BELOW = {
    5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4,
    2.1213794301586595867e+4, 5.3941960214247511077e+3, 6.8718700749205790830e+2,
    4.2313330701600911252e+1, 1
  };
  private static final double[] NEAR_ABOVE = {
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
    1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
    4.63033784615654529590e+0, 1.42343711074968357734e+0
  };
  private static final double[] NEAR_BELOW = {
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
    1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e+0,
    2.05319162663775882187e+0, 1
  };
  private static final double[] FAR_ABOVE = {
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
    2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
    5.46378491116411436990e+0, 6.65790464350110377720e+0
  };
  private static final double[] FAR_BELOW = {
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
    7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
    5.99832206555887937690e-1, 1
  };
  private static final double[] CDF_ABOVE = {
    3.52624965998911e-2,
    7.00383064443688e-1,
    6.37396220353165e+0,
    3.3912866078383e+1,
    1.12079291497871e+2,
    2.21213596169931e+2,
    2.20206867912376e+2
  };
  private static final double[] CDF_BELOW = {
    8.83883476483184e-2, 1.75566716318264e+0, 1.6064177579207e+1, 8.67807322029461e+1,
    2.96564248779674e+2, 6.37333633378831e+2, 7.93826512519948e+2, 4.40413735824752e+2
  };

  private StandardNormal() {}

  /// The value below which a share `p` lies; `p` is between 0 and 1.
  static double quantile(double p) {
    double q = p - 0.5;
    if (Math.abs(q) <= 0.425) {
      return q * ratio(CENTRAL_ABOVE, CENTRAL_BELOW, 0.180625 - q * q);
    }
    double r = Math.sqrt(-StrictMath.log(q < 0 ? p : 1 - p));
    double tail =
        r <= 5 ? ratio(NEAR_ABOVE, NEAR_BELOW, r - 1.6) : ratio(FAR_ABOVE, FAR_BELOW, r - 5);
    return q < 0 ? -tail : tail;
  }

  /// The share below `x`.
  static double cdf(double x) {
    double z = Math.abs(x);
    double density = StrictMath.exp(-z * z / 2);
    double tail = z < 7.07106781186547 ? density * ratio(CDF_ABOVE, CDF_BELOW, z) : 0;
    return x > 0 ? 1 - tail : tail;
  }

  private static double ratio(double[] above, double[] below, double x) {
    return polynomial(above, x) / polynomial(below, x);
  }

  private static double polynomial(double[] coefficients, double x) {
    double value = 0;
    for (double coefficient : coefficients) {
      value = value * x + coefficient;
    }
    return value;
  }
}
