#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "qheat/transport/diffusion_route.hpp"
#include "qheat/transport/spreading.hpp"

namespace qheat {

/// How energy spreads (physics: section Transport).
struct SpreadVerdict {
  enum class Kind { ballistic, superdiffusive, diffusive, subdiffusive, localised, undecided };
  Kind kind = Kind::undecided;
  std::string reason;     ///< what says so, or what it would take
  double exponent = 0.0;  ///< mean of d ln variance/d ln t in the last factor of two of time before the end
  double exponent_drift = 0.0;  ///< largest distance from it there
};
const char* name_of(SpreadVerdict::Kind kind);

/// What a verdict rests on.
struct SpreadEvidence {
  std::span<const double> times;
  const Spreading* spread = nullptr;
  std::span<const double> exponent_error;                ///< [T]; empty: exact
  double end = std::numeric_limits<double>::infinity();  ///< when the excess meets itself or the edge
  double spacing = 1.0;
  std::vector<const DiffusionRoute*> routes;
  double smaller = std::numeric_limits<double>::quiet_NaN();  ///< D of a smaller lattice by the same route
  double smaller_error = 0.0;
};

/// By the local exponent of the variance, the kurtosis, the stability of D and the agreement of routes;
/// undecided wherever one of them is missing, with what it would take.
SpreadVerdict judge_spreading(const SpreadEvidence& evidence);

/// First time at which the excess meets itself or the edge by more than 1e-3 of itself, and by more than
/// three times the error of that share; infinite if it does not.
double end_of_spreading(std::span<const double> times, std::span<const double> edge,
                        std::span<const double> edge_error);

}  // namespace qheat
