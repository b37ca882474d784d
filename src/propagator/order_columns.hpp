#pragma once

#include <string>
#include <vector>

#include "propagator/cell_assembly.hpp"
#include "propagator/column_tile.hpp"
#include "qheat/parallel/run_control.hpp"

namespace qheat {

/// Columns of the orders lambda^k A_k(t), k = 0 .. n, of e^{-iHt} in lambda H_I, for this rank's share: A_k'
/// = -i (H_0 - s) A_k - i H_I A_{k-1}.
template <class T>
class OrderColumns {
 public:
  /// `energies`: H_0, diagonal; starts at t = 0 with the columns of the identity.
  OrderColumns(const SparseRows<T>& energies, SparseRows<T> interaction, double shift, int order,
               const ColumnShare& share, int rank);

  /// Taylor steps for a time, each of at most 1 in units of the inverse norm of H.
  Index steps_for(double dt) const;
  /// Some of them, of dt each: many in a row or a few at a time, the result is the same bit for bit.
  void advance(Index steps, double dt);
  /// All so far.
  Index steps() const { return steps_; }
  /// Floating-point operations of one step, of the rank with the most columns, roughly.
  double operations_a_step() const;
  /// [1 + order].
  const std::vector<Amplitudes>& orders() const { return orders_; }
  /// Their time derivatives.
  std::vector<Amplitudes> derivatives() const;

  void save(StateWriter& writer, const std::string& name) const;
  void load(StateReader& reader, const std::string& name);

 private:
  /// All orders of a few columns, [1 + order].
  using Tiles = std::vector<ColumnTile>;
  Tiles tiles() const { return Tiles(orders_.size(), ColumnTile(static_cast<Index>(energies_.size()))); }
  void apply(const Tiles& x, double scale, Tiles& y) const;

  std::vector<double> energies_;
  SparseRows<T> interaction_;
  double norm_;
  Index first_column_, most_columns_;  ///< of this rank; of any
  Index steps_ = 0;
  std::vector<Amplitudes> orders_;
};

extern template class OrderColumns<double>;
extern template class OrderColumns<Complex>;

/// Largest 2-norm of a column, on this rank.
double largest_column_norm(const Amplitudes& amplitudes);

}  // namespace qheat
