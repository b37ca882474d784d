#include "qheat/kernel/assumptions.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/assumption_sums.hpp"
#include "kernel/packed_cells.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// A local element: a change on both sites of a bond, or on one site.
struct LocalChange {
  int bond;  ///< -1: one site
  int site;  ///< of a change on one site
  std::array<Level, 2> to, from;

  bool is_swap() const { return bond >= 0 && to[0] == from[1] && to[1] == from[0]; }
};

/// Sums over a column that need no more of an element than its distance. Chunk by chunk, first the numbers to
/// be added up, then sums in independent lanes: both run as vectors, one loop for all does not.
class ColumnSums {
 public:
  /// `energy` and `distance`: of all rows. Mismatches below max(width, width_a_site * distance) are
  /// conserved.
  ColumnSums(std::span<const double> distance, const double* w, const double* energy, double energy_here,
             double width, double width_a_site) {
    for (std::size_t first = 0; first < distance.size(); first += kChunk) {
      const std::size_t count = std::min(kChunk, distance.size() - first);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t n = first + i;
        const double a_site = width_a_site * distance[n];
        const double window = a_site > width ? a_site : width;
        const double value = distance[n] == 0.0 ? 0.0 : w[n];
        const double size = std::abs(value);
        magnitude_[i] = size;
        negative_[i] = value < 0.0 ? size : 0.0;
        outside_[i] = std::abs(energy[n] - energy_here) < window ? 0.0 : size;
        far_[i] = distance[n] > 2.0 ? size : 0.0;
      }
      add_up(count);
    }
  }

  void add_to(AssumptionSums& sums) const {
    for (std::size_t s = 0; s < kSums.size(); ++s) sums[kSums[s]] += sums_[s];
  }

 private:
  static constexpr std::size_t kChunk = 256;
  static constexpr std::array<AssumptionSum, 6> kSums = {kMagnitude, kNegative, kOutside,
                                                         kNonlocal,  kSquares,  kNotAdditive};
  using Chunk = std::array<double, kChunk>;

  void add_up(std::size_t count) {
    const auto same = [](double x) { return x; };
    const auto square = [](double x) { return x * x; };
    sums_[0] += sum(magnitude_, count, same);
    sums_[1] += sum(negative_, count, same);
    sums_[2] += sum(outside_, count, same);
    sums_[3] += sum(far_, count, same);
    sums_[4] += sum(magnitude_, count, square);
    sums_[5] += sum(far_, count, square);
  }

  /// In independent lanes: the compiler must not change the order of additions itself.
  template <class Of>
  static double sum(const Chunk& chunk, std::size_t count, const Of& of) {
    constexpr std::size_t lanes = 8;
    std::array<double, lanes> in_lane{};
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
      for (std::size_t lane = 0; lane < lanes; ++lane) in_lane[lane] += of(chunk[i + lane]);
    }
    for (; i < count; ++i) in_lane[0] += of(chunk[i]);
    double sum = 0.0;
    for (const double part : in_lane) sum += part;
    return sum;
  }

  Chunk magnitude_, negative_, outside_, far_;
  std::array<double, kSums.size()> sums_{};
};

/// Where the sums of elements lie that the means of the second pass are made of: in one row, for one message.
class GroupSums {
 public:
  explicit GroupSums(const CellChanges& counts) : counts_(counts), bands_(as_size(counts.bands())) {
    const auto bonds = as_size(counts.lattice().bond_count());
    const std::size_t swaps = bonds * bands_ * bands_;
    pairs_begin_ = swaps;
    // Between two sites alone each change is one element, and its own mean.
    pairs_ = !counts.conserved() && counts.sites() > 2;
    std::size_t end = swaps + (pairs_ ? swaps * bands_ * bands_ : 0);
    for (int site = 0; !counts.conserved() && site < counts.sites(); ++site) {
      site_begin_.push_back(end);
      end += bands_ * bands_ * neighbour_count(site) * bands_;
    }
    sums_.resize(end, 0.0);
  }

  std::span<double> values() { return sums_; }
  std::span<const double> swaps() const { return std::span(sums_).first(pairs_begin_); }

