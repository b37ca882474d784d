#include "qheat/fluctuations/equilibrium.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/model/dissipator.hpp"
#include "qheat/operators/commutator.hpp"
#include "qheat/operators/currents.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

bool onsite_keeps_levels(const Model& model) {
  for (int i = 0; i < model.sites(); ++i) {
    for (const auto& e : model.onsite) {
      if (model.energy(i, e.a) != model.energy(i, e.b)) return false;
    }
  }
  return true;
}

/// Probability of a configuration of a few sites when all states of a sector are alike.
class SectorProbability {
 public:
  SectorProbability(const Model& model, const std::vector<int>& counts)
      : model_(model), counts_(counts), all_(static_cast<double>(level_sector_dimension(model, counts))) {}

  double operator()(LocalCode code, std::size_t sites) {
    std::vector<int> rest = counts_;
    const auto levels = static_cast<LocalCode>(model_.levels());
    for (std::size_t k = 0; k < sites; ++k, code /= levels) {
      int& count = rest[at(model_.site.band_of_level(), static_cast<Index>(code % levels))];
      if (count-- == 0) return 0.0;
    }
    const auto [place, added] = known_.try_emplace(rest, 0.0);
    if (added)
      place->second = static_cast<double>(sector_dimension(model_.site.band_of_level(), rest)) / all_;
    return place->second;
  }

 private:
  const Model& model_;
  std::vector<int> counts_;
  double all_;
  std::map<std::vector<int>, double> known_;
};

double product_probability(const std::vector<double>& p, LocalCode code, const std::vector<int>& sites,
                           int levels) {
  double product = 1.0;
  for (std::size_t k = sites.size(); k-- > 0; code /= static_cast<LocalCode>(levels))
    product *= p[as_size(sites[k]) * as_size(levels) +
                 as_size(static_cast<Index>(code % static_cast<LocalCode>(levels)))];
  return product;
}

}  // namespace

std::string stationarity_obstacle(const Model& model, const Equilibrium& equilibrium) {
  if (model.bath.correlation)
    return "a bath given by its correlation function has no exact dynamics; give it as dephasing";
  if (!model.bath.reservoirs.empty())
    return "reservoirs drive the system to a state of their own; leave them out";
  if (!model.bath.jumps.empty()) return "jumps drive the system to a state of their own; leave them out";
  if (!equilibrium.counts.empty() && !model.conserves_bands())
    return "the interaction leaves the sector; use ensemble = \"all\"";
  if (model.bath.dephasing > 0.0 && !onsite_keeps_levels(model))
    return "with dephasing on-site terms that change levels are not followed; leave them out";
  if (std::isinf(equilibrium.temperature)) return "";
  if (!equilibrium.counts.empty())
    return "in a sector all states are alike, which is an infinite temperature; use equilibrium = inf, or "
           "ensemble = \"all\"";
  if (bonds_keep_level_energy(model) && onsite_keeps_levels(model)) return "";
  return "at a finite temperature the product of local Gibbs states is stationary only where the interaction "
         "keeps the sum of level energies (no detuning between sites that exchange, U diagonal); use "
         "equilibrium = inf";
}

InitialState equilibrium_levels(const Model& model, const Equilibrium& equilibrium) {
  return InitialState::thermal(model, std::vector<double>(as_size(model.sites()), equilibrium.temperature));
}

std::vector<EquilibriumPart> equilibrium_parts(const Model& model, const Equilibrium& equilibrium) {
  if (!equilibrium.counts.empty())
    return {{equilibrium.counts, level_sector_dimension(model, equilibrium.counts), 1.0}};
  constexpr double kMostBits = 63.0;  // of a number of states; more are refused before they are counted
  if (model.sites() * std::log2(model.levels()) > kMostBits)
    throw Error(
        fmt::format("the full space of {} sites has more than 2^63 states; use fewer sites, or "
                    "transport.ensemble = \"sector\"",
                    model.sites()));
  if (!model.conserves_bands()) return {{{}, level_sector_dimension(model, {}), 1.0}};
  const InitialState state = equilibrium_levels(model, equilibrium);
  const auto& band = model.site.band_of_level();
  // Site after site: probabilities of all counts.
  std::map<std::vector<int>, double> weights = {{std::vector<int>(as_size(model.site.bands()), 0), 1.0}};
  for (int i = 0; i < model.sites(); ++i) {
    std::map<std::vector<int>, double> next;
    for (const auto& [counts, weight] : weights) {
      for (int n = 0; n < model.levels(); ++n) {
        auto more = counts;
        ++more[at(band, n)];
        next[more] += weight * state.probabilities[as_size(i) * as_size(model.levels()) + as_size(n)];
      }
    }
    weights = std::move(next);
  }
  std::vector<EquilibriumPart> parts;
  for (const auto& [counts, weight] : weights) {
    if (weight > 0.0) parts.push_back({counts, level_sector_dimension(model, counts), weight});
  }
  return parts;
}

