#include "qheat/evolution/density_evolution.hpp"

#include <algorithm>

#include "evolution/faber_step.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/chebyshev.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/liouvillian.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

FaberEvolution::FaberEvolution(const Operator& generator, const FaberPlan& plan, double end)
    : generator_(generator),
      plan_(plan),
      series_(faber_series(plan_.ellipse, end / static_cast<double>(plan_.steps), plan_.step_tolerance)),
      other_(as_size(generator.space().local_size())),
      sum_(other_.size()) {}

void FaberEvolution::step(std::span<const double> dts, std::vector<Complex>& rho,
                          const LinearMeasurement& measure, std::size_t count, std::span<double> measured) {
  std::vector<FaberSeries> outputs;
  for (const double dt : dts) outputs.push_back(faber_series(plan_.ellipse, dt, plan_.step_tolerance));
  std::fill(measured.begin(), measured.end(), 0.0);
  std::vector<double> values(count);
  const auto observe = [&](std::size_t order, std::span<const Complex> polynomial) {
    if (dts.empty()) return;
    measure(polynomial, values);
    for (std::size_t k = 0; k < dts.size(); ++k) {
      if (order >= outputs[k].values.size()) continue;
      for (std::size_t v = 0; v < count; ++v) measured[k * count + v] += outputs[k].values[order] * values[v];
    }
  };
  faber_step(
      plan_.ellipse, series_.values,
      [&](const AffineMap& map, const std::vector<Complex>& x, std::vector<Complex>& y) {
        generator_.apply(map, std::span(x), std::span(y));
      },
      observe, rho, other_, sum_);
}

KrylovDensityEvolution::KrylovDensityEvolution(const Operator& generator, const FaberPlan& plan, double end)
    : krylov_(generator, 1.0), plan_(plan), dt_(end / static_cast<double>(plan_.steps)) {}

void KrylovDensityEvolution::step(std::span<const double> dts, std::vector<Complex>& rho,
                                  const LinearMeasurement& measure, std::size_t count,
                                  std::span<double> measured) {
  std::vector<double> ends(dts.begin(), dts.end());
  ends.push_back(dt_);
  krylov_.advance(ends, plan_.step_tolerance, std::span(rho),
                  [&](std::size_t k, Index, ColumnBlock<const Complex> state) {
                    if (k < dts.size()) measure(state.column_span(0), measured.subspan(k * count, count));
                  });
}

GeneratorRange generator_range(const Model& model, const std::vector<std::vector<int>>& counts,
                               const Communicator& comm) {
  const DissipatorRange dissipators = dissipator_range(model, counts);
  double width = 0.0;
  for (const auto& block : counts) {
    const auto states = std::make_shared<DistributedSector>(level_sector(model, block), comm);
    width = std::max(width, 2.0 * spectral_bounds(*make_operator(states, hamiltonian(model))).radius());
  }
  return {dissipators.low, dissipators.high, width + dissipators.imaginary};
}

}  // namespace qheat
