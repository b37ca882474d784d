#include "parallel/column_exchange.hpp"

#include <algorithm>
#include <type_traits>

#include "qheat/parallel/index.hpp"

namespace qheat::scalapack {

/// What this rank sends to or receives from each rank, as MPI_Alltoallv wants it, in numbers.
struct ColumnExchange::Messages {
  void append(Index size) {
    offsets.push_back(to_int(total, "the length of a message"));
    counts.push_back(to_int(size, "the length of a message"));
    total += size;
  }
  template <class T>
  std::vector<T> buffer() const {
    return std::vector<T>(as_size(total));
  }

  std::vector<int> counts, offsets;
  Index total = 0;
};

ColumnExchange::ColumnExchange(const ProcessGrid& grid, std::vector<Index> starts)
    : grid_(grid), starts_(std::move(starts)) {}

template <class T>
ColumnExchange::Messages ColumnExchange::messages_by_rows(const Matrix<T>& matrix) const {
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

template <class T>
ColumnExchange::Messages ColumnExchange::messages_by_blocks(const Matrix<T>& matrix) const {
  Messages messages;
  for (int rank = 0; rank < grid_.comm().size(); ++rank) {
    Index rows = 0;
    if (grid_.contains_this_rank()) {
      const auto count = [&](int r) { return matrix.row_rule().count_below(at(starts_, r), grid_.row()); };
      rows = count(rank + 1) - count(rank);
    }
    messages.append(rows * matrix.local_columns());
  }
  return messages;
}

/// Calls visit(row, column) for the elements of this rank's contiguous rows in the order of the messages;
/// `row` counts from first_row(), `column` is one of the matrix.
template <class T, class Visit>
void ColumnExchange::visit_by_rows(const Matrix<T>& matrix, const Visit& visit) const {
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
template <class T, class Visit>
void ColumnExchange::visit_by_blocks(const Matrix<T>& matrix, const Visit& visit) const {
  if (!grid_.contains_this_rank()) return;
  for (std::size_t rank = 0; rank + 1 < starts_.size(); ++rank) {
    const Index first = matrix.row_rule().count_below(starts_[rank], grid_.row());
    const Index last = matrix.row_rule().count_below(starts_[rank + 1], grid_.row());
    for (Index k = 0; k < matrix.local_columns(); ++k) visit(first, k, last - first);
  }
}

namespace {

template <class T>
MPI_Datatype mpi_type() {
  if constexpr (std::is_same_v<T, double>) {
    return MPI_DOUBLE;
  } else {
    return MPI_C_DOUBLE_COMPLEX;
  }
}

}  // namespace

template <class T, class Element>
void ColumnExchange::fill_grid(const Element& element, Matrix<T>& matrix) const {
  const Messages sent = messages_by_rows(matrix);
  const Messages received = messages_by_blocks(matrix);
  auto out = sent.buffer<T>();
  auto in = received.buffer<T>();
  auto* next = out.data();
  visit_by_rows(matrix, [&](Index row, Index column) { *next++ = element(row, column); });
  MPI_Alltoallv(out.data(), sent.counts.data(), sent.offsets.data(), mpi_type<T>(), in.data(),
                received.counts.data(), received.offsets.data(), mpi_type<T>(), grid_.comm().get());
  const auto* from = in.data();
  visit_by_blocks(matrix, [&](Index row, Index column, Index count) {
    std::copy_n(from, count, matrix.column(column) + row);
    from += count;
  });
}

template <class T, class Take>
void ColumnExchange::read_grid(const Matrix<T>& matrix, const Take& take) const {
  const Messages sent = messages_by_blocks(matrix);
  const Messages received = messages_by_rows(matrix);
  auto out = sent.buffer<T>();
  auto in = received.buffer<T>();
  auto* next = out.data();
  visit_by_blocks(matrix, [&](Index row, Index column, Index count) {
    next = std::copy_n(matrix.column(column) + row, count, next);
  });
  MPI_Alltoallv(out.data(), sent.counts.data(), sent.offsets.data(), mpi_type<T>(), in.data(),
                received.counts.data(), received.offsets.data(), mpi_type<T>(), grid_.comm().get());
  const auto* from = in.data();
  visit_by_rows(matrix, [&](Index row, Index column) { take(row, column, *from++); });
}

Matrix<double> ColumnExchange::to_grid(ColumnBlock<const Complex> columns) const {
  QHEAT_ASSERT(columns.rows() == local_rows());
  const Index real_columns = 2 * columns.columns();
  // Few columns are spread over all processes nevertheless.
  const Index column_block = std::clamp<Index>(quotient_up(real_columns, grid_.columns()), 1, kBlock);
  Matrix<double> matrix(grid_, starts_.back(), real_columns, column_block);
  fill_grid(
      [&](Index row, Index column) {
        return reinterpret_cast<const double*>(columns.column(column / 2))[2 * row + column % 2];
      },
      matrix);
  return matrix;
}

void ColumnExchange::from_grid(const Matrix<double>& matrix, ColumnBlock<Complex> columns) const {
  QHEAT_ASSERT(columns.rows() == local_rows() && matrix.column_rule().size == 2 * columns.columns());
  read_grid(matrix, [&](Index row, Index column, double value) {
    reinterpret_cast<double*>(columns.column(column / 2))[2 * row + column % 2] = value;
  });
}

template <class T>
Matrix<T> ColumnExchange::square_to_grid(ColumnBlock<const T> columns) const {
  QHEAT_ASSERT(columns.rows() == local_rows() && columns.columns() == starts_.back());
  Matrix<T> matrix(grid_, starts_.back(), starts_.back());
  fill_grid([&](Index row, Index column) { return columns.column(column)[row]; }, matrix);
  return matrix;
}

template <class T>
void ColumnExchange::square_from_grid(const Matrix<T>& matrix, ColumnBlock<T> columns) const {
  QHEAT_ASSERT(columns.rows() == local_rows() && columns.columns() == matrix.column_rule().size);
  read_grid(matrix, [&](Index row, Index column, T value) { columns.column(column)[row] = value; });
}

template Matrix<double> ColumnExchange::square_to_grid(ColumnBlock<const double>) const;
template Matrix<Complex> ColumnExchange::square_to_grid(ColumnBlock<const Complex>) const;
template void ColumnExchange::square_from_grid(const Matrix<double>&, ColumnBlock<double>) const;
template void ColumnExchange::square_from_grid(const Matrix<Complex>&, ColumnBlock<Complex>) const;

}  // namespace qheat::scalapack
