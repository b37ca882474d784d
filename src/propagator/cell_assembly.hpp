#pragma once

#include <memory>
#include <vector>

#include "operators/sparse_rows.hpp"
#include "qheat/basis/cell_space.hpp"
#include "qheat/operators/local_terms.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/propagator/cell_columns.hpp"

namespace qheat {

/// Real and imaginary parts of some columns.
struct Amplitudes {
  Amplitudes(Index rows, Index columns) : real(rows, columns), imaginary(rows, columns) {}

  ColumnStorage<double> real, imaginary;
};

/// sum of weight Re[conj(x_left) x_right] over a list of amplitudes x.
struct SquareTerm {
  std::size_t left, right;
  double weight;
};
using SquareForm = std::vector<SquareTerm>;

/// Columns of states for matrices over cells: which blocks an operator on the states of a sector falls into,
/// and how squares of amplitudes, blocks of columns of e^{-iHt} or of its derivatives, add up to a matrix
/// over the cells.
///
/// One level a band: cells are states, and the mirror of the lattice gives an even and an odd block. Bands of
/// several levels: one block, states ordered by cell and shared out evenly.
template <class T>
class CellAssembly {
 public:
  explicit CellAssembly(CellColumnLayout layout) : layout_(std::move(layout)) {}
  virtual ~CellAssembly() = default;
  CellAssembly(const CellAssembly&) = delete;
  CellAssembly& operator=(const CellAssembly&) = delete;

  const CellColumnLayout& layout() const { return layout_; }
  /// Number of states of the sector.
  virtual Index states() const = 0;
  /// How the columns of all blocks are shared out, up to the size of each.
  virtual const ColumnShare& column_share() const = 0;
  virtual std::vector<SparseRows<T>> blocks(const TermSum<T>& terms) const = 0;
  /// `amplitudes`: [block][number in the form]. Collective.
  virtual CellColumns squares(const std::vector<std::vector<Amplitudes>>& amplitudes,
                              const SquareForm& form) const = 0;

 private:
  CellColumnLayout layout_;
};

/// `mirrored`: the model keeps the mirror of the lattice.
template <class T>
std::unique_ptr<const CellAssembly<T>> make_cell_assembly(const Model& model, const CellSector& sector,
                                                          bool mirrored, const Communicator& comm);

extern template std::unique_ptr<const CellAssembly<double>> make_cell_assembly(const Model&,
                                                                               const CellSector&, bool,
                                                                               const Communicator&);
extern template std::unique_ptr<const CellAssembly<Complex>> make_cell_assembly(const Model&,
                                                                                const CellSector&, bool,
                                                                                const Communicator&);

/// Trace over the number of states: an energy amid the spectrum.
template <class T>
double mean_of_diagonal(const std::vector<SparseRows<T>>& blocks) {
  double sum = 0.0;
  double size = 0.0;
  for (const auto& rows : blocks) {
    size += static_cast<double>(rows.size());
    for (Index row = 0; row < rows.size(); ++row) {
      const auto r = as_size(row);
      for (std::size_t e = rows.begin[r]; e < rows.begin[r + 1]; ++e) {
        if (rows.columns[e] == row) sum += std::real(rows.values[e]);
      }
    }
  }
  return sum / size;
}

}  // namespace qheat
