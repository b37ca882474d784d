#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "qheat/model/units.hpp"
#include "qheat/transport/diffusion_route.hpp"
#include "qheat/transport/spreading.hpp"

namespace qheat {

/// How energy spreads (physics: section Transport).
struct SpreadVerdict {
  enum class Kind { ballistic, superdiffusive, diffusive, subdiffusive, localised, undecided };
  Kind kind = Kind::undecided;
  std::string reason;  ///< what says so, or what it would take
  /// Of the variance, t^alpha: mean of the local one where it stands still longest before the end, from
  /// `begin` to `until`; NaN if nowhere.
  double exponent = std::numeric_limits<double>::quiet_NaN();
  double begin = 0.0, until = 0.0;
};
const char* name_of(SpreadVerdict::Kind kind);

/// What a verdict rests on.
struct SpreadEvidence {
  std::span<const double> times;
  const Spreading* spread = nullptr;
  /// Local exponent of the variance, [T], and its error (empty: exact): 1 + d ln D/d ln t by Green-Kubo where
  /// there is that route, d ln(variance)/d ln t else, which follows later.
  std::span<const double> exponent, exponent_error;
  double total_error = 0.0;                              ///< of Spreading::total
  double variance_error = 0.0;                           ///< largest one of the samples, length^2
  double end = std::numeric_limits<double>::infinity();  ///< when the excess meets itself or the edge
  double spacing = 1.0;
  bool dephased = false;
  std::optional<UnitSystem> units;  ///< in which the verdict tells times
  std::vector<const DiffusionRoute*> routes;
  std::vector<const DiffusionRoute*> smaller;  ///< of a shorter lattice; empty: not computed
};

/// By the local exponent, the kurtosis, the stability of D and the agreement of routes; undecided wherever
/// one of them is missing, with what it would take.
SpreadVerdict judge_spreading(const SpreadEvidence& evidence);

/// First time at which the excess meets itself or the edge by more than 1e-3 of itself, and by more than the
/// 95 % interval of that share, from `samples` (0: exact); infinite if it does not.
double end_of_spreading(std::span<const double> times, std::span<const double> edge,
                        std::span<const double> edge_error, std::size_t samples);

}  // namespace qheat
