#include "qheat/propagator/mean_propagator.hpp"

#include <algorithm>
#include <cmath>

#include "qheat/parallel/index.hpp"
#include "qheat/propagator/open_propagator.hpp"

namespace qheat {
namespace {

/// Which ranks do which realisation.
class Workshare {
 public:
  Workshare(int realizations, const Communicator& comm)
      : realizations_(realizations), comm_(comm), alone_(realizations >= comm.size()) {}

  /// The ranks of one realisation.
  Communicator workers() const { return alone_ ? Communicator::self() : comm_; }
  bool is_mine(int realization) const { return !alone_ || realization % comm_.size() == comm_.rank(); }
  /// Calls `work` for this rank's realisations, with a safe point after each. Collective.
  template <class Work>
  void each(RunControl& control, const Work& work) const {
    for (int r = 0; r < realizations_; ++r) {
      if (is_mine(r)) work(r);
      const bool everybody = !alone_ || (r + 1) % comm_.size() == 0;
      if (everybody) control.offer(static_cast<double>(r + 1) / realizations_, [](StateWriter&) {});
    }
  }
  double weight() const { return 1.0 / realizations_; }
  int realizations() const { return realizations_; }

  /// This rank's columns of the sum over all realisations from its sum over its own; whole columns.
  void collect(const CellColumnLayout& layout, ColumnBlock<double> sum, CellColumns& result) const {
    if (alone_) comm_.sum(std::span(sum.data(), as_size(sum.rows() * sum.columns())));
    const auto to = result.even.block();
    const Index first = alone_ ? layout.first() : 0;
    std::copy_n(sum.column(first), to.rows() * to.columns(), to.data());
  }

 private:
  int realizations_;
  Communicator comm_;
  bool alone_;
};

/// sum += weight * columns, or their squares.
void add(const ColumnStorage<double>& columns, double weight, bool squared, ColumnBlock<double> sum) {
  const auto from = columns.block();
  for (Index e = 0; e < sum.rows() * sum.columns(); ++e) {
    const double value = from.data()[e];
    sum.data()[e] += weight * (squared ? value * value : value);
  }
}

double norm_squared(ColumnBlock<const double> block) {
  double sum = 0.0;
  for (Index e = 0; e < block.rows() * block.columns(); ++e) sum += block.data()[e] * block.data()[e];
  return sum;
}

class MeanPropagator final : public PopulationPropagator {
 public:
  MeanPropagator(int realizations, const DrawRealization& draw, const CellSector& sector, double end,
                 const Communicator& comm, RunControl& control)
      : PopulationPropagator(CellColumnLayout(MirrorPairs(sector.cells.dimension()), comm)),
        share_(realizations, comm) {
    share_.each(control, [&](int r) {
      const Model model = draw(r).model;
      UninterruptedRun alone;
      propagators_.push_back(
          model.bath.closed()
              ? closed_population_propagator(model, sector, share_.workers(), MirrorUse::never)
              : open_population_propagator(model, sector, end, share_.workers(), alone,
                                           {.order = std::nullopt, .mirror = MirrorUse::never}));
    });
  }

  std::vector<CellColumns> evaluate(double t, int derivatives) const override {
    const auto& own = propagators_.front()->layout();
    std::vector<ColumnStorage<double>> sums(as_size(derivatives) + 2,
                                            ColumnStorage<double>(own.mirror().states(), own.count()));
    double rounding = 0.0;
    for (const auto& propagator : propagators_) {
      const auto g = propagator->evaluate(t, derivatives);
      for (std::size_t d = 0; d < g.size(); ++d) add(g[d].even, share_.weight(), false, sums[d].block());
      add(g.front().even, share_.weight(), true, sums.back().block());
      rounding = std::max(rounding, propagator->error(t));
    }
    std::vector<CellColumns> result;
    for (int d = 0; d <= derivatives; ++d) {
      result.push_back(layout().zero());
      share_.collect(layout(), at(sums, d).block(), result.back());
    }
    CellColumns squares = layout().zero();
    share_.collect(layout(), sums.back().block(), squares);
    const Communicator& comm = layout().comm();
    const double mean = comm.sum(norm_squared(result.front().even.block()));
    double variance = 0.0;
    const auto of_squares = squares.even.block();
    const auto of_mean = result.front().even.block();
    for (Index e = 0; e < of_squares.rows() * of_squares.columns(); ++e) {
      variance += std::max(0.0, of_squares.data()[e] - of_mean.data()[e] * of_mean.data()[e]);
    }
    error_at_ = t;
    sampling_ = std::sqrt(comm.sum(variance) / (share_.realizations() - 1) / mean);
    error_ = comm.max(rounding) + sampling_;
    return result;
  }

