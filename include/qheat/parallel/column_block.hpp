#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// This rank's rows of k distributed columns; element (row, column) is data[row + column * stride]. A view.
template <class T>
class ColumnBlock {
 public:
  ColumnBlock(T* data, Index rows, Index columns, Index stride)
      : data_(data), rows_(rows), columns_(columns), stride_(stride) {
    QHEAT_ASSERT(rows >= 0 && columns >= 0 && (stride >= rows || columns <= 1));
  }
  /// One column.
  // NOLINTNEXTLINE(google-explicit-constructor): a span is a block of one column
  ColumnBlock(std::span<T> column)
      : ColumnBlock(column.data(), static_cast<Index>(column.size()), 1, static_cast<Index>(column.size())) {}
  // NOLINTNEXTLINE(google-explicit-constructor): as span<T> converts to span<const T>
  operator ColumnBlock<const T>() const { return {data_, rows_, columns_, stride_}; }

  T* data() const { return data_; }
  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  Index stride() const { return stride_; }
  T* column(Index k) const { return data_ + k * stride_; }
  std::span<T> column_span(Index k) const { return {column(k), as_size(rows_)}; }
  ColumnBlock<T> some_columns(Index first, Index count) const {
    return {column(first), rows_, count, stride_};
  }

 private:
  T* data_;
  Index rows_;
  Index columns_;
  Index stride_;
};

/// Owns a ColumnBlock's storage, zero at first.
template <class T>
class ColumnStorage {
 public:
  ColumnStorage(Index rows, Index columns)
      : rows_(rows),
        columns_(columns),
        data_(as_size(checked_product(rows, columns, "a block of vectors"))) {}

  ColumnBlock<T> block() { return {data_.data(), rows_, columns_, rows_}; }
  ColumnBlock<const T> block() const { return {data_.data(), rows_, columns_, rows_}; }

 private:
  Index rows_;
  Index columns_;
  std::vector<T> data_;
};

}  // namespace qheat
