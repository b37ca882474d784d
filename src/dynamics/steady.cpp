#include "qheat/dynamics/steady.hpp"

#include <fmt/format.h>
#include <petscksp.h>
#undef I

#include <algorithm>
#include <cmath>

#include "dynamics/coherent_inverse.hpp"
#include "dynamics/steady_levels.hpp"
#include "operators/assembled_operator.hpp"
#include "operators/shell_matrix.hpp"
#include "parallel/petsc.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/dynamics/density_observer.hpp"
#include "qheat/dynamics/two_point.hpp"
#include "qheat/model/counter_random.hpp"
#include "qheat/model/two_point_closure.hpp"
#include "qheat/operators/liouvillian.hpp"

namespace qheat {
namespace {

constexpr Index kSmall = 1000;         // solved directly without a second thought
constexpr Index kMostDirect = 100000;  // beyond, factors grow past any memory
constexpr int kRestart = 80;           // vectors of GMRES
constexpr int kMostIterations = 800;
constexpr int kCorrections = 4;  // solves for what a solve has left
constexpr double kSameState = 1e-6;

using Solver = petsc::Handle<KSP, KSPDestroy>;

double factor_bytes(Index elements) {
  // Measured for chains: 353 MB for 12870 elements, with an exponent that fill-in in two dimensions explains.
  return 3.5e8 * std::pow(static_cast<double>(elements) / 12870.0, 1.8);
}

double iterative_bytes(Index elements, int ranks) {
  return (kRestart + 8.0) * 16.0 * static_cast<double>(elements) / ranks +
         CoherentInverse::bytes_per_rank(elements, ranks);
}

std::vector<std::vector<int>> blocks_of(const Model& model) {
  const std::vector<int> ground(static_cast<std::size_t>(model.sites()), 0);
  return density_counts(model, InitialState::product(model, ground));
}

/// L - rate |mixed><1|, with <1|rho> = tr rho and `mixed` the even mixture: as L keeps the trace, A rho =
/// -rate mixed has the steady state of unit trace as its solution, and no other if the state is unique.
class TracedLiouvillian final : public Operator {
 public:
  TracedLiouvillian(std::shared_ptr<const DistributedSector> space, const Model& model, double rate)
      : Operator(std::move(space)),
        l_(make_liouvillian(shared_space(), model)),
        rate_(rate),
        trace_(diagonal_places(this->space())),
        kets_(static_cast<double>(this->space().sector().rows())) {}

  const Operator& liouvillian() const { return *l_; }
  bool is_real() const override { return false; }
  Index bytes() const override { return l_->bytes(); }
  void diagonal(std::span<Complex> diagonal) const override {
    l_->diagonal(diagonal);
    for (const Index place : trace_) diagonal[static_cast<std::size_t>(place)] -= rate_ / kets_;
  }
  /// Mean rate at which elements decay: that of the even damping which stands for the dissipators.
  double mean_decay() const {
    std::vector<Complex> elements(static_cast<std::size_t>(space().local_size()));
    l_->diagonal(elements);
    double sum = 0.0;
    for (const Complex& d : elements) sum -= d.real();
    return space().comm().sum(sum) / static_cast<double>(space().dimension());
  }
  /// -rate mixed.
  void right_hand_side(std::span<Complex> b) const {
    std::fill(b.begin(), b.end(), Complex{});
    for (const Index place : trace_) b[static_cast<std::size_t>(place)] = -rate_ / kets_;
  }
  Complex trace(std::span<const Complex> rho) const {
    Complex sum = 0.0;
    for (const Index place : trace_) sum += rho[static_cast<std::size_t>(place)];
    return space().comm().sum(sum);
  }

