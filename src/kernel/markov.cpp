#include "qheat/kernel/markov.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "qheat/basis/cell_space.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

/// Energies that differ by less are equal but for rounding.
double rounding_of_energies(const Model& model) {
  double largest = 0.0;
  for (const double energy : model.energies) largest = std::max(largest, std::abs(energy));
  return 1e-12 * largest;
}

bool has_wide_bands(const Model& model) {
  const auto widths = band_widths(model);
  return std::any_of(widths.begin(), widths.end(),
                     [rounding = rounding_of_energies(model)](double width) { return width > rounding; });
}

Line line_of_bands(const Model& model) {
  return [rounding = rounding_of_energies(model)](const Transition& change, double) {
    const double mismatch = std::abs(change.band_mismatch);
    if (mismatch > change.final_width / 2.0 + rounding) return 0.0;
    if (change.final_width <= rounding) {
      throw InputError(
          "the interaction joins states of equal energy in bands of a single energy: no density of final "
          "states gives this change a Markov rate; add bath.dephasing or kernel.broadening, or do not ask "
          "for the Markov kernel");
    }
    return std::numbers::pi / change.final_width;
  };
}

Line markov_line(const Model& model, const std::optional<Broadening>& broadening) {
  if (!model.bath.reservoirs.empty()) {
    throw InputError(
        "the Markov kernel of second order does not hold with reservoirs, which change the levels between "
        "two "
        "actions of the interaction; remove the reservoirs, or do not ask for the Markov kernel");
  }
  if (model.bath.dephasing > 0.0 && broadening) {
    throw InputError(
        "bath.dephasing and kernel.broadening both give the density of the mismatch for the Markov kernel; "
        "name one of them");
  }
  if (model.bath.dephasing > 0.0) {
    return [](const Transition& change, double) {
      return change.decay / (change.decay * change.decay + change.mismatch * change.mismatch);
    };
  }
  if (broadening) {
    return [shape = *broadening](const Transition& change, double) {
      return std::numbers::pi * shape.density(change.mismatch);
    };
  }
  if (has_wide_bands(model)) return line_of_bands(model);
  throw InputError(
      "there is no Markov limit: the system is closed and its levels are sharp, so that rates grow or "
      "oscillate for ever and need a density of final states; add bath.dephasing, bands of several energies "
      "(site.bands), or kernel.broadening, or do not ask for the Markov kernel");
}

}  // namespace

SecondOrderKernel markov_kernel(const Model& model, const std::optional<Broadening>& broadening) {
  SecondOrderKernel kernel(model, markov_line(model, broadening));
  // what the line refuses shall be told here
  std::vector<double> values(kernel.value_count());
  kernel.values(0.0, values);
  return kernel;
}

}  // namespace qheat
