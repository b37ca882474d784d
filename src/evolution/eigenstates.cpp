#include "qheat/evolution/eigenstates.hpp"

#include <fmt/format.h>
#include <slepceps.h>
#undef I

#include <algorithm>
#include <cmath>

#include "operators/shell_matrix.hpp"
#include "parallel/petsc.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/chebyshev.hpp"
#include "qheat/evolution/observer.hpp"
#include "qheat/model/counter_random.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/product_work.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

using Solver = petsc::Handle<EPS, EPSDestroy>;

constexpr PetscInt kMostRestarts = 2000;
constexpr Index kMostPartners = 8;      // states of the last energy that are looked for beyond those wanted
constexpr Index kFewestSearchers = 16;  // vectors of the search for one more state
constexpr double kSameEnergy = 2.0;     // energies this many tolerances apart count as one
constexpr double kSmallestSpread = 1e-13;  // of the width of the spectrum: rounding
constexpr std::uint32_t kStartStream = 0x20000000U;

/// One eigenstate of one sector.
struct Found {
  double energy, residual;
  std::vector<int> band_counts;
  std::vector<double> observed;  ///< [layout.size()]
};

/// What is known of one sector.
struct FoundInSector {
  std::vector<Found> states;  ///< from the end asked for inwards: those wanted, then partners of the last
  double same_energy;         ///< energies no further apart count as one level
  bool all_partners;          ///< false if there may be more of them
};

/// Vectors of the Krylov space: SLEPc's own choice for few states.
Index subspace(Index states, Index dimension) {
  return std::min(std::max(2 * states, states + 15), dimension);
}

/// The same for the search for one more state beside those that are kept.
Index search_space(Index states, Index kept, Index dimension) {
  return std::min(std::max(kFewestSearchers, subspace(states, dimension) - states), dimension - kept);
}

/// The extreme eigenstates of one sector. A Krylov space that grows from one start holds one state of each
/// degenerate level; others come in by rounding only. What was missed is therefore looked for among the
/// states orthogonal to all that were found, from a new random start, until nothing is left there below the
/// last state wanted.
class SectorEigenstates {
 public:
  SectorEigenstates(const Model& model, std::vector<int> counts, const EigenstateOptions& options,
                    const Communicator& comm)
      : counts_(std::move(counts)),
        options_(options),
        space_(std::make_shared<DistributedSector>(level_sector(model, counts_), comm)),
        hamiltonian_(make_operator(space_, hamiltonian(model))),
        matrix_(shell_matrix(*hamiltonian_)),
        observer_(model, space_),
        wanted_(std::min<Index>(options.states, space_->dimension())),
        scale_(spectral_bounds(*hamiltonian_).radius()),
        same_energy_(kSameEnergy * std::max(options.tolerance, kSmallestSpread) * scale_) {}

  FoundInSector find() {
    kept_ = solve(wanted_, subspace(wanted_, space_->dimension()));
    bool all_partners = true;
    while (static_cast<Index>(kept_.size()) < space_->dimension()) {
      State next = next_state();
      if (beyond_last(next) > same_energy_) break;
      insert(std::move(next));
      if (static_cast<Index>(kept_.size()) < wanted_ + kMostPartners) continue;
      all_partners = false;
      break;
    }
    FoundInSector found{.states = {}, .same_energy = same_energy_, .all_partners = all_partners};
    for (const State& state : kept_) found.states.push_back(measure(state));
    return found;
  }

  const PhaseTiming& products() const { return hamiltonian_->timing(); }

 private:
  struct State {
    double energy;
    std::vector<Complex> psi;  ///< this rank's part
  };

  /// How far inwards an energy is.
  double depth(const State& state) const {
    return options_.end == SpectrumEnd::lowest ? state.energy : -state.energy;
  }
  double beyond_last(const State& state) const { return depth(state) - depth(at(kept_, wanted_ - 1)); }

  /// In its order; what now lies beyond the last level wanted is dropped.
  void insert(State state) {
    const auto place = std::upper_bound(kept_.begin(), kept_.end(), state,
                                        [&](const State& a, const State& b) { return depth(a) < depth(b); });
    kept_.insert(place, std::move(state));
    while (beyond_last(kept_.back()) > same_energy_) kept_.pop_back();
  }

