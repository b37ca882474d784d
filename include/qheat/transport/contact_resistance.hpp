#pragma once

#include <span>
#include <string>
#include <vector>

namespace qheat {

/// The line y(N) = R_contact + N/kappa' through the resistances y = (f_L - f_R)/J of chains of N sites
/// between reservoirs (f: occupations of their levels, J: current of particles); kappa' is then the
/// conductivity of the bulk, per site, free of the jumps at the reservoirs. Fourier's law is this line; a
/// slope between two sizes is not.
struct ContactFit {
  double contact_resistance = 0.0;        ///< R_contact, time
  double contact_resistance_error = 0.0;  ///< standard errors; NaN with fewer than 3 sizes
  double conductivity = 0.0;        ///< kappa', 1/time: D/a^2; NaN with one size, infinite if y does not grow
  double conductivity_error = 0.0;  ///< NaN as well if y does not grow
  double slope = 0.0;               ///< 1/kappa', time
  double slope_error = 0.0;
  double deviation =
      0.0;  ///< largest distance from the line, relative to the largest y; NaN with fewer than 3 sizes
};

/// Least squares with equal weights. Standard errors: from the scatter about the line (S - 2 degrees of
/// freedom) and, in quadrature, what the errors of the single resistances do to the result. y counts as not
/// growing if the slope is below twice its error, or over all sizes adds less than 1e-7 of the largest y,
/// which is rounding: 1/slope would be a number without meaning. `sizes`, `resistance`, `errors`: [S], sizes
/// ascending. NaN everywhere if a resistance is NaN.
ContactFit fit_contact_resistance(std::span<const double> sizes, std::span<const double> resistance,
                                  std::span<const double> errors);

/// True if each two of the fitted conductivities differ by at most twice the standard error of their
/// difference, or by at most `tolerance` times their mean. False where an error is not known.
bool conductivities_agree(const std::vector<ContactFit>& fits, double tolerance);

/// What the growth of a chain's resistance with its length says.
struct TransportVerdict {
  enum class Kind { undecided, diffusive, ballistic };

  Kind kind = Kind::undecided;
  std::string reason;  ///< what was found, or what is missing for a decision

  /// "diffusive at these sizes", ...
  std::string text() const;
};

/// Judges fits at several reservoir rates, resistance [R][S]. Cautious: ballistic only if all resistances
/// stay within 1 % over at least three sizes that span a factor of 2; diffusive only if at least four such
/// sizes and two rates give slopes above five times their errors, the longer and the shorter half of the
/// sizes have the same slope within 5 %, at least half of the largest resistance is the bulk's, and the
/// conductivities at all rates agree within twice their errors or 5 %. Everything else is undecided: contacts
/// or finite sizes still show.
TransportVerdict judge_resistance(std::span<const double> sizes,
                                  const std::vector<std::vector<double>>& resistance,
                                  const std::vector<ContactFit>& fits);

}  // namespace qheat
