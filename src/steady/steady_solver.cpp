#include "steady/steady_solver.hpp"

#include <petscksp.h>
#undef I

#include <algorithm>
#include <cmath>

#include "operators/shell_matrix.hpp"
#include "parallel/petsc.hpp"
#include "qheat/model/counter_random.hpp"
#include "qheat/model/dissipator.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/index.hpp"
#include "steady/coherent_inverse.hpp"
#include "steady/population_inverse.hpp"

namespace qheat {
namespace {

/// Iterations of a cycle, and the vectors it keeps: enough for most cases to end in the first.
int cycle_length(const Model& model) {
  return model.bath.dephasing > 0.0 ? 50 : 80;
}
/// Vectors of a cycle that the first start fills: PETSc takes them as it needs them. Measured for chains of 8
/// to 11 sites.
double likely_vectors(const Model& model) {
  const double most = cycle_length(model);
  if (model.bath.dephasing == 0.0) return most;
  const double likely = 2.5 * model.sites() * std::sqrt(std::abs(model.strength) / model.bath.dephasing);
  return std::clamp(likely, 15.0, most);
}

constexpr double kNeverDiverged = 1e200;
constexpr double kMostDigits = 1e-13;  // of one cycle: beyond, its vectors are rounding
constexpr double kPolish = 1e-6;       // of what a converged state leaves: small currents get their digits
constexpr int kMostCycles = 20;
constexpr int kPatience = 3;  // cycles in a row that may fail to halve the residual

using Solver = petsc::Handle<KSP, KSPDestroy>;

/// Random numbers for a pair of numbers below 2^48.
Complex random_of_pair(const CounterRandom& random, Index first, Index second) {
  const auto low = [](Index n) { return static_cast<std::uint32_t>(n); };
  const auto high = [](Index n) { return static_cast<std::uint32_t>(n >> 32); };
  return random.complex_normal({low(first), low(second), high(first) << 16 | high(second), 0});
}

}  // namespace

double frobenius_norm(const Communicator& comm, std::span<const Complex> x) {
  double square = 0.0;
  for (const Complex& v : x) square += std::norm(v);
  return std::sqrt(comm.sum(square));
}

std::vector<Complex> random_hermitian(const DistributedSector& pairs, double norm) {
  std::vector<Complex> elements;
  elements.reserve(as_size(pairs.local_size()));
  const Sector& sector = pairs.sector();
  const CounterRandom random(1);
  const double scale = norm / std::sqrt(static_cast<double>(pairs.dimension()));
  const Index last = pairs.partition().first_row(pairs.comm().rank() + 1);
  for (Index row = pairs.first_row(); row < last; ++row) {
    const auto& block = at(sector.blocks(), sector.block_of_row(row));
    for (Index column = block.first_row; column < block.first_row + block.row_length; ++column) {
      const Complex value = scale * random_of_pair(random, std::min(row, column), std::max(row, column));
      elements.push_back(row < column ? value : row == column ? Complex(value.real()) : std::conj(value));
    }
  }
  return elements;
}

/// y = C (x - A P x) + P x, with P and C the two inverses.
class SteadySolver::Preconditioner {
 public:
  Preconditioner(const TracedLiouvillian& a, const Model& model, double rate) : a_(a) {
    const auto& space = a.shared_space();
    std::vector<Complex> diagonal(as_size(space->local_size()));
    a.liouvillian().diagonal(diagonal);
    double decay = 0.0;
    for (const Complex& d : diagonal) decay -= d.real();
    const double mean = space->comm().sum(decay) / static_cast<double>(space->dimension());
    coherent_ = std::make_unique<CoherentInverse>(model, *space, mean);
    if (dissipation(model).dephasing == 0.0) return;  // some coherences may not decay by themselves
    left_.resize(diagonal.size());
    change_.resize(diagonal.size());
    populations_ = std::make_unique<PopulationInverse>(model, space, std::move(diagonal), rate);
  }

  void apply(std::span<const Complex> x, std::span<Complex> y) {
    if (!populations_) return coherent_->apply(x, y);
    populations_->apply(x, y);
    coherent_->make_hermitian(y);  // or else what both leave alone would grow out of rounding
    a_.apply(std::span<const Complex>(y), std::span(left_));
    for (std::size_t i = 0; i < left_.size(); ++i) left_[i] = x[i] - left_[i];
    coherent_->apply(left_, change_);
    for (std::size_t i = 0; i < change_.size(); ++i) y[i] += change_[i];
  }

  void make_hermitian(std::span<Complex> x) const { coherent_->make_hermitian(x); }

  static PetscErrorCode apply_callback(PC preconditioner, Vec x, Vec y) {
    return petsc::guarded([&] {
      Preconditioner* self = nullptr;
      QHEAT_PETSC(PCShellGetContext(preconditioner, &self));
      const auto size = as_size(self->a_.space().local_size());
      const PetscScalar* source = nullptr;
      PetscScalar* target = nullptr;
      QHEAT_PETSC(VecGetArrayRead(x, &source));
      QHEAT_PETSC(VecGetArrayWrite(y, &target));
      self->apply({source, size}, {target, size});
      QHEAT_PETSC(VecRestoreArrayWrite(y, &target));
      QHEAT_PETSC(VecRestoreArrayRead(x, &source));
    });
  }

