#pragma once

#include <optional>

#include "qheat/dynamics/exact_ensemble.hpp"
#include "qheat/io/job.hpp"

namespace qheat::app {

/// Options of the exact propagation that a job asks for.
ExactOptions exact_options(const ExactRequest& request);

/// Model and initial state of a realisation of the job's detunings.
Realization realization_of(const Job& job, int number);

/// True if the job needs the second-order kernel.
bool wants_second_order(const Job& job);

/// True if the job asks for rate equations with the second-order kernel.
bool wants_second_order_rates(const Job& job);

/// Number of cells; none beyond 63 bits.
std::optional<Index> cell_count(const Job& job);
/// True if the generators go to the results: a table [kernel], and no more cells than kernel.store_limit.
bool stores_generators(const Job& job);
/// Bytes of one stored generator with its list of cells, on the rank that writes.
double generator_bytes(const Job& job);
/// Bytes of the observed series that every rank holds: mean, spread and the sums they come from,
/// of each realisation and of all.
double series_bytes(const Job& job);

}  // namespace qheat::app
