#pragma once

#include <memory>

#include "qheat/wells/pair_potential.hpp"

namespace qheat {

/// Two equal wells. Square: phi_n = sqrt(2/width) sin(n pi x/width), n = 1, 2, ..., in [0, width] and
/// [separation, separation + width]. Harmonic: oscillator states n = 0, 1, ... about 0 and `separation`,
/// `width` the length in exp(-x^2/(2 width^2)).
struct Well {
  enum class Shape { square, harmonic };
  Shape shape = Shape::square;
  double width = 1.0;
  double separation = 1.0;  ///< >= 0; 0: the same place

  /// Quantum number of the lowest level.
  int first() const { return shape == Shape::square ? 1 : 0; }
};

struct WellElement {
  double value = 0.0;
  double error = 0.0;  ///< bound, from two quadratures and all roundings
};

/// Matrix elements of V(x1 - x2), x1 in the first well, x2 in the second (Eqs. 19, 20; physics.md 11). All
/// elements are sums over a few one-dimensional moments of V, which the constructor computes with 100 digits:
/// nothing is lost where they nearly cancel. Not collective; one object must not be used by two threads at
/// once. Many elements with one a and c, a outermost, cost less than others.
class WellElements {
 public:
  static constexpr int kMostLevels = 100;

  /// `levels` (1 to kMostLevels) levels a well, counted from 0 here, whatever their quantum numbers. Throws
  /// InputError if V is not finite somewhere in reach of both wells or not resolved.
  WellElements(const Well& well, const PairPotential& potential, int levels);
  ~WellElements();
  WellElements(WellElements&&) noexcept;
  WellElements& operator=(WellElements&&) noexcept;

  int levels() const { return levels_; }
  /// <ab|V|cd>, a and c in the first well.
  WellElement operator()(int a, int b, int c, int d) const;
  /// <ab|V|ba> and <ab|V|ab>: what multiplies l1 and l2 in the element of V (l1 + l2 E) for the swap ab ->
  /// ba.
  WellElement direct(int a, int b) const { return (*this)(a, b, b, a); }
  WellElement exchange(int a, int b) const { return (*this)(a, b, a, b); }

  class Moments;

 private:
  int levels_;
  std::unique_ptr<const Moments> moments_;
};

}  // namespace qheat
