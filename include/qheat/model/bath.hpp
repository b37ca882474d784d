#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// Rates of the jumps up and down between two levels, inverse time.
struct JumpRates {
  double up, down;
};

/// Reservoir at one site: jumps between neighbouring levels (physics: section Model), by temperature and
/// rate, or by the rates of the jumps themselves: sources, sinks, populations that are inverted.
struct Reservoir {
  enum class Statistics { fermi, bose };

  int site = 0;
  double temperature = 1.0;  ///< in units of energy; infinity allowed with fermi
  double rate = 1.0;         ///< g, inverse time
  Statistics statistics = Statistics::fermi;
  std::vector<JumpRates> given = {};  ///< of each gap, in place of all of these; empty: by temperature
};

/// Between levels n and n+1 a distance `gap` apart: g/(1 + e^{w/T}), g/(1 + e^{-w/T}) with fermi, g n_B,
/// g (n_B + 1) with bose (gap > 0). Their ratio is e^{-w/T}. For a reservoir by temperature.
JumpRates jump_rates(const Reservoir& reservoir, double gap);
/// The rates at all gaps of a site with these level energies, [M - 1].
std::vector<JumpRates> jump_rates(const Reservoir& reservoir, std::span<const double> energies);

/// The temperature whose Boltzmann factor is up/down at every gap where the reservoir jumps: negative where
/// it inverts, 0 for a sink, -0 for a source; none if gaps disagree or levels do not differ there.
std::optional<double> reservoir_temperature(const Reservoir& reservoir, std::span<const double> energies);

/// <to| A |from> on the sites of a jump: levels as one number in base M, the first site most significant.
struct JumpElement {
  std::uint64_t to, from;
  Complex value;
};

/// A Lindblad operator A with its rate at one place: rate (A rho A^+ - {A^+ A, rho}/2).
struct Jump {
  std::vector<int> sites;             ///< one, or the two of a bond, in the order of the elements' levels
  std::vector<JumpElement> elements;  ///< of A, each once
  double rate = 0.0;                  ///< inverse time
};

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
  std::vector<Jump> jumps = {};
  std::optional<BathCorrelation> correlation;

  bool closed() const { return dephasing == 0.0 && only_dephasing() && !correlation; }
  /// No reservoirs and no jumps.
  bool only_dephasing() const { return reservoirs.empty() && jumps.empty(); }
};

}  // namespace qheat
