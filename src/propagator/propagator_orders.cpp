#include "qheat/propagator/propagator_orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "propagator/order_columns.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/index.hpp"
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
    shift_ = mean_of_diagonal(diagonals);
    Blocks start;
    for (std::size_t b = 0; b < rows.size(); ++b) {
      start.emplace_back(diagonals[b], rows[b], shift_, order, assembly_->column_share(),
                         assembly_->layout().comm().rank());
    }
    start_ = start;
    at_anchor_ = start;
    leg_ = {std::move(start), 0, anchors_.front(), std::vector<Index>(rows.size(), 0)};
  }

  double approach(double t) override {
    const std::size_t goal = anchor_before(t);
    plan_leg(goal, t);
    walk();
    const bool there = leg_.target == t && leg_.anchor == goal && left() == 0;
    if (there) return 1.0;
    constexpr double kAlmost = 0.999999;
    return t > 0.0 ? std::clamp(place() / t, 0.0, kAlmost) : 0.0;
  }

  Values evaluate(double t) override {
    while (approach(t) < 1.0) {
    }
    const Blocks& blocks = leg_.blocks;
    const auto n = as_size(order());
    std::vector<std::vector<Amplitudes>> amplitudes;  // orders, then their derivatives
    for (const auto& block : blocks) {
      amplitudes.push_back(block.orders());
      for (auto& derivative : block.derivatives()) amplitudes.back().push_back(std::move(derivative));
    }
    const std::vector<double> sizes = norms(amplitudes);
    // H itself, energies before they are shifted, is known to rounding.
    const double rounding = std::numeric_limits<double>::epsilon() *
                            (8.0 + static_cast<double>(blocks.front().steps()) + 2.0 * std::abs(shift_) * t);
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

  void save(StateWriter& writer, const std::string& name) const override {
    std::vector<double> place = {static_cast<double>(leg_.anchor), leg_.target};
    place.insert(place.end(), leg_.done.begin(), leg_.done.end());
    writer.replicated(name + "-place", place);
    for (std::size_t b = 0; b < leg_.blocks.size(); ++b)
      leg_.blocks[b].save(writer, name + "-" + std::to_string(b));
  }

  /// The anchor that the leg comes from is left behind: it is reached anew if an earlier time is asked for.
  void load(StateReader& reader, const std::string& name) override {
    const auto place = reader.replicated(name + "-place");
    leg_.anchor = static_cast<std::size_t>(place[0]);
    leg_.target = place[1];
    for (std::size_t b = 0; b < leg_.blocks.size(); ++b) {
      leg_.done[b] = static_cast<Index>(place[2 + b]);
      leg_.blocks[b].load(reader, name + "-" + std::to_string(b));
    }
    at_anchor_ = start_;
    anchor_ = 0;
  }

 private:
  using Blocks = std::vector<OrderColumns<T>>;

  /// From an anchor to a time, in steps that are equal in each block.
  struct Leg {
    Blocks blocks;            ///< where they are now
    std::size_t anchor;       ///< they come from
    double target;            ///< time
    std::vector<Index> done;  ///< steps, of each block
  };

  /// The last anchor before t, so that an interval's end belongs to the interval.
  std::size_t anchor_before(double t) const {
    std::size_t goal = 0;
    while (goal + 1 < anchors_.size() && anchors_[goal + 1] < t) ++goal;
    return goal;
  }

  double span() const { return leg_.target - anchors_[leg_.anchor]; }
  Index steps(std::size_t block) const { return leg_.blocks[block].steps_for(span()); }
  Index left() const {
    Index sum = 0;
    for (std::size_t b = 0; b < leg_.blocks.size(); ++b) sum += steps(b) - leg_.done[b];
    return sum;
  }
  /// The time that has been reached, roughly.
  double place() const {
    Index all = 0;
    for (std::size_t b = 0; b < leg_.blocks.size(); ++b) all += steps(b);
    const double share = all == 0 ? 1.0 : 1.0 - static_cast<double>(left()) / static_cast<double>(all);
    return anchors_[leg_.anchor] + share * span();
  }

  /// The leg to walk on the way to t beyond the anchor `goal`.
  void plan_leg(std::size_t goal, double t) {
    if (leg_.target == t && leg_.anchor == goal) return;  // on it, or there
    // A leg towards an anchor on the way is walked to its end, and begins the next one.
    const bool towards_anchor = leg_.anchor < goal && leg_.target == anchors_[leg_.anchor + 1];
    if (towards_anchor && left() > 0) return;
    if (towards_anchor) {
      anchor_ = leg_.anchor + 1;
      at_anchor_ = leg_.blocks;
    }
    if (anchor_ > goal) {
      anchor_ = 0;
      at_anchor_ = start_;
    }
    leg_.blocks = at_anchor_;
    leg_.anchor = anchor_;
    leg_.target = anchor_ == goal ? t : anchors_[anchor_ + 1];
    std::fill(leg_.done.begin(), leg_.done.end(), 0);
  }

  /// Some steps of the leg, as many as take a fraction of a second; the same number on all ranks.
  void walk() {
    constexpr double kOperations = 5e7;
    for (std::size_t b = 0; b < leg_.blocks.size(); ++b) {
      const Index left = steps(b) - leg_.done[b];
      if (left == 0) continue;
      const double affordable = std::ceil(kOperations / leg_.blocks[b].operations_a_step());
      const Index some = affordable < static_cast<double>(left) ? static_cast<Index>(affordable) : left;
      leg_.blocks[b].advance(some, span() / static_cast<double>(steps(b)));
      leg_.done[b] += some;
      return;
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
  double shift_ = 0.0;
  Blocks start_, at_anchor_;
  std::size_t anchor_ = 0;
  Leg leg_;
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

void PropagatorOrders::save(StateWriter&, const std::string&) const {}
void PropagatorOrders::load(StateReader&, const std::string&) {}

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
