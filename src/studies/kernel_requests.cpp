#include "studies/kernel_requests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/phases.hpp"
#include "qheat/kernel/markov.hpp"
#include "qheat/kernel/second_order.hpp"
#include "qheat/parallel/error.hpp"
#include "studies/realizations.hpp"

namespace qheat {
namespace {

bool contains(const std::vector<KernelId>& kernels, KernelId kernel) {
  return std::find(kernels.begin(), kernels.end(), kernel) != kernels.end();
}

}  // namespace

std::vector<KernelId> wanted_kernels(const Job& job) {
  std::set<KernelId> asked;
  if (job.rates) asked.insert(job.rates->kernels.begin(), job.rates->kernels.end());
  if (job.kernel) {
    if (job.kernel->exact) asked.insert(KernelId::exact());
    for (const int order : job.kernel->orders) asked.insert(KernelId::tcl(order));
    if (job.kernel->memory) asked.insert(KernelId::memory());
    if (job.kernel->markov) asked.insert(KernelId::markov());
  }
  return {asked.begin(), asked.end()};
}

std::vector<KernelId> kernels_with_rates(const Job& job) {
  if (!job.rates) return {};
  const std::set<KernelId> asked(job.rates->kernels.begin(), job.rates->kernels.end());
  return {asked.begin(), asked.end()};
}

bool is_local_kernel(const Job& job, KernelId kernel) {
  if (kernel == KernelId::markov()) return true;
  return kernel == KernelId::tcl(2) && job.model->bath.only_dephasing();
}

SecondOrderKernel second_order_kernel(const Job& job, KernelId kernel) {
  const auto draw = [&job](int number) {
    return job.detuning.realizations > 1 ? realization_of(job, number).model : *job.model;
  };
  if (kernel == KernelId::markov()) {
    return markov_kernel(job.detuning.realizations, draw, job.kernel ? job.kernel->broadening : std::nullopt);
  }
  return {job.detuning.realizations, draw};
}

double order_steps(const Job& job) {
  const auto kernels = wanted_kernels(job);
  const bool travels = job.model->bath.closed() &&
                       std::any_of(kernels.begin(), kernels.end(),
                                   [&](KernelId k) { return k.order > 0 && !is_local_kernel(job, k); });
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
  return std::any_of(kernels.begin(), kernels.end(), [&](KernelId k) { return !is_local_kernel(job, k); });
}

std::string remedy_of_kernels(const Job& job) {
  std::string remedy = job.model->bath.closed() ? "" : "lower time.end or rates that are large, or ";
  remedy += wants_dense_kernels(job)
                ? "use fewer sites, coarser bands or more ranks, or leave out the kernels exact, memory and "
                  "tcl of other orders than 2 (of all orders with reservoirs or jumps)"
                : "use fewer sites or a smaller sector, or more ranks";
  return remedy + (stores_generators(job) ? ", or lower kernel.store_limit" : "");
}

void require_possible_kernels(const Job& job) {
  const auto kernels = wanted_kernels(job);
  try {
    if (contains(kernels, KernelId::markov())) second_order_kernel(job, KernelId::markov());
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: kernel \"markov\": {}", job.name, error.what()));
  }
  if (contains(kernels, KernelId::tcl(2)) && is_local_kernel(job, KernelId::tcl(2)))
    second_order_kernel(job, KernelId::tcl(2)).at(job.time->end);
  order_steps(job);
  const bool local_rates =
      job.rates && std::any_of(job.rates->kernels.begin(), job.rates->kernels.end(),
                               [&](KernelId kernel) { return is_local_kernel(job, kernel); });
  if (!local_rates && !wants_dense_kernels(job)) return;
  try {
    const Index cells = cell_dimension(*job.model, *job.initial);
    if (local_rates) require_petsc_indices(cells, "the number of cells of [rates]");
  } catch (const Error& error) {  // more cells than 63 bits count
    throw Error(fmt::format("{}: {}; {}", job.name, error.what(), remedy_of_kernels(job)));
  }
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
