#include "qheat/propagator/propagator_orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "propagator/order_columns.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/memory.hpp"

namespace qheat {
namespace {

/// T is double for a real H.
template <class T>
class ClosedOrders final : public PropagatorOrders {
 public:
  ClosedOrders(std::unique_ptr<const CellAssembly<T>> assembly, const TermSum<T>& energies,
               const TermSum<T>& interaction, int order, std::vector<double> anchors)
      : PropagatorOrders(assembly->layout(), order),
        assembly_(std::move(assembly)),
        anchors_(std::move(anchors)) {
    const auto diagonals = assembly_->blocks(energies);
    const auto rows = assembly_->blocks(interaction);
    const double shift = mean_of_diagonal(diagonals);
    for (std::size_t b = 0; b < rows.size(); ++b) {
      start_.emplace_back(diagonals[b], rows[b], shift, order, assembly_->column_share(),
                          assembly_->layout().comm().rank());
    }
    at_anchor_ = start_;
  }

  Values evaluate(double t) override {
    go_to_anchor(t);
    auto blocks = at_anchor_;
    for (auto& block : blocks) block.advance(t - anchors_[anchor_]);
    const auto n = static_cast<std::size_t>(order());
    std::vector<std::vector<Amplitudes>> amplitudes;  // orders, then their derivatives
    for (const auto& block : blocks) {
      amplitudes.push_back(block.orders());
      for (auto& derivative : block.derivatives()) amplitudes.back().push_back(std::move(derivative));
    }
    const std::vector<double> sizes = norms(amplitudes);
    const double rounding =
        std::numeric_limits<double>::epsilon() * static_cast<double>(8 + blocks.front().steps());
    Values values;
    for (std::size_t k = 0; k <= n; ++k) {
      SquareForm square;
      SquareForm change;
      double size = 0.0;
      double change_size = 0.0;
      for (std::size_t j = 0; j <= k; ++j) {
        const std::size_t derivative = n + 1 + k - j;
        square.push_back({j, k - j, 1.0});
        change.push_back({j, derivative, 2.0});
        size += sizes[j] * sizes[k - j];
        change_size += 2.0 * sizes[j] * sizes[derivative];
      }
      values.g.push_back(assembly_->squares(amplitudes, square));
      values.derivative.push_back(assembly_->squares(amplitudes, change));
      values.error.push_back(rounding * size);
      values.derivative_error.push_back(rounding * change_size);
    }
    return values;
  }

 private:
  /// To the last anchor before t, so that an interval's end belongs to the interval.
  void go_to_anchor(double t) {
    std::size_t goal = 0;
    while (goal + 1 < anchors_.size() && anchors_[goal + 1] < t) ++goal;
    if (goal < anchor_) {
      at_anchor_ = start_;
      anchor_ = 0;
    }
    for (; anchor_ < goal; ++anchor_) {
      for (auto& block : at_anchor_) block.advance(anchors_[anchor_ + 1] - anchors_[anchor_]);
    }
  }

  std::vector<double> norms(const std::vector<std::vector<Amplitudes>>& amplitudes) const {
    std::vector<double> sizes(amplitudes.front().size(), 0.0);
    for (const auto& block : amplitudes) {
      for (std::size_t k = 0; k < block.size(); ++k)
        sizes[k] = std::max(sizes[k], largest_column_norm(block[k]));
    }
    for (double& size : sizes) size = assembly_->layout().comm().max(size);
    return sizes;
  }

  std::unique_ptr<const CellAssembly<T>> assembly_;
  std::vector<double> anchors_;
  std::vector<OrderColumns<T>> start_, at_anchor_;
  std::size_t anchor_ = 0;
};

template <class T>
std::unique_ptr<PropagatorOrders> make(const Model& model, const CellSector& sector,
                                       const TermSum<T>& energies, const TermSum<T>& interaction,
                                       bool mirrored, int order, std::vector<double> anchors,
                                       const Communicator& comm) {
  return std::make_unique<ClosedOrders<T>>(make_cell_assembly<T>(model, sector, mirrored, comm), energies,
                                           interaction, order, std::move(anchors));
}

}  // namespace

std::unique_ptr<PropagatorOrders> closed_propagator_orders(const Model& model, const CellSector& sector,
                                                           int order, std::vector<double> anchors,
                                                           const Communicator& comm, MirrorUse mirror) {
  const Index states = level_sector_dimension(model, sector.band_counts);
  const TermSum<Complex> energies = level_hamiltonian(model);
  const TermSum<Complex> interaction = interaction_hamiltonian(model);
  const bool mirrored = mirror != MirrorUse::never && is_mirror_symmetric(energies, model.sites()) &&
                        is_mirror_symmetric(interaction, model.sites());
  const bool in_blocks = mirrored && model.site.bands() == model.levels();
  require_memory(comm, closed_orders_bytes_per_rank(states, order, comm.size(), in_blocks),
                 fmt::format("order {} of the propagator of a sector of {} states", order, states));
  if (is_real(interaction)) {
    return make(model, sector, real_part(energies), real_part(interaction), mirrored, order,
                std::move(anchors), comm);
  }
  return make(model, sector, energies, interaction, mirrored, order, std::move(anchors), comm);
}

double closed_orders_bytes_per_rank(Index states, int order, int ranks, bool mirrored) {
  // Orders at the start, at the anchor, now, their derivatives, and matrices of the kernel's recursion.
  constexpr double kCopies = 7.0;
  const auto d = static_cast<double>(states);
  const double elements = mirrored ? d * d / 2.0 : d * d;  // of the blocks
  return kCopies * sizeof(Complex) * (order + 1) * elements / ranks;
}

}  // namespace qheat
