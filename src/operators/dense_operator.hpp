#pragma once

#include <vector>

#include "qheat/operators/operator.hpp"

namespace qheat {

/// All elements on one rank, row by row.
class DenseOperator final : public Operator {
 public:
  DenseOperator(std::shared_ptr<const DistributedSector> space, const TermSum<Complex>& terms);

  void diagonal(std::span<Complex> diagonal) const override;
  bool is_real() const override { return real_; }
  Index bytes() const override { return static_cast<Index>(elements_.size() * sizeof(Complex)); }

 private:
  Index apply_impl(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const override;
  Index apply_impl(ColumnBlock<const double> x, ColumnBlock<double> y) const override;

  bool real_;
  std::vector<Complex> elements_;  ///< [D][D]
};

}  // namespace qheat
