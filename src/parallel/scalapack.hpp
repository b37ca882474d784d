#pragma once

// Dense matrices spread over the ranks by ScaLAPACK, behind one door. T is double or Complex.

#include <array>
#include <span>
#include <vector>

#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::scalapack {

/// Rows and columns of a block.
constexpr Index kBlock = 64;

/// n as ScaLAPACK's integer. Throws Error naming `what` if it does not fit.
int to_int(Index n, const char* what);

constexpr Index quotient_up(Index n, Index divisor) {
  return (n + divisor - 1) / divisor;
}

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

/// Ranks as a grid, rank = row * columns + column. The other ranks are outside and own nothing.
class ProcessGrid {
 public:
  /// A nearly square grid, no larger than matrices of `dimension` rows have blocks for. Collective.
  ProcessGrid(const Communicator& comm, Index dimension);
  /// All ranks in one row. Collective.
  static ProcessGrid one_row(const Communicator& comm) { return {comm, 1, comm.size()}; }
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
  /// Of BLACS; -1 on ranks outside.
  int context() const { return context_; }

 private:
  ProcessGrid(const Communicator& comm, int rows, int columns);

  Communicator comm_;
  int rows_, columns_;
  int context_ = -1;
};

/// A distributed matrix, zero at first. The grid must outlive it.
template <class T>
class Matrix {
 public:
  Matrix(const ProcessGrid& grid, Index rows, Index columns, Index column_block = kBlock);

  const BlockCyclic& row_rule() const { return row_rule_; }
  const BlockCyclic& column_rule() const { return column_rule_; }
  Index local_rows() const { return local_rows_; }
  Index local_columns() const { return local_columns_; }
  T* data() { return values_.data(); }
  const T* data() const { return values_.data(); }
  std::span<T> values() { return values_; }
  std::span<const T> values() const { return values_; }
  T* column(Index local) { return data() + local * local_rows_; }
  const T* column(Index local) const { return data() + local * local_rows_; }
  /// As ScaLAPACK wants it.
  const int* descriptor() const { return descriptor_.data(); }

 private:
  BlockCyclic row_rule_, column_rule_;
  Index local_rows_, local_columns_;
  std::array<int, 9> descriptor_;
  std::vector<T> values_;
};

extern template class Matrix<double>;
extern template class Matrix<Complex>;

/// Eigenvalues, ascending, on all ranks; eigenvectors become the columns of `vectors`. Destroys the symmetric
/// or Hermitian matrix. Collective. Throws Error if the solver fails or a rank's part is too large for its
/// integers.
template <class T>
std::vector<double> diagonalize(const ProcessGrid& grid, Matrix<T>& matrix, Matrix<T>& vectors);

enum class Transposed { no, yes };
/// left * right, or left^T * right. Collective.
Matrix<double> product(const ProcessGrid& grid, Transposed transposed, const Matrix<double>& left,
                       const Matrix<double>& right);
/// V^+ matrix V, and V matrix V^+, for square matrices. Collective.
template <class T>
Matrix<T> into_basis(const ProcessGrid& grid, const Matrix<T>& vectors, const Matrix<T>& matrix);
template <class T>
Matrix<T> out_of_basis(const ProcessGrid& grid, const Matrix<T>& vectors, const Matrix<T>& matrix);

/// The transpose, without conjugation, with blocks of kBlock. Collective.
template <class T>
Matrix<T> transposed(const ProcessGrid& grid, const Matrix<T>& matrix);

/// Copies a matrix to another layout. `all`: a grid that holds every rank of both. Collective on it.
template <class T>
void redistribute(const ProcessGrid& all, const Matrix<T>& from, Matrix<T>& to);

/// A = P L U of a square matrix.
class Factorization {
 public:
  /// Takes the matrix over. Collective.
  Factorization(const ProcessGrid& grid, Matrix<double> matrix);

  /// Sign of the determinant, 0 where U has a zero on its diagonal.
  int sign() const { return sign_; }
  /// ln |det A|.
  double log_determinant() const { return log_determinant_; }
  /// |A|_1.
  double norm() const { return norm_; }
  /// Estimate of |A^-1|_1; infinity for a singular matrix.
  double inverse_norm() const { return inverse_norm_; }
  /// right <- A^-T right. Collective. Needs sign() != 0.
  void solve_transposed(Matrix<double>& right) const;

 private:
  void measure_determinant();
  void estimate_inverse_norm();

  const ProcessGrid& grid_;
  Matrix<double> matrix_;
  std::vector<int> pivots_;
  int sign_ = 0;
  double log_determinant_ = 0.0;
  double norm_ = 0.0;
  double inverse_norm_ = 0.0;
};

}  // namespace qheat::scalapack
