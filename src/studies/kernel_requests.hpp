#pragma once

#include <optional>
#include <string>
#include <vector>

#include "qheat/io/job.hpp"
#include "qheat/kernel/kernel_id.hpp"
#include "qheat/kernel/second_order.hpp"

namespace qheat {

/// The kernels that the job needs, each once, ascending.
std::vector<KernelId> wanted_kernels(const Job& job);
/// Those among them with rate equations.
std::vector<KernelId> kernels_with_rates(const Job& job);
/// True for kernels that are sums of terms on few sites, never held as a matrix: markov, and tcl2 unless it
/// has reservoirs.
bool is_local_kernel(const Job& job, KernelId kernel);
/// Such a kernel, as the mean over the job's realisations. Throws InputError where there is none.
SecondOrderKernel second_order_kernel(const Job& job, KernelId kernel);
/// Steps of a unit phase that the orders of closed propagators take, 0 if the job needs none. Throws
/// InputError where these are more than can be followed.
double order_steps(const Job& job);
/// True if the job needs a kernel held as a matrix.
bool wants_dense_kernels(const Job& job);
/// Throws InputError or Error if a kernel of the job does not exist, or has more cells than can be counted.
void require_possible_kernels(const Job& job);
/// What helps if the kernels of a job do not fit.
std::string remedy_of_kernels(const Job& job);

/// Number of cells; none beyond 63 bits.
std::optional<Index> cell_count(const Job& job);
/// True if the generators go to the results: a table [kernel], and no more cells than kernel.store_limit.
bool stores_generators(const Job& job);
/// Bytes of one stored generator with its list of cells, on the rank that writes.
double generator_bytes(const Job& job);

}  // namespace qheat
