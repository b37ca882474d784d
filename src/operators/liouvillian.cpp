#include "qheat/operators/liouvillian.hpp"

#include <algorithm>
#include <cmath>

#include "operators/dephasing.hpp"
#include "operators/matrix_free_operator.hpp"
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

/// Rates of the jumps between levels n and n+1 at a reservoir's site, all n.
std::vector<JumpRates> ladder(const Model& model, const Reservoir& reservoir) {
  std::vector<JumpRates> rates;
  for (int n = 0; n + 1 < model.levels(); ++n) {
    rates.push_back(
        jump_rates(reservoir, model.energy(reservoir.site, n + 1) - model.energy(reservoir.site, n)));
  }
  return rates;
}

/// Sum of the rates of all jumps out of each level.
std::vector<double> decay_rates(const std::vector<JumpRates>& ladder) {
  std::vector<double> out(ladder.size() + 1, 0.0);
  for (std::size_t n = 0; n < ladder.size(); ++n) {
    out[n] += ladder[n].up;
    out[n + 1] += ladder[n].down;
  }
  return out;
}

/// rate (L rho L^+ - {L^+ L, rho}/2) for every jump: L rho L^+ joins ket and bra, L^+ L is diagonal on each.
void add_reservoir(const Model& model, const Reservoir& reservoir, TermSum<Complex>& sum) {
  const auto rates = ladder(model, reservoir);
  const auto m = static_cast<LocalCode>(model.levels());
  LocalTerm<Complex> jumps{.sites = {reservoir.site, model.sites() + reservoir.site}, .elements = {}};
  for (std::size_t n = 0; n < rates.size(); ++n) {
    const LocalCode both_low = n * (m + 1);  // ket and bra in level n
    const LocalCode both_high = (n + 1) * (m + 1);
    jumps.elements.push_back({both_high, both_low, rates[n].up});
    jumps.elements.push_back({both_low, both_high, rates[n].down});
  }
  sum.terms.push_back(std::move(jumps));
  LocalTerm<Complex> decay{.sites = {reservoir.site}, .elements = {}};
  const auto out = decay_rates(rates);
  for (LocalCode n = 0; n < m; ++n) decay.elements.push_back({n, n, -out[n] / 2});
  sum.terms.push_back(decay);
  decay.sites = {model.sites() + reservoir.site};
  sum.terms.push_back(std::move(decay));
}

/// Most sites on which two configurations with these counts differ: levels that stand alone in their band
/// and fill more than half of the lattice overlap.
int most_differences(const Model& model, const std::vector<int>& counts) {
  int most = model.sites();
  for (std::size_t band = 0; band < counts.size(); ++band) {
    if (model.site.band_sizes()[band] == 1) most = std::min(most, 2 * (model.sites() - counts[band]));
  }
  return most;
}

/// Numerical range of one reservoir: coherences decay, populations follow a rate matrix, whose symmetric and
/// antisymmetric parts are bounded by their row sums.
DissipatorRange range_of(const Model& model, const Reservoir& reservoir) {
  const auto rates = ladder(model, reservoir);
  const auto out = decay_rates(rates);
  const double fastest = *std::max_element(out.begin(), out.end());
  DissipatorRange range{-fastest, 0.0, 0.0};
  for (std::size_t n = 0; n < out.size(); ++n) {
    double symmetric = 0.0;
    double antisymmetric = 0.0;
    const auto add = [&](const JumpRates& r) {
      symmetric += (r.up + r.down) / 2;
      antisymmetric += std::abs(r.up - r.down) / 2;
    };
    if (n > 0) add(rates[n - 1]);
    if (n < rates.size()) add(rates[n]);
    range.low = std::min(range.low, -out[n] - symmetric);
    range.high = std::max(range.high, -out[n] + symmetric);
    range.imaginary = std::max(range.imaginary, antisymmetric);
  }
  return range;
}

}  // namespace

namespace {

/// -i[H, .] of some part of the Hamiltonian and the reservoirs.
TermSum<Complex> with_reservoirs(const Model& model, const TermSum<Complex>& hamiltonian) {
  TermSum<Complex> sum{.levels = model.levels(), .terms = {}};
  add_commutator(model, hamiltonian, sum);
  for (const Reservoir& reservoir : model.bath.reservoirs) add_reservoir(model, reservoir, sum);
  canonicalize(sum);
  return sum;
}

/// `terms` and the dephasing of the model.
std::unique_ptr<Operator> with_dephasing(std::shared_ptr<const DistributedSector> space, const Model& model,
                                         const TermSum<Complex>& terms) {
  std::unique_ptr<const RowDiagonal> dephasing;
  if (model.bath.dephasing > 0.0)
    dephasing = std::make_unique<DephasingDiagonal>(space->sector(), model.bath.dephasing);
  return std::make_unique<MatrixFreeOperator<Complex>>(std::move(space), terms, std::move(dephasing));
}

}  // namespace

TermSum<Complex> liouvillian_without_dephasing(const Model& model) {
  return with_reservoirs(model, hamiltonian(model));
}

TermSum<Complex> liouvillian(const Model& model) {
  TermSum<Complex> sum = liouvillian_without_dephasing(model);
  if (model.bath.dephasing == 0.0) return sum;
  const auto m = static_cast<LocalCode>(model.levels());
  LocalTerm<Complex> decay;
  for (LocalCode a = 0; a < m; ++a) {
    for (LocalCode b = 0; b < m; ++b) {
      if (a != b) decay.elements.push_back({a * m + b, a * m + b, -model.bath.dephasing});
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
  return with_dephasing(std::move(space), model, liouvillian_without_dephasing(model));
}

std::unique_ptr<Operator> make_unperturbed_liouvillian(std::shared_ptr<const DistributedSector> space,
                                                       const Model& model) {
  return with_dephasing(std::move(space), model, with_reservoirs(model, level_hamiltonian(model)));
}

std::unique_ptr<Operator> make_interaction_liouvillian(std::shared_ptr<const DistributedSector> space,
                                                       const Model& model) {
  TermSum<Complex> sum{.levels = model.levels(), .terms = {}};
  add_commutator(model, interaction_hamiltonian(model), sum);
  canonicalize(sum);
  return std::make_unique<MatrixFreeOperator<Complex>>(std::move(space), sum);
}

DissipatorRange dissipator_range(const Model& model, const std::vector<std::vector<int>>& counts) {
  int differences = 0;
  for (const auto& c : counts) differences = std::max(differences, most_differences(model, c));
  DissipatorRange sum{-model.bath.dephasing * differences, 0.0, 0.0};
  for (const Reservoir& reservoir : model.bath.reservoirs) {
    const DissipatorRange range = range_of(model, reservoir);
    sum.low += range.low;
    sum.high += range.high;
    sum.imaginary += range.imaginary;
  }
  return sum;
}

}  // namespace qheat