  /// The extreme state orthogonal to all that are kept.
  State next_state() {
    const auto kept = static_cast<Index>(kept_.size());
    if (kept + 1 == space_->dimension()) return only_state_left();
    return std::move(solve(1, search_space(wanted_, kept, space_->dimension())).front());
  }

  /// What is left of a random start when all other states are taken out of it (twice, for rounding).
  State only_state_left() {
    const Communicator& comm = space_->comm();
    const auto product = [&](const std::vector<Complex>& a, const std::vector<Complex>& b) {
      Complex sum = 0.0;
      for (std::size_t i = 0; i < a.size(); ++i) sum += std::conj(a[i]) * b[i];
      return comm.sum(sum);
    };
    State state{0.0, random_start()};
    for (int time = 0; time < 2; ++time) {
      for (const State& other : kept_) {
        const Complex overlap = product(other.psi, state.psi);
        for (std::size_t i = 0; i < state.psi.size(); ++i) state.psi[i] -= overlap * other.psi[i];
      }
      const double norm = std::sqrt(product(state.psi, state.psi).real());
      for (Complex& value : state.psi) value /= norm;
    }
    std::vector<Complex> image(state.psi.size());
    hamiltonian_->apply(std::span<const Complex>(state.psi), std::span(image));
    state.energy = product(state.psi, image).real();
    return state;
  }

  /// `wanted` extreme states orthogonal to all that are kept, from a random start.
  std::vector<State> solve(Index wanted, Index vectors) {
    const Solver solver = make_solver(wanted, vectors);
    QHEAT_PETSC(EPSSolve(solver.get()));
    PetscInt converged = 0;
    QHEAT_PETSC(EPSGetConverged(solver.get(), &converged));
    if (converged < wanted) {
      throw Error(
          fmt::format("only {} of {} eigenstates{} converged to {:g} of the width of the spectrum; raise "
                      "spectrum.tolerance or ask for other spectrum.states",
                      converged, wanted, kept_.empty() ? "" : " that might be missing", options_.tolerance));
    }
    std::vector<State> states(as_size(wanted));
    for (std::size_t k = 0; k < states.size(); ++k) {
      states[k].psi.resize(as_size(space_->local_size()));
      const petsc::Vector vector = borrowed_vector(*space_, states[k].psi);
      PetscScalar energy = 0.0;
      QHEAT_PETSC(
          EPSGetEigenpair(solver.get(), static_cast<PetscInt>(k), &energy, nullptr, vector.get(), nullptr));
      states[k].energy = energy.real();
    }
    std::stable_sort(states.begin(), states.end(),
                     [&](const State& a, const State& b) { return depth(a) < depth(b); });
    return states;
  }

  Solver make_solver(Index wanted, Index vectors) {
    Solver solver;
    QHEAT_PETSC(EPSCreate(space_->comm().get(), solver.out()));
    QHEAT_PETSC(EPSSetOperators(solver.get(), matrix_.get(), nullptr));
    QHEAT_PETSC(EPSSetProblemType(solver.get(), EPS_HEP));
    QHEAT_PETSC(EPSSetType(solver.get(), EPSKRYLOVSCHUR));
    QHEAT_PETSC(EPSSetDimensions(solver.get(), static_cast<PetscInt>(wanted), static_cast<PetscInt>(vectors),
                                 petsc::kOwnChoice));
    QHEAT_PETSC(EPSSetWhichEigenpairs(
        solver.get(), options_.end == SpectrumEnd::lowest ? EPS_SMALLEST_REAL : EPS_LARGEST_REAL));
    QHEAT_PETSC(EPSSetConvergenceTest(solver.get(), EPS_CONV_ABS));
    QHEAT_PETSC(EPSSetTolerances(solver.get(), std::max(options_.tolerance * scale_, 1e-300), kMostRestarts));
    const std::vector<Complex> start = random_start();
    const petsc::Vector borrowed = borrowed_vector(*space_, start);
    petsc::Vector own;  // SLEPc may write to it
    QHEAT_PETSC(VecDuplicate(borrowed.get(), own.out()));
    QHEAT_PETSC(VecCopy(borrowed.get(), own.get()));
    Vec first = own.get();
    QHEAT_PETSC(EPSSetInitialSpace(solver.get(), 1, &first));
    std::vector<petsc::Vector> kept;
    std::vector<Vec> deflated;
    for (const State& state : kept_) {
      kept.push_back(borrowed_vector(*space_, state.psi));
      deflated.push_back(kept.back().get());
    }
    if (deflated.empty()) return solver;
    QHEAT_PETSC(EPSSetDeflationSpace(solver.get(), static_cast<PetscInt>(deflated.size()), deflated.data()));
    QHEAT_PETSC(EPSSetUp(solver.get()));  // copies them
    return solver;
  }

