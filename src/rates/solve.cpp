#include "qheat/rates/solve.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "qheat/basis/cell_space.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/basis/product_weights.hpp"
#include "qheat/operators/bath_rates.hpp"
#include "qheat/operators/site_populations.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/memory.hpp"
#include "qheat/rates/cell_probabilities.hpp"
#include "qheat/rates/dense_many_body_equation.hpp"
#include "qheat/rates/many_body_equation.hpp"
#include "qheat/rates/site_equation.hpp"

namespace qheat {
namespace {

/// The output times that an equation with the kernel can reach: the first ones, with errors of at most 5 %.
std::vector<double> reached_times(const SecondOrderKernel& kernel, const std::vector<double>& times) {
  std::vector<double> reached;
  for (const double t : times) {
    if (!(kernel.accuracy(t).rounding <= kLargestKernelError)) break;
    reached.push_back(t);
  }
  return reached;
}

std::size_t site_entries(const Model& model) {
  return as_size(model.sites()) * as_size(model.site.bands());
}

}  // namespace

double many_body_bytes_per_rank(Index cells, int ranks) {
  // The integrator's stages, its states and their copies, and what its adaptation keeps, in real numbers
  // (measured with 22 and 24 sites); tables over half of the lattice.
  constexpr double kVectors = 31.0;
  return 8.0 * kVectors * static_cast<double>(cells) / ranks + 1000.0 * std::sqrt(static_cast<double>(cells));
}

double dense_many_body_bytes_per_rank(Index cells, double panels, int ranks) {
  // Eleven matrices a panel, kernel under way; vectors of the integrator.
  const double matrices = 11.0 * panels + 2.0;
  constexpr double kVectors = 31.0;
  const auto c = static_cast<double>(cells);
  return 8.0 * (matrices * c * c / ranks + kVectors * c);
}

RateSolution solve_many_body(const Model& model, const InitialState& initial, const SecondOrderKernel& kernel,
                             const std::vector<double>& times, const RateOptions& options,
                             const Communicator& comm, RunControl& control, Timings& timings) {
  const Timings::Scope scope(timings, "many-body equation");
  const std::size_t size = site_entries(model);
  RateSolution solution;
  solution.populations.assign(times.size() * size, std::numeric_limits<double>::quiet_NaN());
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
          *cells, [&](Index cell) { return at(now, cell); }, populations);
      comm.sum(populations);
    };
    try {
      integrate(equation, p, reached_times(kernel, times), options.tolerance, options.integrator, control,
                observe, save, load);
    } catch (const IntegrationFailed&) {  // what has been reached stays
    }
    control.finish(save);
  }
  solution.energy = energies_from_bands(model, solution.populations);
  return solution;
}

namespace {

using BondRates = SiteEquation::BondRates;

/// What the bath does to single sites, [N][L][L]; empty where it moves none.
std::vector<double> jumps_of_sites(const Model& model) {
  std::vector<double> jumps;
  for (int i = 0; i < model.sites() && !model.bath.only_dephasing(); ++i) {
    const auto of_site = band_jumps(model, i);
    jumps.insert(jumps.end(), of_site.begin(), of_site.end());
  }
  return jumps;
}

/// The site equation at the first `known` output times, NaN after them and where it cannot be integrated.
RateSolution integrate_sites(const Model& model, const InitialState& initial, const BondRates& bond_rates,
                             const std::vector<double>& times, std::size_t known, const RateOptions& options,
                             const Communicator& comm, RunControl& control, Timings& timings) {
  const Timings::Scope scope(timings, "site equation");
  const std::size_t size = site_entries(model);
  RateSolution solution;
  solution.populations.assign(times.size() * size, std::numeric_limits<double>::quiet_NaN());
  const auto load = [&](StateReader& reader) { solution.populations = reader.replicated("populations"); };
  if (!control.restore_finished(load)) {
    if (comm.is_root()) {
      SiteEquation equation(model.lattice, model.site.bands(), bond_rates, jumps_of_sites(model));
      std::vector<double> p = band_populations(model, initial.probabilities);
      UninterruptedRun alone;
      const auto observe = [&](std::size_t time, std::span<const double> now) {
        std::copy(now.begin(), now.end(),
                  solution.populations.begin() + static_cast<std::ptrdiff_t>(time * size));
      };
      const std::vector<double> reached(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(known));
      try {
        integrate(
            equation, p, reached, options.tolerance, options.integrator, alone, observe, [](StateWriter&) {},
            [](StateReader&) {});
      } catch (const IntegrationFailed&) {  // what has been reached stays
      }
    }
    comm.broadcast(solution.populations);
    control.finish([&](StateWriter& writer) { writer.replicated("populations", solution.populations); });
  }
  solution.energy = energies_from_bands(model, solution.populations);
  return solution;
}

}  // namespace

RateSolution solve_sites(const Model& model, const InitialState& initial, const SecondOrderKernel& kernel,
                         const std::vector<double>& times, const RateOptions& options,
                         const Communicator& comm, RunControl& control, Timings& timings) {
  const std::vector<int> counts = cell_counts(model, initial);
  const auto rates = [&](double t, std::span<double> now) { kernel.bond_rates(t, counts, now); };
  return integrate_sites(model, initial, rates, times, reached_times(kernel, times).size(), options, comm,
                         control, timings);
}

RateSolution solve_sites(const Model& model, const InitialState& initial, const DenseRates& rates,
                         const std::vector<double>& times, const RateOptions& options,
                         const Communicator& comm, RunControl& control, Timings& timings) {
  const double known_until = moves_pairs(model) ? times.front() : rates.known_until;
  const auto known = as_size(std::upper_bound(times.begin(), times.end(), known_until) - times.begin());
  const auto now = [&](double t, std::span<double> values) { rates.bond_rates.at(t, values); };
  return integrate_sites(model, initial, now, times, known, options, comm, control, timings);
}

