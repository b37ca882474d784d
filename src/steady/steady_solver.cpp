#include "steady/steady_solver.hpp"

#include <fmt/format.h>
#include <petscksp.h>
#undef I

#include <algorithm>
#include <cmath>

#include "operators/assembled_operator.hpp"
#include "operators/shell_matrix.hpp"
#include "parallel/petsc.hpp"
#include "qheat/model/counter_random.hpp"
#include "qheat/operators/hamiltonian.hpp"
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

constexpr double kNeverDiverged = 1e200;  // a random start may be far off, in units of the right-hand side
constexpr int kMostCycles = 20;
constexpr int kPatience = 3;  // cycles in a row that may fail to halve the residual

using Solver = petsc::Handle<KSP, KSPDestroy>;

bool solve(const DistributedSector& space, KSP solver, std::vector<Complex>& b, std::vector<Complex>& x) {
  const petsc::Vector right = borrowed_vector(space, b);
  const petsc::Vector solution = borrowed_vector(space, x);
  QHEAT_PETSC(KSPSolve(solver, right.get(), solution.get()));
  KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
  QHEAT_PETSC(KSPGetConvergedReason(solver, &reason));
  return reason > 0;
}

/// x += the solution for what it leaves of b: weak reservoirs leave few digits to one solution alone.
void correct(const DistributedSector& space, Mat matrix, KSP solver, std::vector<Complex>& b,
             std::vector<Complex>& x) {
  std::vector<Complex> left(b.size());
  std::vector<Complex> correction(b.size());
  {
    const petsc::Vector right = borrowed_vector(space, b);
    const petsc::Vector solution = borrowed_vector(space, x);
    const petsc::Vector residual = borrowed_vector(space, left);
    QHEAT_PETSC(MatMult(matrix, solution.get(), residual.get()));
    QHEAT_PETSC(VecAYPX(residual.get(), -1.0, right.get()));
  }
  if (!solve(space, solver, left, correction)) return;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += correction[i];
}

/// MUMPS's factors of a matrix, with x the first solution; none if the matrix is singular. Pivots that do not
/// decay are delayed and need more workspace than MUMPS reckons with: then it tries again with more.
Solver factorized(const DistributedSector& space, Mat matrix, std::vector<Complex>& b,
                  std::vector<Complex>& x) {
  constexpr PetscInt kWorkspaceIncrease = 14;  // MUMPS's number of it, percent
  constexpr PetscInt kFailure = 1;             // place of its error code
  PetscInt failure = 0;
  for (const PetscInt increase : {100, 400, 1600}) {
    Solver solver;
    PC preconditioner = nullptr;
    Mat factors = nullptr;
    QHEAT_PETSC(KSPCreate(space.comm().get(), solver.out()));
    QHEAT_PETSC(KSPSetOperators(solver.get(), matrix, matrix));
    QHEAT_PETSC(KSPSetType(solver.get(), KSPPREONLY));
    QHEAT_PETSC(KSPGetPC(solver.get(), &preconditioner));
    QHEAT_PETSC(PCSetType(preconditioner, PCLU));
    QHEAT_PETSC(PCFactorSetMatSolverType(preconditioner, MATSOLVERMUMPS));
    QHEAT_PETSC(PCFactorSetUpMatSolverType(preconditioner));
    QHEAT_PETSC(PCFactorGetMatrix(preconditioner, &factors));
    QHEAT_PETSC(MatMumpsSetIcntl(factors, kWorkspaceIncrease, increase));
    if (solve(space, solver.get(), b, x)) return solver;
    QHEAT_PETSC(MatMumpsGetInfog(factors, kFailure, &failure));
    const bool too_little_workspace = failure == -8 || failure == -9;
    if (!too_little_workspace) break;
  }
  constexpr PetscInt kSingularMatrix = -10;
  if (failure == kSingularMatrix || failure == 0) return {};
  throw Error(
      fmt::format("the factors of the Liouvillian could not be computed (MUMPS error {}): most likely "
                  "memory is short; use fewer ranks or sites, or steady.method = \"iterative\"",
                  failure));
}

