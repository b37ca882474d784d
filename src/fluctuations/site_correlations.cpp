#include "qheat/fluctuations/site_correlations.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "qheat/operators/commutator.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

bool same_energies(const Model& model) {
  const auto first = model.energies_of(0);
  for (int i = 1; i < model.sites(); ++i) {
    const auto other = model.energies_of(i);
    if (!std::equal(first.begin(), first.end(), other.begin())) return false;
  }
  return true;
}

/// V_{ab,cd} = V_{ba,dc}
bool same_from_both_ends(const PairInteraction& interaction) {
  const auto& elements = interaction.elements();
  return std::all_of(elements.begin(), elements.end(), [&](const PairElement& e) {
    return std::any_of(elements.begin(), elements.end(), [&](const PairElement& other) {
      return other.a == e.b && other.b == e.a && other.c == e.d && other.d == e.c && other.value == e.value;
    });
  });
}

/// The site that lies from `site` as `to` lies from `from`, on a torus.
int translated(const Lattice& lattice, int site, int from, int to) {
  int result = 0;
  int stride = 1;
  for (int axis = 0; axis < static_cast<int>(lattice.shape().size()); ++axis) {
    const int length = at(lattice.shape(), axis);
    const int place = lattice.place(site, axis) + lattice.place(to, axis) - lattice.place(from, axis);
    result += stride * ((place % length + length) % length);
    stride *= length;
  }
  return result;
}

}  // namespace

bool is_homogeneous_torus(const Model& model) {
  const Lattice& lattice = model.lattice;
  if (lattice.explicit_graph() || !same_energies(model)) return false;
  const bool one_interaction =
      std::all_of(model.interaction_of_bond.begin(), model.interaction_of_bond.end(),
                  [&](int number) { return number == model.interaction_of_bond.front(); });
  const bool one_coupling = std::all_of(model.couplings.begin(), model.couplings.end(),
                                        [&](double j) { return j == model.couplings.front(); });
  if (!one_interaction || !one_coupling) return false;
  for (std::size_t axis = 0; axis < lattice.shape().size(); ++axis) {
    const int length = lattice.shape()[axis];
    if (length > 2 && !lattice.periodic()[axis]) return false;
    if (length == 2 && !same_from_both_ends(model.interaction(0))) return false;
  }
  return true;
}

std::vector<int> default_sources(const Model& model) {
  if (is_homogeneous_torus(model)) return {0};
  std::vector<int> all(as_size(model.sites()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::span<const double> SiteCorrelations::energy_at(std::size_t time) const {
  return std::span(energy).subspan(time * sites * sites, sites * sites);
}

std::span<const double> SiteCorrelations::change_at(std::size_t time) const {
  return std::span(change).subspan(time * sites * sites, sites * sites);
}

SiteCorrelations site_correlations(const Model& model, const Correlations& found,
                                   const CorrelationSeries& series, double background) {
  const std::size_t n = as_size(model.sites());
  const std::size_t t = found.times.size();
  const std::size_t s = found.sources.size();
  const bool torus = is_homogeneous_torus(model);
  SiteCorrelations result{.times = found.times,
                          .sites = n,
                          .sources = found.sources,
                          .energy = std::vector<double>(t * n * n),
                          .change = std::vector<double>(t * n * n),
                          .curvature = std::vector<double>(series.curvature.empty() ? 0 : t * n * n),
                          .current = {},
                          .background = background,
                          .even = model.bath.closed()};
  if (torus) {
    result.sources.resize(n);
    std::iota(result.sources.begin(), result.sources.end(), 0);
  }
  const auto copy = [&](const std::vector<double>& from, std::vector<double>& to) {
    for (const int j : result.sources) {
      // On a torus of several sources the first stands for all.
      const std::size_t k =
          torus ? 0
                : as_size(std::find(found.sources.begin(), found.sources.end(), j) - found.sources.begin());
      for (int i = 0; i < model.sites(); ++i) {
        const int seen = torus ? translated(model.lattice, i, j, found.sources.front()) : i;
        for (std::size_t time = 0; time < t; ++time)
          to[(time * n + as_size(i)) * n + as_size(j)] = from[(time * s + k) * n + as_size(seen)];
      }
    }
  };
  copy(series.energy, result.energy);
  copy(series.change, result.change);
  if (!series.curvature.empty()) copy(series.curvature, result.curvature);
  const std::size_t axes = found.axes.size();
  if (axes == 0) return result;
  for (std::size_t time = 0; time < t; ++time) {
    const auto first = series.current.begin() + static_cast<std::ptrdiff_t>(time * axes);
    result.current.push_back(std::accumulate(first, first + static_cast<std::ptrdiff_t>(axes), 0.0) /
                             static_cast<double>(axes));
  }
  return result;
}

double sector_background(const Model& model, const Equilibrium& equilibrium, SiteEnergy energy) {
  if (equilibrium.counts.empty() || model.sites() < 2) return 0.0;
  return equilibrium_covariance(model, equilibrium, site_energy(model, energy, 0),
                                site_energy(model, energy, 1));
}

double susceptibility(const Model& model, const Equilibrium& equilibrium, SiteEnergy energy) {
  if (!equilibrium.counts.empty()) {
    // all sites are alike: what an excess counted from C_0i sums up to
    const auto here = site_energy(model, energy, 0);
    return equilibrium_covariance(model, equilibrium, here, here) -
           sector_background(model, equilibrium, energy);
  }
  TermSum<Complex> total{.levels = model.levels(), .terms = {}};
  for (int i = 0; i < model.sites(); ++i) {
    for (auto& term : site_energy(model, energy, i).terms) total.terms.push_back(std::move(term));
  }
  total = merged(total);
  double sum = 0.0;
  // Terms of the product state that share no site are independent.
  const bool independent = equilibrium.counts.empty();
  for (const auto& a : total.terms) {
    for (const auto& b : total.terms) {
      const bool apart = std::none_of(a.sites.begin(), a.sites.end(), [&](int site) {
        return std::binary_search(b.sites.begin(), b.sites.end(), site);
      });
      if (independent && apart) continue;
      sum += equilibrium_covariance(model, equilibrium, {.levels = total.levels, .terms = {a}},
                                    {.levels = total.levels, .terms = {b}});
    }
  }
  return sum / model.sites();
}

}  // namespace qheat
