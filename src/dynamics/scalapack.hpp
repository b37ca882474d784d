#pragma once

// Real dense matrices spread over the ranks by ScaLAPACK, behind one door. PETSc's matrices are complex here.

#include <array>
#include <span>
#include <vector>

#include "qheat/parallel/column_block.hpp"
#include "qheat/parallel/communicator.hpp"

namespace qheat::scalapack {

/// Rows and columns of a block.
constexpr Index kBlock = 64;

/// The block-cyclic rule: indices 0 .. size-1 are dealt to the processes in turn, `block` at a time.
struct BlockCyclic {
  /// How many of the indices below `index` a process has; its first index not below `index` is its local one
  /// of this number.
  Index count_below(Index index, int process) const;
  Index count(int process) const { return count_below(size, process); }
  int owner(Index index) const { return static_cast<int>(index / block % processes); }
  Index global(Index local, int process) const {
    return (local / block * processes + process) * block + local % block;
  }

  Index size, block;
  int processes;
};

/// The first rows x columns ranks of a communicator as a nearly square grid, rank = row * columns + column;
/// no larger than matrices of `dimension` rows have blocks for. The other ranks are outside and own nothing.
class ProcessGrid {
 public:
  /// Collective.
  ProcessGrid(const Communicator& comm, Index dimension);
  ~ProcessGrid();
  ProcessGrid(const ProcessGrid&) = delete;
  ProcessGrid& operator=(const ProcessGrid&) = delete;

  const Communicator& comm() const { return comm_; }
  int rows() const { return rows_; }
  int columns() const { return columns_; }
  bool contains_this_rank() const { return comm_.rank() < rows_ * columns_; }
  int row() const { return row_of(comm_.rank()); }
  int column() const { return column_of(comm_.rank()); }
  int row_of(int rank) const { return rank / columns_; }
  int column_of(int rank) const { return rank % columns_; }
  int context() const { return context_; }

 private:
  Communicator comm_;
  int rows_, columns_;
  int context_ = -1;  ///< of BLACS
};

/// A distributed real matrix, zero at first. The grid must outlive it.
class Matrix {
 public:
  Matrix(const ProcessGrid& grid, Index rows, Index columns, Index column_block = kBlock);

  const BlockCyclic& row_rule() const { return row_rule_; }
  const BlockCyclic& column_rule() const { return column_rule_; }
  Index local_rows() const { return local_rows_; }
  Index local_columns() const { return local_columns_; }
  double* data() { return values_.data(); }
  const double* data() const { return values_.data(); }
  double* column(Index local) { return data() + local * local_rows_; }
  const double* column(Index local) const { return data() + local * local_rows_; }
  /// As ScaLAPACK wants it.
  const int* descriptor() const { return descriptor_.data(); }

 private:
  BlockCyclic row_rule_, column_rule_;
  Index local_rows_, local_columns_;
  std::array<int, 9> descriptor_;
  std::vector<double> values_;
};

/// Eigenvalues, ascending, on all ranks; eigenvectors become the columns of `vectors`. Destroys the symmetric
/// matrix. Collective. Throws Error if the solver fails or a rank's part is too large for its integers.
std::vector<double> diagonalize(const ProcessGrid& grid, Matrix& matrix, Matrix& vectors);

enum class Transposed { no, yes };
/// left * right, or left^T * right. Collective.
Matrix product(const ProcessGrid& grid, Transposed transposed, const Matrix& left, const Matrix& right);

/// Moves complex columns, distributed over all ranks by contiguous rows, into a real matrix on the grid and
/// back: real parts become columns 0, 2, .., imaginary parts columns 1, 3, ... All calls are collective.
class ColumnExchange {
 public:
  /// Rank r has rows starts[r] .. starts[r+1]-1. The grid must outlive this.
  ColumnExchange(const ProcessGrid& grid, std::vector<Index> starts);

  Index first_row() const { return starts_[static_cast<std::size_t>(grid_.comm().rank())]; }
  Index local_rows() const { return last_row() - first_row(); }
  Matrix to_grid(ColumnBlock<const Complex> columns) const;
  void from_grid(const Matrix& matrix, ColumnBlock<Complex> columns) const;

 private:
  struct Messages;

  Index last_row() const { return starts_[static_cast<std::size_t>(grid_.comm().rank()) + 1]; }
  Messages messages_by_rows(const Matrix& matrix) const;
  Messages messages_by_blocks(const Matrix& matrix) const;
  template <class Visit>
  void visit_by_rows(const Matrix& matrix, const Visit& visit) const;
  template <class Visit>
  void visit_by_blocks(const Matrix& matrix, const Visit& visit) const;

  const ProcessGrid& grid_;
  std::vector<Index> starts_;  ///< [ranks + 1]
};

}  // namespace qheat::scalapack
