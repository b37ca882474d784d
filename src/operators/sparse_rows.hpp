#pragma once

#include <vector>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// A square sparse matrix, row by row. Each rank holds all of it: it serves dense matrices of the same
/// dimension, beside which it is small.
template <class T>
struct SparseRows {
  Index size() const { return static_cast<Index>(begin.size()) - 1; }
  Index stored() const { return static_cast<Index>(values.size()); }

  std::vector<std::size_t> begin{0};  ///< [size + 1]
  std::vector<Index> columns;
  std::vector<T> values;
};

}  // namespace qheat