DenseRates solve_many_body(const Model& model, const InitialState& initial, const CellSpace& cells,
                           TimeLocalKernel& kernel, const std::vector<double>& times, std::size_t known,
                           double fastest, const RateOptions& options, const Communicator& comm,
                           RunControl& control, Timings& timings) {
  const Timings::Scope scope(timings, "many-body equation");
  const std::size_t size = site_entries(model);
  DenseRates result;
  auto& populations = result.many_body.populations;
  populations.assign(times.size() * size, std::numeric_limits<double>::quiet_NaN());
  result.known_until = times.front();
  const auto save = [&](StateWriter& writer) {
    writer.replicated("populations", populations);
    writer.replicated("known-until", std::span(&result.known_until, 1));
    writer.replicated("bond-rates", result.bond_rates.flat());
  };
  const auto load = [&](StateReader& reader) {
    populations = reader.replicated("populations");
    result.known_until = reader.replicated("known-until").front();
    result.bond_rates = BondRateSeries::from_flat(reader.replicated("bond-rates"));
  };
  const auto observe = [&](std::size_t time, const std::vector<double>& all) {
    const auto now = site_populations(cells, all);
    std::copy(now.begin(), now.end(), populations.begin() + static_cast<std::ptrdiff_t>(time * size));
    result.known_until = times[time];
  };
  if (!control.restore_finished(load)) {
    const auto start = cell_probabilities(cells, band_populations(model, initial.probabilities));
    observe(0, start);
    if (known > 1) {
      const AssumptionScores scores(model, cells);
      const auto keep_bond_rates = [&](const KernelInterpolant::Panel& panel) {
        std::vector<std::vector<double>> rates;
        for (std::size_t j = 0; j < panel.values.size(); ++j) {
          rates.push_back(
              scores.evaluate(panel.points.points()[j], kernel_columns(panel.values[j]), 0.0, comm)
                  .bond_rate);
        }
        result.bond_rates.add(panel.points, rates);
      };
      const std::vector<double> reached(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(known));
      KernelInterpolant interpolant(kernel, reached, options.tolerance, comm, keep_bond_rates);
      DenseManyBodyEquation equation(cells, interpolant, fastest, comm);
      std::vector<double> p(start.begin() + equation.first(),
                            start.begin() + equation.first() + equation.local_size());
      try {
        integrate(
            equation, p, reached, options.tolerance, options.integrator, control,
            [&](std::size_t time, std::span<const double> now) { observe(time, equation.gather(now)); }, save,
            load);
      } catch (const KernelUnknown&) {  // between two outputs: what has been reached stays
      } catch (const IntegrationFailed&) {
      }
    }
    control.finish(save);
  }
  result.many_body.energy = energies_from_bands(model, populations);
  return result;
}

std::vector<double> largest_deviation(const std::vector<double>& a, const std::vector<double>& b,
                                      std::size_t times) {
  const std::size_t size = a.size() / times;
  std::vector<double> result;
  for (std::size_t t = 0; t < times; ++t) {
    double largest = 0.0;
    for (std::size_t e = t * size; e < (t + 1) * size; ++e) {
      const double difference = std::abs(a[e] - b[e]);
      largest = std::isnan(difference) || std::isnan(largest) ? std::nan("") : std::max(largest, difference);
    }
    result.push_back(largest);
  }
  return result;
}

std::vector<double> band_populations(const Model& model, const std::vector<double>& level_populations) {
  const auto levels = as_size(model.levels());
  const auto bands = as_size(model.site.bands());
  std::vector<double> result(level_populations.size() / levels * bands, 0.0);
  for (std::size_t e = 0; e < level_populations.size(); ++e) {
    result[e / levels * bands + model.site.band_of_level()[e % levels]] += level_populations[e];
  }
  return result;
}

std::vector<double> energies_from_bands(const Model& model, const std::vector<double>& populations) {
  const auto energies = band_energies(model);
  const auto bands = as_size(model.site.bands());
  std::vector<double> result(populations.size() / bands, 0.0);
  for (std::size_t e = 0; e < populations.size(); ++e) {
    result[e / bands] += energies[e % energies.size()] * populations[e];
  }
  return result;
}

std::vector<double> closure_error(const Model& model, const std::vector<double>& site,
                                  const std::vector<double>& exact) {
  return closure_error(as_size(model.sites()), as_size(model.site.bands()), site, exact);
}

std::vector<double> closure_error(std::size_t sites, std::size_t columns, std::span<const double> site,
                                  std::span<const double> exact) {
  const std::size_t size = sites * columns;
  std::vector<double> errors;
  for (std::size_t start = 0; start < site.size(); start += size) {
    std::vector<double> mean(columns, 0.0);
    for (std::size_t e = 0; e < size; ++e) mean[e % columns] += exact[start + e] / static_cast<double>(sites);
    double difference = 0.0;
    double scale = 0.0;
    for (std::size_t e = 0; e < size; ++e) {
      difference += std::abs(site[start + e] - exact[start + e]);
      scale += std::abs(exact[start + e] - mean[e % columns]);
    }
    constexpr double kUniform = 1e-8;  // below it the solutions' own tolerances are compared
    errors.push_back(scale > kUniform ? difference / scale : std::numeric_limits<double>::quiet_NaN());
  }
  return errors;
}

}  // namespace qheat