 private:
  Index apply_impl(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const override {
    l_->apply(x, y);
    for (Index k = 0; k < x.columns(); ++k) {
      const Complex all = trace(x.column_span(k)) * rate_ / kets_;
      for (const Index place : trace_) y.column(k)[place] -= all;
    }
    return 0;  // counted by L
  }
  Index apply_impl(ColumnBlock<const double>, ColumnBlock<double>) const override {
    throw Error("a Liouvillian does not act on real vectors");
  }

  std::unique_ptr<Operator> l_;
  double rate_;
  std::vector<Index> trace_;
  double kets_;
};

double norm(const Communicator& comm, std::span<const Complex> x) {
  double square = 0.0;
  for (const Complex& v : x) square += std::norm(v);
  return std::sqrt(comm.sum(square));
}

/// A vector of PETSc's around ours.
petsc::Vector borrowed(const DistributedSector& space, std::span<Complex> data) {
  petsc::Vector vector;
  QHEAT_PETSC(VecCreateMPIWithArray(space.comm().get(), 1, static_cast<PetscInt>(space.local_size()),
                                    petsc::to_int(space.dimension(), "the size of the density matrix"),
                                    data.data(), vector.out()));
  return vector;
}

PetscErrorCode apply_inverse(PC preconditioner, Vec x, Vec y) {
  return petsc::guarded([&] {
    const CoherentInverse* inverse = nullptr;
    QHEAT_PETSC(PCShellGetContext(preconditioner, &inverse));
    PetscInt size = 0;
    QHEAT_PETSC(VecGetLocalSize(x, &size));
    const PetscScalar* source = nullptr;
    PetscScalar* target = nullptr;
    QHEAT_PETSC(VecGetArrayRead(x, &source));
    QHEAT_PETSC(VecGetArrayWrite(y, &target));
    const auto count = static_cast<std::size_t>(size);
    inverse->apply({source, count}, {target, count});
    QHEAT_PETSC(VecRestoreArrayWrite(y, &target));
    QHEAT_PETSC(VecRestoreArrayRead(x, &source));
  });
}

/// Solutions of A rho = b by one of the methods.
class SteadySolver {
 public:
  SteadySolver(const TracedLiouvillian& a, const Model& model, double rate)
      : a_(a), model_(model), rate_(rate), space_(a.shared_space()) {}

  /// |L rho| / (rate |rho|), the true residual.
  double residual(std::span<const Complex> rho) const {
    std::vector<Complex> image(rho.size());
    a_.liouvillian().apply(rho, std::span(image));
    return norm(space_->comm(), image) / (rate_ * norm(space_->comm(), rho));
  }

  /// From `rho`; true if the true residual is below the tolerance at the end.
  bool iterate(double tolerance, std::vector<Complex>& rho) {
    std::vector<Complex> b(rho.size());
    a_.right_hand_side(b);
    if (!inverse_) inverse_ = std::make_unique<CoherentInverse>(model_, space_, a_.mean_decay());
    const petsc::Vector right = borrowed(*space_, b);
    const petsc::Vector solution = borrowed(*space_, rho);
    const petsc::Matrix matrix = shell_matrix(a_);
    Solver solver;
    PC preconditioner = nullptr;
    QHEAT_PETSC(KSPCreate(space_->comm().get(), solver.out()));
    QHEAT_PETSC(KSPSetOperators(solver.get(), matrix.get(), matrix.get()));
    QHEAT_PETSC(KSPSetType(solver.get(), KSPGMRES));
    QHEAT_PETSC(KSPGMRESSetRestart(solver.get(), kRestart));
    QHEAT_PETSC(KSPSetPCSide(solver.get(), PC_RIGHT));  // the residual it watches is the true one
    QHEAT_PETSC(KSPGetPC(solver.get(), &preconditioner));
    QHEAT_PETSC(PCSetType(preconditioner, PCSHELL));
    QHEAT_PETSC(PCShellSetContext(preconditioner, inverse_.get()));
    QHEAT_PETSC(PCShellSetApply(preconditioner, apply_inverse));
    QHEAT_PETSC(KSPSetInitialGuessNonzero(solver.get(), PETSC_TRUE));
    for (int k = 0; k < kCorrections; ++k) {
      const double goal = 0.3 * tolerance * rate_ * norm(space_->comm(), rho);
      QHEAT_PETSC(KSPSetTolerances(solver.get(), 1e-30, goal, PETSC_DEFAULT, kMostIterations));
      QHEAT_PETSC(KSPSolve(solver.get(), right.get(), solution.get()));
      PetscInt taken = 0;
      QHEAT_PETSC(KSPGetIterationNumber(solver.get(), &taken));
      iterations_ += taken;
      normalize(rho);
      if (residual(rho) <= tolerance) return true;
      if (taken >= kMostIterations) return false;
    }
    return false;
  }

  /// By MUMPS; false if it fails, which a state that is not unique can be the reason of.
  bool factorize(std::vector<Complex>& rho) {
    TermSum<Complex> terms = qheat::liouvillian(model_);
    canonicalize(terms);
    const petsc::Matrix matrix = assemble(*space_, terms);
    add_trace_row(matrix.get());
    Solver solver;
    PC preconditioner = nullptr;
    QHEAT_PETSC(KSPCreate(space_->comm().get(), solver.out()));
    QHEAT_PETSC(KSPSetOperators(solver.get(), matrix.get(), matrix.get()));
    QHEAT_PETSC(KSPSetType(solver.get(), KSPPREONLY));
    QHEAT_PETSC(KSPGetPC(solver.get(), &preconditioner));
    QHEAT_PETSC(PCSetType(preconditioner, PCLU));
    QHEAT_PETSC(PCFactorSetMatSolverType(preconditioner, MATSOLVERMUMPS));
    std::vector<Complex> b(rho.size());
    if (space_->first_state() == 0 && !b.empty()) b[0] = -rate_;
    if (!solve(solver.get(), b, rho)) return false;
    // A second right-hand side tells whether A is singular: its solution then has no bound. A random one,
    // since a symmetric one would not see other steady states of other symmetry.
    std::vector<Complex> other(rho.size());
    const CounterRandom random(1);
    for (std::size_t i = 0; i < b.size(); ++i) {
      const auto element = static_cast<std::uint64_t>(space_->first_state()) + i;
      const auto low = static_cast<std::uint32_t>(element);
      const auto high = static_cast<std::uint32_t>(element >> 32);
      b[i] = {random.normal({low, high, 0, 0}), random.normal({low, high, 1, 0})};
    }
    if (!solve(solver.get(), b, other)) return false;
    constexpr double kSingular = 1e10;
    if (!(norm(space_->comm(), other) * rate_ < kSingular * norm(space_->comm(), b))) return false;
    normalize(rho);
    return true;
  }

