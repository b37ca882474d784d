#pragma once

#include <map>
#include <string>

namespace qheat {

namespace hdf5 {
class File;
}

/// A score above this holds; what is told of a kernel is until when it does.
inline constexpr double kScoreHolds = 0.95;

/// The numbers that a results file has to tell of its job, by name: every dataset of one real number, and
/// what is derived from series; not those of the model, and no other of /timing.
///
///   kernel/<k>/<score>_until            when the score falls below 0.95, interpolated; 0 if it never holds,
///   inf
///                                       if it always does, NaN if it is not known
///   kernel/<k>/mean_bond_rate           of all bonds, at the last output
///   kernel/exact/first_singular_time    t_1; inf if there is none
///   transport/diffusion                 D, with its error; of each kernel
///   transport/kernel/<k>/diffusion_value;
///                                       a sweep over one number adds its local exponent, .._exponent
///   seconds                             wall time of the whole run
///   steady/mean_current                 through the planes, or the bonds where there are no planes
std::map<std::string, double> point_scalars(const hdf5::File& results);

}  // namespace qheat
