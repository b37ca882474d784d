#include "qheat/propagator/population_propagator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "propagator/cell_assembly.hpp"
#include "propagator/spectral_columns.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/memory.hpp"

namespace qheat {
namespace {

/// The k-th derivative of |x|^2 from x and its derivatives; equal terms are taken together.
SquareForm derivative_of_square(int k) {
  SquareForm form;
  double binomial = 1.0;
  for (int j = 0; 2 * j <= k; ++j) {
    form.push_back({as_size(j), as_size(k - j), 2 * j == k ? binomial : 2.0 * binomial});
    binomial *= static_cast<double>(k - j) / (j + 1);
  }
  return form;
}

/// T is double for a real H.
template <class T>
class ClosedPropagator final : public PopulationPropagator {
 public:
  ClosedPropagator(std::unique_ptr<const CellAssembly<T>> assembly, const TermSum<T>& hamiltonian)
      : PopulationPropagator(assembly->layout()), assembly_(std::move(assembly)) {
    const auto blocks = assembly_->blocks(hamiltonian);
    shift_ = mean_of_diagonal(blocks);
    for (const auto& rows : blocks) {
      blocks_.push_back(std::make_unique<SpectralColumns<T>>(rows, shift_, assembly_->column_share(),
                                                             assembly_->layout().comm()));
    }
  }

  bool symmetric() const override {
    return std::is_same_v<T, double> && assembly_->states() == assembly_->layout().mirror().states();
  }

  std::vector<CellColumns> evaluate(double t, int derivatives) const override {
    std::vector<std::vector<Amplitudes>> amplitudes;
    for (const auto& block : blocks_) amplitudes.push_back(block->evolve(t, derivatives));
    std::vector<CellColumns> result;
    for (int k = 0; k <= derivatives; ++k) {
      result.push_back(assembly_->squares(amplitudes, derivative_of_square(k)));
    }
    // Nothing has moved at t = 0: the kernel is zero there, without rounding errors.
    if (t == 0.0 && derivatives >= 1) result[1] = layout().zero();
    return result;
  }

  double error(double t) const override {
    // Eigenvalues are good to a few rounding errors of the largest one, eigenvectors to sqrt(n) of them; H
    // itself to those of its largest element.
    return std::numeric_limits<double>::epsilon() *
           (4.0 * std::sqrt(static_cast<double>(assembly_->states())) +
            (largest_frequency() + 2.0 * std::abs(shift_)) * t);
  }

  double largest_frequency() const override {
    double radius = 0.0;
    for (const auto& block : blocks_) radius = std::max(radius, block->radius());
    return 2.0 * radius;
  }

 private:
  std::unique_ptr<const CellAssembly<T>> assembly_;
  std::vector<std::unique_ptr<const SpectralColumns<T>>> blocks_;
  double shift_ = 0.0;  ///< of the spectrum towards zero
};

template <class T>
std::unique_ptr<const PopulationPropagator> make(const Model& model, const CellSector& sector,
                                                 const TermSum<T>& terms, bool mirrored,
                                                 const Communicator& comm) {
  return std::make_unique<ClosedPropagator<T>>(make_cell_assembly<T>(model, sector, mirrored, comm), terms);
}

}  // namespace

std::unique_ptr<const PopulationPropagator> closed_population_propagator(const Model& model,
                                                                         const CellSector& sector,
                                                                         const Communicator& comm,
                                                                         MirrorUse mirror) {
  const TermSum<Complex> terms = hamiltonian(model);
  const Index states = level_sector_dimension(model, sector.band_counts);
  const bool mirrored = mirror != MirrorUse::never && is_mirror_symmetric(terms, model.sites());
  const bool in_blocks = mirrored && model.site.bands() == model.levels();
  require_memory(comm, closed_propagator_bytes_per_rank(states, is_real(terms), comm.size(), in_blocks),
                 fmt::format("the population propagator of a sector of {} states", states));
  return is_real(terms) ? make(model, sector, real_part(terms), mirrored, comm)
                        : make(model, sector, terms, mirrored, comm);
}

double closed_propagator_bytes_per_rank(Index states, bool real, int ranks, bool mirrored) {
  // While diagonalising: the matrix, its eigenvectors, and workspace of two (real) or three more. Afterwards:
  // eigenvectors, amplitudes with coefficients, propagators and factors; on several ranks copies for another
  // layout. Measured for real matrices (docs/performance.md).
  double matrices = !real ? 16.0 : ranks == 1 ? 8.0 : 12.0;
  if (mirrored && ranks > 1) matrices *= 0.75;  // the blocks are solved one after the other
  constexpr double kLibraries = 8e6;            // pages and buffers of the libraries
  const auto d = static_cast<double>(states);
  const double elements = mirrored ? d * d / 2.0 : d * d;  // of the blocks
  return matrices * (real ? sizeof(double) : sizeof(Complex)) * elements / ranks + kLibraries;
}

}  // namespace qheat
