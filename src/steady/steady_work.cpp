#include <algorithm>
#include <cmath>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/operators/product_work.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/steady/steady.hpp"
#include "qheat/steady/two_point.hpp"

namespace qheat {
namespace {

/// GMRES from two starts: a product with L and one with both preconditioners an iteration.
Work iterative_work(const Model& model, const SteadyOptions& options,
                    const std::vector<std::vector<int>>& blocks, double elements) {
  const bool dephased = model.bath.dephasing > 0.0;
  const double digits = std::max(2.0, -std::log10(options.tolerance));
  // Measured for chains of 8 to 12 sites (docs/performance.md): 35 to 70, or 120 to 400, at 8 digits.
  const double iterations = digits / 8.0 * (dephased ? 30.0 + 2.5 * model.sites() : 40.0 * model.sites());
  constexpr double kOperations = 20.0;      // of coherent motion, a cube of the kets of a block
  constexpr double kOrthogonalized = 25.0;  // vectors, on average
  double cubes = 0.0;
  for (const auto& counts : blocks)
    cubes += std::pow(static_cast<double>(level_sector_dimension(model, counts)), 3);
  Work iteration = (dephased ? 2.0 : 1.0) * liouvillian_work(model, blocks, elements);
  iteration += dense_work(kOperations * cubes);
  iteration += pass_work(elements, 3.0 * kOrthogonalized, kOrthogonalized);
  Work work = iterations * iteration;
  work += dense_work(20.0 * cubes);
  return work;
}

/// MUMPS, once.
Work direct_work(double elements) {
  constexpr double kSeconds = 4.0;  // 12870 elements
  return {.dense = kSeconds * std::pow(elements / 12870.0, 2.2)};
}

Work two_point_work(const Model& model) {
  constexpr double kSecondsAnElement = 1.5e-5;  // 1000 sites; tables of all sites cost more in long chains
  double unknowns = 0.0;
  const int last = std::max(1, two_point_width(model));
  for (int width = std::min(1, last);; width = std::min(2 * width + 1, last)) {
    unknowns += model.sites() * std::min(2.0 * width + 1.0, 1.0 * model.sites());
    if (width >= last) break;
  }
  return {.dense = kSecondsAnElement * unknowns * std::sqrt(std::max(1.0, model.sites() / 1000.0))};
}

}  // namespace

Work steady_work(const Model& model, const SteadyOptions& options, bool two_point) {
  if (two_point) return two_point_work(model);
  const auto elements = static_cast<double>(steady_elements(model));
  const std::vector<int> ground(as_size(model.sites()), 0);
  const auto blocks = density_counts(model, InitialState::product(model, ground));
  return steady_takes_factors(options, steady_elements(model))
             ? direct_work(elements)
             : iterative_work(model, options, blocks, elements);
}

}  // namespace qheat
