// Evolution of a state and of probabilities: Chebyshev against SLEPc's MFN on PETSc's assembled matrix, and
// the exclusion process on the block engine.

#include <slepcmfn.h>
#undef I

#include <memory>
#include <vector>

#include "bench/bench_main.hpp"
#include "operators/assembled_operator.hpp"
#include "parallel/petsc.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/chebyshev.hpp"
#include "qheat/operators/block_engine.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/rates/rate_equation.hpp"

using namespace qheat;

namespace {

constexpr int kSites = 20;
constexpr double kEnd = 10.0;
constexpr double kTolerance = 1e-8;

Model chain(int sites = kSites) {
  return uniform_model(Lattice::chain(sites), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.5);
}

std::shared_ptr<const DistributedSector> half_filling() {
  static const auto space = std::make_shared<const DistributedSector>(
      level_sector(chain(), {kSites / 2, kSites / 2}), qheat_bench::world());
  return space;
}

/// The first configuration of the sector.
std::vector<Complex> start() {
  std::vector<Complex> psi(static_cast<std::size_t>(half_filling()->local_size()));
  if (half_filling()->first_state() == 0 && !psi.empty()) psi[0] = 1.0;
  return psi;
}

/// From the operator to the state at the end, spectral bounds included.
void evolve_by_chebyshev(int sites) {
  const auto space = std::make_shared<const DistributedSector>(
      level_sector(chain(sites), {sites / 2, sites / 2}), qheat_bench::world());
  const auto h = make_operator(space, hamiltonian(chain(sites)));
  ChebyshevEvolution evolution(*h);
  std::vector<Complex> psi(static_cast<std::size_t>(space->local_size()));
  if (space->first_state() == 0 && !psi.empty()) psi[0] = 1.0;
  evolution.advance(kEnd, kTolerance, std::span(psi));
}

/// From the matrix to the state at the end.
void evolve_by_krylov_on_assembled_matrix() {
  static const AssembledOperator h(half_filling(), [] {
    auto terms = hamiltonian(chain());
    canonicalize(terms);
    return terms;
  }());
  petsc::Handle<MFN, MFNDestroy> solver;
  petsc::Vector input, output;
  FN function = nullptr;
  QHEAT_PETSC(MatCreateVecs(h.matrix(), output.out(), input.out()));
  PetscScalar* values = nullptr;
  const auto psi = start();
  QHEAT_PETSC(VecGetArrayWrite(input.get(), &values));
  std::copy(psi.begin(), psi.end(), values);
  QHEAT_PETSC(VecRestoreArrayWrite(input.get(), &values));
  QHEAT_PETSC(MFNCreate(half_filling()->comm().get(), solver.out()));
  QHEAT_PETSC(MFNSetOperator(solver.get(), h.matrix()));
  QHEAT_PETSC(MFNSetType(solver.get(), MFNKRYLOV));
  QHEAT_PETSC(MFNGetFN(solver.get(), &function));
  QHEAT_PETSC(FNSetType(function, FNEXP));
  QHEAT_PETSC(FNSetScale(function, Complex(0.0, -kEnd), 1.0));
  QHEAT_PETSC(MFNSetTolerances(solver.get(), kTolerance, petsc::kOwnChoice));
  QHEAT_PETSC(MFNSolve(solver.get(), input.get(), output.get()));
}

/// The symmetric exclusion process: every bond exchanges its sites' levels at rate 1.
class Exclusion final : public RateEquation {
 public:
  Exclusion() : engine_(*half_filling(), rates()) {}
  const Communicator& comm() const override { return half_filling()->comm(); }
  Index local_size() const override { return half_filling()->local_size(); }
  Index first() const override { return half_filling()->first_state(); }
  Index global_size() const override { return half_filling()->dimension(); }
  void apply(double, std::span<const double> p, std::span<double> dp) override { engine_.apply(p, dp); }
  void diagonal(double, std::span<double> diagonal) override { engine_.diagonal(diagonal); }

 private:
  static TermSum<double> rates() {
    TermSum<double> sum{.levels = 2, .terms = {}};
    for (int i = 0; i + 1 < kSites; ++i) {
      sum.terms.push_back(
          {.sites = {i, i + 1}, .elements = {{1, 1, -1.0}, {1, 2, 1.0}, {2, 1, 1.0}, {2, 2, -1.0}}});
    }
    canonicalize(sum);
    return sum;
  }
  BlockEngine<double> engine_;
};

void evolve_exclusion() {
  Exclusion equation;
  std::vector<double> p(static_cast<std::size_t>(equation.local_size()));
  if (equation.first() == 0 && !p.empty()) p[0] = 1.0;
  UninterruptedRun control;
  integrate(
      equation, p, {0.0, kEnd}, kTolerance, Integrator::automatic, control,
      [](std::size_t, std::span<const double>) {}, [](StateWriter&) {}, [](StateReader&) {});
}

void exclusion_product() {
  static Exclusion equation;
  static std::vector<double> p(static_cast<std::size_t>(equation.local_size()), 1.0);
  static std::vector<double> dp(p.size());
  equation.apply(0.0, p, dp);
}

}  // namespace

void qheat_bench::register_all() {
  for (const int sites : {16, 20})
    add(
        "chebyshev/chain-" + std::to_string(sites), [sites] { evolve_by_chebyshev(sites); }, 3);
  add("krylov-assembled/chain-20", evolve_by_krylov_on_assembled_matrix, 1);
  add("exclusion-product/chain-20", exclusion_product, 10);
  add("exclusion/chain-20", evolve_exclusion, 2);
}
