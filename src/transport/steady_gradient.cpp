#include "qheat/transport/steady_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "parallel/unknown.hpp"
#include "qheat/model/thermodynamics.hpp"
#include "qheat/operators/currents.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/transport/level_energy.hpp"
#include "transport/state_error.hpp"

namespace qheat {
namespace {

constexpr Estimate kNoEstimate{kUnknown, kUnknown};

/// Two places between which something is measured.
struct Ends {
  double u_p, u_q;
  double t_p, t_q;
  std::span<const double> levels_p, levels_q;
};

Estimate energy_step(const StateError& error, const Ends& ends, double along) {
  return {ends.u_q - ends.u_p, along + error.offset(ends.u_p, ends.u_q)};
}

Estimate temperature_step(const Ends& ends, Estimate energy) {
  if (!std::isfinite(ends.t_p) || !std::isfinite(ends.t_q) || ends.t_p <= 0.0 || ends.t_q <= 0.0)
    return kNoEstimate;
  const double capacity = std::min(thermodynamics(ends.levels_p, ends.t_p).specific_heat,
                                   thermodynamics(ends.levels_q, ends.t_q).specific_heat);
  return {ends.t_q - ends.t_p, energy.error / capacity};
}

void add(Coefficients& found, Estimate diffusion, Estimate kappa) {
  found.diffusion.push_back(diffusion.value);
  found.diffusion_error.push_back(diffusion.error);
  found.kappa.push_back(kappa.value);
  found.kappa_error.push_back(kappa.error);
}

/// Why no gradient of this model's energies is one of its own; empty if they are.
std::string detuning_obstacle(const Model& model) {
  if (no_level_energy(model)) return "sites carry no level energy";
  if (!same_levels(model)) return "levels differ from site to site, and energies with them";
  if (!bonds_keep_level_energy(model)) return "bonds do not keep level energy";
  return {};
}

/// Largest error of a step's energy over the bonds between each two planes, [L - 1].
std::vector<double> step_errors(const Model& model, const StateError& error, const TransportAxis& axis) {
  std::vector<double> errors(as_size(axis.length - 1), 0.0);
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const Bond& bond = at(model.lattice.bonds(), b);
    const int p = std::min(axis.plane_of(bond.first), axis.plane_of(bond.second));
    if (axis.plane_of(bond.first) == axis.plane_of(bond.second)) continue;
    at(errors, p) = std::max(at(errors, p), error.step(b));
  }
  return errors;
}

Ends plane_ends(const Model& model, const PlaneProfile& profile, std::size_t p, std::size_t q) {
  return {profile.energy[p],      profile.energy[q],    profile.temperature[p],
          profile.temperature[q], model.energies_of(0), model.energies_of(0)};
}

}  // namespace

Coefficients bond_coefficients(const Model& model, const SteadyState& state) {
  Coefficients found;
  const StateError error(model, state);
  const auto known = temperatures_known(model);
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const Bond& bond = at(model.lattice.bonds(), b);
    const auto p = as_size(bond.first);
    const auto q = as_size(bond.second);
    if (!same_levels(model, bond.first, bond.second) || !bond_keeps_level_energy(model, b)) {
      add(found, kNoEstimate, kNoEstimate);
      continue;
    }
    const Ends ends{state.energy[p],
                    state.energy[q],
                    state.temperature[p],
                    state.temperature[q],
                    model.energies_of(bond.first),
                    model.energies_of(bond.second)};
    const Estimate current{at(state.current, b), error.current()};
    const Estimate energy = energy_step(error, ends, error.step(b));
    const Estimate temperature = known[p] && known[q] ? temperature_step(ends, energy) : kNoEstimate;
    const double a = model.lattice.spacing();
    add(found, coefficient(a, current, energy), coefficient(a, current, temperature));
  }
  return found;
}

Coefficients plane_coefficients(const Model& model, const SteadyState& state, const PlaneProfile& profile) {
  Coefficients found;
  if (!profile.axis.found()) return found;
  const StateError error(model, state);
  const bool meaningful = detuning_obstacle(model).empty();
  const auto along = step_errors(model, error, profile.axis);
  for (std::size_t x = 0; x + 1 < profile.energy.size(); ++x) {
    const Ends ends = plane_ends(model, profile, x, x + 1);
    const Estimate current{profile.current[x], error.current()};
    const Estimate energy = meaningful ? energy_step(error, ends, along[x]) : kNoEstimate;
    const double a = model.lattice.spacing();
    add(found, coefficient(a, current, energy), coefficient(a, current, temperature_step(ends, energy)));
  }
  return found;
}

std::pair<int, int> inside_planes(int length) {
  if (length < 4) return {0, 0};
  const int left_out = std::max(1, length / 4);
  return {left_out, length - 1 - left_out};
}

BulkCoefficients bulk_coefficients(const Model& model, const SteadyState& state) {
  BulkCoefficients bulk{kUnknown, kUnknown, kUnknown, kUnknown, kUnknown, detuning_obstacle(model)};
  if (!bulk.obstacle.empty()) return bulk;
  const PlaneProfile profile = plane_profile(model, state);
  bulk.obstacle = profile.axis.obstacle;
  if (!profile.axis.found()) return bulk;
  const auto [first, last] = inside_planes(profile.axis.length);
  bulk.obstacle = "fewer than 4 planes of sites between the reservoirs";
  if (first == last) return bulk;

  const auto p = as_size(first);
  const auto q = as_size(last);
  const StateError error(model, state);
  const auto along = step_errors(model, error, profile.axis);
  Estimate current{0.0, error.current() * (last - first)};
  double along_all = 0.0;
  for (std::size_t x = p; x < q; ++x) {
    current.value += profile.current[x];
    along_all += along[x];
  }
  const Ends ends = plane_ends(model, profile, p, q);
  const Estimate energy = energy_step(error, ends, along_all);
  const double a = model.lattice.spacing();
  const Estimate diffusion = coefficient(a, current, energy);
  const Estimate kappa = coefficient(a, current, temperature_step(ends, energy));
  bulk.diffusion = diffusion.value;
  bulk.diffusion_error = diffusion.error;
  bulk.kappa = kappa.value;
  bulk.kappa_error = kappa.error;
  bulk.obstacle = std::isnan(diffusion.value) ? "no gradient inside to be told from zero" : "";
  if (last - first < 2) return bulk;
  const auto steps = plane_coefficients(model, state, profile);
  bulk.diffusion_spread = 0.0;
  for (std::size_t x = p; x < q; ++x) {
    const double distance = std::abs(steps.diffusion[x] - bulk.diffusion);
    bulk.diffusion_spread = std::isnan(distance) ? kUnknown : std::max(bulk.diffusion_spread, distance);
    if (std::isnan(distance)) break;
  }
  return bulk;
}

}  // namespace qheat
