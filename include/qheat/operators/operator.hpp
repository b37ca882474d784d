#pragma once

#include <memory>
#include <span>
#include <string>

#include "qheat/basis/sector.hpp"
#include "qheat/operators/block_engine.hpp"
#include "qheat/operators/local_terms.hpp"
#include "qheat/parallel/column_block.hpp"
#include "qheat/parallel/timings.hpp"

namespace qheat {

/// How an operator is held.
enum class Backend {
  dense,       ///< all elements on one rank: the slow, obvious reference
  assembled,   ///< distributed sparse matrix (PETSc MPIAIJ)
  matrix_free  ///< block engine: tables over half the lattice only
};

/// A linear operator on the states of a distributed sector. Immutable but for its counters.
class Operator {
 public:
  explicit Operator(std::shared_ptr<const DistributedSector> space) : space_(std::move(space)) {}
  virtual ~Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  const DistributedSector& space() const { return *space_; }
  const std::shared_ptr<const DistributedSector>& shared_space() const { return space_; }

  /// y = A x. Collective; x and y hold this rank's rows of the same number of columns and do not overlap.
  void apply(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const;
  /// The same for real vectors; A must be real.
  void apply(ColumnBlock<const double> x, ColumnBlock<double> y) const;
  /// y = scale (A + shift) x + keep before, where `before` may be y.
  void apply(const AffineMap& map, ColumnBlock<const Complex> x, ColumnBlock<const Complex> before,
             ColumnBlock<Complex> y) const;
  void apply(const AffineMap& map, ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const {
    apply(map, x, y, y);
  }

  /// This rank's part of the diagonal.
  virtual void diagonal(std::span<Complex> diagonal) const = 0;
  virtual bool is_real() const = 0;
  /// Bytes that this rank holds for the operator beside the vectors.
  virtual Index bytes() const = 0;
  /// Products so far on this rank: seconds, columns, bytes sent to other ranks.
  const PhaseTiming& timing() const { return timing_; }

 private:
  template <class V, class Product>
  void timed(ColumnBlock<const V> x, ColumnBlock<V> y, const Product& product) const;
  /// Returns the bytes sent.
  virtual Index apply_impl(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const = 0;
  virtual Index apply_impl(ColumnBlock<const double> x, ColumnBlock<double> y) const = 0;
  /// By way of a product and a pass over the vectors, unless a backend can do it in one.
  virtual Index apply_affine(const AffineMap& map, ColumnBlock<const Complex> x,
                             ColumnBlock<const Complex> before, ColumnBlock<Complex> y) const;

  std::shared_ptr<const DistributedSector> space_;
  mutable PhaseTiming timing_;
};

/// Makes an operator of a sum of local terms. `dense` needs a communicator of one rank.
std::unique_ptr<Operator> make_operator(std::shared_ptr<const DistributedSector> space,
                                        TermSum<Complex> terms, Backend backend = Backend::matrix_free);

}  // namespace qheat
