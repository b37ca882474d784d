#pragma once

#include <span>
#include <vector>

#include "parallel/scalapack.hpp"
#include "qheat/parallel/column_block.hpp"

namespace qheat::scalapack {

/// Moves complex columns, distributed over all ranks by contiguous rows, into a real matrix on the grid and
/// back: real parts become columns 0, 2, .., imaginary parts columns 1, 3, ... All calls are collective.
class ColumnExchange {
 public:
  /// Rank r has rows starts[r] .. starts[r+1]-1. The grid must outlive this.
  ColumnExchange(const ProcessGrid& grid, std::vector<Index> starts);

  Index first_row() const { return starts_[static_cast<std::size_t>(grid_.comm().rank())]; }
  Index local_rows() const { return last_row() - first_row(); }
  Matrix<double> to_grid(ColumnBlock<const Complex> columns) const;
  void from_grid(const Matrix<double>& matrix, ColumnBlock<Complex> columns) const;

 private:
  struct Messages;

  Index last_row() const { return starts_[static_cast<std::size_t>(grid_.comm().rank()) + 1]; }
  Messages messages_by_rows(const Matrix<double>& matrix) const;
  Messages messages_by_blocks(const Matrix<double>& matrix) const;
  template <class Visit>
  void visit_by_rows(const Matrix<double>& matrix, const Visit& visit) const;
  template <class Visit>
  void visit_by_blocks(const Matrix<double>& matrix, const Visit& visit) const;

  const ProcessGrid& grid_;
  std::vector<Index> starts_;  ///< [ranks + 1]
};

}  // namespace qheat::scalapack
