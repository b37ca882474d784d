#include "qheat/rates/solve.hpp"

#include <cmath>
#include <limits>

#include "qheat/basis/cell_space.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/basis/product_weights.hpp"
#include "qheat/operators/site_populations.hpp"
#include "qheat/parallel/memory.hpp"
#include "qheat/rates/many_body_equation.hpp"
#include "qheat/rates/site_equation.hpp"

namespace qheat {
namespace {

std::size_t site_entries(const Model& model) {
  return static_cast<std::size_t>(model.sites()) * static_cast<std::size_t>(model.site.bands());
}

/// u(i) at each time, [T][N][L] -> [T][N].
std::vector<double> energies_from_bands(const Model& model, const std::vector<double>& populations) {
  const auto energies = band_energies(model);
  const auto bands = static_cast<std::size_t>(model.site.bands());
  std::vector<double> result(populations.size() / bands, 0.0);
  for (std::size_t e = 0; e < populations.size(); ++e) {
    result[e / bands] += energies[e % energies.size()] * populations[e];
  }
  return result;
}

}  // namespace

double many_body_bytes_per_rank(Index cells, int ranks) {
  // The integrator holds 13 stages, the state and its copies, in real numbers; tables over half of the
  // lattice.
  constexpr double kVectors = 20.0;
  return 8.0 * kVectors * static_cast<double>(cells) / ranks + 1000.0 * std::sqrt(static_cast<double>(cells));
}

RateSolution solve_many_body(const Model& model, const InitialState& initial, const SecondOrderKernel& kernel,
                             const std::vector<double>& times, const RateOptions& options,
                             const Communicator& comm, RunControl& control, Timings& timings) {
  const Timings::Scope scope(timings, "many-body equation");
  const std::size_t size = site_entries(model);
  RateSolution solution;
  solution.populations.resize(times.size() * size);
  const auto save = [&](StateWriter& writer) { writer.replicated("populations", solution.populations); };
  const auto load = [&](StateReader& reader) { solution.populations = reader.replicated("populations"); };
  if (!control.restore_finished(load)) {
    require_memory(comm, many_body_bytes_per_rank(cell_dimension(model, initial), comm.size()),
                   "the many-body gain-loss equation");
    const auto cells = std::make_shared<DistributedSector>(cell_sector(model, initial), comm);
    ManyBodyEquation equation(cells, kernel);
    std::vector<double> p = product_weights(*cells, band_populations(model, initial.probabilities));
    const auto observe = [&](std::size_t time, std::span<const double> now) {
      const auto populations = std::span(solution.populations).subspan(time * size, size);
      std::fill(populations.begin(), populations.end(), 0.0);
      add_site_populations(
          *cells, [&](Index cell) { return now[static_cast<std::size_t>(cell)]; }, populations);
      comm.sum(populations);
    };
    integrate(equation, p, times, options.tolerance, options.integrator, control, observe, save, load);
    control.finish(save);
  }
  solution.energy = energies_from_bands(model, solution.populations);
  return solution;
}

RateSolution solve_sites(const Model& model, const InitialState& initial, const SecondOrderKernel& kernel,
                         const std::vector<double>& times, const RateOptions& options,
                         const Communicator& comm, RunControl& control, Timings& timings) {
  const Timings::Scope scope(timings, "site equation");
  const std::size_t size = site_entries(model);
  RateSolution solution;
  solution.populations.resize(times.size() * size);
  const auto load = [&](StateReader& reader) { solution.populations = reader.replicated("populations"); };
  if (!control.restore_finished(load)) {
    if (comm.is_root()) {
      const std::vector<int> counts = cell_counts(model, initial);
      SiteEquation equation(model.lattice, model.site.bands(),
                            [&](double t, std::span<double> rates) { kernel.bond_rates(t, counts, rates); });
      std::vector<double> p = band_populations(model, initial.probabilities);
      UninterruptedRun alone;
      const auto observe = [&](std::size_t time, std::span<const double> now) {
        std::copy(now.begin(), now.end(),
                  solution.populations.begin() + static_cast<std::ptrdiff_t>(time * size));
      };
      integrate(
          equation, p, times, options.tolerance, options.integrator, alone, observe, [](StateWriter&) {},
          [](StateReader&) {});
    }
    comm.broadcast(solution.populations);
    control.finish([&](StateWriter& writer) { writer.replicated("populations", solution.populations); });
  }
  solution.energy = energies_from_bands(model, solution.populations);
  return solution;
}

std::vector<double> band_populations(const Model& model, const std::vector<double>& level_populations) {
  const auto levels = static_cast<std::size_t>(model.levels());
  const auto bands = static_cast<std::size_t>(model.site.bands());
  std::vector<double> result(level_populations.size() / levels * bands, 0.0);
  for (std::size_t e = 0; e < level_populations.size(); ++e) {
    result[e / levels * bands + model.site.band_of_level()[e % levels]] += level_populations[e];
  }
  return result;
}

std::vector<double> closure_error(const Model& model, const std::vector<double>& site,
                                  const std::vector<double>& exact) {
  const std::size_t size = site_entries(model);
  const auto bands = static_cast<std::size_t>(model.site.bands());
  std::vector<double> errors;
  for (std::size_t start = 0; start < site.size(); start += size) {
    std::vector<double> mean(bands, 0.0);
    for (std::size_t e = 0; e < size; ++e) mean[e % bands] += exact[start + e] / model.sites();
    double difference = 0.0;
    double scale = 0.0;
    for (std::size_t e = 0; e < size; ++e) {
      difference += std::abs(site[start + e] - exact[start + e]);
      scale += std::abs(exact[start + e] - mean[e % bands]);
    }
    constexpr double kRounding = 1e-12;  // a uniform state has nothing to compare with
    errors.push_back(scale > kRounding ? difference / scale : std::numeric_limits<double>::quiet_NaN());
  }
  return errors;
}

std::vector<double> bond_rate_series(const Model& model, const InitialState& initial,
                                     const SecondOrderKernel& kernel, const std::vector<double>& times) {
  const std::vector<int> counts = cell_counts(model, initial);
  const auto bonds = static_cast<std::size_t>(model.lattice.bond_count());
  std::vector<double> series(times.size() * bonds);
  for (std::size_t k = 0; k < times.size(); ++k) {
    kernel.bond_rates(times[k], counts, std::span(series).subspan(k * bonds, bonds));
  }
  return series;
}

}  // namespace qheat
