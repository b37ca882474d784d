#pragma once

#include <algorithm>
#include <vector>

#include "operators/sparse_rows.hpp"
#include "propagator/cell_assembly.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// A few complex columns, row after row, so that a sparse matrix multiplies all of them in vector registers.
class ColumnTile {
 public:
  static constexpr Index kColumns = 8;
  using Quad = double __attribute__((vector_size(32)));
  /// One row. Named parts and not an array: compilers keep them in registers.
  struct Row {
    Quad real_low, real_high, imaginary_low, imaginary_high;
  };

  explicit ColumnTile(Index rows) : rows_(as_size(rows)) {}

  std::size_t size() const { return rows_.size(); }
  Row& operator[](std::size_t row) { return rows_[row]; }
  const Row& operator[](std::size_t row) const { return rows_[row]; }

  /// Columns from `first` on, as many as there are; what is left of the tile stays as it is.
  void load(const Amplitudes& from, Index first) {
    for_each_column(from.real.block(), first, [&](std::size_t c, Index column) {
      const double* real = from.real.block().column(column);
      const double* imaginary = from.imaginary.block().column(column);
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        (c < 4 ? rows_[i].real_low : rows_[i].real_high)[c % 4] = real[i];
        (c < 4 ? rows_[i].imaginary_low : rows_[i].imaginary_high)[c % 4] = imaginary[i];
      }
    });
  }
  void store(Amplitudes& to, Index first) const {
    for_each_column(to.real.block(), first, [&](std::size_t c, Index column) {
      double* real = to.real.block().column(column);
      double* imaginary = to.imaginary.block().column(column);
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        real[i] = (c < 4 ? rows_[i].real_low : rows_[i].real_high)[c % 4];
        imaginary[i] = (c < 4 ? rows_[i].imaginary_low : rows_[i].imaginary_high)[c % 4];
      }
    });
  }

  /// y += factor x.
  static void add(double factor, const Row& x, Row& y) {
    y.real_low += factor * x.real_low;
    y.real_high += factor * x.real_high;
    y.imaginary_low += factor * x.imaginary_low;
    y.imaginary_high += factor * x.imaginary_high;
  }
  static void add(Complex factor, const Row& x, Row& y) {
    add(factor.real(), x, y);
    y.real_low -= factor.imag() * x.imaginary_low;
    y.real_high -= factor.imag() * x.imaginary_high;
    y.imaginary_low += factor.imag() * x.real_low;
    y.imaginary_high += factor.imag() * x.real_high;
  }
  /// y += one row of a sparse matrix times x.
  template <class T>
  static void add_product(const SparseRows<T>& matrix, std::size_t row, const ColumnTile& x, Row& y) {
    for (std::size_t e = matrix.begin[row]; e < matrix.begin[row + 1]; ++e) {
      add(matrix.values[e], at(x, matrix.columns[e]), y);
    }
  }
  /// y = -i scale x.
  static void set_minus_i_times(double scale, const Row& x, Row& y) {
    y.real_low = scale * x.imaginary_low;
    y.real_high = scale * x.imaginary_high;
    y.imaginary_low = -scale * x.real_low;
    y.imaginary_high = -scale * x.real_high;
  }

 private:
  template <class Block, class Visit>
  static void for_each_column(const Block& block, Index first, const Visit& visit) {
    const Index last = std::min(first + kColumns, block.columns());
    for (Index column = first; column < last; ++column) {
      visit(as_size(column - first), column);
    }
  }

  std::vector<Row> rows_;
};

}  // namespace qheat
