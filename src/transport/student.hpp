#pragma once

#include <cstddef>

namespace qheat {

/// Half width, in standard errors, of the interval that holds the mean in 95 % of cases: Student's
/// distribution (beyond the table a bound that is at most 1 % too wide), and a tenth more, so that it is not
/// just missed.
double student(std::size_t degrees);

}  // namespace qheat
