#include "parallel/scalapack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

using qheat::Complex;

extern "C" {
int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int* context, const char* order, int rows, int columns);
void Cblacs_gridexit(int context);
void pdsyevd_(const char* job, const char* triangle, const int* n, double* a, const int* ia, const int* ja,
              const int* a_descriptor, double* eigenvalues, double* z, const int* iz, const int* jz,
              const int* z_descriptor, double* work, const int* work_size, int* integer_work,
              const int* integer_work_size, int* info);
void pzheevd_(const char* job, const char* triangle, const int* n, Complex* a, const int* ia, const int* ja,
              const int* a_descriptor, double* eigenvalues, Complex* z, const int* iz, const int* jz,
              const int* z_descriptor, Complex* work, const int* work_size, double* real_work,
              const int* real_work_size, int* integer_work, const int* integer_work_size, int* info);
void pdgemm_(const char* transposed_a, const char* transposed_b, const int* m, const int* n, const int* k,
             const double* alpha, const double* a, const int* ia, const int* ja, const int* a_descriptor,
             const double* b, const int* ib, const int* jb, const int* b_descriptor, const double* beta,
             double* c, const int* ic, const int* jc, const int* c_descriptor);
void pzgemm_(const char* transposed_a, const char* transposed_b, const int* m, const int* n, const int* k,
             const Complex* alpha, const Complex* a, const int* ia, const int* ja, const int* a_descriptor,
             const Complex* b, const int* ib, const int* jb, const int* b_descriptor, const Complex* beta,
             Complex* c, const int* ic, const int* jc, const int* c_descriptor);
void pdtran_(const int* m, const int* n, const double* alpha, const double* a, const int* ia, const int* ja,
             const int* a_descriptor, const double* beta, double* c, const int* ic, const int* jc,
             const int* c_descriptor);
void pztranu_(const int* m, const int* n, const Complex* alpha, const Complex* a, const int* ia,
              const int* ja, const int* a_descriptor, const Complex* beta, Complex* c, const int* ic,
              const int* jc, const int* c_descriptor);
void Cpdgemr2d(int m, int n, const double* a, int ia, int ja, const int* a_descriptor, double* b, int ib,
               int jb, const int* b_descriptor, int context);
void Cpzgemr2d(int m, int n, const Complex* a, int ia, int ja, const int* a_descriptor, Complex* b, int ib,
               int jb, const int* b_descriptor, int context);
double pdlange_(const char* norm, const int* m, const int* n, const double* a, const int* ia, const int* ja,
                const int* a_descriptor, double* work);
void pdgetrf_(const int* m, const int* n, double* a, const int* ia, const int* ja, const int* a_descriptor,
              int* pivots, int* info);
void pdgecon_(const char* norm, const int* n, const double* a, const int* ia, const int* ja,
              const int* a_descriptor, const double* a_norm, double* reciprocal, double* work,
              const int* work_size, int* integer_work, const int* integer_work_size, int* info);
void pdgetrs_(const char* transposed, const int* n, const int* right_sides, const double* a, const int* ia,
              const int* ja, const int* a_descriptor, const int* pivots, double* b, const int* ib,
              const int* jb, const int* b_descriptor, int* info);
}

namespace qheat::scalapack {
namespace {

constexpr int kOne = 1;  // Fortran counts from one and takes everything by address

}  // namespace

int to_int(Index n, const char* what) {
  if (n > std::numeric_limits<int>::max()) {
    throw Error(fmt::format("{} is {}, more than ScaLAPACK's integers hold; use more ranks", what, n));
  }
  return static_cast<int>(n);
}

Index BlockCyclic::count_below(Index index, int process) const {
  const Index round = block * processes;
  return index / round * block + std::clamp<Index>(index % round - process * block, 0, block);
}

ProcessGrid::ProcessGrid(const Communicator& comm, int rows, int columns)
    : comm_(comm), rows_(rows), columns_(columns) {
  const int handle = Csys2blacs_handle(comm.get());
  context_ = handle;
  Cblacs_gridinit(&context_, "Row", rows_, columns_);
  Cfree_blacs_system_handle(handle);  // the grid has a communicator of its own
}

namespace {

int most_blocks(Index dimension) {
  return static_cast<int>(std::clamp<Index>(quotient_up(dimension, kBlock), 1, 1 << 20));
}

int nearly_square_rows(const Communicator& comm, Index dimension) {
  return std::min(static_cast<int>(std::sqrt(comm.size())), most_blocks(dimension));
}

}  // namespace

ProcessGrid::ProcessGrid(const Communicator& comm, Index dimension)
    : ProcessGrid(comm, nearly_square_rows(comm, dimension),
                  std::min(comm.size() / nearly_square_rows(comm, dimension), most_blocks(dimension))) {}

ProcessGrid::~ProcessGrid() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (finalized == 0 && context_ >= 0) Cblacs_gridexit(context_);
}

