#include "qheat/operators/liouvillian.hpp"

#include <map>
#include <utility>

#include "operators/dephasing.hpp"
#include "operators/matrix_free_operator.hpp"
#include "qheat/model/dissipator.hpp"
#include "qheat/operators/hamiltonian.hpp"

namespace qheat {
namespace {

/// -i H rho + i rho H: -i H on the ket, i H^T on the bra.
void add_commutator(const Model& model, const TermSum<Complex>& hamiltonian, TermSum<Complex>& sum) {
  constexpr Complex kI(0.0, 1.0);
  for (const auto& term : hamiltonian.terms) {
    LocalTerm<Complex> ket{.sites = term.sites, .elements = {}};
    LocalTerm<Complex> bra = ket;
    for (int& site : bra.sites) site += model.sites();
    for (const auto& e : term.elements) {
      ket.elements.push_back({e.to, e.from, -kI * e.value});
      bra.elements.push_back({e.from, e.to, kI * e.value});
    }
    sum.terms.push_back(std::move(ket));
    sum.terms.push_back(std::move(bra));
  }
}

/// A rho A^+ joins ket and bra, A^+ A acts on either. What each row of A makes of it are terms of their own,
/// so that what configurations lose is what others gain to the last digit, which sums would not keep.
void add_dissipator(const Model& model, const Dissipator& d, TermSum<Complex>& sum) {
  LocalCode bras = 1;
  for (std::size_t k = 0; k < d.sites.size(); ++k) bras *= static_cast<LocalCode>(model.levels());
  std::vector<int> bra_sites = d.sites;
  for (int& site : bra_sites) site += model.sites();
  LocalTerm<Complex> jumps{.sites = d.sites, .elements = {}};
  jumps.sites.insert(jumps.sites.end(), bra_sites.begin(), bra_sites.end());
  std::map<LocalCode, LocalTerm<Complex>> kets, bras_of_row;
  for (const JumpElement& a : d.elements) {
    for (const JumpElement& b : d.elements) {
      jumps.elements.push_back({a.to * bras + b.to, a.from * bras + b.from, d.weight(a, b)});
      if (a.to != b.to) continue;
      kets[a.to].elements.push_back({b.from, a.from, -0.5 * d.weight(a, b)});
      bras_of_row[a.to].elements.push_back({a.from, b.from, -0.5 * d.weight(a, b)});
    }
  }
  sum.terms.push_back(std::move(jumps));
  for (auto& [row, term] : kets) sum.terms.push_back({d.sites, std::move(term.elements)});
  for (auto& [row, term] : bras_of_row) sum.terms.push_back({bra_sites, std::move(term.elements)});
}

/// -i[H, .] of some part of the Hamiltonian, and dissipators.
TermSum<Complex> with_dissipators(const Model& model, const TermSum<Complex>& hamiltonian,
                                  const std::vector<Dissipator>& dissipators) {
  TermSum<Complex> sum{.levels = model.levels(), .terms = {}};
  add_commutator(model, hamiltonian, sum);
  for (const Dissipator& d : dissipators) add_dissipator(model, d, sum);
  canonicalize(sum);
  return sum;
}

/// Matrix-free, the dephasing computed instead of stored.
std::unique_ptr<Operator> with_bath(std::shared_ptr<const DistributedSector> space, const Model& model,
                                    const TermSum<Complex>& hamiltonian) {
  const Dissipation bath = dissipation(model);
  const TermSum<Complex> terms = with_dissipators(model, hamiltonian, bath.others);
  std::unique_ptr<const RowDiagonal> dephasing;
  if (bath.dephasing > 0.0) dephasing = std::make_unique<DephasingDiagonal>(space->sector(), bath.dephasing);
  return std::make_unique<MatrixFreeOperator<Complex>>(std::move(space), terms, std::move(dephasing));
}

}  // namespace

TermSum<Complex> liouvillian(const Model& model) {
  const Dissipation bath = dissipation(model);
  TermSum<Complex> sum = with_dissipators(model, hamiltonian(model), bath.others);
  if (bath.dephasing == 0.0) return sum;
  const auto m = static_cast<LocalCode>(model.levels());
  LocalTerm<Complex> decay;
  for (LocalCode a = 0; a < m; ++a) {
    for (LocalCode b = 0; b < m; ++b) {
      if (a != b) decay.elements.push_back({a * m + b, a * m + b, -bath.dephasing});
    }
  }
  for (int i = 0; i < model.sites(); ++i) {
    decay.sites = {i, model.sites() + i};
    sum.terms.push_back(decay);
  }
  return sum;
}

std::unique_ptr<Operator> make_liouvillian(std::shared_ptr<const DistributedSector> space, const Model& model,
                                           Backend backend) {
  if (backend != Backend::matrix_free) return make_operator(std::move(space), liouvillian(model), backend);
  return with_bath(std::move(space), model, hamiltonian(model));
}

std::unique_ptr<Operator> make_unperturbed_liouvillian(std::shared_ptr<const DistributedSector> space,
                                                       const Model& model) {
  return with_bath(std::move(space), model, level_hamiltonian(model));
}

std::unique_ptr<Operator> make_interaction_liouvillian(std::shared_ptr<const DistributedSector> space,
                                                       const Model& model) {
  TermSum<Complex> sum{.levels = model.levels(), .terms = {}};
  add_commutator(model, interaction_hamiltonian(model), sum);
  canonicalize(sum);
  return std::make_unique<MatrixFreeOperator<Complex>>(std::move(space), sum);
}

}  // namespace qheat
