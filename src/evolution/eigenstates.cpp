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
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/product_work.hpp"

namespace qheat {
namespace {

using Solver = petsc::Handle<EPS, EPSDestroy>;

/// One eigenstate of one sector.
struct Found {
  double energy, residual;
  std::vector<int> band_counts;
  std::vector<double> observed;  ///< [layout.size()]
};

/// Vectors of the Krylov space: SLEPc's own choice for few states.
Index subspace(Index states, Index dimension) {
  return std::min(std::max(2 * states, states + 15), dimension);
}

class SectorEigenstates {
 public:
  SectorEigenstates(const Model& model, std::vector<int> counts, const Communicator& comm)
      : counts_(std::move(counts)),
        space_(std::make_shared<DistributedSector>(level_sector(model, counts_), comm)),
        hamiltonian_(make_operator(space_, hamiltonian(model))),
        observer_(model, space_) {}

  std::vector<Found> find(const EigenstateOptions& options) const {
    const Index wanted = std::min<Index>(options.states, space_->dimension());
    const double scale = spectral_bounds(*hamiltonian_).radius();
    const petsc::Matrix matrix = shell_matrix(*hamiltonian_);
    Solver solver;
    QHEAT_PETSC(EPSCreate(space_->comm().get(), solver.out()));
    QHEAT_PETSC(EPSSetOperators(solver.get(), matrix.get(), nullptr));
    QHEAT_PETSC(EPSSetProblemType(solver.get(), EPS_HEP));
    QHEAT_PETSC(EPSSetType(solver.get(), EPSKRYLOVSCHUR));
    QHEAT_PETSC(EPSSetDimensions(solver.get(), static_cast<PetscInt>(wanted),
                                 static_cast<PetscInt>(subspace(wanted, space_->dimension())),
                                 PETSC_DEFAULT));
    QHEAT_PETSC(EPSSetWhichEigenpairs(
        solver.get(), options.end == SpectrumEnd::lowest ? EPS_SMALLEST_REAL : EPS_LARGEST_REAL));
    QHEAT_PETSC(EPSSetConvergenceTest(solver.get(), EPS_CONV_ABS));
    QHEAT_PETSC(EPSSetTolerances(solver.get(), std::max(options.tolerance * scale, 1e-300), kMostRestarts));
    QHEAT_PETSC(EPSSolve(solver.get()));
    PetscInt converged = 0;
    QHEAT_PETSC(EPSGetConverged(solver.get(), &converged));
    if (converged < wanted) {
      throw Error(
          fmt::format("only {} of {} eigenstates converged to {:g} of the width of the spectrum; raise "
                      "spectrum.tolerance "
                      "or ask for other spectrum.states",
                      converged, wanted, options.tolerance));
    }
    std::vector<Found> found;
    for (PetscInt k = 0; k < static_cast<PetscInt>(wanted); ++k) found.push_back(measure(solver.get(), k));
    return found;
  }

  const PhaseTiming& products() const { return hamiltonian_->timing(); }

 private:
  static constexpr PetscInt kMostRestarts = 2000;

  Found measure(EPS solver, PetscInt number) const {
    std::vector<Complex> psi(static_cast<std::size_t>(space_->local_size()));
    PetscScalar energy = 0.0;
    {
      const petsc::Vector vector = borrowed_vector(*space_, psi);
      QHEAT_PETSC(EPSGetEigenpair(solver, number, &energy, nullptr, vector.get(), nullptr));
    }
    std::vector<Complex> image(psi.size());
    hamiltonian_->apply(std::span<const Complex>(psi), std::span(image));
    double square = 0.0;
    for (std::size_t i = 0; i < psi.size(); ++i) square += std::norm(image[i] - energy.real() * psi[i]);
    return {energy.real(), std::sqrt(space_->comm().sum(square)), counts_,
            observer_.observe(std::span<const Complex>(psi))};
  }

  std::vector<int> counts_;
  std::shared_ptr<const DistributedSector> space_;
  std::unique_ptr<Operator> hamiltonian_;
  Observer observer_;
};

}  // namespace

double eigenstate_bytes_per_rank(const Model& model, const InitialState& initial, int states, int ranks) {
  constexpr double kOthers = 6.0;     // vectors of bounds, residual and observables
  constexpr double kProjected = 3.0;  // matrices of the subspace, on every rank
  double most = 0.0;
  for (const auto& counts : sector_counts(model, initial)) {
    const Index dimension = level_sector_dimension(model, counts);
    const auto vectors = static_cast<double>(subspace(std::min<Index>(states, dimension), dimension));
    const double spread = (vectors + kOthers) * static_cast<double>(dimension) / ranks;
    most = std::max(most, sizeof(Complex) * (spread + kProjected * vectors * vectors));
  }
  return most;
}

Work eigenstate_work(const Model& model, const InitialState& initial, int states) {
  constexpr double kBounds = 40.0;    // products for the width of the spectrum
  constexpr double kRestarts = 24.0;  // typical, of 4 to 100
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
  std::vector<Found> all;
  for (const auto& counts : sector_counts(model, initial)) {
    const SectorEigenstates sector(model, counts, comm);
    for (auto& found : sector.find(options)) all.push_back(std::move(found));
    auto& phase = timings.phase("hamiltonian products");
    phase.seconds += sector.products().seconds;
    phase.calls += sector.products().calls;
    phase.bytes_sent += sector.products().bytes_sent;
  }
  const double sign = options.end == SpectrumEnd::lowest ? 1.0 : -1.0;
  std::stable_sort(all.begin(), all.end(),
                   [&](const Found& a, const Found& b) { return sign * a.energy < sign * b.energy; });
  all.resize(std::min(all.size(), static_cast<std::size_t>(options.states)));

  Eigenstates result;
  std::vector<double> observed;
  for (auto& found : all) {
    result.energies.push_back(found.energy);
    result.residuals.push_back(found.residual);
    result.band_counts.push_back(std::move(found.band_counts));
    observed.insert(observed.end(), found.observed.begin(), found.observed.end());
  }
  result.observations = unpack(ObservationLayout(model), observed);
  return result;
}

}  // namespace qheat