bool has_level_reversal(const Model& model) {
  const auto& band = model.site.band_of_level();
  const int m = model.levels();
  const auto energies = model.energies_of(0);
  for (int i = 1; i < model.sites(); ++i) {
    if (!std::ranges::equal(model.energies_of(i), energies)) return false;
  }
  // Of one energy a band, sum_i h_i is a constant of a part.
  for (int n = 0; n < m; ++n) {
    const int other = m - 1 - n;
    if (at(band, other) != model.site.bands() - 1 - at(band, n)) return false;
    for (int k = 0; k < m; ++k) {
      if (at(band, k) == at(band, n) && at(energies, k) != at(energies, n)) return false;
    }
    const double sum = at(energies, n) + at(energies, other) - at(energies, 0) - at(energies, m - 1);
    if (std::abs(sum) > 1e-14 * std::abs(at(energies, m - 1) - at(energies, 0))) return false;
  }
  return is_level_reversal_symmetric(interaction_hamiltonian(model));
}

std::vector<EquilibriumPart> without_reversed(const std::vector<EquilibriumPart>& parts) {
  std::vector<EquilibriumPart> result;
  for (const auto& part : parts) {
    const std::vector<int> reversed(part.counts.rbegin(), part.counts.rend());
    const auto image =
        std::ranges::find_if(result, [&](const auto& other) { return other.counts == reversed; });
    image == result.end() ? result.push_back(part) : void(image->weight += part.weight);
  }
  return result;
}

Complex equilibrium_mean(const Model& model, const Equilibrium& equilibrium, const TermSum<Complex>& a) {
  Complex mean = 0.0;
  if (equilibrium.counts.empty()) {
    const auto p = equilibrium_levels(model, equilibrium).probabilities;
    for (const auto& term : a.terms) {
      for (const auto& e : term.elements) {
        if (e.to == e.from) mean += e.value * product_probability(p, e.to, term.sites, model.levels());
      }
    }
    return mean;
  }
  SectorProbability probability(model, equilibrium.counts);
  for (const auto& term : a.terms) {
    for (const auto& e : term.elements) {
      if (e.to == e.from) mean += e.value * probability(e.to, term.sites.size());
    }
  }
  return mean;
}

double equilibrium_covariance(const Model& model, const Equilibrium& equilibrium, const TermSum<Complex>& a,
                              const TermSum<Complex>& b) {
  const Complex means = equilibrium_mean(model, equilibrium, a) * equilibrium_mean(model, equilibrium, b);
  return (equilibrium_mean(model, equilibrium, product(a, b)) - means).real();
}

double typical_scatter(const Model& model, const Equilibrium& equilibrium, const TermSum<Complex>& a) {
  const double variance = equilibrium_covariance(model, equilibrium, a, a);
  double fourth = 10.0 * variance * variance;  // more than of a Gaussian; products of many sites are too many
  const bool of_one_site =
      std::ranges::all_of(a.terms, [](const auto& term) { return term.sites.size() == 1; });
  if (of_one_site) {
    TermSum<Complex> centred = a;
    LocalTerm<Complex> mean{.sites = {0}, .elements = {}};
    for (LocalCode n = 0; n < static_cast<LocalCode>(model.levels()); ++n)
      mean.elements.push_back({n, n, -equilibrium_mean(model, equilibrium, a)});
    centred.terms.push_back(std::move(mean));
    const auto square = product(centred, centred);
    fourth = equilibrium_mean(model, equilibrium, product(square, square)).real();
  }
  double states = static_cast<double>(level_sector_dimension(model, equilibrium.counts));  // in effect
  if (equilibrium.counts.empty()) {
    const auto p = equilibrium_levels(model, equilibrium).probabilities;
    const auto levels = as_size(model.levels());
    states = 1.0;
    for (std::size_t i = 0; i < as_size(model.sites()); ++i) {
      double sum = 0.0;
      for (std::size_t n = 0; n < levels; ++n) sum += std::pow(p[i * levels + n], 2);
      states /= sum;
    }
  }
  return std::sqrt(fourth / states);
}

}  // namespace qheat
