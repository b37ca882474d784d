#include "qheat/operators/overlaps.hpp"

#include <map>
#include <utility>

#include "qheat/parallel/index.hpp"

namespace qheat {

Overlaps::Catalog Overlaps::list(std::span<const TermSum<Complex>> observables, Elements elements) {
  const auto is_left_out = [&](const LocalElement<Complex>& e) {
    return e.value == Complex{} || (elements == Elements::one_of_partners && e.to > e.from);
  };
  using Codes = std::pair<LocalCode, LocalCode>;
  std::map<std::vector<int>, std::map<Codes, std::uint32_t>> numbers;
  Catalog catalog;
  for (const auto& sum : observables) {
    catalog.elements.levels = sum.levels;
    for (const auto& term : sum.terms) {
      auto& of_sites = numbers[term.sites];
      for (const auto& e : term.elements) {
        if (!is_left_out(e)) of_sites.try_emplace({e.to, e.from}, 0);
      }
    }
  }
  for (auto& [sites, codes] : numbers) {
    auto& term = catalog.elements.terms.emplace_back();
    term.sites = sites;
    for (auto& [code, number] : codes) {
      number = static_cast<std::uint32_t>(catalog.count++);
      term.elements.push_back({code.first, code.second, 1.0});
    }
  }
  for (std::size_t k = 0; k < observables.size(); ++k) {
    for (const auto& term : observables[k].terms) {
      const auto& of_sites = numbers.at(term.sites);
      for (const auto& e : term.elements) {
        if (is_left_out(e)) continue;
        const bool for_two = elements == Elements::one_of_partners && e.to != e.from;
        catalog.weighted.push_back(
            {for_two ? 2.0 * e.value : e.value, static_cast<std::uint32_t>(k), of_sites.at({e.to, e.from})});
      }
    }
  }
  return catalog;
}

Overlaps::Overlaps(std::shared_ptr<const DistributedSector> space,
                   std::span<const TermSum<Complex>> observables, Elements elements)
    : Overlaps(std::move(space), list(observables, elements), observables.size()) {}

Overlaps::Overlaps(std::shared_ptr<const DistributedSector> space, Catalog catalog, std::size_t count)
    : space_(std::move(space)),
      count_(count),
      element_count_(catalog.count),
      weighted_(std::move(catalog.weighted)),
      engine_(*space_, catalog.elements, ExchangeRoute::rows) {}

std::vector<Complex> Overlaps::between_here(std::span<const Complex> x, std::span<const Complex> y) const {
  std::vector<Complex> sums(element_count_);
  engine_.element_sums(x, y, sums);
  std::vector<Complex> values(count_);
  for (const auto& w : weighted_) values[w.observable] += w.weight * sums[w.element];
  return values;
}

std::vector<Complex> Overlaps::between(std::span<const Complex> x, std::span<const Complex> y) const {
  auto values = between_here(x, y);
  space_->comm().sum(std::span(reinterpret_cast<double*>(values.data()), 2 * values.size()));
  return values;
}

}  // namespace qheat
