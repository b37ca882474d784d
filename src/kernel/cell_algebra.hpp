#pragma once

#include <algorithm>

#include "parallel/scalapack.hpp"
#include "qheat/propagator/cell_columns.hpp"

namespace qheat {

/// Products and solutions of matrices over the cells, one mirror parity of one sector: from columns to a grid
/// of ranks and back.
class CellAlgebra {
 public:
  using Matrix = scalapack::Matrix<double>;

  CellAlgebra(const CellColumnLayout& layout, bool even)
      : size_(even ? layout.mirror().even_size() : layout.mirror().odd_size()),
        block_(layout.share().block()),
        row_(scalapack::ProcessGrid::one_row(layout.comm())),
        grid_(layout.comm(), size_) {}

  Index size() const { return size_; }
  const scalapack::ProcessGrid& grid() const { return grid_; }

  Matrix to_grid(ColumnBlock<const double> columns) const {
    Matrix matrix(grid_, size_, size_);
    if (on_one_rank()) {
      std::copy_n(columns.data(), size_ * size_, matrix.data());
      return matrix;
    }
    Matrix in_row(row_, size_, size_, block_);
    QHEAT_ASSERT(columns.rows() == size_ && columns.columns() == in_row.local_columns());
    std::copy_n(columns.data(), size_ * columns.columns(), in_row.data());
    scalapack::redistribute(row_, in_row, matrix);
    return matrix;
  }

  void from_grid(const Matrix& matrix, ColumnBlock<double> columns) const {
    if (on_one_rank()) {
      std::copy_n(matrix.data(), size_ * size_, columns.data());
      return;
    }
    Matrix in_row(row_, size_, size_, block_);
    scalapack::redistribute(row_, matrix, in_row);
    std::copy_n(in_row.data(), size_ * columns.columns(), columns.data());
  }

  /// Sum of squares of (A - A^T), all ranks.
  double asymmetry_squared(const Matrix& a, const Matrix& a_transposed) const {
    double sum = 0.0;
    for (std::size_t e = 0; e < a.values().size(); ++e) {
      const double difference = a.values()[e] - a_transposed.values()[e];
      sum += difference * difference;
    }
    return grid_.comm().sum(sum);
  }

  /// Sum of the diagonal, all ranks.
  double trace(const Matrix& a) const {
    double sum = 0.0;
    for (Index j = 0; j < a.local_columns(); ++j) {
      const Index global = a.column_rule().global(j, grid_.column());
      if (a.row_rule().owner(global) == grid_.row()) {
        sum += a.column(j)[a.row_rule().count_below(global, grid_.row())];
      }
    }
    return grid_.comm().sum(sum);
  }

 private:
  /// Then both layouts are the same.
  bool on_one_rank() const { return grid_.comm().size() == 1; }

  Index size_, block_;
  scalapack::ProcessGrid row_, grid_;
};

}  // namespace qheat
