#pragma once

#include <algorithm>
#include <vector>

#include "qheat/operators/block_engine.hpp"
#include "qheat/operators/operator.hpp"

namespace qheat {

/// An Operator on the block engine; T is the type of its elements.
template <class T>
class MatrixFreeOperator final : public Operator {
 public:
  MatrixFreeOperator(std::shared_ptr<const DistributedSector> space, const TermSum<T>& terms,
                     std::unique_ptr<const RowDiagonal> diagonal = nullptr)
      : Operator(std::move(space)),
        engine_(this->space(), terms, ExchangeRoute::automatic, std::move(diagonal)) {}

  void diagonal(std::span<Complex> diagonal) const override {
    if constexpr (std::is_same_v<T, Complex>) {
      engine_.diagonal(diagonal);
    } else {
      std::vector<T> values(diagonal.size());
      engine_.diagonal(values);
      std::copy(values.begin(), values.end(), diagonal.begin());
    }
  }
  bool is_real() const override { return std::is_same_v<T, double>; }
  Index bytes() const override { return engine_.bytes(); }

 private:
  Index apply_affine(const AffineMap& map, ColumnBlock<const Complex> x, ColumnBlock<const Complex> before,
                     ColumnBlock<Complex> y) const override {
    return engine_.apply(map, x, before, y);
  }
  Index apply_impl(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const override {
    return engine_.apply(x, y);
  }
  Index apply_impl(ColumnBlock<const double> x, ColumnBlock<double> y) const override {
    if constexpr (std::is_same_v<T, double>) {
      return engine_.apply(x, y);
    } else {
      throw Error("a complex operator does not act on real vectors");
    }
  }

  BlockEngine<T> engine_;
};

}  // namespace qheat
