#pragma once

#include <limits>
#include <string>
#include <vector>

#include "qheat/transport/chain_resistance.hpp"
#include "qheat/transport/contact_resistance.hpp"
#include "qheat/transport/steady_gradient.hpp"

namespace qheat {

/// What is varied in the bath of steady states that are compared.
struct SteadyVariant {
  double rate = 1.0;       ///< factor of all reservoir rates
  double dephasing = 0.0;  ///< 1/time, in place of the bath's own
};

/// The model with the bath of a variant.
Model varied(Model model, const SteadyVariant& variant);

/// What one steady state contributes.
struct ChainMeasurement {
  ChainResistance chain;
  BulkCoefficients bulk;
};

/// The diffusion constant of the bulk at one dephasing, from all its steady states, and how far it may be
/// off. Two routes lead to it: the growth of the resistance with the length (a^2 kappa', mean over the rates
/// of the reservoirs), which is the value where it is known, and the gradient inside the longest chain, which
/// is the value otherwise. `error` is a half width that holds the parts below: the scatter as a 95 % interval
/// of Student's distribution, added to the largest of the others; at least 1e-6 of the value,
/// as no more is claimed from chains of a few lengths. Parts that cannot be told are NaN, and if all are so
/// is the error. All length^2/time.
struct DiffusionEstimate {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

  double value = kUnknown;    ///< NaN if neither route gives one, or a resistance does not grow
  double error = kUnknown;    ///< infinite if the scatter does not bound the value
  double scatter = kUnknown;  ///< about the line, and errors of the single states
  double rates = kUnknown;    ///< largest distance of one rate's value from the mean
  /// The same of fits without the smallest sizes; by the gradient, of the next shorter chain.
  double windows = kUnknown;
  double routes = kUnknown;  ///< between the two routes
  double places = kUnknown;  ///< largest distance of a single step inside the longest chain from its mean
  std::string obstacle;      ///< why there is no value
};

/// The steady states at one dephasing, compared.
struct SteadyComparison {
  std::vector<ContactFit> fits;  ///< one a rate, [R]
  DiffusionEstimate diffusion;
  TransportVerdict verdict;
};

/// `measured`: [R][S], rates of the reservoirs and sizes, ascending; `spacing`: a; `obstacle`: why there are
/// no resistances, if there are none.
SteadyComparison compare_steady_states(const std::vector<double>& sizes,
                                       const std::vector<std::vector<ChainMeasurement>>& measured,
                                       double spacing, const std::string& obstacle);

/// "0.0762 +- 0.0005", with as many digits as the error leaves; six if it is not known, which is said.
std::string with_error(double value, double error, const std::string& why_unknown);
/// A value with as many digits as its error leaves, at most six.
std::string rounded(double value, double error);

}  // namespace qheat
