#pragma once

#include <span>
#include <vector>

#include "parallel/scalapack.hpp"
#include "qheat/parallel/column_block.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::scalapack {

/// Moves columns, distributed over all ranks by contiguous rows, into a matrix on the grid and back. All
/// calls are collective.
class ColumnExchange {
 public:
  /// Rank r has rows starts[r] .. starts[r+1]-1. The grid must outlive this.
  ColumnExchange(const ProcessGrid& grid, std::vector<Index> starts);

  Index first_row() const { return at(starts_, grid_.comm().rank()); }
  Index local_rows() const { return last_row() - first_row(); }
  /// Complex columns as a real matrix: real parts become columns 0, 2, .., imaginary parts columns 1, 3, ...
  Matrix<double> to_grid(ColumnBlock<const Complex> columns) const;
  void from_grid(const Matrix<double>& matrix, ColumnBlock<Complex> columns) const;
  /// A square matrix of the columns' own kind; T is double or Complex.
  template <class T>
  Matrix<T> square_to_grid(ColumnBlock<const T> columns) const;
  template <class T>
  void square_from_grid(const Matrix<T>& matrix, ColumnBlock<T> columns) const;

 private:
  struct Messages;

  Index last_row() const { return starts_[as_size(grid_.comm().rank()) + 1]; }
  template <class T>
  Messages messages_by_rows(const Matrix<T>& matrix) const;
  template <class T>
  Messages messages_by_blocks(const Matrix<T>& matrix) const;
  template <class T, class Visit>
  void visit_by_rows(const Matrix<T>& matrix, const Visit& visit) const;
  template <class T, class Visit>
  void visit_by_blocks(const Matrix<T>& matrix, const Visit& visit) const;
  /// Fills `matrix` with element(row, column) of this rank's rows, counted from first_row().
  template <class T, class Element>
  void fill_grid(const Element& element, Matrix<T>& matrix) const;
  /// Calls take(row, column, value) for the elements of this rank's rows.
  template <class T, class Take>
  void read_grid(const Matrix<T>& matrix, const Take& take) const;

  const ProcessGrid& grid_;
  std::vector<Index> starts_;  ///< [ranks + 1]
};

}  // namespace qheat::scalapack
