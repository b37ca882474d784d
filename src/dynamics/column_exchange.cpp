#include "dynamics/column_exchange.hpp"

#include <algorithm>

namespace qheat::scalapack {

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

ColumnExchange::Messages ColumnExchange::messages_by_rows(const Matrix<double>& matrix) const {
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

ColumnExchange::Messages ColumnExchange::messages_by_blocks(const Matrix<double>& matrix) const {
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
void ColumnExchange::visit_by_rows(const Matrix<double>& matrix, const Visit& visit) const {
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
void ColumnExchange::visit_by_blocks(const Matrix<double>& matrix, const Visit& visit) const {
  if (!grid_.contains_this_rank()) return;
  for (std::size_t rank = 0; rank + 1 < starts_.size(); ++rank) {
    const Index first = matrix.row_rule().count_below(starts_[rank], grid_.row());
    const Index last = matrix.row_rule().count_below(starts_[rank + 1], grid_.row());
    for (Index k = 0; k < matrix.local_columns(); ++k) visit(first, k, last - first);
  }
}

Matrix<double> ColumnExchange::to_grid(ColumnBlock<const Complex> columns) const {
  QHEAT_ASSERT(columns.rows() == local_rows());
  const Index real_columns = 2 * columns.columns();
  // Few columns are spread over all processes nevertheless.
  const Index column_block = std::clamp<Index>(quotient_up(real_columns, grid_.columns()), 1, kBlock);
  Matrix<double> matrix(grid_, starts_.back(), real_columns, column_block);
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

void ColumnExchange::from_grid(const Matrix<double>& matrix, ColumnBlock<Complex> columns) const {
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
