#pragma once

#include <array>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "qheat/basis/cell_space.hpp"
#include "qheat/model/model.hpp"
#include "qheat/operators/local_terms.hpp"
#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// The three assumptions behind Fourier's law (Wu and Segal, before Eq. 9) as numbers of one kernel at one
/// time: its off-diagonal elements W_nm, n and m in one sector, all sectors together. A perfect score is 1;
/// NaN: nothing to compare, or an element of W is unknown (NaN).
struct Assumptions {
  static constexpr double kUntested = std::numeric_limits<double>::quiet_NaN();

  double symmetry = kUntested;
  double locality = kUntested;                ///< 1
  double additivity = kUntested;              ///< 1, the strict form of Eq. 6
  double spectator_independence = kUntested;  ///< 1
  double energy_conservation = kUntested;     ///< 2
  double swap_fraction = kUntested;           ///< 2, as in Eq. 7
  double level_independence = kUntested;      ///< 3
  double negativity = kUntested;              ///< share of negative rates; 0 is perfect
  /// Number of elements compared for each score, in the order above; level_independence: of means w_{b,{ab}}.
  /// 0 where the score is NaN; exact up to 2^53.
  std::array<Index, 8> compared{};
  std::vector<double> bond_rate;  ///< w(b), [B]: mean over the pairs of bands; 0 without pairs. Inverse time
};

/// Whole columns of a kernel matrix that lie on this rank: rates m -> n of one sector, `count` columns from
/// `first` on (numbers inside the sector), column after column, all rows of each. Diagonals are not read.
struct KernelColumns {
  std::size_t sector;
  Index first;
  Index count;
  std::span<const double> values;  ///< [count][cells of the sector]; inverse time
};

/// Scores of dense kernels whose columns are spread over ranks. Holds the configurations of all cells, packed
/// into words, and their energies.
class AssumptionScores {
 public:
  AssumptionScores(const Model& model, const CellSpace& cells);
  AssumptionScores(AssumptionScores&&) noexcept;
  AssumptionScores& operator=(AssumptionScores&&) noexcept;
  ~AssumptionScores();

  /// `columns`: on all ranks together each column of each sector once. `asymmetry`: this rank's share of the
  /// sum over n != m of (W_nm - W_mn)^2; the shares are added up. Energies count as conserved within
  /// max(Gamma_nm, 2 pi/t). Collective; the same result on all ranks.
  Assumptions evaluate(double t, std::span<const KernelColumns> columns, double asymmetry,
                       const Communicator& comm) const;

 private:
  class Columns;
  std::unique_ptr<const Columns> columns_;
};

/// The same for a kernel that is a sum of terms on few sites, such as SecondOrderKernel::at(t), without its
/// matrix: an element depends on the few sites that its terms look at, and the cells that agree there are
/// counted, not listed. The cost does not depend on the number of cells; every rank does it alone.
/// `sector_counts`: as of basis/model_sectors.hpp.
Assumptions assumptions_of(const Model& model, const std::vector<std::vector<int>>& sector_counts,
                           const TermSum<double>& generator, double t);
Assumptions assumptions_of(const Model& model, const CellSpace& cells, const TermSum<double>& generator,
                           double t);

}  // namespace qheat
