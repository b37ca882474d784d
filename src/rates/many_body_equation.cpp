#include "qheat/rates/many_body_equation.hpp"

#include <limits>

namespace qheat {

ManyBodyEquation::ManyBodyEquation(std::shared_ptr<const DistributedSector> cells,
                                   const SecondOrderKernel& kernel)
    : cells_(std::move(cells)),
      kernel_(kernel),
      engine_(*cells_, kernel.pattern()),
      values_(kernel.value_count()),
      time_(std::numeric_limits<double>::quiet_NaN()) {}

void ManyBodyEquation::go_to(double t) {
  if (t == time_) return;
  kernel_.values(t, values_);
  engine_.set_values(values_);
  time_ = t;
}

void ManyBodyEquation::apply(double t, std::span<const double> p, std::span<double> dp) {
  go_to(t);
  engine_.apply(p, dp);
}

void ManyBodyEquation::diagonal(double t, std::span<double> diagonal) {
  go_to(t);
  engine_.diagonal(diagonal);
}

}  // namespace qheat
