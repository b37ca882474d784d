#pragma once

#include <boost/multiprecision/cpp_bin_float.hpp>
#include <vector>

#include "qheat/wells/well_elements.hpp"

namespace qheat::wells {

/// 100 decimal digits. Differences of moments lose up to 60 of them at a hundred oscillator levels.
using Real =
    boost::multiprecision::number<boost::multiprecision::cpp_bin_float<100>, boost::multiprecision::et_off>;

/// sum over nodes of weight f(s) = the integral of f(s) V(width s - separation) over s from -reach to reach.
struct Rule {
  struct Node {
    Real s;
    Real weight;  ///< with V in it
  };
  std::vector<Node> nodes;
};

/// The same integral twice, the second time with fewer nodes; for functions of at most `waves` periods
/// between 0 and reach. The difference is the error.
struct TwoRules {
  Rule fine;
  Rule coarse;
  /// What rounding of V as a double can do to an element, whose weights of V add up to at most one; 0 where V
  /// is known to all digits.
  double potential_error = 0.0;
};
TwoRules make_rules(const Well& well, const PairPotential& potential, double reach, double waves);

}  // namespace qheat::wells
