#include "dynamics/scalapack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "qheat/parallel/error.hpp"

extern "C" {
int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int* context, const char* order, int rows, int columns);
void Cblacs_gridexit(int context);
void pdsyevd_(const char* job, const char* triangle, const int* n, double* a, const int* ia, const int* ja,
              const int* a_descriptor, double* eigenvalues, double* z, const int* iz, const int* jz,
              const int* z_descriptor, double* work, const int* work_size, int* integer_work,
              const int* integer_work_size, int* info);
void pdgemm_(const char* transposed_a, const char* transposed_b, const int* m, const int* n, const int* k,
             const double* alpha, const double* a, const int* ia, const int* ja, const int* a_descriptor,
             const double* b, const int* ib, const int* jb, const int* b_descriptor, const double* beta,
             double* c, const int* ic, const int* jc, const int* c_descriptor);
}

namespace qheat::scalapack {
namespace {

constexpr int kOne = 1;  // Fortran counts from one and takes everything by address

int to_int(Index n, const char* what) {
  if (n > std::numeric_limits<int>::max()) {
    throw Error(fmt::format("{} is {}, more than ScaLAPACK's integers hold; use more ranks", what, n));
  }
  return static_cast<int>(n);
}

Index quotient_up(Index n, Index divisor) {
  return (n + divisor - 1) / divisor;
}

}  // namespace

Index BlockCyclic::count_below(Index index, int process) const {
  const Index round = block * processes;
  return index / round * block + std::clamp<Index>(index % round - process * block, 0, block);
}

ProcessGrid::ProcessGrid(const Communicator& comm, Index dimension) : comm_(comm) {
  const Index blocks = std::max<Index>(1, quotient_up(dimension, kBlock));
  rows_ = static_cast<int>(std::min<Index>(static_cast<Index>(std::sqrt(comm.size())), blocks));
  columns_ = static_cast<int>(std::min<Index>(comm.size() / rows_, blocks));
  const int handle = Csys2blacs_handle(comm.get());
  context_ = handle;
  Cblacs_gridinit(&context_, "Row", rows_, columns_);
  Cfree_blacs_system_handle(handle);  // the grid has a communicator of its own
}

ProcessGrid::~ProcessGrid() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (finalized == 0 && context_ >= 0) Cblacs_gridexit(context_);
}

Matrix::Matrix(const ProcessGrid& grid, Index rows, Index columns, Index column_block)
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
      values_(static_cast<std::size_t>(local_rows_ * local_columns_)) {}

std::vector<double> diagonalize(const ProcessGrid& grid, Matrix& matrix, Matrix& vectors) {
  const int n = to_int(matrix.row_rule().size, "the dimension");
  // Process (0, 0) has most; the workspace is more than twice its part of the matrix.
  to_int(3 * matrix.row_rule().count(0) * matrix.column_rule().count(0), "the workspace of a rank");
  std::vector<double> eigenvalues(static_cast<std::size_t>(n));
  int info = 0;
  if (grid.contains_this_rank()) {
    const auto solve = [&](std::vector<double>& work, int work_size, std::vector<int>& integers,
                           int integers_size) {
      pdsyevd_("V", "L", &n, matrix.data(), &kOne, &kOne, matrix.descriptor(), eigenvalues.data(),
               vectors.data(), &kOne, &kOne, vectors.descriptor(), work.data(), &work_size, integers.data(),
               &integers_size, &info);
    };
    std::vector<double> work(1);
    std::vector<int> integers(1);
    solve(work, -1, integers, -1);  // asks for the sizes
    // pdsyevd forgets what it needs to turn the eigenvectors back (pdormtr), and would go on without doing
    // so.
    const Index forgotten = (matrix.local_rows() + matrix.local_columns() + 3 * kBlock) * kBlock;
    work.resize(static_cast<std::size_t>(work.front()) + static_cast<std::size_t>(forgotten));
    integers.resize(static_cast<std::size_t>(integers.front()));
    solve(work, static_cast<int>(work.size()), integers, static_cast<int>(integers.size()));
  }
  const int failure = grid.comm().max(std::abs(info));
  if (failure != 0) throw Error(fmt::format("ScaLAPACK's eigensolver pdsyevd failed with code {}", failure));
  grid.comm().broadcast(std::span(eigenvalues));  // to the ranks outside the grid
  return eigenvalues;
}

Matrix product(const ProcessGrid& grid, Transposed transposed, const Matrix& left, const Matrix& right) {
  const bool turned = transposed == Transposed::yes;
  const Index rows = turned ? left.column_rule().size : left.row_rule().size;
  Matrix result(grid, rows, right.column_rule().size, right.column_rule().block);
  if (!grid.contains_this_rank()) return result;
  const int m = static_cast<int>(rows);
  const int n = static_cast<int>(right.column_rule().size);
  const int k = static_cast<int>(right.row_rule().size);
  const double one = 1.0;
  const double zero = 0.0;
  pdgemm_(turned ? "T" : "N", "N", &m, &n, &k, &one, left.data(), &kOne, &kOne, left.descriptor(),
          right.data(), &kOne, &kOne, right.descriptor(), &zero, result.data(), &kOne, &kOne,
          result.descriptor());
  return result;
}

/// What this rank sends to or receives from each rank, as MPI_Alltoallv wants it, in numbers.
struct ColumnExchange::Messages {
  void append(Index size) {
    offsets.push_back(to_int(total, "the length of a message"));
    counts.push_back(to_int(size, "the length of a message"));
    total += size;
  }
  std::vector<double> buffer() const { return std::vector<double>(static_cast<std::size_t>(total)); }

