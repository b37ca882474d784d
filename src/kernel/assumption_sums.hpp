#pragma once

#include <array>
#include <span>
#include <vector>

#include "qheat/kernel/assumptions.hpp"
#include "qheat/model/model.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// What the scores are made of. Whatever must vanish for a perfect score is summed by itself and is never the
/// difference of two sums, so that a perfect score is 1 to rounding.
enum AssumptionSum : std::size_t {
  kMagnitude,  // of |W|: all elements,
  kNonlocal,
  kOutside,  // those that do not conserve energy,
  kNegative,
  kLocal,
  kLocalNoSwap,
  kSquares,             // of W^2: all elements,
  kGrouped,             // those in groups of at least two that differ in the spectators alone
  kAsymmetry,           // of squared deviations: from the transpose,
  kSpectatorDeviation,  // from the group's mean,
  kNotAdditive,         // from the best sum of two-site kernels
  kAssumptionSums
};
using AssumptionSums = std::array<double, kAssumptionSums>;

/// The elements that a kernel on the cells of a job can have, counted by formulas. Either all sectors
/// conserve the band counts, then a local element is a swap; or there is one sector that holds all products
/// of bands.
class CellChanges {
 public:
  /// `sector_counts`: sites in each band, a sector each; empty counts: nothing is conserved.
  CellChanges(const Model& model, std::vector<std::vector<int>> sector_counts);

  int sites() const { return sites_; }
  int bands() const { return bands_; }
  bool conserved() const { return conserved_; }
  const Lattice& lattice() const { return lattice_; }
  /// Number of cells that hold these bands on as many given sites.
  double cells_with(std::span<const Level> bands) const;
  double cells_with(Level a, Level b) const { return cells_with_pair_[as_size(a) * as_size(bands_) + b]; }
  /// Energies within this are conserved by a change of `changed_sites` sites: max(Gamma_nm, 2 pi/t).
  double energy_window(double t, int changed_sites) const;
  /// The part of it that grows with the number of sites; dense kernels have no correlation functions.
  double width_a_site() const;

  /// The scores. `swaps`: sums of the swap elements by bond and bands of its sites before the swap,
  /// [B][L][L]; which of the two is first does not matter.
  Assumptions scores(const AssumptionSums& sums, std::span<const double> swaps) const;

 private:
  void count_elements();
  void score_levels(std::span<const double> swaps, Assumptions& result) const;

  Lattice lattice_;
  std::array<double, 3> widths_;  ///< Gamma by changed sites
  int sites_;
  int bands_;
  bool conserved_;
  std::vector<std::vector<int>> sector_counts_;
  std::vector<double> cells_with_pair_;  ///< [L][L]
  double elements_ = 0.0;
  double local_elements_ = 0.0;
  double grouped_elements_ = 0.0;
};

/// The least-squares sum of functions of one neighbour each for the elements of a change on one site. All
/// products of bands occur equally often, so the fit is made of means: the mean of all elements, plus for
/// each neighbour the deviation of the mean over the elements that see it in its band. `means`:
/// [neighbours][L].
namespace site_fit {

inline void add(std::span<double> means, std::size_t bands, std::span<const Level> seen, double value) {
  for (std::size_t k = 0; k < seen.size(); ++k) means[k * bands + seen[k]] += value;
}

inline double value(std::span<const double> means, std::size_t bands, std::span<const Level> seen) {
  if (seen.empty()) return 0.0;
  double mean = 0.0;
  for (std::size_t s = 0; s < bands; ++s) mean += means[s] / static_cast<double>(bands);
  double value = mean;
  for (std::size_t k = 0; k < seen.size(); ++k) value += means[k * bands + seen[k]] - mean;
  return value;
}

}  // namespace site_fit

}  // namespace qheat
