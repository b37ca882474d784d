#include "qheat/model/dissipator.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

using Code = std::uint64_t;

/// Calls visit(site's place, level) for each site of a code.
template <class Visit>
void visit_levels(const Model& model, const Dissipator& d, Code code, const Visit& visit) {
  const auto m = static_cast<Code>(model.levels());
  for (std::size_t k = d.sites.size(); k-- > 0; code /= m) visit(k, as_size(code % m));
}

/// |n><n| with |value| = 1 on one site.
bool is_projector(const Dissipator& d) {
  return d.sites.size() == 1 && d.elements.size() == 1 && d.elements.front().to == d.elements.front().from &&
         std::norm(d.elements.front().value) == 1.0;
}

}  // namespace

Complex Dissipator::weight(const JumpElement& a, const JumpElement& b) const {
  if (std::pair(a.to, a.from) > std::pair(b.to, b.from)) return std::conj(weight(b, a));
  return rate * (a.value * std::conj(b.value));
}

std::vector<Dissipator> dissipators(const Model& model, const Reservoir& reservoir) {
  std::vector<Dissipator> all;
  const auto rates = jump_rates(reservoir, model.energies_of(reservoir.site));
  for (Code n = 0; n < rates.size(); ++n) {
    const auto [up, down] = rates[n];
    if (up > 0.0) all.push_back({{reservoir.site}, {{n + 1, n, 1.0}}, up});
    if (down > 0.0) all.push_back({{reservoir.site}, {{n, n + 1, 1.0}}, down});
  }
  return all;
}

std::vector<Dissipator> dissipators(const Model& model, const Jump& jump) {
  if (jump.rate == 0.0) return {};
  Dissipator one{jump.sites, jump.elements, jump.rate};
  if (one.sites.size() == 2 && one.sites[0] > one.sites[1]) {
    const auto m = static_cast<Code>(model.levels());
    const auto exchanged = [&](Code code) { return code % m * m + code / m; };
    std::swap(one.sites[0], one.sites[1]);
    for (auto& e : one.elements) e = {exchanged(e.to), exchanged(e.from), e.value};
  }
  return {std::move(one)};
}

std::vector<Dissipator> dissipators(const Model& model) {
  std::vector<Dissipator> all;
  for (int i = 0; model.bath.dephasing > 0.0 && i < model.sites(); ++i)
    for (Code n = 0; n < static_cast<Code>(model.levels()); ++n)
      all.push_back({{i}, {{n, n, 1.0}}, model.bath.dephasing});
  const auto append = [&](std::vector<Dissipator> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
  };
  for (const Reservoir& reservoir : model.bath.reservoirs) append(dissipators(model, reservoir));
  for (const Jump& jump : model.bath.jumps) append(dissipators(model, jump));
  return all;
}

std::vector<Dissipator> dissipators_on(const Model& model, int site) {
  std::vector<Dissipator> all;
  const auto append = [&](std::vector<Dissipator> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
  };
  for (const Reservoir& reservoir : model.bath.reservoirs)
    if (reservoir.site == site) append(dissipators(model, reservoir));
  for (const Jump& jump : model.bath.jumps)
    if (jump.sites == std::vector<int>{site}) append(dissipators(model, jump));
  return all;
}

Dissipation dissipation(const Model& model) {
  Dissipation result;
  const auto levels = as_size(model.levels());
  const std::size_t places = as_size(model.sites()) * levels;
  std::vector<Dissipator> all = dissipators(model);
  std::map<double, std::set<std::size_t>> covered;  // by rate: levels of sites that have its projector
  const auto place = [&](const Dissipator& d) {
    return as_size(d.sites.front()) * levels + d.elements.front().to;
  };
  for (const Dissipator& d : all)
    if (is_projector(d)) covered[d.rate].insert(place(d));
  std::erase_if(covered, [&](const auto& of_rate) { return of_rate.second.size() < places; });
  for (const auto& [rate, sites] : covered) result.dephasing += rate;
  for (Dissipator& d : all) {
    const auto found = is_projector(d) ? covered.find(d.rate) : covered.end();
    // erased as it is taken: a second one of the same rate is no part of the even dephasing
    const bool even = found != covered.end() && found->second.erase(place(d)) == 1;
    if (!even) result.others.push_back(std::move(d));
  }
  return result;
}

bool moves_levels(const Dissipator& dissipator) {
  return std::any_of(dissipator.elements.begin(), dissipator.elements.end(),
                     [](const JumpElement& e) { return e.to != e.from; });
}

bool moves_bands(const Model& model, const Dissipator& dissipator) {
  const auto& band = model.site.band_of_level();
  return std::any_of(dissipator.elements.begin(), dissipator.elements.end(), [&](const JumpElement& e) {
    std::vector<Level> to(dissipator.sites.size());
    std::vector<Level> from(to);
    visit_levels(model, dissipator, e.to, [&](std::size_t k, std::size_t level) { to[k] = band[level]; });
    visit_levels(model, dissipator, e.from, [&](std::size_t k, std::size_t level) { from[k] = band[level]; });
    return to != from;
  });
}

bool keeps_populations_apart(const Dissipator& dissipator) {
  std::set<Code> to;
  std::set<Code> from;
  return std::all_of(dissipator.elements.begin(), dissipator.elements.end(), [&](const JumpElement& e) {
    return to.insert(e.to).second && from.insert(e.from).second;
  });
}

std::vector<std::vector<int>> count_changes(const Model& model, const Dissipator& dissipator) {
  const auto& band = model.site.band_of_level();
  std::set<std::vector<int>> changes;
  for (const JumpElement& e : dissipator.elements) {
    std::vector<int> change(as_size(model.site.bands()), 0);
    visit_levels(model, dissipator, e.to, [&](std::size_t, std::size_t level) { ++change[band[level]]; });
    visit_levels(model, dissipator, e.from, [&](std::size_t, std::size_t level) { --change[band[level]]; });
    changes.insert(std::move(change));
  }
  return {changes.begin(), changes.end()};
}

bool changes_counts(const Model& model, const Dissipator& dissipator) {
  const auto changes = count_changes(model, dissipator);
  return std::any_of(changes.begin(), changes.end(), [](const std::vector<int>& change) {
    return std::any_of(change.begin(), change.end(), [](int sites) { return sites != 0; });
  });
}

}  // namespace qheat
