#include "qheat/evolution/chebyshev_work.hpp"

#include <algorithm>
#include <cmath>

#include "qheat/operators/product_work.hpp"

namespace qheat {
namespace {

/// Products of a Chebyshev series until a phase, at tolerances that are usual.
double chebyshev_terms(double phase) {
  return phase + 5.0 * std::cbrt(phase) + 11.0;
}

}  // namespace

Work spectral_bounds_work(const Model& model, const ChebyshevCourse& course) {
  Work bounds = 40.0 * hamiltonian_work(model, course.counts, course.states);
  bounds += 40.0 * pass_work(course.states, 8.0);
  return bounds;
}

Work chebyshev_work(const Model& model, const ChebyshevCourse& course) {
  constexpr double kPhaseTogether = 60.0;
  const double interval = course.phase / std::max(1.0, course.outputs);
  const double together =
      std::clamp(std::floor(kPhaseTogether / std::max(interval, 1e-9)), 1.0, 1.0 * course.outputs_at_once);
  const double parts = std::max(1.0, std::ceil(interval / kPhaseTogether));
  const double recursions = std::ceil(std::max(1.0, course.outputs) / together) * parts;
  const double terms = chebyshev_terms(interval / parts * together);
  double sums = 0.0;  // that take a term
  for (int k = 1; k <= static_cast<int>(together); ++k) sums += chebyshev_terms(interval / parts * k);
  Work column = recursions * terms * hamiltonian_work(model, course.counts, course.states);
  column += recursions * (terms + 2.0 * sums) * pass_work(course.states, 1.0, together);
  return column;
}

}  // namespace qheat
