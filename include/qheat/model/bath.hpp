#pragma once

#include <optional>
#include <vector>

namespace qheat {

/// Heat reservoir at one site: jumps between neighbouring levels (physics: section Model).
struct Reservoir {
  enum class Statistics { fermi, bose };

  int site = 0;
  double temperature = 1.0;  ///< in units of energy; infinity allowed with fermi
  double rate = 1.0;         ///< g, inverse time
  Statistics statistics = Statistics::fermi;
};

/// Rates of the jumps up and down between two levels, inverse time.
struct JumpRates {
  double up, down;
};

/// Between levels n and n+1 a distance `gap` apart: g/(1 + e^{w/T}), g/(1 + e^{-w/T}) with fermi, g n_B,
/// g (n_B + 1) with bose (gap > 0). Their ratio is e^{-w/T}.
JumpRates jump_rates(const Reservoir& reservoir, double gap);

/// Correlation function of a local bath, for second-order kernels only.
struct BathCorrelation {
  enum class Kind { exponential, gaussian, bosons };

  Kind kind = Kind::exponential;
  double rate = 0.0;         ///< exponential, gaussian: gamma, inverse time
  double alpha = 0.0;        ///< bosons: coupling, dimensionless
  double cutoff = 0.0;       ///< bosons: w_c, energy
  double temperature = 0.0;  ///< bosons: energy
};

/// Surroundings of the lattice. Default: a closed system.
struct Bath {
  double dephasing = 0.0;  ///< gamma on every site, inverse time
  std::vector<Reservoir> reservoirs;
  std::optional<BathCorrelation> correlation;

  bool closed() const { return dephasing == 0.0 && reservoirs.empty() && !correlation; }
};

}  // namespace qheat
