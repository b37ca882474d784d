#include "qheat/kernel/time_local_kernel.hpp"

#include <algorithm>
#include <cmath>

namespace qheat {

double largest_element(const KernelValue& kernel, const Communicator& comm) {
  double largest = 0.0;
  for (const auto& sector : kernel.sectors) {
    const auto block = sector.values.block();
    const double* end = block.data() + block.rows() * block.columns();
    std::for_each(block.data(), end, [&](double value) { largest = std::max(largest, std::abs(value)); });
  }
  return comm.max(largest);
}

}  // namespace qheat
