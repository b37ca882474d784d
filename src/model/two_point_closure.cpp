#include "qheat/model/two_point_closure.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "qheat/model/dissipator.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

bool is_chain(const Lattice& lattice) {
  return std::all_of(lattice.bonds().begin(), lattice.bonds().end(),
                     [](const Bond& bond) { return std::abs(bond.first - bond.second) == 1; });
}

bool only_hops(const PairInteraction& interaction) {
  return std::all_of(interaction.elements().begin(), interaction.elements().end(),
                     [](const PairElement& e) { return e.value == Complex{} || is_swap(e); });
}

/// sigma^+ or sigma^- of one site.
bool is_hop_of_one(const Dissipator& d) {
  return d.sites.size() == 1 && d.elements.size() == 1 && moves_levels(d);
}

/// Why the bath's jumps into and out of a site inside the chain take strings apart; empty if they are even.
std::string uneven_obstacle(const Model& model, int site, const ParticleRates& rates) {
  double up = 0.0;
  double down = 0.0;
  for (const double rate : rates.up) up += rate;
  for (const double rate : rates.down) down += rate;
  if (std::abs(up - down) <= 1e-14 * (up + down)) return {};
  const bool by_temperature =
      model.bath.jumps.empty() &&
      std::all_of(model.bath.reservoirs.begin(), model.bath.reservoirs.end(),
                  [&](const Reservoir& r) { return r.site != site || r.given.empty(); });
  if (!by_temperature)
    return fmt::format(
        "the bath at site {} is inside the chain and jumps up and down at different rates, which couples "
        "two-point to four-point functions; move it to an end, or make the rates equal",
        site);
  return fmt::format(
      "the reservoir at site {} is inside the chain and has a finite temperature, which couples two-point to "
      "four-point functions; move it to an end, or set its temperature to inf",
      site);
}

}  // namespace

std::vector<Complex> chain_hopping(const Model& model) {
  std::vector<Complex> hopping(as_size(model.sites() - 1));
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const Bond& bond = at(model.lattice.bonds(), b);
    for (const PairElement& e : model.interaction(b).elements()) {
      const bool upward = bond.first < bond.second;
      if (e.a != (upward ? 1 : 0) || e.b != (upward ? 0 : 1) || e.c != e.b || e.d != e.a) continue;
      const double factor = model.strength * at(model.couplings, b);
      at(hopping, std::min(bond.first, bond.second)) = factor * e.value;
    }
  }
  return hopping;
}

std::vector<ParticleRates> particle_rates(const Model& model) {
  std::vector<ParticleRates> rates(as_size(model.sites()));
  for (const Dissipator& d : dissipation(model).others) {
    const JumpElement& e = d.elements.front();
    auto& of_site = at(rates, d.sites.front());
    (e.to > e.from ? of_site.up : of_site.down).push_back(d.weight(e, e).real());
  }
  return rates;
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
  for (const Dissipator& d : dissipation(model).others) {
    if (is_hop_of_one(d)) continue;
    obstacles.push_back(
        fmt::format("the jump at site{} {} is other than one of a single site up or down; take jumps of one "
                    "element [1, 0, 1.0] or [0, 1, 1.0]",
                    d.sites.size() > 1 ? "s" : "", fmt::join(d.sites, ", ")));
    return obstacles;
  }
  const auto hopping = chain_hopping(model);
  const auto rates = particle_rates(model);
  for (int site = 0; site < model.sites(); ++site) {
    const auto i = as_size(site);
    const bool inside = i > 0 && i < hopping.size() && hopping[i - 1] != Complex{} && hopping[i] != Complex{};
    if (!inside) continue;
    if (std::string why = uneven_obstacle(model, site, rates[i]); !why.empty())
      obstacles.push_back(std::move(why));
  }
  return obstacles;
}

}  // namespace qheat