  void add_pair(const LocalChange& change, double w) {
    if (change.is_swap()) {
      sums_[swap_place(change)] += w;
    } else if (pairs_) {
      sums_[pair_place(change)] += w;
    }
  }
  void add_site(const LocalChange& change, std::span<const Level> seen, double w) {
    site_fit::add(site_means(change), bands_, seen, w);
  }
  /// Between the passes: the sums of changes on one site become means. Those of bonds are divided when used.
  void make_site_means() {
    if (site_begin_.empty()) return;
    const double cells = counts_.cells_with(0, 0);
    for (std::size_t s = site_begin_.front(); s < sums_.size(); ++s) sums_[s] /= cells;
  }

  double pair_mean(const LocalChange& change, double cells, double w) const {
    if (change.is_swap()) return sums_[swap_place(change)] / cells;
    return pairs_ ? sums_[pair_place(change)] / cells : w;
  }
  double site_value(const LocalChange& change, std::span<const Level> seen) const {
    return site_fit::value(std::span(sums_).subspan(site_place(change), seen.size() * bands_), bands_, seen);
  }

 private:
  std::size_t neighbour_count(int site) const { return counts_.lattice().bonds_of(site).size(); }
  std::size_t swap_place(const LocalChange& change) const {
    return (as_size(change.bond) * bands_ + change.from[0]) * bands_ + change.from[1];
  }
  std::size_t pair_place(const LocalChange& change) const {
    return pairs_begin_ + (swap_place(change) * bands_ + change.to[0]) * bands_ + change.to[1];
  }
  std::size_t site_place(const LocalChange& change) const {
    const std::size_t of_site = as_size(change.to[0]) * bands_ + change.from[0];
    return at(site_begin_, change.site) + of_site * neighbour_count(change.site) * bands_;
  }
  std::span<double> site_means(const LocalChange& change) {
    return std::span(sums_).subspan(site_place(change), neighbour_count(change.site) * bands_);
  }

  const CellChanges& counts_;
  std::size_t bands_;
  std::size_t pairs_begin_;
  bool pairs_;
  std::vector<std::size_t> site_begin_;
  std::vector<double> sums_;
};

}  // namespace

class AssumptionScores::Columns {
 public:
  Columns(const Model& model, const CellSpace& cells)
      : counts_(model, cells.band_counts()), energies_(cells.energies(model)) {
    for (const auto& sector : cells.sectors()) {
      sectors_.emplace_back(sector.cells);
      first_.push_back(as_size(sector.first));
    }
  }

  Assumptions evaluate(double t, std::span<const KernelColumns> columns, double asymmetry,
                       const Communicator& comm) const {
    AssumptionSums sums{};
    sums[kAsymmetry] = asymmetry;
    GroupSums groups(counts_);
    for_each_column(columns, [&](std::size_t sector, Index m, const double* w, const auto& distances) {
      add_column(sector, m, w, distances, t, sums);
      for_each_local(sector, m, w, distances, [&](const LocalChange* change, double value) {
        add_local(change, sector, m, value, sums, groups);
      });
    });
    add_up(sums, groups, comm);
    groups.make_site_means();

    std::array<double, 3> deviations{};  // of elements in groups, their squares; of the additive part
    for_each_column(columns, [&](std::size_t sector, Index m, const double* w, const auto& distances) {
      for_each_local(sector, m, w, distances, [&](const LocalChange* change, double value) {
        if (change != nullptr) add_deviation(*change, sector, m, value, groups, deviations);
      });
    });
    comm.sum(deviations);
    sums[kSpectatorDeviation] += deviations[0];
    sums[kGrouped] += deviations[1];
    sums[kNotAdditive] += deviations[2];
    return counts_.scores(sums, groups.swaps());
  }

 private:
  template <class Visit>
  void for_each_column(std::span<const KernelColumns> columns, const Visit& visit) const {
    std::vector<double> distances;
    for (const auto& block : columns) {
      const PackedCells& cells = sectors_[block.sector];
      const auto rows = as_size(cells.count());
      QHEAT_ASSERT(block.values.size() == as_size(block.count) * rows);
      distances.resize(rows);
      for (Index c = 0; c < block.count; ++c) {
        cells.distances(block.first + c, distances);
        visit(block.sector, block.first + c, block.values.data() + as_size(c) * rows, distances);
      }
    }
  }

  void add_column(std::size_t sector, Index m, const double* w, const std::vector<double>& distances,
                  double t, AssumptionSums& sums) const {
    const double* energy = energies_.data() + first_[sector];
    ColumnSums(distances, w, energy, energy[m], counts_.energy_window(t, 0), counts_.width_a_site())
        .add_to(sums);
  }

