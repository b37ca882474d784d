#include "qheat/dynamics/observer.hpp"

#include "qheat/operators/currents.hpp"
#include "qheat/operators/site_populations.hpp"

namespace qheat {
namespace {

/// Re <x|y> over this rank's rows.
double local_real_product(std::span<const Complex> x, std::span<const Complex> y) {
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i].real() * y[i].real() + x[i].imag() * y[i].imag();
  return sum;
}

}  // namespace

Observer::Observer(const Model& model, const Operator& hamiltonian)
    : model_(model),
      layout_(model),
      hamiltonian_(hamiltonian),
      work_(static_cast<std::size_t>(hamiltonian.space().local_size())) {
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    for (const BondEnd end : {BondEnd::first, BondEnd::second}) {
      outflows_.push_back(make_operator(hamiltonian.shared_space(), outflow(model, b, end)));
    }
  }
}

std::vector<double> Observer::observe(ColumnBlock<const Complex> psi) {
  const DistributedSector& space = hamiltonian_.space();
  const std::size_t size = layout_.size();
  std::vector<double> values(static_cast<std::size_t>(psi.columns()) * size, 0.0);
  const auto measure = [&](const Operator& a, std::span<const Complex> column) {
    a.apply(column, std::span(work_));
    return local_real_product(column, work_);
  };
  for (Index k = 0; k < psi.columns(); ++k) {
    const auto column = psi.column_span(k);
    const auto here = std::span(values).subspan(static_cast<std::size_t>(k) * size, size);
    add_site_populations(
        space, [&](Index state) { return std::norm(column[static_cast<std::size_t>(state)]); },
        here.subspan(layout_.populations(), layout_.sites() * layout_.levels()));
    for (std::size_t e = 0; e < outflows_.size(); ++e)
      here[layout_.outflow() + e] = measure(*outflows_[e], column);
    here[layout_.norm()] = local_real_product(column, column);
    here[layout_.total_energy()] = measure(hamiltonian_, column);
  }
  space.comm().sum(values);
  for (std::size_t k = 0; k < static_cast<std::size_t>(psi.columns()); ++k) {
    const auto here = std::span(values).subspan(k * size, size);
    for (std::size_t i = 0; i < layout_.sites(); ++i) {
      for (std::size_t n = 0; n < layout_.levels(); ++n) {
        here[layout_.energy() + i] +=
            model_.energy(static_cast<int>(i), static_cast<int>(n)) * here[i * layout_.levels() + n];
      }
    }
    for (std::size_t b = 0; b < layout_.bonds(); ++b) {
      here[layout_.current() + b] =
          (here[layout_.outflow() + 2 * b] - here[layout_.outflow() + 2 * b + 1]) / 2;
    }
  }
  return values;
}

Index Observer::bytes() const {
  Index sum = static_cast<Index>(work_.size() * sizeof(Complex));
  for (const auto& a : outflows_) sum += a->bytes();
  return sum;
}

}  // namespace qheat