template <class T>
Matrix<T>::Matrix(const ProcessGrid& grid, Index rows, Index columns, Index column_block)
    : row_rule_{rows, kBlock, grid.rows()},
      column_rule_{columns, column_block, grid.columns()},
      local_rows_(grid.contains_this_rank() ? row_rule_.count(grid.row()) : 0),
      local_columns_(grid.contains_this_rank() ? column_rule_.count(grid.column()) : 0),
      descriptor_{1,
                  grid.context(),
                  to_int(rows, "the number of rows"),
                  to_int(columns, "the number of columns"),
                  static_cast<int>(row_rule_.block),
                  static_cast<int>(column_rule_.block),
                  0,
                  0,
                  std::max(1, static_cast<int>(local_rows_))},
      values_(as_size(local_rows_ * local_columns_)) {}

template class Matrix<double>;
template class Matrix<Complex>;

namespace {

/// Sizes of workspace, asked from the solver, and what it forgets: pdsyevd and pzheevd ask for less than they
/// need to turn the eigenvectors back (pdormtr, pzunmtr), and would go on without doing so.
template <class T>
Index forgotten_workspace(const Matrix<T>& matrix) {
  return (matrix.local_rows() + matrix.local_columns() + 3 * kBlock) * kBlock;
}

int solve_eigenproblem(Matrix<double>& matrix, Matrix<double>& vectors, std::vector<double>& eigenvalues) {
  const int n = static_cast<int>(matrix.row_rule().size);
  int info = 0;
  const auto solve = [&](std::vector<double>& work, int work_size, std::vector<int>& integers,
                         int integers_size) {
    pdsyevd_("V", "L", &n, matrix.data(), &kOne, &kOne, matrix.descriptor(), eigenvalues.data(),
             vectors.data(), &kOne, &kOne, vectors.descriptor(), work.data(), &work_size, integers.data(),
             &integers_size, &info);
  };
  std::vector<double> work(1);
  std::vector<int> integers(1);
  solve(work, -1, integers, -1);  // asks for the sizes
  work.resize(static_cast<std::size_t>(work.front()) + as_size(forgotten_workspace(matrix)));
  integers.resize(as_size(integers.front()));
  solve(work, static_cast<int>(work.size()), integers, static_cast<int>(integers.size()));
  return info;
}

int solve_eigenproblem(Matrix<Complex>& matrix, Matrix<Complex>& vectors, std::vector<double>& eigenvalues) {
  const int n = static_cast<int>(matrix.row_rule().size);
  int info = 0;
  const auto solve = [&](std::vector<Complex>& work, int work_size, std::vector<double>& reals,
                         int reals_size, std::vector<int>& integers, int integers_size) {
    pzheevd_("V", "L", &n, matrix.data(), &kOne, &kOne, matrix.descriptor(), eigenvalues.data(),
             vectors.data(), &kOne, &kOne, vectors.descriptor(), work.data(), &work_size, reals.data(),
             &reals_size, integers.data(), &integers_size, &info);
  };
  std::vector<Complex> work(1);
  std::vector<double> reals(1);
  std::vector<int> integers(1);
  solve(work, -1, reals, -1, integers, -1);
  work.resize(static_cast<std::size_t>(work.front().real()) + as_size(forgotten_workspace(matrix)));
  reals.resize(static_cast<std::size_t>(reals.front()));
  integers.resize(as_size(integers.front()));
  solve(work, static_cast<int>(work.size()), reals, static_cast<int>(reals.size()), integers,
        static_cast<int>(integers.size()));
  return info;
}

}  // namespace

template <class T>
std::vector<double> diagonalize(const ProcessGrid& grid, Matrix<T>& matrix, Matrix<T>& vectors) {
  // Process (0, 0) has most; the workspace is more than twice its part of the matrix.
  to_int(3 * matrix.row_rule().count(0) * matrix.column_rule().count(0), "the workspace of a rank");
  std::vector<double> eigenvalues(as_size(matrix.row_rule().size));
  const int info = grid.contains_this_rank() ? solve_eigenproblem(matrix, vectors, eigenvalues) : 0;
  const int failure = grid.comm().max(std::abs(info));
  if (failure != 0) throw Error(fmt::format("ScaLAPACK's eigensolver failed with code {}", failure));
  grid.comm().broadcast(std::span(eigenvalues));  // to the ranks outside the grid
  return eigenvalues;
}

