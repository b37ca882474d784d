#pragma once

#include "parallel/petsc.hpp"
#include "qheat/operators/operator.hpp"

namespace qheat {

/// Distributed sparse matrix (MPIAIJ), preallocated exactly.
petsc::Matrix assemble(const DistributedSector& space, const TermSum<Complex>& terms);

class AssembledOperator final : public Operator {
 public:
  AssembledOperator(std::shared_ptr<const DistributedSector> space, const TermSum<Complex>& terms);

  void diagonal(std::span<Complex> diagonal) const override;
  bool is_real() const override { return real_; }
  Index bytes() const override { return bytes_; }
  Mat matrix() const { return matrix_.get(); }

 private:
  Index apply_impl(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const override;
  Index apply_impl(ColumnBlock<const double> x, ColumnBlock<double> y) const override;

  bool real_;
  petsc::Matrix matrix_;
  Index bytes_ = 0;
};

}  // namespace qheat
