#pragma once

#include <functional>
#include <span>
#include <vector>

#include "qheat/parallel/column_block.hpp"

namespace qheat {

/// x <- e^{-iHt} x of state vectors of one sector, by products with H alone.
class StateEvolution {
 public:
  StateEvolution() = default;
  virtual ~StateEvolution() = default;
  StateEvolution(const StateEvolution&) = delete;
  StateEvolution& operator=(const StateEvolution&) = delete;

  /// Called with the number of an interval and with one or more columns of the state after it, from column
  /// `first` on.
  using Observe = std::function<void(std::size_t interval, Index first, ColumnBlock<const Complex> state)>;

  /// x <- e^{-iH dts.back()} x, column by column. Before, observe(k, ...) sees the states after each of the
  /// ascending intervals dts[k], 0 allowed. `tolerance`: relative error asked of the last one. Returns a
  /// bound on the relative truncation error after each interval. Throws Error if it cannot be reached.
  virtual std::vector<double> advance(std::span<const double> dts, double tolerance, ColumnBlock<Complex> x,
                                      const Observe& observe) = 0;
  /// The same for one interval, negative allowed.
  double advance(double dt, double tolerance, ColumnBlock<Complex> x) {
    return advance(std::span(&dt, 1), tolerance, x, [](std::size_t, Index, ColumnBlock<const Complex>) {})
        .front();
  }
  /// Intervals that one call handles with advantage.
  virtual int intervals_at_once() const { return 1; }
};

}  // namespace qheat
