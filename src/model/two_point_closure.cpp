#include "qheat/model/two_point_closure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace qheat {
namespace {

bool is_chain(const Lattice& lattice) {
  return std::all_of(lattice.bonds().begin(), lattice.bonds().end(),
                     [](const Bond& bond) { return std::abs(bond.first - bond.second) == 1; });
}

bool only_hops(const PairInteraction& interaction) {
  return std::all_of(interaction.elements().begin(), interaction.elements().end(), [](const PairElement& e) {
    return e.value == Complex{} || (e.a != e.b && e.c != e.d && e.a == e.d && e.b == e.c);
  });
}

/// Jumps up and down with equal rates, to rounding.
bool is_even(const Model& model, const Reservoir& reservoir) {
  const JumpRates rates =
      jump_rates(reservoir, model.energy(reservoir.site, 1) - model.energy(reservoir.site, 0));
  return std::abs(rates.up - rates.down) <= 1e-14 * (rates.up + rates.down);
}

}  // namespace

std::vector<Complex> chain_hopping(const Model& model) {
  std::vector<Complex> hopping(static_cast<std::size_t>(model.sites() - 1));
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const Bond& bond = model.lattice.bonds()[static_cast<std::size_t>(b)];
    for (const PairElement& e : model.interaction(b).elements()) {
      const bool upward = bond.first < bond.second;
      if (e.a != (upward ? 1 : 0) || e.b != (upward ? 0 : 1) || e.c != e.b || e.d != e.a) continue;
      const double factor = model.strength * model.couplings[static_cast<std::size_t>(b)];
      hopping[static_cast<std::size_t>(std::min(bond.first, bond.second))] = factor * e.value;
    }
  }
  return hopping;
}

std::vector<std::string> two_point_obstacles(const Model& model) {
  std::vector<std::string> obstacles;
  if (model.levels() != 2)
    obstacles.push_back(fmt::format("sites have {} levels; only two levels are fermions", model.levels()));
  const bool chain = is_chain(model.lattice);
  if (!chain)
    obstacles.emplace_back(
        "the bonds are not those of an open chain whose sites are numbered in its order; take lattice.shape "
        "= [N], not periodic");
  const bool hops =
      model.levels() == 2 && std::all_of(model.interactions.begin(), model.interactions.end(), only_hops);
  if (model.levels() == 2 && !hops)
    obstacles.emplace_back(
        "the interaction has elements other than <1 0|V|0 1>, with which the fermions interact or are not "
        "conserved; take interaction.kind = \"xy\"");
  for (const OnsiteElement& u : model.onsite) {
    if (u.a == u.b || u.value == Complex{}) continue;
    obstacles.emplace_back("the on-site term has elements off its diagonal; remove them");
    break;
  }
  if (!chain || !hops) return obstacles;
  const auto hopping = chain_hopping(model);
  for (const Reservoir& reservoir : model.bath.reservoirs) {
    const auto i = static_cast<std::size_t>(reservoir.site);
    const bool inside = i > 0 && i < hopping.size() && hopping[i - 1] != Complex{} && hopping[i] != Complex{};
    if (!inside || is_even(model, reservoir)) continue;
    obstacles.push_back(
        fmt::format("the reservoir at site {} is inside the chain and has a finite temperature, which "
                    "couples two-point to four-point functions; move it to an end, or set its temperature "
                    "to inf",
                    reservoir.site));
  }
  return obstacles;
}

}  // namespace qheat