/// -rate tr(rho) to the first row, which is a diagonal element's.
void add_trace_row(const DistributedSector& space, double rate, Mat matrix) {
  QHEAT_PETSC(MatSetOption(matrix, MAT_NEW_NONZERO_ALLOCATION_ERR, PETSC_FALSE));
  const Sector& pairs = space.sector();
  if (space.comm().is_root()) {
    std::vector<PetscInt> columns;
    for (Index row = 0; row < pairs.rows(); ++row) {
      const auto& block = pairs.blocks()[static_cast<std::size_t>(pairs.block_of_row(row))];
      columns.push_back(static_cast<PetscInt>(pairs.first_state(row) + (row - block.first_row)));
    }
    const std::vector<PetscScalar> values(columns.size(), -rate);
    const PetscInt first = 0;
    QHEAT_PETSC(MatSetValues(matrix, 1, &first, static_cast<PetscInt>(columns.size()), columns.data(),
                             values.data(), ADD_VALUES));
  }
  QHEAT_PETSC(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  QHEAT_PETSC(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
}

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
  elements.reserve(static_cast<std::size_t>(pairs.local_size()));
  const Sector& sector = pairs.sector();
  const CounterRandom random(1);
  const double scale = norm / std::sqrt(static_cast<double>(pairs.dimension()));
  const Index last = pairs.partition().first_row(pairs.comm().rank() + 1);
  for (Index row = pairs.first_row(); row < last; ++row) {
    const auto& block = sector.blocks()[static_cast<std::size_t>(sector.block_of_row(row))];
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
    std::vector<Complex> diagonal(static_cast<std::size_t>(space->local_size()));
    a.liouvillian().diagonal(diagonal);
    double decay = 0.0;
    for (const Complex& d : diagonal) decay -= d.real();
    const double mean = space->comm().sum(decay) / static_cast<double>(space->dimension());
    coherent_ = std::make_unique<CoherentInverse>(model, *space, mean);
    if (model.bath.dephasing == 0.0) return;  // some coherences may not decay by themselves
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

  static PetscErrorCode apply_callback(PC preconditioner, Vec x, Vec y) {
    return petsc::guarded([&] {
      Preconditioner* self = nullptr;
      QHEAT_PETSC(PCShellGetContext(preconditioner, &self));
      const auto size = static_cast<std::size_t>(self->a_.space().local_size());
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

double SteadySolver::residual(std::span<const Complex> rho) const {
  std::vector<Complex> image(rho.size());
  a_.liouvillian().apply(rho, std::span(image));
  return frobenius_norm(space_->comm(), image) / (rate_ * frobenius_norm(space_->comm(), rho));
}

void SteadySolver::normalize(std::span<Complex> rho) const {
  const Complex trace = a_.trace(rho);
  for (Complex& v : rho) v /= trace;
}

bool SteadySolver::iterate(double tolerance, std::vector<Complex>& rho,
                           const std::function<void(double residual)>& after_cycle) {
  std::vector<Complex> b(rho.size());
  a_.right_hand_side(b);
  if (!preconditioner_) preconditioner_ = std::make_unique<Preconditioner>(a_, model_, rate_);
  const petsc::Vector right = borrowed_vector(*space_, b);
  const petsc::Vector solution = borrowed_vector(*space_, rho);
  const petsc::Matrix matrix = shell_matrix(a_);
  Solver solver;
  PC preconditioner = nullptr;
  QHEAT_PETSC(KSPCreate(space_->comm().get(), solver.out()));
  QHEAT_PETSC(KSPSetOperators(solver.get(), matrix.get(), matrix.get()));
  QHEAT_PETSC(KSPSetType(solver.get(), KSPGMRES));
  QHEAT_PETSC(KSPGMRESSetRestart(solver.get(), cycle_length(model_)));
  QHEAT_PETSC(KSPSetPCSide(solver.get(), PC_RIGHT));
  QHEAT_PETSC(KSPGetPC(solver.get(), &preconditioner));
  QHEAT_PETSC(PCSetType(preconditioner, PCSHELL));
  QHEAT_PETSC(PCShellSetContext(preconditioner, preconditioner_.get()));
  QHEAT_PETSC(PCShellSetApply(preconditioner, Preconditioner::apply_callback));
  QHEAT_PETSC(KSPSetInitialGuessNonzero(solver.get(), PETSC_TRUE));
  double last = residual(rho);
  int without_progress = 0;
  for (int cycle = 0; cycle < kMostCycles && without_progress < kPatience; ++cycle) {
    const double goal = 0.3 * tolerance * rate_ * frobenius_norm(space_->comm(), rho);
    QHEAT_PETSC(KSPSetTolerances(solver.get(), 1e-30, goal, kNeverDiverged, cycle_length(model_)));
    QHEAT_PETSC(KSPSolve(solver.get(), right.get(), solution.get()));
    PetscInt taken = 0;
    QHEAT_PETSC(KSPGetIterationNumber(solver.get(), &taken));
    iterations_ += taken;
    const double now = residual(rho);
    if (now <= tolerance) {
      normalize(rho);
      return true;
    }
    after_cycle(now);
    without_progress = now < 0.5 * last ? 0 : without_progress + 1;
    last = now;
  }
  normalize(rho);
  return false;
}

bool SteadySolver::factorize(std::vector<Complex>& rho) {
  TermSum<Complex> terms = qheat::liouvillian(model_);
  canonicalize(terms);
  const petsc::Matrix matrix = assemble(*space_, terms);
  add_trace_row(*space_, rate_, matrix.get());
  std::vector<Complex> b(rho.size());
  if (space_->first_state() == 0 && !b.empty()) b[0] = -rate_;
  const Solver solver = factorized(*space_, matrix.get(), b, rho);
  if (!solver) return false;
  correct(*space_, matrix.get(), solver.get(), b, rho);
  correct(*space_, matrix.get(), solver.get(), b, rho);
  // A second right-hand side tells whether A is singular: its solution then has no bound. A random one, since
  // a symmetric one would not see other steady states of other symmetry.
  b = random_hermitian(*space_, 1.0);
  std::vector<Complex> other(rho.size());
  if (!solve(*space_, solver.get(), b, other)) return false;
  constexpr double kSingular = 1e10;
  const Communicator& comm = space_->comm();
  if (!(frobenius_norm(comm, other) * rate_ < kSingular * frobenius_norm(comm, b))) return false;
  normalize(rho);
  return true;
}

double SteadySolver::iterative_bytes_per_rank(const Model& model, Index elements, int ranks) {
  constexpr double kOthers = 10.0;  // state, right-hand side, PETSc's own, those of the preconditioner
  return (likely_vectors(model) + kOthers) * sizeof(Complex) * static_cast<double>(elements) / ranks +
         CoherentInverse::bytes_per_rank(elements, is_real(hamiltonian(model)), ranks);
}

}  // namespace qheat