  std::vector<int> counts, offsets;
  Index total = 0;
};

ColumnExchange::ColumnExchange(const ProcessGrid& grid, std::vector<Index> starts)
    : grid_(grid), starts_(std::move(starts)) {}

ColumnExchange::Messages ColumnExchange::messages_by_rows(const Matrix& matrix) const {
  const auto& rows = matrix.row_rule();
  Messages messages;
  for (int rank = 0; rank < grid_.comm().size(); ++rank) {
    const int row = grid_.row_of(rank);
    const bool inside = rank < grid_.rows() * grid_.columns();
    messages.append(inside ? (rows.count_below(last_row(), row) - rows.count_below(first_row(), row)) *
                                 matrix.column_rule().count(grid_.column_of(rank))
                           : 0);
  }
  return messages;
}

ColumnExchange::Messages ColumnExchange::messages_by_blocks(const Matrix& matrix) const {
  Messages messages;
  for (int rank = 0; rank < grid_.comm().size(); ++rank) {
    Index rows = 0;
    if (grid_.contains_this_rank()) {
      const auto count = [&](int r) {
        return matrix.row_rule().count_below(starts_[static_cast<std::size_t>(r)], grid_.row());
      };
      rows = count(rank + 1) - count(rank);
    }
    messages.append(rows * matrix.local_columns());
  }
  return messages;
}

/// Calls visit(row, column) for the elements of this rank's contiguous rows in the order of the messages;
/// `row` counts from first_row(), `column` is one of the matrix.
template <class Visit>
void ColumnExchange::visit_by_rows(const Matrix& matrix, const Visit& visit) const {
  const auto& rows = matrix.row_rule();
  const auto& columns = matrix.column_rule();
  std::vector<Index> rows_there;
  for (int rank = 0; rank < grid_.rows() * grid_.columns(); ++rank) {
    const int row = grid_.row_of(rank);
    const int column = grid_.column_of(rank);
    rows_there.clear();
    for (Index i = rows.count_below(first_row(), row); i < rows.count_below(last_row(), row); ++i)
      rows_there.push_back(rows.global(i, row) - first_row());
    for (Index k = 0; k < columns.count(column); ++k) {
      for (const Index i : rows_there) visit(i, columns.global(k, column));
    }
  }
}

/// Calls visit(row, column, count) for consecutive elements of the local part of the matrix in the order of
/// the messages.
template <class Visit>
void ColumnExchange::visit_by_blocks(const Matrix& matrix, const Visit& visit) const {
  if (!grid_.contains_this_rank()) return;
  for (std::size_t rank = 0; rank + 1 < starts_.size(); ++rank) {
    const Index first = matrix.row_rule().count_below(starts_[rank], grid_.row());
    const Index last = matrix.row_rule().count_below(starts_[rank + 1], grid_.row());
    for (Index k = 0; k < matrix.local_columns(); ++k) visit(first, k, last - first);
  }
}

Matrix ColumnExchange::to_grid(ColumnBlock<const Complex> columns) const {
  QHEAT_ASSERT(columns.rows() == local_rows());
  const Index real_columns = 2 * columns.columns();
  // Few columns are spread over all processes nevertheless.
  const Index column_block = std::clamp<Index>(quotient_up(real_columns, grid_.columns()), 1, kBlock);
  Matrix matrix(grid_, starts_.back(), real_columns, column_block);
  const Messages sent = messages_by_rows(matrix);
  const Messages received = messages_by_blocks(matrix);
  auto out = sent.buffer();
  auto in = received.buffer();
  auto* next = out.data();
  visit_by_rows(matrix, [&](Index row, Index column) {
    *next++ = reinterpret_cast<const double*>(columns.column(column / 2))[2 * row + column % 2];
  });
  MPI_Alltoallv(out.data(), sent.counts.data(), sent.offsets.data(), MPI_DOUBLE, in.data(),
                received.counts.data(), received.offsets.data(), MPI_DOUBLE, grid_.comm().get());
  const auto* from = in.data();
  visit_by_blocks(matrix, [&](Index row, Index column, Index count) {
    std::copy_n(from, count, matrix.column(column) + row);
    from += count;
  });
  return matrix;
}

void ColumnExchange::from_grid(const Matrix& matrix, ColumnBlock<Complex> columns) const {
  QHEAT_ASSERT(columns.rows() == local_rows() && matrix.column_rule().size == 2 * columns.columns());
  const Messages sent = messages_by_blocks(matrix);
  const Messages received = messages_by_rows(matrix);
  auto out = sent.buffer();
  auto in = received.buffer();
  auto* next = out.data();
  visit_by_blocks(matrix, [&](Index row, Index column, Index count) {
    next = std::copy_n(matrix.column(column) + row, count, next);
  });
  MPI_Alltoallv(out.data(), sent.counts.data(), sent.offsets.data(), MPI_DOUBLE, in.data(),
                received.counts.data(), received.offsets.data(), MPI_DOUBLE, grid_.comm().get());
  const auto* from = in.data();
  visit_by_rows(matrix, [&](Index row, Index column) {
    reinterpret_cast<double*>(columns.column(column / 2))[2 * row + column % 2] = *from++;
  });
}

}  // namespace qheat::scalapack
