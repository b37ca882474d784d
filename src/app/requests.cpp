#include "app/requests.hpp"

#include <algorithm>
#include <utility>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/dynamics/observations.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::app {

ExactOptions exact_options(const ExactRequest& request) {
  ExactOptions options{.tolerance = request.tolerance, .samples = request.samples, .seed = request.seed};
  switch (request.method) {
    case ExactRequest::Method::diagonalize:
      options.method = ExactMethod::diagonalize;
      break;
    case ExactRequest::Method::krylov:
      options.method = ExactMethod::krylov;
      break;
    case ExactRequest::Method::chebyshev:
      options.method = ExactMethod::chebyshev;
      break;
    case ExactRequest::Method::automatic:
      break;
  }
  return options;
}

Realization realization_of(const Job& job, int number) {
  Model model = model_of_realization(*job.model, job.detuning, number);
  InitialState initial = job.initial_temperatures.empty()
                             ? *job.initial
                             : InitialState::thermal(model, job.initial_temperatures);
  return {std::move(model), std::move(initial)};
}

bool wants_second_order_rates(const Job& job) {
  return job.rates &&
         std::find(job.rates->kernels.begin(), job.rates->kernels.end(), "tcl2") != job.rates->kernels.end();
}

bool wants_second_order(const Job& job) {
  const bool named = job.kernel && std::find(job.kernel->orders.begin(), job.kernel->orders.end(), 2) !=
                                       job.kernel->orders.end();
  return named || wants_second_order_rates(job);
}

std::optional<Index> cell_count(const Job& job) {
  try {
    return cell_dimension(*job.model, *job.initial);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool stores_generators(const Job& job) {
  if (!job.kernel || !wants_second_order(job)) return false;
  const auto cells = cell_count(job);
  return cells && *cells <= job.kernel->store_limit;
}

double generator_bytes(const Job& job) {
  if (!stores_generators(job)) return 0.0;
  const auto cells = static_cast<double>(cell_dimension(*job.model, *job.initial));
  return sizeof(double) * cells * (cells + job.model->sites());
}

double series_bytes(const Job& job) {
  const double outputs = job.time ? job.time->outputs : 0.0;
  const double copies = job.detuning.realizations > 1 ? 10.0 : 4.0;
  return copies * sizeof(double) * outputs * static_cast<double>(ObservationLayout(*job.model).size());
}

}  // namespace qheat::app
