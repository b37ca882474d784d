#include "qheat/evolution/observer.hpp"

#include <map>

#include "qheat/operators/currents.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/site_populations.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// One of each pair of Hermitian partners.
template <class T>
bool stands_for_pair(const LocalElement<T>& e) {
  return e.to <= e.from;
}

/// The elements of H with the value 1 each; canonical.
TermSum<double> elements_of_hamiltonian(const Model& model) {
  const TermSum<Complex> h = hamiltonian(model);
  TermSum<double> elements{.levels = h.levels, .terms = {}};
  for (const auto& term : h.terms) {
    auto& copy = elements.terms.emplace_back();
    copy.sites = term.sites;
    for (const auto& e : term.elements) {
      if (stands_for_pair(e)) copy.elements.push_back({e.to, e.from, 1.0});
    }
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
  struct Listed {
    const std::vector<LocalElement<double>>* elements;
    std::size_t first;
  };
  std::map<std::vector<int>, Listed> by_sites;
  for (const auto& term : elements.terms) {
    by_sites.try_emplace(term.sites, Listed{&term.elements, element_count_});
    element_count_ += term.elements.size();
  }
  const auto add = [&](std::size_t observable, const TermSum<Complex>& sum) {
    for (const auto& term : sum.terms) {
      const Listed& listed = by_sites.at(term.sites);
      auto place = listed.elements->begin();  // both lists ascend in (to, from)
      for (const auto& e : term.elements) {
        if (e.value == Complex{} || !stands_for_pair(e)) continue;
        while (std::pair(place->to, place->from) < std::pair(e.to, e.from)) ++place;
        QHEAT_ASSERT(place->to == e.to && place->from == e.from);
        const auto number = listed.first + as_size(place - listed.elements->begin());
        weighted_.push_back({e.to == e.from ? e.value : 2.0 * e.value, static_cast<std::uint32_t>(observable),
                             static_cast<std::uint32_t>(number)});
      }
    }
  };
  add(layout_.total_energy(), hamiltonian(model_));
  for (int b = 0; b < model_.lattice.bond_count(); ++b) {
    const std::size_t place = layout_.outflow() + 2 * as_size(b);
    add(place, outflow(model_, b, BondEnd::first));
    add(place + 1, outflow(model_, b, BondEnd::second));
  }
  weighted_.shrink_to_fit();
}

std::vector<double> Observer::observe(ColumnBlock<const Complex> psi) const {
  const std::size_t size = layout_.size();
  std::vector<double> values(as_size(psi.columns()) * size, 0.0);
  for (Index k = 0; k < psi.columns(); ++k) {
    const auto column = psi.column_span(k);
    const auto here = std::span(values).subspan(as_size(k) * size, size);
    const auto populations = here.subspan(layout_.populations(), layout_.sites() * layout_.levels());
    add_site_populations(
        *space_, [&](Index state) { return std::norm(at(column, state)); }, populations);
    add_weighted_elements(column, here);
    space_->comm().sum(here);
    for (std::size_t n = 0; n < layout_.levels(); ++n) here[layout_.norm()] += populations[n];  // of site 0
    add_derived(model_, layout_, here);
  }
  return values;
}

void Observer::add_weighted_elements(std::span<const Complex> psi, std::span<double> values) const {
  std::vector<Complex> sums(element_count_);
  engine_.element_sums(psi, sums);
  for (const auto& w : weighted_) {
    const Complex sum = sums[w.element];
    values[w.observable] += w.weight.real() * sum.real() - w.weight.imag() * sum.imag();
  }
}

}  // namespace qheat