  bool symmetric() const override {
    return std::all_of(propagators_.begin(), propagators_.end(),
                       [](const auto& p) { return p->symmetric(); });
  }

  double largest_frequency() const override {
    double largest = 0.0;
    for (const auto& propagator : propagators_) largest = std::max(largest, propagator->largest_frequency());
    return layout().comm().max(largest);
  }

  double error(double t) const override {
    if (t != error_at_) evaluate(t, 0);
    return error_;
  }

  double sampling_error(double t) const override {
    if (t != error_at_) evaluate(t, 0);
    return sampling_;
  }

  bool averaged() const override { return true; }

 private:
  Workshare share_;
  std::vector<std::unique_ptr<const PopulationPropagator>> propagators_;
  mutable double error_at_ = -1.0;  ///< of the last evaluation
  mutable double error_ = 0.0;
  mutable double sampling_ = 0.0;  ///< part of it
};

class MeanOrders final : public PropagatorOrders {
 public:
  MeanOrders(int realizations, const DrawRealization& draw, const CellSector& sector, int order,
             const std::vector<double>& anchors, const Communicator& comm, RunControl& control)
      : PropagatorOrders(CellColumnLayout(MirrorPairs(sector.cells.dimension()), comm), order),
        share_(realizations, comm) {
    share_.each(control, [&](int r) {
      const Model model = draw(r).model;
      QHEAT_ASSERT(model.bath.only_dephasing());  // the mean of G_0 would be no product over sites
      if (model.bath.closed()) {
        orders_.push_back(
            closed_propagator_orders(model, sector, order, anchors, share_.workers(), MirrorUse::never));
        return;
      }
      UninterruptedRun alone;
      const CellMomentsOptions options{.order = order, .mirror = MirrorUse::never};
      orders_.push_back(open_propagator_orders(
          model, sector,
          std::make_shared<CellMoments>(model, sector, anchors.back(), options, share_.workers(), alone),
          order));
    });
  }

  /// One piece of one of this rank's realisations that are not there yet.
  double approach(double t) override {
    double done = 0.0;
    for (const auto& orders : orders_) {
      const double share = orders->approach(t);
      done += share;
      if (share < 1.0) break;  // one after the other
    }
    return -layout().comm().max(-done / static_cast<double>(orders_.size()));
  }

  Values evaluate(double t) override {
    const auto& own = orders_.front()->layout();
    const auto count = as_size(order()) + 1;
    std::vector<ColumnStorage<double>> g(count, ColumnStorage<double>(own.mirror().states(), own.count()));
    auto derivatives = g;
    Values values;
    values.error.assign(count, 0.0);
    values.derivative_error.assign(count, 0.0);
    for (const auto& orders : orders_) {
      const auto now = orders->evaluate(t);
      for (std::size_t k = 0; k < count; ++k) {
        add(now.g[k].even, share_.weight(), false, g[k].block());
        add(now.derivative[k].even, share_.weight(), false, derivatives[k].block());
        values.error[k] = std::max(values.error[k], now.error[k]);
        values.derivative_error[k] = std::max(values.derivative_error[k], now.derivative_error[k]);
      }
    }
    for (std::size_t k = 0; k < count; ++k) {
      values.g.push_back(layout().zero());
      values.derivative.push_back(layout().zero());
      share_.collect(layout(), g[k].block(), values.g.back());
      share_.collect(layout(), derivatives[k].block(), values.derivative.back());
      values.error[k] = layout().comm().max(values.error[k]);
      values.derivative_error[k] = layout().comm().max(values.derivative_error[k]);
    }
    return values;
  }

 private:
  Workshare share_;
  std::vector<std::unique_ptr<PropagatorOrders>> orders_;
};

}  // namespace

std::unique_ptr<const PopulationPropagator> mean_population_propagator(int realizations,
                                                                       const DrawRealization& draw,
                                                                       const CellSector& sector, double end,
                                                                       const Communicator& comm,
                                                                       RunControl& control) {
  return std::make_unique<MeanPropagator>(realizations, draw, sector, end, comm, control);
}

std::unique_ptr<PropagatorOrders> mean_propagator_orders(int realizations, const DrawRealization& draw,
                                                         const CellSector& sector, int order,
                                                         const std::vector<double>& anchors,
                                                         const Communicator& comm, RunControl& control) {
  return std::make_unique<MeanOrders>(realizations, draw, sector, order, anchors, comm, control);
}

}  // namespace qheat
