#pragma once

#include <vector>

#include "qheat/basis/mirror_pairs.hpp"
#include "qheat/kernel/kernel_interpolant.hpp"
#include "qheat/rates/rate_equation.hpp"

namespace qheat {

/// The many-body gain-loss equation dP/dt = K(t) P on all cells of a job with a kernel held as dense columns,
/// interpolated between output times. P, of the cells' number, passes through every rank.
class DenseManyBodyEquation final : public RateEquation {
 public:
  /// `fastest`: estimate of the largest |K_cc| in the time span. The others must outlive this object.
  DenseManyBodyEquation(const CellSpace& cells, KernelInterpolant& kernel, double fastest,
                        const Communicator& comm);

  const Communicator& comm() const override { return comm_; }
  Index local_size() const override { return share_.count(comm_.rank()); }
  Index first() const override { return share_.first(comm_.rank()); }
  Index global_size() const override { return share_.size(); }
  void apply(double t, std::span<const double> p, std::span<double> dp) override;
  void diagonal(double t, std::span<double> diagonal) override;
  double fastest_rate(const std::vector<double>&) override { return fastest_; }
  void on_pause(const std::function<void()>& pause) override { kernel_.on_pause(pause); }

  /// All probabilities on all ranks from each rank's share. Collective.
  std::vector<double> gather(std::span<const double> p) const;

 private:
  const CellSpace& cells_;
  KernelInterpolant& kernel_;
  double fastest_;
  Communicator comm_;
  ColumnShare share_;
};

}  // namespace qheat
