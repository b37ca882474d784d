#include "qheat/evolution/phases.hpp"

#include <fmt/format.h>

#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {

double followed_phase(const Model& model, double end, const std::string& what) {
  const double phase = spectral_radius_bound(model) * end;
  if (phase <= kLargestPhase) return phase;
  throw Error(fmt::format(
      "energies times times reach {:.1e} in {}: rounding leaves no digits of the phases e^(-iEt); lower "
      "time.end, or measure energies in a larger unit",
      phase, what));
}

}  // namespace qheat
