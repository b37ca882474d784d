#pragma once

#include <memory>
#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/operators/local_terms.hpp"
#include "qheat/parallel/column_block.hpp"

namespace qheat {

/// y = A x for a sum of local terms, without a matrix.
///
/// A vector of a sector is a list of rows, one a prefix configuration, each a contiguous array over the
/// suffix configurations of its class. Cut at the middle of the lattice, every term is A_j (x) B_j, and each
/// element of A_j is an action
///     y[row, :] += B_j x[source row, :]
/// where B_j is a number (the term lives in the prefix) or a small sparse matrix between two suffix classes,
/// shared by all rows of a class. Only tables over half of the lattice exist; no index is stored or computed
/// for a state.
///
/// Rows of other ranks arrive in chunks through two buffers of bounded size while the local part is under
/// way. T, the type of the elements, is double or Complex; vectors are Complex, or double if T is.
template <class T>
class BlockEngine {
 public:
  BlockEngine(const DistributedSector& space, const TermSum<T>& terms);
  ~BlockEngine();
  BlockEngine(BlockEngine&&) noexcept;
  BlockEngine& operator=(BlockEngine&&) = delete;

  /// Collective. Returns the bytes that this rank sent.
  Index apply(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const;
  Index apply(ColumnBlock<const double> x, ColumnBlock<double> y) const;

  /// New values of all elements, in the order of terms and elements that the engine was made with.
  void set_values(std::span<const T> values);
  /// This rank's part of the diagonal.
  void diagonal(std::span<T> diagonal) const;
  /// Bytes of tables and buffers on this rank.
  Index bytes() const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace qheat
