#include "kernel/second_order_terms.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "qheat/basis/cell_space.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// <a s| V |c s> as a list over the level s of a site that looks on.
using Watched = std::vector<Complex>;

/// All elements of one bond's J_b V_b that change only the site `changed_first ? first : second`, by (a, c).
std::map<std::pair<Level, Level>, Watched> watched_elements(const Model& model, int bond,
                                                            bool changed_first) {
  std::map<std::pair<Level, Level>, Watched> found;
  const double coupling = at(model.couplings, bond);
  for (const auto& e : model.interaction(bond).elements()) {
    const auto [to, from] = changed_first ? std::pair(e.a, e.c) : std::pair(e.b, e.d);
    const auto [seen_to, seen_from] = changed_first ? std::pair(e.b, e.d) : std::pair(e.a, e.c);
    if (seen_to != seen_from || to == from) continue;
    auto& list = found[{to, from}];
    list.resize(as_size(model.levels()));
    list[seen_to] += coupling * e.value;
  }
  return found;
}

/// Collects the rates of all elements and lays them out.
class Collector {
 public:
  void add(const Model& model, std::uint32_t realization) {
    model_ = &model;
    realization_ = realization;
    band_ = &model.site.band_of_level();
    band_energies_ = band_energies(model);
    band_widths_ = band_widths(model);
    const auto& correlation = model.bath.correlation;
    if (correlation && model.bath.dephasing > 0.0) {
      throw InputError("bath.dephasing and bath.correlation are two baths; keep one of them");
    }
    const bool exponential = correlation && correlation->kind == BathCorrelation::Kind::exponential;
    decay_a_site_ = exponential ? correlation->rate : model.bath.dephasing;
    for (int b = 0; b < model.lattice.bond_count(); ++b) add_pair_changes(b);
    for (int i = 0; i < model.sites(); ++i) add_site_changes(i);
  }

  /// What has been collected, as a mean over the realisations; the last model's lattice serves for all.
  SecondOrderTerms terms(int realizations) {
    SecondOrderTerms result;
    result.realizations = realizations;
    result.transitions = std::move(transitions_);
    result.pattern.levels = model_->site.bands();
    const auto bonds = model_->lattice.bonds();
    std::map<std::vector<int>, int> bond_of_sites;
    for (std::size_t b = 0; b < bonds.size(); ++b) {
      bond_of_sites[{std::min(bonds[b].first, bonds[b].second), std::max(bonds[b].first, bonds[b].second)}] =
          static_cast<int>(b);
    }
    for (const auto& [sites, channels] : channels_) {
      auto& term = result.pattern.terms.emplace_back(LocalTerm<double>{.sites = sites, .elements = {}});
      for (const auto& [codes, spectrum] : channels) {
        const auto& [to, from] = codes;
        note_swap(result, sites, to, from, bond_of_sites);
        term.elements.push_back({to, from, 0.0});
        term.elements.push_back({from, from, 0.0});
        for (const auto& [key, weight] : spectrum)
          result.parts.push_back({key.second, key.first, weight / realizations});
        result.channel_begin.push_back(static_cast<std::uint32_t>(result.parts.size()));
      }
    }
    return result;
  }

 private:
  using Codes = std::pair<LocalCode, LocalCode>;                               // to, from
  using Spectrum = std::map<std::pair<std::uint32_t, std::uint32_t>, double>;  // by realisation, transition

  void note_swap(SecondOrderTerms& result, const std::vector<int>& sites, LocalCode to, LocalCode from,
                 const std::map<std::vector<int>, int>& bond_of_sites) const {
    if (sites.size() != 2) return;
    const auto bands = static_cast<LocalCode>(model_->site.bands());
    const auto a = static_cast<Level>(from / bands);
    const auto b = static_cast<Level>(from % bands);
    if (a == b || to != b * bands + a) return;
    const auto channel = static_cast<std::uint32_t>(result.channel_begin.size() - 1);
    result.swaps.push_back({bond_of_sites.at(sites), std::min(a, b), std::max(a, b), channel});
  }

  /// A site whose level changes.
  struct Step {
    int site;
    Level to, from;
  };