  Index iterations() const { return iterations_; }

 private:
  void normalize(std::span<Complex> rho) const {
    const Complex trace = a_.trace(rho);
    for (Complex& v : rho) v /= trace;
  }

  bool solve(KSP solver, std::vector<Complex>& b, std::vector<Complex>& x) const {
    const petsc::Vector right = borrowed(*space_, b);
    const petsc::Vector solution = borrowed(*space_, x);
    QHEAT_PETSC(KSPSolve(solver, right.get(), solution.get()));
    KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
    QHEAT_PETSC(KSPGetConvergedReason(solver, &reason));
    return reason > 0;
  }

  /// -rate tr(rho) to the first row, which is a diagonal element's.
  void add_trace_row(Mat matrix) const {
    QHEAT_PETSC(MatSetOption(matrix, MAT_NEW_NONZERO_ALLOCATION_ERR, PETSC_FALSE));
    const Sector& pairs = space_->sector();
    if (space_->comm().is_root()) {
      std::vector<PetscInt> columns;
      for (Index row = 0; row < pairs.rows(); ++row) {
        const auto& block = pairs.blocks()[static_cast<std::size_t>(pairs.block_of_row(row))];
        columns.push_back(static_cast<PetscInt>(pairs.first_state(row) + (row - block.first_row)));
      }
      const std::vector<PetscScalar> values(columns.size(), -rate_);
      const PetscInt first = 0;
      QHEAT_PETSC(MatSetValues(matrix, 1, &first, static_cast<PetscInt>(columns.size()), columns.data(),
                               values.data(), ADD_VALUES));
    }
    QHEAT_PETSC(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
    QHEAT_PETSC(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  }

  const TracedLiouvillian& a_;
  const Model& model_;
  double rate_;
  std::shared_ptr<const DistributedSector> space_;
  std::unique_ptr<CoherentInverse> inverse_;
  Index iterations_ = 0;
};

[[noreturn]] void not_unique() {
  throw Error(
      "the steady state is not unique: something is conserved that no reservoir changes, such as the states "
      "that a "
      "symmetry of the lattice keeps away from them, or those "
      "of sites "
      "that no bond joins to a reservoir; couple all sites, add dephasing or a reservoir");
}

/// Solves by the method asked for; throws if that fails.
std::string solve(SteadySolver& solver, const TracedLiouvillian& a, const SteadyOptions& options,
                  bool direct_fits, std::vector<Complex>& rho) {
  const Index elements = a.space().dimension();
  const bool direct_first = options.method == SteadyMethod::direct ||
                            (options.method == SteadyMethod::automatic && elements <= kSmall);
  if (!direct_first) {
    // From two sides: the even mixture, and all sites in their ground level.
    a.right_hand_side(rho);
    for (Complex& v : rho) v = -v;
    std::vector<Complex> other(rho.size());
    if (a.space().first_state() == 0 && !other.empty()) other[0] = 1.0;
    if (solver.iterate(options.tolerance, rho) && solver.iterate(options.tolerance, other)) {
      for (std::size_t i = 0; i < rho.size(); ++i) other[i] -= rho[i];
      const Communicator& comm = a.space().comm();
      if (norm(comm, other) > std::max(kSameState, 1e4 * options.tolerance) * norm(comm, rho)) not_unique();
      return "iterative";
    }
    if (options.method == SteadyMethod::iterative || !direct_fits) {
      throw Error(
          fmt::format("the steady state of {} elements did not converge: residual {:.1e} after {} products, "
                      "{:g} asked for; add "
                      "dephasing, take fewer sites, or raise steady.tolerance",
                      elements, solver.residual(rho), solver.iterations(), options.tolerance));
    }
  }
  if (!solver.factorize(rho)) not_unique();
  return "direct";
}

void require_density_matrix(const SteadyState& state, double tolerance) {
  if (!(state.residual <= std::max(tolerance, 1e-12))) {
    throw Error(
        fmt::format("the steady state has a residual of {:.1e}, {:g} was asked for; raise steady.tolerance",
                    state.residual, tolerance));
  }
  const double allowed = std::max(1e-8, 1e3 * tolerance);
  if (state.smallest_population < -allowed || state.hermiticity_error > allowed) {
    throw Error(
        fmt::format("the steady state found is no density matrix (smallest population {:.1e}, anti-Hermitian "
                    "part {:.1e}); lower steady.tolerance",
                    state.smallest_population, state.hermiticity_error));
  }
}

}  // namespace

Index steady_elements(const Model& model) {
  return density_dimension(model, blocks_of(model));
}

bool takes_two_point(const Model& model, const SteadyOptions& options, int ranks, double free_bytes) {
  if (options.method == SteadyMethod::two_point) return true;
  if (options.method != SteadyMethod::automatic || model.bath.reservoirs.empty()) return false;
  if (!two_point_obstacles(model).empty()) return false;
  try {
    const double needed = steady_bytes_per_rank(model, options, ranks);
    return free_bytes > 0.0 && needed > 0.8 * free_bytes;
  } catch (const Error&) {  // more elements than 63 bits count
    return true;
  }
}

double steady_bytes_per_rank(const Model& model, const SteadyOptions& options, int ranks) {
  if (options.method == SteadyMethod::two_point) return two_point_bytes(model);
  const Index elements = steady_elements(model);
  const bool direct = options.method == SteadyMethod::direct ||
                      (options.method == SteadyMethod::automatic && elements <= kSmall);
  return direct ? factor_bytes(elements) / ranks : iterative_bytes(elements, ranks);
}

bool bonds_keep_level_energy(const Model& model) {
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const Bond& bond = model.lattice.bonds()[static_cast<std::size_t>(b)];
    const double scale =
        std::abs(model.energies_of(bond.first).back()) + std::abs(model.energies_of(bond.second).back());
    for (const PairElement& e : model.interaction(b).elements()) {
      const double change = model.energy(bond.first, e.a) + model.energy(bond.second, e.b) -
                            model.energy(bond.first, e.c) - model.energy(bond.second, e.d);
      if (std::abs(change) > 1e-12 * scale) return false;
    }
  }
  return true;
}

SteadyState find_steady_state(const Model& model, const SteadyOptions& options, const Communicator& comm,
                              double free_bytes, Timings& timings) {
  if (takes_two_point(model, options, comm.size(), free_bytes))
    return two_point_steady_state(model, options.tolerance, comm, free_bytes, timings);
  const Timings::Scope scope(timings, "steady state");
  if (model.bath.reservoirs.empty()) {
    throw InputError(
        "no reservoir: dephasing alone leaves every mixture of the sectors stationary, and the steady state "
        "is not "
        "unique; add a [[bath.reservoir]]");
  }
  const double needed = steady_bytes_per_rank(model, options, comm.size());
  if (free_bytes > 0.0 && needed > 0.8 * free_bytes) {
    throw Error(fmt::format(
        "the steady state of {} elements needs {:.3g} GB on each of {} ranks, but {:.3g} GB are free; "
        "use more nodes or fewer sites",
        steady_elements(model), needed / 1e9, comm.size(), free_bytes / 1e9));
  }
  double rate = 0.0;
  for (const Reservoir& r : model.bath.reservoirs) rate = std::max(rate, r.rate);
  const auto space = std::make_shared<DistributedSector>(density_space(model, blocks_of(model)), comm);
  const TracedLiouvillian a(space, model, rate);
  SteadySolver solver(a, model, rate);
  std::vector<Complex> rho(static_cast<std::size_t>(space->local_size()));
  const Index elements = space->dimension();
  const bool direct_fits = elements <= kMostDirect &&
                           (free_bytes == 0.0 || factor_bytes(elements) / comm.size() < 0.8 * free_bytes);

  SteadyState state;
  state.method = solve(solver, a, options, direct_fits, rho);
  state.elements = elements;
  state.iterations = solver.iterations();
  state.residual = solver.residual(rho);
  const DensityObserver observer(model, space);
  std::vector<double> measured(observer.measured());
  observer.measure(rho, measured);
  auto report = observer.report(measured);
  auto observations = unpack(observer.layout(), report.values);
  state.populations = std::move(observations.populations);
  state.energy = std::move(observations.energy);
  state.outflow = std::move(observations.outflow);
  state.current = std::move(observations.current);
  state.smallest_population = report.smallest_population.front();
  state.hermiticity_error = observer.hermiticity_error(rho);
  add_temperatures(model, state);
  add_heat(model, state);
  require_density_matrix(state, options.tolerance);
  return state;
}

}  // namespace qheat
