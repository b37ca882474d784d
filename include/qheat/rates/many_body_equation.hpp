#pragma once

#include <memory>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/kernel/second_order.hpp"
#include "qheat/model/initial_state.hpp"
#include "qheat/operators/block_engine.hpp"
#include "qheat/rates/rate_equation.hpp"

namespace qheat {

/// The many-body gain-loss equation dP/dt = K(t) P on the cells, matrix-free: K(t) is never stored.
class ManyBodyEquation final : public RateEquation {
 public:
  /// `kernel` must outlive this object.
  ManyBodyEquation(std::shared_ptr<const DistributedSector> cells, const SecondOrderKernel& kernel);

  const Communicator& comm() const override { return cells_->comm(); }
  Index local_size() const override { return cells_->local_size(); }
  Index first() const override { return cells_->first_state(); }
  Index global_size() const override { return cells_->dimension(); }
  void apply(double t, std::span<const double> p, std::span<double> dp) override;
  void diagonal(double t, std::span<double> diagonal) override;

  const DistributedSector& cells() const { return *cells_; }
  /// Bytes of this rank beside the vectors.
  Index bytes() const { return engine_.bytes(); }

 private:
  void go_to(double t);

  std::shared_ptr<const DistributedSector> cells_;
  const SecondOrderKernel& kernel_;
  BlockEngine<double> engine_;
  std::vector<double> values_;
  double time_;
};

}  // namespace qheat