  std::uint32_t transition(std::initializer_list<Step> steps) {
    const int changed_sites = static_cast<int>(steps.size());
    Transition found{.mismatch = 0.0,
                     .changed_sites = changed_sites,
                     .decay = decay_a_site_ * changed_sites,
                     .band_mismatch = 0.0,
                     .final_width = 0.0,
                     .rounding = rounding(steps)};
    for (const auto& [site, to, from] : steps) {
      const auto first = as_size(site) * as_size(model_->site.bands());
      if (found.rounding > 0.0) found.mismatch += model_->energy(site, to) - model_->energy(site, from);
      found.band_mismatch += band_energies_[first + (*band_)[to]] - band_energies_[first + (*band_)[from]];
      found.final_width += band_widths_[first + (*band_)[to]];
    }
    return number_of(found);
  }

  /// How far the mismatch is open, each level energy being rounded; energies that cancel exactly are not, and
  /// then the mismatch is zero if nothing else is left.
  double rounding(std::initializer_list<Step> steps) const {
    std::vector<double> to, from;
    for (const Step& step : steps) {
      to.push_back(model_->energy(step.site, step.to));
      from.push_back(model_->energy(step.site, step.from));
    }
    double sum = 0.0;
    for (const double energy : to) {
      const auto same = std::find(from.begin(), from.end(), energy);
      if (same == from.end()) {
        sum += std::abs(energy);
      } else {
        from.erase(same);
      }
    }
    for (const double energy : from) sum += std::abs(energy);
    return 2.0 * std::numeric_limits<double>::epsilon() * sum;
  }

  /// Transitions that are equal but for rounding are one.
  std::uint32_t number_of(const Transition& found) {
    const double near = found.rounding;
    const auto end = numbers_.upper_bound({found.changed_sites, found.mismatch + near});
    for (auto it = numbers_.lower_bound({found.changed_sites, found.mismatch - near}); it != end; ++it) {
      Transition& known = transitions_[it->second];
      if (std::abs(known.band_mismatch - found.band_mismatch) > 2.0 * near) continue;
      if (std::abs(known.final_width - found.final_width) > 2.0 * near) continue;
      known.rounding = std::max(known.rounding, found.rounding + std::abs(known.mismatch - found.mismatch));
      return it->second;
    }
    const auto number = static_cast<std::uint32_t>(transitions_.size());
    numbers_.emplace(std::pair(found.changed_sites, found.mismatch), number);
    transitions_.push_back(found);
    return number;
  }

  double band_size(Level level) const { return model_->site.band_sizes()[(*band_)[level]]; }
  double strength_squared() const { return model_->strength * model_->strength; }

  /// Elements that change both sites of a bond: no other part of H_I has them.
  void add_pair_changes(int b) {
    const auto& [first, second] = at(model_->lattice.bonds(), b);
    const bool swapped = first > second;
    const auto bands = static_cast<LocalCode>(model_->site.bands());
    const double coupling = at(model_->couplings, b);
    auto& channels = channels_[{std::min(first, second), std::max(first, second)}];
    for (const auto& e : model_->interaction(b).elements()) {
      if (e.a == e.c || e.b == e.d) continue;
      const LocalCode to =
          swapped ? (*band_)[e.b] * bands + (*band_)[e.a] : (*band_)[e.a] * bands + (*band_)[e.b];
      const LocalCode from =
          swapped ? (*band_)[e.d] * bands + (*band_)[e.c] : (*band_)[e.c] * bands + (*band_)[e.d];
      if (to == from) continue;
      channels[{to, from}][{realization_, transition({{first, e.a, e.c}, {second, e.b, e.d}})}] +=
          2.0 * strength_squared() * coupling * coupling * std::norm(e.value) /
          (band_size(e.c) * band_size(e.d));
    }
  }

  /// One part of the amplitude of a change on one site: its neighbour (-1: none, the on-site term) and the
  /// amplitude for each level of it.
  struct Amplitude {
    int neighbour;
    Watched by_level;
  };