 private:
  const TracedLiouvillian& a_;
  std::unique_ptr<CoherentInverse> coherent_;
  std::unique_ptr<PopulationInverse> populations_;
  std::vector<Complex> left_, change_;
};

SteadySolver::SteadySolver(const TracedLiouvillian& a, const Model& model, double rate)
    : a_(a), model_(model), rate_(rate), space_(a.shared_space()) {}

SteadySolver::~SteadySolver() = default;

SteadySolver::Preconditioner& SteadySolver::preconditioner() const {
  if (!preconditioner_) preconditioner_ = std::make_unique<Preconditioner>(a_, model_, rate_);
  return *preconditioner_;
}

std::vector<Complex> SteadySolver::left_by(std::span<const Complex> rho) const {
  std::vector<Complex> left(rho.size());
  std::vector<Complex> image(rho.size());
  a_.right_hand_side(left);
  a_.apply(rho, std::span(image));
  for (std::size_t i = 0; i < left.size(); ++i) left[i] -= image[i];
  preconditioner().make_hermitian(left);
  return left;
}

double SteadySolver::correction(std::span<const Complex> rho) const {
  const auto left = left_by(rho);
  std::vector<Complex> change(rho.size());
  preconditioner().apply(left, change);
  return frobenius_norm(space_->comm(), change) / frobenius_norm(space_->comm(), rho);
}

/// A real factor: a complex one would mix the coherences' small imaginary parts, which carry the currents,
/// with the rounding of the real ones.
void SteadySolver::normalize(std::span<Complex> rho) const {
  const double trace = a_.trace(rho).real();
  for (Complex& v : rho) v = {v.real() / trace, v.imag() / trace};
}

void SteadySolver::correct(double part, std::vector<Complex>& rho) {
  std::vector<Complex> left = left_by(rho);
  std::vector<Complex> change(rho.size());
  const petsc::Vector right = borrowed_vector(*space_, left);
  const petsc::Vector solution = borrowed_vector(*space_, change);
  const petsc::Matrix matrix = shell_matrix(a_);
  Solver solver;
  PC pc = nullptr;
  QHEAT_PETSC(KSPCreate(space_->comm().get(), solver.out()));
  QHEAT_PETSC(KSPSetOperators(solver.get(), matrix.get(), matrix.get()));
  QHEAT_PETSC(KSPSetType(solver.get(), KSPGMRES));
  QHEAT_PETSC(KSPGMRESSetRestart(solver.get(), cycle_length(model_)));
  QHEAT_PETSC(KSPSetPCSide(solver.get(), PC_LEFT));
  QHEAT_PETSC(KSPGetPC(solver.get(), &pc));
  QHEAT_PETSC(PCSetType(pc, PCSHELL));
  QHEAT_PETSC(PCShellSetContext(pc, &preconditioner()));
  QHEAT_PETSC(PCShellSetApply(pc, Preconditioner::apply_callback));
  QHEAT_PETSC(KSPSetTolerances(solver.get(), part, 1e-300, kNeverDiverged, cycle_length(model_)));
  QHEAT_PETSC(KSPSolve(solver.get(), right.get(), solution.get()));
  PetscInt taken = 0;
  QHEAT_PETSC(KSPGetIterationNumber(solver.get(), &taken));
  iterations_ += taken;
  preconditioner().make_hermitian(change);
  for (std::size_t i = 0; i < rho.size(); ++i) rho[i] += change[i];
}

bool SteadySolver::iterate(double tolerance, bool polish, std::vector<Complex>& rho,
                           const std::function<void(double first, double now)>& after_cycle) {
  const double first = correction(rho);
  double last = first;
  int without_progress = 0;
  for (int cycle = 0; last > tolerance && cycle < kMostCycles && without_progress < kPatience; ++cycle) {
    correct(std::clamp(0.3 * tolerance / last, kMostDigits, 0.3), rho);
    const double now = correction(rho);
    if (now > tolerance) after_cycle(first, now);
    without_progress = now < 0.5 * last ? 0 : without_progress + 1;
    last = now;
  }
  if (polish && last <= tolerance) correct(kPolish, rho);
  normalize(rho);
  return last <= tolerance;
}

double SteadySolver::iterative_bytes_per_rank(const Model& model, Index elements, int ranks) {
  constexpr double kOthers = 10.0;  // state, right-hand side, PETSc's own, those of the preconditioner
  return (likely_vectors(model) + kOthers) * sizeof(Complex) * static_cast<double>(elements) / ranks +
         CoherentInverse::bytes_per_rank(elements, is_real(hamiltonian(model)), ranks);
}

}  // namespace qheat
