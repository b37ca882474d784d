#pragma once

#include <vector>

#include "steady/double_double.hpp"

namespace qheat {

/// A x = b whose factors are those of an A with rounding errors, but whose residual is exact to 32 digits.
class FactoredEquation {
 public:
  virtual ~FactoredEquation() = default;
  /// b - A x.
  virtual void residual(const std::vector<PreciseComplex>& x, std::vector<Complex>& left) const = 0;
  /// True if x is real; then imaginary parts are 0 throughout.
  virtual bool is_real() const = 0;
  /// A^-1 b by the factors; false if they fail.
  virtual bool solve(std::vector<Complex>& b, std::vector<Complex>& x) const = 0;
};

/// How the corrections of a solution ended.
struct Refinement {
  bool determined = false;  ///< the solution is settled, and the same from two starts
  double correction = 0.0;  ///< the last one over the norm of the solution
};

/// Solves for what the solution leaves until nothing is left, from 0 and from a random start. Each step takes
/// off digits as long as the slowest motion is above the rounding of the fastest; where there is none, or
/// where it is below, the starts end apart: then the solution is not determined. `x` has the right size.
Refinement refine(const FactoredEquation& equation, std::vector<PreciseComplex>& x);

}  // namespace qheat
