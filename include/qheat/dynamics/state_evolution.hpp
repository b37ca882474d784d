#pragma once

#include "qheat/parallel/column_block.hpp"

namespace qheat {

/// x <- e^{-iHt} x of state vectors of one sector, by products with H alone.
class StateEvolution {
 public:
  StateEvolution() = default;
  virtual ~StateEvolution() = default;
  StateEvolution(const StateEvolution&) = delete;
  StateEvolution& operator=(const StateEvolution&) = delete;

  /// Advances each column by dt; `tolerance`: relative error of this step. Throws Error if it cannot be
  /// reached.
  virtual void advance(double dt, double tolerance, ColumnBlock<Complex> x) = 0;
};

}  // namespace qheat
