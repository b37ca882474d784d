#include "qheat/model/bath.hpp"

#include <cmath>

namespace qheat {

JumpRates jump_rates(const Reservoir& reservoir, double gap) {
  const double x = gap / reservoir.temperature;  // 0 at infinite temperature
  if (reservoir.statistics == Reservoir::Statistics::fermi)
    return {reservoir.rate / (1.0 + std::exp(x)), reservoir.rate / (1.0 + std::exp(-x))};
  const double occupation = 1.0 / std::expm1(x);
  return {reservoir.rate * occupation, reservoir.rate * (occupation + 1.0)};
}

}  // namespace qheat
