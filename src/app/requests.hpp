#pragma once

#include "qheat/dynamics/exact.hpp"
#include "qheat/io/job.hpp"

namespace qheat::app {

/// Options of the exact propagation that a job asks for.
ExactOptions exact_options(const ExactRequest& request);

/// True if the job needs the second-order kernel.
bool wants_second_order(const Job& job);

/// True if the job asks for rate equations with the second-order kernel.
bool wants_second_order_rates(const Job& job);

}  // namespace qheat::app