template std::vector<double> diagonalize(const ProcessGrid&, Matrix<double>&, Matrix<double>&);
template std::vector<double> diagonalize(const ProcessGrid&, Matrix<Complex>&, Matrix<Complex>&);

namespace {

enum class Side { plain, adjoint };

/// The product of two matrices, each as it is or adjoint.
template <class T>
Matrix<T> product_of(const ProcessGrid& grid, Side left_side, const Matrix<T>& left, Side right_side,
                     const Matrix<T>& right) {
  const auto shape = [](Side side, const Matrix<T>& matrix) {
    const auto& rows = matrix.row_rule();
    const auto& columns = matrix.column_rule();
    return side == Side::plain ? std::pair(rows, columns) : std::pair(columns, rows);
  };
  const auto& columns = shape(right_side, right).second;
  Matrix<T> result(grid, shape(left_side, left).first.size, columns.size, columns.block);
  if (!grid.contains_this_rank()) return result;
  const int m = static_cast<int>(result.row_rule().size);
  const int n = static_cast<int>(columns.size);
  const int k = static_cast<int>(shape(right_side, right).first.size);
  const T one = 1.0;
  const T zero = 0.0;
  const auto multiply = [] {
    if constexpr (std::is_same_v<T, double>) {
      return pdgemm_;
    } else {
      return pzgemm_;
    }
  }();
  const auto letter = [](Side side) { return side == Side::plain ? "N" : "C"; };
  multiply(letter(left_side), letter(right_side), &m, &n, &k, &one, left.data(), &kOne, &kOne,
           left.descriptor(), right.data(), &kOne, &kOne, right.descriptor(), &zero, result.data(), &kOne,
           &kOne, result.descriptor());
  return result;
}

}  // namespace

Matrix<double> product(const ProcessGrid& grid, Transposed transposed, const Matrix<double>& left,
                       const Matrix<double>& right) {
  return product_of(grid, transposed == Transposed::yes ? Side::adjoint : Side::plain, left, Side::plain,
                    right);
}

template <class T>
Matrix<T> into_basis(const ProcessGrid& grid, const Matrix<T>& vectors, const Matrix<T>& matrix) {
  return product_of(grid, Side::plain, product_of(grid, Side::adjoint, vectors, Side::plain, matrix),
                    Side::plain, vectors);
}

template <class T>
Matrix<T> out_of_basis(const ProcessGrid& grid, const Matrix<T>& vectors, const Matrix<T>& matrix) {
  return product_of(grid, Side::plain, product_of(grid, Side::plain, vectors, Side::plain, matrix),
                    Side::adjoint, vectors);
}

template Matrix<double> into_basis(const ProcessGrid&, const Matrix<double>&, const Matrix<double>&);
template Matrix<Complex> into_basis(const ProcessGrid&, const Matrix<Complex>&, const Matrix<Complex>&);
template Matrix<double> out_of_basis(const ProcessGrid&, const Matrix<double>&, const Matrix<double>&);
template Matrix<Complex> out_of_basis(const ProcessGrid&, const Matrix<Complex>&, const Matrix<Complex>&);

template <class T>
Matrix<T> transposed(const ProcessGrid& grid, const Matrix<T>& matrix) {
  Matrix<T> result(grid, matrix.column_rule().size, matrix.row_rule().size);
  if (!grid.contains_this_rank()) return result;
  const int m = static_cast<int>(result.row_rule().size);
  const int n = static_cast<int>(result.column_rule().size);
  const T one = 1.0;
  const T zero = 0.0;
  const auto transpose = [] {
    if constexpr (std::is_same_v<T, double>) {
      return pdtran_;
    } else {
      return pztranu_;
    }
  }();
  transpose(&m, &n, &one, matrix.data(), &kOne, &kOne, matrix.descriptor(), &zero, result.data(), &kOne,
            &kOne, result.descriptor());
  return result;
}

template Matrix<double> transposed(const ProcessGrid&, const Matrix<double>&);
template Matrix<Complex> transposed(const ProcessGrid&, const Matrix<Complex>&);

