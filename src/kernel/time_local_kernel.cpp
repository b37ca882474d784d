#include "qheat/kernel/time_local_kernel.hpp"

#include <algorithm>
#include <cmath>

#include "qheat/parallel/index.hpp"

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

void balance_losses(FullColumns& kernel) {
  for (std::size_t j = 0; j < kernel.cells.size(); ++j) {
    const auto column = kernel.values.block().column_span(static_cast<Index>(j));
    double& loss = at(column, kernel.cells[j]);
    loss = 0.0;
    double sum = 0.0;
    for (const double rate : column) sum += rate;
    loss = -sum;
  }
}

void drop_noise(KernelValue& kernel, double t, const Communicator& comm) {
  if (!(kernel.error >= 1.0)) return;
  constexpr double kNegligible = 1e-10;
  const double largest = largest_element(kernel, comm);
  if (!(std::max(1.0, kernel.error) * largest * t < kNegligible)) return;
  for (auto& sector : kernel.sectors) {
    const auto all = sector.values.block();
    std::fill_n(all.data(), all.rows() * all.columns(), 0.0);
  }
  kernel.asymmetry_squared = 0.0;
  kernel.error = 0.0;
}

}  // namespace qheat
