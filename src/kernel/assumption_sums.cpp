#include "kernel/assumption_sums.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "qheat/kernel/correlation_line.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// A mismatch that equals the width but for rounding is not below it, however it is computed.
constexpr double kBelow = 1.0 - 1e-12;

/// 1 - part / whole; NaN if there is no whole.
double rest(double part, double whole) {
  return whole > 0.0 ? 1.0 - part / whole : Assumptions::kUntested;
}

double rest_of_norms(double squared_deviation, double squares) {
  return rest(std::sqrt(squared_deviation), std::sqrt(squares));
}

Index count_of(double number) {
  return static_cast<Index>(std::min(number, 9e18));
}

/// Number of ways to give bands to sites, so many sites each; exact up to 2^53 / sites.
double arrangements(const std::vector<int>& counts) {
  double ways = 1.0;
  int sites = 0;
  for (const int count : counts) {
    for (int k = 1; k <= count; ++k) ways = ways * ++sites / k;
  }
  return ways;
}

/// Gamma of a change of 0, 1 and 2 sites. Kernels with a correlation function know no others.
std::array<double, 3> line_widths(const Bath& bath) {
  std::array<double, 3> widths{};
  for (int s = 1; s < 3; ++s) {
    at(widths, s) = bath.correlation ? line_width(*bath.correlation, s) : s * bath.dephasing;
  }
  return widths;
}

}  // namespace

CellChanges::CellChanges(const Model& model, std::vector<std::vector<int>> sector_counts)
    : lattice_(model.lattice),
      widths_(line_widths(model.bath)),
      sites_(model.sites()),
      bands_(model.site.bands()),
      conserved_(!sector_counts.front().empty()),
      sector_counts_(std::move(sector_counts)) {
  const auto bands = static_cast<Level>(bands_);
  for (Level a = 0; a < bands; ++a) {
    for (Level b = 0; b < bands; ++b) {
      cells_with_pair_.push_back(cells_with(std::array<Level, 2>{a, b}));
    }
  }
  count_elements();
}

void CellChanges::count_elements() {
  for (const auto& counts : sector_counts_) {
    QHEAT_ASSERT(counts.empty() != conserved_);
    const double cells = conserved_ ? arrangements(counts) : cells_with({});
    elements_ += cells * (cells - 1.0);
  }
  const double bonds = lattice_.bond_count();
  const double others = bands_ - 1.0;
  if (!conserved_) local_elements_ += sites_ * others * cells_with({});
  for (std::size_t pair = 0; pair < cells_with_pair_.size(); ++pair) {
    const auto bands = as_size(bands_);
    const double swaps = pair / bands == pair % bands ? 0.0 : 1.0;
    const double elements = bonds * cells_with_pair_[pair] * (conserved_ ? swaps : others * others);
    local_elements_ += elements;
    if (cells_with_pair_[pair] >= 2.0) grouped_elements_ += elements;
  }
}

double CellChanges::cells_with(std::span<const Level> bands) const {
  const int others = sites_ - static_cast<int>(bands.size());
  if (others < 0) return 0.0;
  if (!conserved_) return std::pow(bands_, others);
  double cells = 0.0;
  for (auto left : sector_counts_) {
    for (const Level band : bands) --left[band];
    if (std::any_of(left.begin(), left.end(), [](int count) { return count < 0; })) continue;
    cells += arrangements(left);
  }
  return cells;
}

double CellChanges::width_a_site() const {
  return kBelow * widths_[1];
}

double CellChanges::energy_window(double t, int changed_sites) const {
  const double width =
      changed_sites < 3 ? kBelow * at(widths_, changed_sites) : width_a_site() * changed_sites;
  return std::max(width, kBelow * 2.0 * std::numbers::pi / t);
}

Assumptions CellChanges::scores(const AssumptionSums& sums, std::span<const double> swaps) const {
  Assumptions result;
  const auto bonds = as_size(lattice_.bond_count());
  result.bond_rate.assign(bonds, Assumptions::kUntested);
  if (!std::isfinite(sums[kMagnitude])) return result;

  result.symmetry = rest_of_norms(sums[kAsymmetry] / 4.0, sums[kSquares]);
  result.locality = rest(sums[kNonlocal], sums[kMagnitude]);
  if (bonds > 0) result.additivity = rest_of_norms(sums[kNotAdditive], sums[kSquares]);
  result.spectator_independence = rest_of_norms(sums[kSpectatorDeviation], sums[kGrouped]);
  result.energy_conservation = rest(sums[kOutside], sums[kMagnitude]);
  result.swap_fraction = rest(sums[kLocalNoSwap], sums[kLocal]);
  if (sums[kMagnitude] > 0.0) result.negativity = sums[kNegative] / sums[kMagnitude];

  const Index all = count_of(elements_);
  result.compared = {all, all, all, count_of(grouped_elements_), all, count_of(local_elements_), 0, all};
  score_levels(swaps, result);
  const std::array<double, 8> scores = {result.symmetry,
                                        result.locality,
                                        result.additivity,
                                        result.spectator_independence,
                                        result.energy_conservation,
                                        result.swap_fraction,
                                        result.level_independence,
                                        result.negativity};
  for (std::size_t s = 0; s < scores.size(); ++s) {
    if (std::isnan(scores[s])) result.compared[s] = 0;
  }
  return result;
}

/// level_independence and bond_rate.
void CellChanges::score_levels(std::span<const double> swaps, Assumptions& result) const {
  const auto bands = as_size(bands_);
  double squares = 0.0;
  double deviations = 0.0;
  for (std::size_t b = 0; b < result.bond_rate.size(); ++b) {
    std::vector<double> rates;
    for (std::size_t low = 0; low < bands; ++low) {
      for (std::size_t high = low + 1; high < bands; ++high) {
        const double cells = cells_with_pair_[low * bands + high];
        if (cells == 0.0) continue;
        const auto of_bond = swaps.subspan(b * bands * bands, bands * bands);
        rates.push_back((of_bond[low * bands + high] + of_bond[high * bands + low]) / (2.0 * cells));
      }
    }
    double mean = 0.0;
    for (const double w : rates) mean += w / static_cast<double>(rates.size());
    result.bond_rate[b] = mean;
    if (rates.size() < 2) continue;
    result.compared[6] += static_cast<Index>(rates.size());
    for (const double w : rates) {
      squares += w * w;
      deviations += (w - mean) * (w - mean);
    }
  }
  result.level_independence = rest_of_norms(deviations, squares);
}

}  // namespace qheat
