#include "studies/kernel_requests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/phases.hpp"
#include "qheat/kernel/markov.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/propagator/cell_moments.hpp"
#include "qheat/propagator/population_propagator.hpp"
#include "qheat/propagator/propagator_orders.hpp"
#include "qheat/rates/solve.hpp"
#include "studies/realizations.hpp"

namespace qheat {
namespace {

std::vector<std::string> in_canonical_order(const std::set<std::string>& names) {
  const auto place = [](const std::string& name) {
    if (name == "exact") return -1;
    if (name == "memory") return 100;
    if (name == "markov") return 101;
    return tcl_order(name);
  };
  std::vector<std::string> sorted(names.begin(), names.end());
  std::sort(sorted.begin(), sorted.end(),
            [&](const std::string& a, const std::string& b) { return place(a) < place(b); });
  return sorted;
}

}  // namespace

std::vector<std::string> wanted_kernels(const Job& job) {
  std::set<std::string> asked;
  if (job.rates) asked.insert(job.rates->kernels.begin(), job.rates->kernels.end());
  if (job.kernel) {
    if (job.kernel->exact) asked.insert("exact");
    for (const int order : job.kernel->orders) asked.insert(fmt::format("tcl{}", order));
    if (job.kernel->memory) asked.insert("memory");
    if (job.kernel->markov) asked.insert("markov");
  }
  return in_canonical_order(asked);
}

std::vector<std::string> kernels_with_rates(const Job& job) {
  if (!job.rates) return {};
  return in_canonical_order({job.rates->kernels.begin(), job.rates->kernels.end()});
}

int tcl_order(const std::string& kernel) {
  return kernel.starts_with("tcl") ? std::stoi(kernel.substr(3)) : 0;
}

bool is_local_kernel(const Job& job, const std::string& kernel) {
  if (kernel == "markov") return true;
  return kernel == "tcl2" && job.model->bath.reservoirs.empty();
}

SecondOrderKernel second_order_kernel(const Job& job, const std::string& kernel) {
  const auto draw = [&job](int number) {
    return job.detuning.realizations > 1 ? realization_of(job, number).model : *job.model;
  };
  if (kernel == "markov") {
    return markov_kernel(job.detuning.realizations, draw, job.kernel ? job.kernel->broadening : std::nullopt);
  }
  return {job.detuning.realizations, draw};
}

double order_steps(const Job& job) {
  const auto kernels = wanted_kernels(job);
  const bool travels =
      job.model->bath.closed() && std::any_of(kernels.begin(), kernels.end(), [&](const auto& k) {
        return tcl_order(k) > 0 && !is_local_kernel(job, k);
      });
  if (!travels) return 0.0;
  try {
    return followed_phase(*job.model, job.time->end, "the orders of the propagator (kernels tcl)");
  } catch (const Error& error) {
    throw InputError(
        fmt::format("{}: {}, or leave out kernels tcl of other orders than 2", job.name, error.what()));
  }
}

bool wants_dense_kernels(const Job& job) {
  const auto kernels = wanted_kernels(job);
  return std::any_of(kernels.begin(), kernels.end(), [&](const auto& k) { return !is_local_kernel(job, k); });
}

namespace {

/// Of the propagator of one sector, and of its orders up to the highest (0: none).
double propagator_bytes_per_rank(const Job& job, const std::vector<int>& counts, bool exact,
                                 int highest_order, int ranks) {
  const Model& model = *job.model;
  // Averages hold the eigenvectors, moments or orders of all realisations, and work on one of them at a time.
  const int realizations = job.detuning.realizations;
  double bytes = 0.0;
  if (model.bath.closed()) {
    const double copies = realizations > 1 ? 1.0 + realizations / 4.0 : 1.0;
    const double copies_of_orders = realizations > 1 ? 1.0 + realizations / 2.0 : 1.0;
    const Index states = level_sector_dimension(model, counts);
    if (exact) bytes += copies * closed_propagator_bytes_per_rank(states, model.is_real(), ranks);
    if (highest_order > 0)
      bytes += copies_of_orders * closed_orders_bytes_per_rank(states, highest_order, ranks);
    return bytes;
  }
  constexpr double kMatrices = 8.0;  // of the kernel's recursion or factorisation, each order
  const auto cells = static_cast<double>(cell_dimension(model, *job.initial));
  const double matrix = sizeof(double) * cells * cells / ranks;
  const auto moments = [&](std::optional<int> order) {
    return realizations * cell_moments_bytes_per_rank(model, counts, cell_dimension(model, *job.initial),
                                                      job.time->end, order, ranks);
  };
  if (exact) bytes += moments(std::nullopt) + kMatrices * matrix;
  if (highest_order > 0) bytes += moments(highest_order) + kMatrices * matrix * (highest_order + 1);
  return bytes;
}

}  // namespace

double kernel_bytes_per_rank(const Job& job, int ranks) {
  const Model& model = *job.model;
  int highest_order = 0;
  bool exact = false;
  bool local_rates = false;
  bool dense_rates = false;
  for (const auto& name : wanted_kernels(job)) {
    exact = exact || name == "exact" || name == "memory";
    if (!is_local_kernel(job, name)) highest_order = std::max(highest_order, tcl_order(name));
  }
  for (const auto& name : kernels_with_rates(job))
    (is_local_kernel(job, name) ? local_rates : dense_rates) = true;
  double bytes = 0.0;
  if (exact || highest_order > 0) {
    for (const auto& counts : sector_counts(model, *job.initial))
      bytes += propagator_bytes_per_rank(job, counts, exact, highest_order, ranks);
  }
  if (local_rates || dense_rates) {
    const Index cells = cell_dimension(model, *job.initial);
    if (local_rates) bytes = std::max(bytes, many_body_bytes_per_rank(cells, ranks));
    if (dense_rates) bytes += dense_many_body_bytes_per_rank(cells, ranks);
  }
  return bytes;
}

namespace {

/// Rank 0 holds one generator while it is written.
void require_generator_memory(const Job& job, double free_bytes) {
  const double generator = generator_bytes(job);
  if (free_bytes == 0.0 || generator <= free_bytes) return;
  throw Error(
      fmt::format("writing the generators needs {:.3g} GB on one rank, but {:.3g} GB are free; lower "
                  "kernel.store_limit",
                  generator / 1e9, free_bytes / 1e9));
}

}  // namespace

void require_possible_kernels(const Job& job, int ranks, double free_bytes) {
  const auto kernels = wanted_kernels(job);
  const bool markov = std::find(kernels.begin(), kernels.end(), "markov") != kernels.end();
  if (markov) {
    try {
      second_order_kernel(job, "markov");
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: kernel \"markov\": {}", job.name, error.what()));
    }
  }
  require_generator_memory(job, free_bytes);
  if (!wants_dense_kernels(job)) return;
  order_steps(job);
  const std::string remedy =
      "use fewer sites, coarser bands or more ranks, or leave out the kernels exact, memory and tcl of other "
      "orders than 2 (of all orders with reservoirs)";
  const bool open = !job.model->bath.closed();
  double bytes = 0.0;
  try {
    bytes = kernel_bytes_per_rank(job, ranks);
  } catch (const Error& error) {  // more states than 63 bits count
    throw InputError(fmt::format("{}: the dense matrices of the kernels do not fit: {}; {}", job.name,
                                 error.what(), remedy));
  }
  if (free_bytes == 0.0 || bytes <= free_bytes) return;
  throw InputError(
      fmt::format("{}: the kernels need {:.3g} GB a rank for dense matrices{}, but {:.3g} GB are free; {}{}",
                  job.name, bytes / 1e9, open ? " and the moments of the propagation" : "", free_bytes / 1e9,
                  open ? "lower time.end or rates that are large, " : "", remedy));
}

std::optional<Index> cell_count(const Job& job) {
  try {
    return cell_dimension(*job.model, *job.initial);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool stores_generators(const Job& job) {
  if (!job.kernel || wanted_kernels(job).empty()) return false;
  const auto cells = cell_count(job);
  return cells && *cells <= job.kernel->store_limit;
}

double generator_bytes(const Job& job) {
  if (!stores_generators(job)) return 0.0;
  const auto cells = static_cast<double>(cell_dimension(*job.model, *job.initial));
  return sizeof(double) * cells * (cells + job.model->sites());
}

}  // namespace qheat
