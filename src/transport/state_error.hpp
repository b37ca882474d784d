#pragma once

#include "qheat/steady/steady.hpp"

namespace qheat {

/// How far the numbers of a steady state may be off: by what the solver left, and by rounding. Bounds and
/// estimates on the large side; NaN for a state that was not found.
class StateError {
 public:
  StateError(const Model& model, const SteadyState& state);

  /// d<A>/dt that is left for a local observable of norm 1, 1/time: residual times the largest reservoir
  /// rate, times the norm that rho has beside that of the even mixture.
  double source() const { return source_; }
  /// Of a current of energy, power: what the sites gain or lose in all, which in a steady state is nothing.
  double current() const { return current_; }
  /// Of u(q) - u(p) across the bond's ends, energy, but for the part that goes with the current. A coherence
  /// holds the populations of its ends together at the rate |lambda J_b V|; what is left of its equation is
  /// an error of their difference.
  double step(int bond) const;
  /// The part of the above that does not add up along a path: slow modes and rounding.
  double offset(double u_p, double u_q) const;

 private:
  const Model& model_;
  const SteadyState& state_;
  double source_ = 0.0;
  double current_ = 0.0;
};

/// A number and how far it may be off.
struct Estimate {
  double value;
  double error;
};

/// -a^2 J/step. NaN, both, unless the step is told from zero: at least five times its error.
Estimate coefficient(double spacing, Estimate current, Estimate step);

}  // namespace qheat
