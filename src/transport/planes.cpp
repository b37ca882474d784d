#include "qheat/transport/planes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "qheat/model/dissipator.hpp"
#include "qheat/model/thermodynamics.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/transport/level_energy.hpp"

namespace qheat {
namespace {

/// The bath moves the levels of each site of the first and the last plane, and those of no other site.
bool between_faces(const Model& model, const TransportAxis& axis) {
  std::vector<bool> fed(as_size(model.sites()), false);
  for (const Dissipator& d : dissipators(model))
    for (const int site : d.sites)
      if (moves_levels(d)) at(fed, site) = true;
  for (int i = 0; i < model.sites(); ++i) {
    const int plane = axis.plane_of(i);
    if (at(fed, i) != (plane == 0 || plane == axis.length - 1)) return false;
  }
  return true;
}

/// The temperature of a plane with mean energy `u`, if all its sites have one and levels alike.
double plane_temperature(const Model& model, const std::vector<int>& sites, const std::vector<bool>& known,
                         double u) {
  const bool alike = std::all_of(sites.begin(), sites.end(),
                                 [&](int i) { return at(known, i) && same_levels(model, sites.front(), i); });
  return alike ? temperature_of(model.energies_of(sites.front()), u)
               : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

bool is_open_chain(const Lattice& lattice) {
  if (lattice.bond_count() != lattice.sites() - 1) return false;
  for (int b = 0; b < lattice.bond_count(); ++b)
    if (at(lattice.bonds(), b) != Bond{b, b + 1}) return false;
  return true;
}

TransportAxis transport_axis(const Model& model) {
  const Lattice& lattice = model.lattice;
  const auto none = [](std::string why) {
    TransportAxis axis;
    axis.obstacle = std::move(why);
    return axis;
  };
  std::vector<TransportAxis> found;
  const auto offer = [&](int axis, int length, int stride) {
    const TransportAxis candidate{axis, length, stride, {}};
    if (length >= 2 && between_faces(model, candidate)) found.push_back(candidate);
  };
  if (is_open_chain(lattice)) {
    offer(0, lattice.sites(), 1);
  } else if (lattice.explicit_graph()) {
    return none("bonds are listed by hand, so the lattice has no planes");
  } else {
    int stride = 1;
    for (std::size_t k = 0; k < lattice.shape().size(); ++k) {
      if (!lattice.periodic()[k]) offer(static_cast<int>(k), lattice.shape()[k], stride);
      stride *= lattice.shape()[k];
    }
  }
  if (found.size() == 1) return found.front();
  return none("reservoirs are not on two opposite whole faces of one axis");
}

PlaneProfile plane_profile(const Model& model, const SteadyState& state) {
  PlaneProfile profile;
  profile.axis = transport_axis(model);
  if (!profile.axis.found()) return profile;
  const auto length = as_size(profile.axis.length);
  const double area = static_cast<double>(model.sites()) / profile.axis.length;
  std::vector<std::vector<int>> sites(length);
  profile.energy.assign(length, 0.0);
  profile.current.assign(length - 1, 0.0);
  for (int i = 0; i < model.sites(); ++i) {
    const auto plane = as_size(profile.axis.plane_of(i));
    sites[plane].push_back(i);
    profile.energy[plane] += at(state.energy, i) / area;
  }
  for (std::size_t b = 0; b < state.current.size(); ++b) {
    const int p = profile.axis.plane_of(model.lattice.bonds()[b].first);
    const int q = profile.axis.plane_of(model.lattice.bonds()[b].second);
    if (p != q) at(profile.current, std::min(p, q)) += (q - p) * state.current[b] / area;
  }
  const auto known = temperatures_known(model);
  for (std::size_t x = 0; x < length; ++x)
    profile.temperature.push_back(plane_temperature(model, sites[x], known, profile.energy[x]));
  return profile;
}

}  // namespace qheat
