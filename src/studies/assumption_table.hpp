#pragma once

#include <string>
#include <vector>

#include "qheat/kernel/assumptions.hpp"

namespace qheat {

/// In words: which assumptions behind Fourier's law a kernel meets, from when to when, and which were not
/// tested. Says nothing about Fourier's law itself: the assumptions are sufficient, not necessary.
std::string assumption_table(const std::string& kernel, const std::vector<Assumptions>& scores,
                             const std::vector<double>& times);

}  // namespace qheat
