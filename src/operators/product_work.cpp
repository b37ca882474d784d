#include "qheat/operators/product_work.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

// Seconds of one core of the machine of docs/performance.md.
constexpr double kState = 0.4e-9;        // of a product: what comes with every state
constexpr double kElement = 0.14e-9;     // of an element of H, in the caches
constexpr double kDephasing = 1.0e-9;    // of the diagonal of dephasing
constexpr double kJump = 0.4e-9;         // of an element of a reservoir
constexpr double kByte = 2.0e-11;        // through the memory
constexpr double kOperation = 3.0e-11;   // of a dense product
constexpr double kCaches = 3.0e5;        // complex numbers that stay near the processor
constexpr double kMovedByProduct = 1.5;  // vectors, beside what is hidden behind the elements

double in_memory(double states) {
  return std::clamp((states - kCaches) / (3.0 * kCaches), 0.0, 1.0);
}

}  // namespace

namespace {

/// Part of the states of a sector that have the levels c, d of an element on a given bond.
double share_of_states(const Model& model, const std::vector<int>& counts, const PairElement& e) {
  if (counts.empty()) return 1.0 / model.levels() / model.levels();
  const auto& band = model.site.band_of_level();
  const auto& sizes = model.site.band_sizes();
  const double n = model.sites();
  const double firsts = counts[band[e.c]];
  const double seconds = counts[band[e.d]] - (band[e.c] == band[e.d] ? 1 : 0);
  return firsts * seconds / (n * (n - 1.0)) / sizes[band[e.c]] / sizes[band[e.d]];
}

/// Half the width of the level energies in a sector.
double level_radius(const Model& model, const std::vector<int>& counts) {
  struct Range {
    double low = INFINITY, high = -INFINITY;
  };
  std::vector<Range> bands(counts.size());
  double everywhere = 0.0;
  for (int i = 0; i < model.sites(); ++i) {
    const auto energies = model.energies_of(i);
    const auto [low, high] = std::minmax_element(energies.begin(), energies.end());
    everywhere += (*high - *low) / 2;
    for (std::size_t n = 0; n < energies.size() && !counts.empty(); ++n) {
      Range& range = bands[model.site.band_of_level()[n]];
      range = {std::min(range.low, energies[n]), std::max(range.high, energies[n])};
    }
  }
  if (counts.empty()) return everywhere;
  double inside = 0.0;
  for (std::size_t b = 0; b < counts.size(); ++b) {
    if (counts[b] > 0) inside += counts[b] * (bands[b].high - bands[b].low) / 2;
  }
  return std::min(everywhere, inside);
}

/// Of V alone, |J_b| = 1: largest sum over a row, and what leads away from a state of the sector on average.
struct BondStrength {
  double norm = 0.0, leaving = 0.0;
};
BondStrength strength_of(const Model& model, const std::vector<int>& counts, const PairInteraction& v) {
  BondStrength strength;
  std::map<std::pair<Level, Level>, double> rows;
  for (const auto& e : v.elements()) {
    double& row = rows[{e.a, e.b}];
    row += std::abs(e.value);
    strength.norm = std::max(strength.norm, row);
    if (e.a != e.c || e.b != e.d) strength.leaving += std::abs(e.value) * share_of_states(model, counts, e);
  }
  return strength;
}

}  // namespace

double elements_a_state(const Model& model, const std::vector<int>& counts) {
  std::vector<double> elements;
  for (const auto& v : model.interactions) {
    elements.push_back(0.0);
    for (const auto& e : v.elements()) elements.back() += share_of_states(model, counts, e);
  }
  double all = 0.0;
  for (const int v : model.interaction_of_bond) all += at(elements, v);
  return all;
}

double typical_radius(const Model& model, const std::vector<int>& counts) {
  // Exchange chains at half filling reach 0.69 of the sum of the norms of their bonds, xy chains 0.64; few
  // excitations touch few bonds, and what leaves a state says more.
  constexpr double kOfNorms = 0.68;
  constexpr double kOfLeaving = 1.35;
  std::vector<BondStrength> strengths;
  for (const auto& v : model.interactions) strengths.push_back(strength_of(model, counts, v));
  double norms = 0.0;
  double leaving = 0.0;
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const auto bond = as_size(b);
    const double coupling = std::abs(model.strength * model.couplings[bond]);
    const auto& strength = at(strengths, model.interaction_of_bond[bond]);
    norms += coupling * strength.norm;
    leaving += coupling * strength.leaving;
  }
  return level_radius(model, counts) + std::min(kOfNorms * norms, kOfLeaving * leaving);
}

Work pass_work(double elements, double vectors, double different) {
  const double seconds = kByte * sizeof(Complex) * vectors * elements;
  const double far = in_memory(elements * different);
  constexpr double kCached = 0.3;  // of the time in memory
  return {.products = kCached * (1.0 - far) * seconds, .streams = far * seconds};
}

Work dense_work(double operations) {
  return {.dense = kOperation * operations};
}

Work diagonalization_work(double dimension, bool real) {
  // ScaLAPACK's tridiagonalisation reads the matrix once a column; SLEPc's complex solver takes ten times as
  // long as both.
  const double cube = std::pow(dimension, 3);
  constexpr double kOperations = 3.5;
  constexpr double kBytes = 8.0 / 6.0;
  constexpr double kComplex = 10.0;
  return (real ? 1.0 : kComplex) *
         Work{.streams = kByte * kBytes * cube, .dense = kOperation * kOperations * cube};
}

Work hamiltonian_work(const Model& model, const std::vector<int>& counts, double states) {
  Work work{.products = (kState + kElement * elements_a_state(model, counts)) * states};
  work += in_memory(states) * pass_work(states, kMovedByProduct);
  return work;
}

Work liouvillian_work(const Model& model, const std::vector<std::vector<int>>& counts, double elements) {
  double of_h = 0.0;
  for (const auto& block : counts) of_h = std::max(of_h, elements_a_state(model, block));
  constexpr double kDistant = 1.2;  // rows of ket and bra lie farther apart than those of states
  double element = kState + 2.0 * kDistant * kElement * of_h;
  if (model.bath.dephasing > 0.0) element += kDephasing;
  element += kJump * model.levels() * static_cast<double>(model.bath.reservoirs.size());
  for (const Jump& jump : model.bath.jumps) {
    const auto count = static_cast<double>(jump.elements.size());
    element += kJump * count * count;
  }
  Work work{.products = element * elements};
  work += in_memory(elements) * pass_work(elements, 2.0 * kMovedByProduct);
  return work;
}

double jump_table_bytes(const Model& model, double kets) {
  constexpr double kEntry = 30.0;  // of a map between bras
  double elements = 0.0;           // of a bra's row in all maps
  for (const Jump& jump : model.bath.jumps) {
    const auto count = static_cast<double>(jump.elements.size());
    elements += count * count / std::pow(model.levels(), jump.sites.size());
  }
  return kEntry * kets * elements;
}

}  // namespace qheat
