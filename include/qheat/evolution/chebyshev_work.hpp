#pragma once

#include <vector>

#include "qheat/model/model.hpp"
#include "qheat/parallel/work.hpp"

namespace qheat {

/// A propagation by Chebyshev polynomials, for plans.
struct ChebyshevCourse {
  std::vector<int> counts;  ///< the sector
  double states = 0.0;      ///< its dimension
  double phase = 0.0;       ///< half the width of the spectrum times the last time
  double outputs = 0.0;     ///< that take a step, t = 0 not counted
  int outputs_at_once = 1;
};

/// Work of the bounds of the spectrum, once for all states of a sector.
Work spectral_bounds_work(const Model& model, const ChebyshevCourse& course);
/// Work of one state, without what is measured.
Work chebyshev_work(const Model& model, const ChebyshevCourse& course);

}  // namespace qheat