  /// Another one each time, the same on any number of ranks.
  std::vector<Complex> random_start() {
    const CounterRandom random(1);
    ++starts_;
    std::vector<Complex> start(as_size(space_->local_size()));
    for (std::size_t i = 0; i < start.size(); ++i) {
      const auto state = static_cast<std::uint64_t>(space_->first_state()) + i;
      const auto low = static_cast<std::uint32_t>(state);
      const auto high = static_cast<std::uint32_t>(state >> 32);
      start[i] = {random.uniform({low, high, 2 * starts_, kStartStream}) - 0.5,
                  random.uniform({low, high, 2 * starts_ + 1, kStartStream}) - 0.5};
    }
    return start;
  }

  Found measure(const State& state) const {
    std::vector<Complex> image(state.psi.size());
    hamiltonian_->apply(std::span<const Complex>(state.psi), std::span(image));
    double square = 0.0;
    for (std::size_t i = 0; i < image.size(); ++i)
      square += std::norm(image[i] - state.energy * state.psi[i]);
    return {state.energy, std::sqrt(space_->comm().sum(square)), counts_,
            observer_.observe(std::span<const Complex>(state.psi))};
  }

  std::vector<int> counts_;
  const EigenstateOptions& options_;
  std::shared_ptr<const DistributedSector> space_;
  std::unique_ptr<Operator> hamiltonian_;
  petsc::Matrix matrix_;
  Observer observer_;
  Index wanted_;
  double scale_;  ///< half the width of the spectrum
  double same_energy_;
  std::uint32_t starts_ = 0;
  std::vector<State> kept_;  ///< from the end asked for inwards
};

/// The extreme ones of all sectors, and what is known of the level of the last.
Eigenstates joined(const Model& model, const EigenstateOptions& options,
                   const std::vector<FoundInSector>& sectors) {
  const double sign = options.end == SpectrumEnd::lowest ? 1.0 : -1.0;
  std::vector<const Found*> all;
  double same = 0.0;
  for (const auto& sector : sectors) {
    for (const Found& found : sector.states) all.push_back(&found);
    same = std::max(same, sector.same_energy);
  }
  std::stable_sort(all.begin(), all.end(),
                   [&](const Found* a, const Found* b) { return sign * a->energy < sign * b->energy; });
  Eigenstates result;
  std::vector<double> observed;
  const std::size_t wanted = std::min(all.size(), as_size(options.states));
  for (std::size_t k = 0; k < wanted; ++k) {
    const bool new_group = k > 0 && std::abs(all[k]->energy - all[k - 1]->energy) > same;
    result.energy_group.push_back(k == 0 ? 0 : result.energy_group.back() + (new_group ? 1 : 0));
    result.energies.push_back(all[k]->energy);
    result.residuals.push_back(all[k]->residual);
    result.band_counts.push_back(all[k]->band_counts);
    observed.insert(observed.end(), all[k]->observed.begin(), all[k]->observed.end());
  }
  const auto in_last_level = [&](const Found& found) {
    return std::abs(found.energy - result.energies.back()) <= same;
  };
  for (std::size_t k = wanted; k < all.size() && in_last_level(*all[k]); ++k) ++result.partners_left_out;
  for (const auto& sector : sectors) {
    if (!sector.all_partners && in_last_level(sector.states.back())) result.all_partners = false;
  }
  result.observations = unpack(ObservationLayout(model), observed);
  return result;
}

}  // namespace

double eigenstate_bytes_per_rank(const Model& model, const InitialState& initial, int states, int ranks) {
  constexpr double kOthers = 6.0;     // vectors of bounds, residual and observables
  constexpr double kProjected = 3.0;  // matrices of the subspace, on every rank
  double most = 0.0;
  for (const auto& counts : sector_counts(model, initial)) {
    const Index dimension = level_sector_dimension(model, counts);
    const Index wanted = std::min<Index>(states, dimension);
    const auto first = static_cast<double>(subspace(wanted, dimension));
    // Then each state that is kept is there twice, for us and for the solver that stays orthogonal to it.
    const Index kept = std::min(wanted + kMostPartners, dimension);
    const auto later = static_cast<double>(2 * kept + search_space(wanted, wanted, dimension));
    const double vectors = std::max(first + static_cast<double>(wanted), later);
    const double spread = (vectors + kOthers) * static_cast<double>(dimension) / ranks;
    most = std::max(most, sizeof(Complex) * (spread + kProjected * first * first));
  }
  return most;
}

