#include "qheat/evolution/observer.hpp"

#include "qheat/operators/currents.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/site_populations.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// Total energy, outflows [B][2], others.
std::vector<TermSum<Complex>> observables(const Model& model, std::span<const TermSum<Complex>> others) {
  std::vector<TermSum<Complex>> all = {hamiltonian(model)};
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    all.push_back(outflow(model, b, BondEnd::first));
    all.push_back(outflow(model, b, BondEnd::second));
  }
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

}  // namespace

Observer::Observer(const Model& model, std::shared_ptr<const DistributedSector> space,
                   std::span<const TermSum<Complex>> others)
    : model_(model),
      layout_(model, others.size()),
      space_(std::move(space)),
      overlaps_(space_, observables(model, others), Overlaps::Elements::one_of_partners) {}

std::vector<double> Observer::observe(ColumnBlock<const Complex> psi) const {
  const std::size_t size = layout_.size();
  std::vector<double> values(as_size(psi.columns()) * size, 0.0);
  for (Index k = 0; k < psi.columns(); ++k) {
    const auto column = psi.column_span(k);
    const auto here = std::span(values).subspan(as_size(k) * size, size);
    const auto populations = here.subspan(layout_.populations(), layout_.sites() * layout_.levels());
    add_site_populations(
        *space_, [&](Index state) { return std::norm(at(column, state)); }, populations);
    const auto overlaps = overlaps_.between_here(column, column);
    auto measured = overlaps.begin();
    here[layout_.total_energy()] = (measured++)->real();
    for (std::size_t o = 0; o < 2 * layout_.bonds(); ++o) here[layout_.outflow() + o] = (measured++)->real();
    for (std::size_t o = 0; o < layout_.other_count(); ++o) here[layout_.others() + o] = (measured++)->real();
    space_->comm().sum(here);
    for (std::size_t n = 0; n < layout_.levels(); ++n) here[layout_.norm()] += populations[n];  // of site 0
    add_derived(model_, layout_, here);
  }
  return values;
}

}  // namespace qheat
