#pragma once

#include "operators/matrix_elements.hpp"
#include "parallel/scalapack.hpp"

namespace qheat {

/// An operator as a dense matrix on the grid. Any rank can work out any row; the ranks of one row of the grid
/// each work out the same rows and keep their own columns.
inline scalapack::Matrix<double> real_matrix(const DistributedSector& space,
                                             const scalapack::ProcessGrid& grid,
                                             const TermSum<double>& terms) {
  scalapack::Matrix<double> matrix(grid, space.dimension(), space.dimension());
  const auto& columns = matrix.column_rule();
  for (Index i = 0; i < matrix.local_rows(); ++i) {
    const Index row = matrix.row_rule().global(i, grid.row());
    visit_row(space.sector(), terms, row, [&](Index column, double value) {
      if (columns.owner(column) == grid.column())
        matrix.column(columns.count_below(column, grid.column()))[i] += value;
    });
  }
  return matrix;
}

}  // namespace qheat