Work eigenstate_work(const Model& model, const InitialState& initial, int states) {
  constexpr double kBounds = 40.0;    // products for the width of the spectrum
  constexpr double kRestarts = 80.0;  // typical of chains, of 4 to 100
  Work work;
  for (const auto& counts : sector_counts(model, initial)) {
    const Index dimension = level_sector_dimension(model, counts);
    const auto n = static_cast<double>(dimension);
    const auto vectors = static_cast<double>(subspace(std::min<Index>(states, dimension), dimension));
    const double products = std::min(n, vectors * (1.0 + kRestarts / 2.0));
    work += (kBounds + products) * hamiltonian_work(model, counts, n);
    work += products * pass_work(n, 2.0 * vectors, vectors);   // orthogonalisation
    work += kRestarts * pass_work(n, 4.0 * vectors, vectors);  // new basis at a restart
  }
  return work;
}

void save_eigenstates(const Model& model, const Eigenstates& found, StateWriter& writer) {
  writer.replicated("energies", found.energies);
  writer.replicated("residuals", found.residuals);
  std::vector<double> counts;
  for (const auto& one : found.band_counts) counts.insert(counts.end(), one.begin(), one.end());
  writer.replicated("band-counts", counts);
  const double last[2] = {static_cast<double>(found.partners_left_out), found.all_partners ? 1.0 : 0.0};
  writer.replicated("last-level", last);
  std::vector<double> groups(found.energy_group.begin(), found.energy_group.end());
  writer.replicated("energy-group", groups);
  writer.replicated("observed", pack(ObservationLayout(model), found.observations));
}

Eigenstates load_eigenstates(const Model& model, StateReader& reader) {
  Eigenstates found;
  found.energies = reader.replicated("energies");
  found.residuals = reader.replicated("residuals");
  const auto counts = reader.replicated("band-counts");
  const std::size_t bands = counts.size() / found.energies.size();
  for (std::size_t k = 0; k < found.energies.size(); ++k) {
    const auto first = counts.begin() + static_cast<std::ptrdiff_t>(k * bands);
    found.band_counts.emplace_back(first, first + static_cast<std::ptrdiff_t>(bands));
  }
  const auto last = reader.replicated("last-level");
  found.partners_left_out = static_cast<int>(last.at(0));
  found.all_partners = last.at(1) != 0.0;
  for (const double group : reader.replicated("energy-group"))
    found.energy_group.push_back(static_cast<int>(group));
  found.observations = unpack(ObservationLayout(model), reader.replicated("observed"));
  return found;
}

void require_eigenstate_memory(const Model& model, const InitialState& initial, int states, int ranks,
                               double free_bytes) {
  const double needed = eigenstate_bytes_per_rank(model, initial, states, ranks);
  if (free_bytes == 0.0 || needed <= 0.8 * free_bytes) return;
  throw Error(
      fmt::format("{} eigenstates need {:.3g} GB on each of {} ranks, but {:.3g} GB are free; use more "
                  "ranks on more nodes, or lower spectrum.states",
                  states, needed / 1e9, ranks, free_bytes / 1e9));
}

Eigenstates extreme_eigenstates(const Model& model, const InitialState& initial,
                                const EigenstateOptions& options, const Communicator& comm, double free_bytes,
                                Timings& timings) {
  require_eigenstate_memory(model, initial, options.states, comm.size(), free_bytes);
  std::vector<FoundInSector> sectors;
  for (const auto& counts : sector_counts(model, initial)) {
    SectorEigenstates sector(model, counts, options, comm);
    sectors.push_back(sector.find());
    auto& phase = timings.phase("hamiltonian products");
    phase.seconds += sector.products().seconds;
    phase.calls += sector.products().calls;
    phase.bytes_sent += sector.products().bytes_sent;
  }
  return joined(model, options, sectors);
}

}  // namespace qheat