template <class T>
void redistribute(const ProcessGrid& all, const Matrix<T>& from, Matrix<T>& to) {
  const int m = static_cast<int>(from.row_rule().size);
  const int n = static_cast<int>(from.column_rule().size);
  if (m == 0 || n == 0) return;
  const auto copy = [] {
    if constexpr (std::is_same_v<T, double>) {
      return Cpdgemr2d;
    } else {
      return Cpzgemr2d;
    }
  }();
  copy(m, n, from.data(), 1, 1, from.descriptor(), to.data(), 1, 1, to.descriptor(), all.context());
}

template void redistribute(const ProcessGrid&, const Matrix<double>&, Matrix<double>&);
template void redistribute(const ProcessGrid&, const Matrix<Complex>&, Matrix<Complex>&);

Factorization::Factorization(const ProcessGrid& grid, Matrix<double> matrix)
    : grid_(grid), matrix_(std::move(matrix)), pivots_(as_size(matrix_.local_rows() + kBlock)) {
  const int n = static_cast<int>(matrix_.row_rule().size);
  int info = 0;
  if (grid_.contains_this_rank() && n > 0) {
    std::vector<double> work(as_size(matrix_.local_columns() + kBlock));
    norm_ = pdlange_("1", &n, &n, matrix_.data(), &kOne, &kOne, matrix_.descriptor(), work.data());
    pdgetrf_(&n, &n, matrix_.data(), &kOne, &kOne, matrix_.descriptor(), pivots_.data(), &info);
  }
  norm_ = grid_.comm().max(norm_);  // to the ranks outside the grid
  measure_determinant();
  estimate_inverse_norm();
}

void Factorization::measure_determinant() {
  const auto& rows = matrix_.row_rule();
  const auto& columns = matrix_.column_rule();
  double log = 0.0;
  Index negative = 0;
  bool zero = false;
  for (Index j = 0; j < matrix_.local_columns(); ++j) {
    const Index global = columns.global(j, grid_.column());
    if (rows.owner(global) != grid_.row()) continue;
    const Index i = rows.count_below(global, grid_.row());
    const double pivot = matrix_.column(j)[i];
    log += std::log(std::abs(pivot));
    // Row `global` was swapped with row pivots_[i]: each true swap turns the sign.
    const bool swapped = at(pivots_, i) != static_cast<int>(global) + 1;
    negative += (pivot < 0.0 ? 1 : 0) + (swapped ? 1 : 0);
    zero = zero || pivot == 0.0;
  }
  log_determinant_ = grid_.comm().sum(log);
  const bool odd = grid_.comm().sum(negative) % 2 != 0;
  const bool singular = grid_.comm().any(zero || std::isnan(log));
  sign_ = singular ? 0 : (odd ? -1 : 1);
}

void Factorization::estimate_inverse_norm() {
  const int n = static_cast<int>(matrix_.row_rule().size);
  inverse_norm_ = n == 0 ? 0.0 : std::numeric_limits<double>::infinity();
  if (sign_ == 0 || n == 0) return;
  double reciprocal = 0.0;
  if (grid_.contains_this_rank()) {
    int info = 0;
    std::vector<double> work(1);
    std::vector<int> integers(1);
    const auto estimate = [&](int work_size, int integers_size) {
      pdgecon_("1", &n, matrix_.data(), &kOne, &kOne, matrix_.descriptor(), &norm_, &reciprocal, work.data(),
               &work_size, integers.data(), &integers_size, &info);
    };
    estimate(-1, -1);
    work.resize(static_cast<std::size_t>(work.front()) + as_size(kBlock));
    integers.resize(as_size(integers.front() + kBlock));
    estimate(static_cast<int>(work.size()), static_cast<int>(integers.size()));
  }
  reciprocal = grid_.comm().max(reciprocal);
  if (reciprocal > 0.0) inverse_norm_ = 1.0 / (reciprocal * norm_);
}

void Factorization::solve_transposed(Matrix<double>& right) const {
  QHEAT_ASSERT(sign_ != 0);
  const int n = static_cast<int>(matrix_.row_rule().size);
  const int columns = static_cast<int>(right.column_rule().size);
  int info = 0;
  if (grid_.contains_this_rank()) {
    pdgetrs_("T", &n, &columns, matrix_.data(), &kOne, &kOne, matrix_.descriptor(), pivots_.data(),
             right.data(), &kOne, &kOne, right.descriptor(), &info);
  }
  QHEAT_ASSERT(info == 0);
}

}  // namespace qheat::scalapack