  /// Calls visit(change, W_nm) for all rows that differ from column m on one or two sites; without a
  /// change (nullptr) if no bond joins the two.
  template <class Visit>
  void for_each_local(std::size_t sector, Index m, const double* w, const std::vector<double>& distances,
                      const Visit& visit) const {
    for (std::size_t n = 0; n < distances.size(); ++n) {
      if (distances[n] > 2.0 || distances[n] == 0.0) continue;
      LocalChange change{};
      const bool local =
          find_change(sectors_[sector], static_cast<Index>(n), m, static_cast<int>(distances[n]), change);
      visit(local ? &change : nullptr, w[n]);
    }
  }

  bool find_change(const PackedCells& cells, Index n, Index m, int distance, LocalChange& change) const {
    std::array<int, 2> sites{};
    cells.differing_sites(n, m, std::span(sites).first(as_size(distance)));
    change.bond = -1;
    change.site = sites[0];
    if (distance == 2) {
      change.bond = counts_.lattice().bond_between(sites[0], sites[1]);
      if (change.bond < 0) return false;
      const Bond& bond = at(counts_.lattice().bonds(), change.bond);
      sites = {bond.first, bond.second};
    }
    for (std::size_t s = 0; s < as_size(distance); ++s) {
      change.to[s] = cells.band(n, sites[s]);
      change.from[s] = cells.band(m, sites[s]);
    }
    return true;
  }

  void add_local(const LocalChange* change, std::size_t sector, Index m, double w, AssumptionSums& sums,
                 GroupSums& groups) const {
    if (change == nullptr) {
      sums[kNonlocal] += std::abs(w);
      sums[kNotAdditive] += w * w;
      return;
    }
    sums[kLocal] += std::abs(w);
    if (!change->is_swap()) sums[kLocalNoSwap] += std::abs(w);
    if (change->bond >= 0) {
      groups.add_pair(*change, w);
    } else {
      groups.add_site(*change, seen_by(change->site, sector, m), w);
    }
  }

  /// Bands of the neighbours of a site, in the order of its bonds.
  std::vector<Level> seen_by(int site, std::size_t sector, Index cell) const {
    std::vector<Level> seen;
    for (const int b : counts_.lattice().bonds_of(site)) {
      const Bond& bond = at(counts_.lattice().bonds(), b);
      seen.push_back(sectors_[sector].band(cell, bond.first == site ? bond.second : bond.first));
    }
    return seen;
  }

  static void add_up(AssumptionSums& sums, GroupSums& groups, const Communicator& comm) {
    std::vector<double> message(sums.begin(), sums.end());
    const auto values = groups.values();
    message.insert(message.end(), values.begin(), values.end());
    comm.sum(message);
    const auto end_of_sums = message.begin() + kAssumptionSums;
    std::copy(message.begin(), end_of_sums, sums.begin());
    std::copy(end_of_sums, message.end(), values.begin());
  }

  void add_deviation(const LocalChange& change, std::size_t sector, Index m, double w,
                     const GroupSums& groups, std::array<double, 3>& deviations) const {
    if (change.bond < 0) {
      const double deviation = w - groups.site_value(change, seen_by(change.site, sector, m));
      deviations[2] += deviation * deviation;
      return;
    }
    const double cells = counts_.cells_with(change.from[0], change.from[1]);
    const double deviation = w - groups.pair_mean(change, cells, w);
    deviations[2] += deviation * deviation;
    if (cells < 2.0) return;
    deviations[0] += deviation * deviation;
    deviations[1] += w * w;
  }

  CellChanges counts_;
  std::vector<double> energies_;  ///< of all cells
  std::vector<PackedCells> sectors_;
  std::vector<std::size_t> first_;
};

AssumptionScores::AssumptionScores(const Model& model, const CellSpace& cells)
    : columns_(std::make_unique<const Columns>(model, cells)) {}
AssumptionScores::AssumptionScores(AssumptionScores&&) noexcept = default;
AssumptionScores& AssumptionScores::operator=(AssumptionScores&&) noexcept = default;
AssumptionScores::~AssumptionScores() = default;

Assumptions AssumptionScores::evaluate(double t, std::span<const KernelColumns> columns, double asymmetry,
                                       const Communicator& comm) const {
  return columns_->evaluate(t, columns, asymmetry, comm);
}

}  // namespace qheat
