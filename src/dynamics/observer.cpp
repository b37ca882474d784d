#include "qheat/dynamics/observer.hpp"

#include <map>
#include <tuple>

#include "qheat/operators/currents.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/site_populations.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

/// The elements of H with the value 1 each.
TermSum<double> elements_of_hamiltonian(const Model& model) {
  TermSum<Complex> h = hamiltonian(model);
  canonicalize(h);
  TermSum<double> elements{.levels = h.levels, .terms = {}};
  for (const auto& term : h.terms) {
    auto& copy = elements.terms.emplace_back();
    copy.sites = term.sites;
    for (const auto& e : term.elements) copy.elements.push_back({e.to, e.from, 1.0});
  }
  return elements;
}

}  // namespace

Observer::Observer(const Model& model, std::shared_ptr<const DistributedSector> space)
    : Observer(model, std::move(space), elements_of_hamiltonian(model)) {}

Observer::Observer(const Model& model, std::shared_ptr<const DistributedSector> space,
                   const TermSum<double>& elements)
    : model_(model),
      layout_(model),
      space_(std::move(space)),
      engine_(*space_, elements, ExchangeRoute::rows) {
  list_elements(elements);
}

void Observer::list_elements(const TermSum<double>& elements) {
  std::map<std::tuple<std::vector<int>, LocalCode, LocalCode>, std::size_t> number;
  for (const auto& term : elements.terms) {
    for (const auto& e : term.elements) number.try_emplace({term.sites, e.to, e.from}, element_count_++);
  }
  const auto add = [&](std::size_t observable, TermSum<Complex> sum) {
    canonicalize(sum);
    for (const auto& term : sum.terms) {
      for (const auto& e : term.elements) {
        if (e.value == Complex{}) continue;
        const auto place = number.find({term.sites, e.to, e.from});
        QHEAT_ASSERT(place != number.end());
        weighted_.push_back({observable, place->second, e.value});
      }
    }
  };
  add(layout_.total_energy(), hamiltonian(model_));
  for (int b = 0; b < model_.lattice.bond_count(); ++b) {
    const std::size_t place = layout_.outflow() + 2 * static_cast<std::size_t>(b);
    add(place, outflow(model_, b, BondEnd::first));
    add(place + 1, outflow(model_, b, BondEnd::second));
  }
}

std::vector<double> Observer::observe(ColumnBlock<const Complex> psi) const {
  const std::size_t size = layout_.size();
  std::vector<double> values(static_cast<std::size_t>(psi.columns()) * size, 0.0);
  std::vector<Complex> sums(element_count_);
  for (Index k = 0; k < psi.columns(); ++k) {
    const auto column = psi.column_span(k);
    const auto here = std::span(values).subspan(static_cast<std::size_t>(k) * size, size);
    const auto populations = here.subspan(layout_.populations(), layout_.sites() * layout_.levels());
    add_site_populations(
        *space_, [&](Index state) { return std::norm(column[static_cast<std::size_t>(state)]); },
        populations);
    space_->comm().sum(populations);
    engine_.element_sums(column, sums);
    for (const auto& w : weighted_) here[w.observable] += (w.weight * sums[w.element]).real();
    for (std::size_t n = 0; n < layout_.levels(); ++n) here[layout_.norm()] += populations[n];  // of site 0
    add_derived(model_, layout_, here);
  }
  return values;
}

}  // namespace qheat
