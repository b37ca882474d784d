#pragma once

#include <string>
#include <vector>

#include "qheat/kernel/kernel_series.hpp"

namespace qheat {

/// In words: which assumptions behind Fourier's law a kernel meets, from when to when, and which were not
/// tested. A kernel that diverges is judged before its first singular time. Says nothing about Fourier's law
/// itself: the assumptions are sufficient, not necessary.
std::string assumption_table(const std::string& kernel, const KernelSeries& series,
                             const std::vector<double>& times);

/// Why rate equations with a kernel end before the last of `times`.
std::string end_of_rates(const KernelSeries& series, const std::vector<double>& times);

}  // namespace qheat