  /// Elements that change one site only add up coherently over its bonds and the on-site term, so their
  /// square has parts that depend on two neighbours at once.
  void add_site_changes(int site) {
    std::map<std::pair<Level, Level>, std::vector<Amplitude>> changes;
    for (const auto& u : model_->onsite) {
      if (u.a != u.b) changes[{u.a, u.b}].push_back({-1, {u.value}});
    }
    for (const int b : model_->lattice.bonds_of(site)) {
      const Bond& bond = at(model_->lattice.bonds(), b);
      const bool is_first = bond.first == site;
      for (auto& [levels, watched] : watched_elements(*model_, b, is_first)) {
        changes[levels].push_back({is_first ? bond.second : bond.first, std::move(watched)});
      }
    }
    for (const auto& [levels, amplitudes] : changes) {
      const auto [a, c] = levels;
      if ((*band_)[a] == (*band_)[c]) continue;
      const std::uint32_t f = transition({{site, a, c}});
      const double scale = 2.0 * strength_squared() / band_size(c);
      for (std::size_t x = 0; x < amplitudes.size(); ++x) {
        add_square(site, a, c, f, scale, amplitudes[x]);
        for (std::size_t y = x + 1; y < amplitudes.size(); ++y) {
          add_interference(site, a, c, f, scale, amplitudes[x], amplitudes[y]);
        }
      }
    }
  }

  /// Mean over the levels of each band (of a neighbour in that band); one entry for the on-site term.
  template <class Value>
  std::vector<Complex> band_means(const Amplitude& amplitude, const Value& value) const {
    if (amplitude.neighbour < 0) return {value(amplitude.by_level[0])};
    std::vector<Complex> means(as_size(model_->site.bands()));
    for (std::size_t s = 0; s < amplitude.by_level.size(); ++s) {
      means[(*band_)[s]] +=
          value(amplitude.by_level[s]) / static_cast<double>(model_->site.band_sizes()[(*band_)[s]]);
    }
    return means;
  }

  void add_square(int site, Level a, Level c, std::uint32_t f, double scale, const Amplitude& amplitude) {
    const auto squares = band_means(amplitude, [](Complex v) { return Complex(std::norm(v)); });
    for (std::size_t s = 0; s < squares.size(); ++s) {
      add_watched(site, a, c, {{amplitude.neighbour, static_cast<Level>(s)}}, f, scale * squares[s].real());
    }
  }

  void add_interference(int site, Level a, Level c, std::uint32_t f, double scale, const Amplitude& x,
                        const Amplitude& y) {
    const auto same = [](Complex v) { return v; };
    const auto left = band_means(x, same);
    const auto right = band_means(y, same);
    for (std::size_t s = 0; s < left.size(); ++s) {
      for (std::size_t r = 0; r < right.size(); ++r) {
        add_watched(site, a, c, {{x.neighbour, static_cast<Level>(s)}, {y.neighbour, static_cast<Level>(r)}},
                    f, scale * 2.0 * (std::conj(left[s]) * right[r]).real());
      }
    }
  }

  /// A change of `site` while neighbours sit in given bands.
  void add_watched(int site, Level a, Level c, std::vector<std::pair<int, Level>> neighbours, std::uint32_t f,
                   double weight) {
    if (weight == 0.0) return;
    std::erase_if(neighbours, [](const auto& n) { return n.first < 0; });
    neighbours.emplace_back(site, (*band_)[c]);
    std::sort(neighbours.begin(), neighbours.end());
    const auto bands = static_cast<LocalCode>(model_->site.bands());
    std::vector<int> sites;
    LocalCode to = 0;
    LocalCode from = 0;
    for (const auto& [i, band] : neighbours) {
      sites.push_back(i);
      from = from * bands + band;
      to = to * bands + (i == site ? (*band_)[a] : band);
    }
    channels_[sites][{to, from}][{realization_, f}] += weight;
  }

  const Model* model_ = nullptr;
  std::uint32_t realization_ = 0;
  const std::vector<Level>* band_ = nullptr;
  std::vector<double> band_energies_;  ///< [N][L]
  std::vector<double> band_widths_;    ///< [N][L]
  double decay_a_site_ = 0.0;
  std::multimap<std::pair<int, double>, std::uint32_t> numbers_;  ///< by changed sites and mismatch
  std::vector<Transition> transitions_;
  std::map<std::vector<int>, std::map<Codes, Spectrum>> channels_;
};

}  // namespace

SecondOrderTerms collect_second_order(int realizations, const std::function<Model(int)>& draw) {
  Collector collector;
  std::optional<Model> model;
  for (int r = 0; r < realizations; ++r) collector.add(model.emplace(draw(r)), static_cast<std::uint32_t>(r));
  return collector.terms(realizations);
}

}  // namespace qheat
