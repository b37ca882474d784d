#include "app/requests.hpp"

#include <algorithm>

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

bool wants_second_order_rates(const Job& job) {
  return job.rates &&
         std::find(job.rates->kernels.begin(), job.rates->kernels.end(), "tcl2") != job.rates->kernels.end();
}

bool wants_second_order(const Job& job) {
  const bool named = job.kernel && std::find(job.kernel->orders.begin(), job.kernel->orders.end(), 2) !=
                                       job.kernel->orders.end();
  return named || wants_second_order_rates(job);
}

}  // namespace qheat::app
