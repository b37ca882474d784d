#pragma once

#include <vector>

#include "qheat/kernel/exact_kernel.hpp"

namespace qheat_test {

/// Those that are found from equally spaced outputs between 0 and `end`.
inline std::vector<double> singular_times(qheat::ExactKernel& kernel, double end, int outputs) {
  qheat::SingularTimes singular;
  for (int k = 0; k < outputs; ++k) {
    const double t = end * k / (outputs - 1);
    kernel.at(t);
    singular.advance(kernel, t);
  }
  return singular.found();
}

}  // namespace qheat_test
