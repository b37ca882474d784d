#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/operators/exchange_route.hpp"
#include "qheat/operators/local_terms.hpp"
#include "qheat/parallel/column_block.hpp"

namespace qheat {

/// y <- scale (A + shift) x + keep y, or keep times another vector, which is not read if keep is 0. The step
/// of a three-term recursion.
struct AffineMap {
  double scale = 1.0;
  double shift = 0.0;
  double keep = 0.0;
};

template <class T>
class BlockTables;

/// Element of a sparse matrix on one half of a BlockLayout.
template <class T>
struct HalfMatrixElement {
  Index destination, source;
  T value;
};

/// sum_j A_j (x) B_j on a BlockLayout, the same on all ranks. A B_j is cut to the classes that fit; with the
/// identity inside, an element of A_j between rows of different classes is an error of the caller's.
template <class T>
struct KroneckerSum {
  struct Product {
    std::vector<HalfMatrixElement<T>> rows;  ///< A_j, by numbers of rows; empty: the identity
    std::vector<HalfMatrixElement<T>>
        inside;  ///< B_j, by numbers in class_begin's order; empty: the identity
  };

  std::vector<Index> class_begin;  ///< [classes + 1] first number of each class of inner elements
  std::vector<Product> products;

  /// Class of an inner element, and its place in the class.
  std::pair<int, Index> place_inside(Index element) const;
};

/// A diagonal that is a function of both halves, computed for each state: no table of the size of the
/// vectors.
class RowDiagonal {
 public:
  RowDiagonal() = default;
  virtual ~RowDiagonal() = default;
  RowDiagonal(const RowDiagonal&) = delete;
  RowDiagonal& operator=(const RowDiagonal&) = delete;

  /// y[j] += scale d(row, j) x[j] over a row (global number); x and y do not overlap.
  virtual void add(Index row, double scale, const Complex* x, Complex* y) const = 0;
  virtual void add(Index row, double scale, const double* x, double* y) const = 0;
  /// Bytes on this rank.
  virtual Index bytes() const = 0;
};

/// y = A x for an operator on an index set of two halves, without a matrix.
///
/// A vector is a list of rows, each a contiguous array over the elements of its class (BlockLayout). The
/// operator is a sum of A_j (x) B_j, and each element of A_j is an action
///     y[row, :] += B_j x[source row, :]
/// where B_j is a number or a small sparse matrix between two classes, shared by all rows of a class. Only
/// tables over half of the index set exist; no index is stored or computed for a state.
///
/// Rows of other ranks arrive in chunks through two buffers of bounded size while the local part is under
/// way; or blocks are transposed piece by piece, if fewer states travel then (ExchangeRoute). T, the type of
/// the elements, is double or Complex; vectors are Complex, or double if T is. Several columns of
/// small vectors share the index work.
template <class T>
class BlockEngine {
 public:
  /// A sum of local terms on a sector, cut at the middle of the lattice (of twice the sites: between ket and
  /// bra), plus `diagonal` if there is one. `space` must outlive the engine.
  BlockEngine(const DistributedSector& space, const TermSum<T>& terms,
              ExchangeRoute route = ExchangeRoute::automatic,
              std::unique_ptr<const RowDiagonal> diagonal = nullptr);
  /// Any sum of Kronecker products. `blocks` must outlive the engine. Throws Error if the sum does not fit.
  BlockEngine(const DistributedBlocks& blocks, const KroneckerSum<T>& sum,
              ExchangeRoute route = ExchangeRoute::automatic);
  ~BlockEngine();
  BlockEngine(BlockEngine&&) noexcept;
  BlockEngine& operator=(BlockEngine&&) = delete;

  /// y = scale (A + shift) x + keep before, where `before` may be y. Collective. Returns the bytes that this
  /// rank sent.
  Index apply(const AffineMap& map, ColumnBlock<const Complex> x, ColumnBlock<const Complex> before,
              ColumnBlock<Complex> y) const;
  Index apply(const AffineMap& map, ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const {
    return apply(map, x, y, y);
  }
  Index apply(const AffineMap& map, ColumnBlock<const double> x, ColumnBlock<double> y) const;
  Index apply(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const { return apply({}, x, y); }
  Index apply(ColumnBlock<const double> x, ColumnBlock<double> y) const { return apply({}, x, y); }

  /// New values of all elements, in the order of terms and elements that the engine was made with (for
  /// Kronecker products: products, elements of A_j, elements of B_j).
  void set_values(std::span<const T> values);
  /// <x| E |x> for each element E of the operator with its value set to 1, in the order of set_values: all
  /// local density matrices of a state in one pass. `sums` is overwritten with this rank's part, to be added
  /// up over the ranks. Collective; for an engine that exchanges rows (ExchangeRoute::rows).
  void element_sums(std::span<const Complex> x, std::span<Complex> sums) const { element_sums(x, x, sums); }
  /// The same between two vectors, <x| E |y>.
  void element_sums(std::span<const Complex> x, std::span<const Complex> y, std::span<Complex> sums) const;
  /// This rank's part of the diagonal.
  void diagonal(std::span<T> diagonal) const;
  /// Bytes of tables and buffers on this rank.
  Index bytes() const;
  /// What travels between ranks by either route, and by the plan.
  const ExchangeCounts& exchange_counts() const;

 private:
  std::unique_ptr<BlockTables<T>> tables_;
};

}  // namespace qheat
