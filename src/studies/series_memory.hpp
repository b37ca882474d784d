#pragma once

#include "qheat/io/job.hpp"

namespace qheat {

/// Bytes of the observed series that every rank holds: mean, spread and the sums they come from, of each
/// realisation and of all.
double series_bytes(const Job& job);

}  // namespace qheat
