#pragma once

#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "qheat/parallel/run_control.hpp"
#include "steady/steady_solver.hpp"

namespace qheat {

/// The steady state from the even mixture, and once more from a random start, whose part of a second steady
/// state, or of a motion too slow to be seen in the equations, would stay.
class TwoStarts {
 public:
  /// How far two states found are from being one, and the currents of the first from balancing.
  struct Difference {
    double apart = std::numeric_limits<double>::infinity();
    double imbalance = std::numeric_limits<double>::infinity();
  };
  using Compare = std::function<Difference(std::span<const Complex>, std::span<const Complex>)>;
  enum class Outcome { found, not_converged, different, unbalanced };

  /// `allowed`: the largest difference of what is one state, and imbalance of its currents.
  TwoStarts(SteadySolver& solver, const TracedLiouvillian& a, double tolerance, double allowed,
            Compare compare, RunControl& control);

  Outcome solve(std::vector<Complex>& rho);
  /// That would be made of the start that was iterated last.
  double correction(const std::vector<Complex>& rho) const;
  /// Of the states found.
  const Difference& difference() const { return difference_; }

 private:
  /// First start; second, roughly and as far as the first; both farther.
  static constexpr std::size_t kLegs = 5;
  static constexpr std::size_t kSecondStart = 1;
  static constexpr std::size_t kFirstAgain = 3;

  Outcome failure() const;
  bool on_second() const { return leg_ >= kSecondStart; }
  bool iterate(std::vector<Complex>& rho);
  void start_elsewhere(const std::vector<Complex>& rho);
  void save(StateWriter& writer, std::vector<Complex>& rho);
  void load(StateReader& reader, std::vector<Complex>& rho);

  SteadySolver& solver_;
  const TracedLiouvillian& a_;
  double tolerance_;
  double allowed_;
  Compare compare_;
  RunControl& control_;
  std::size_t leg_ = 0;
  bool has_other_ = false;  ///< a rank may own nothing of it
  Difference difference_;
  std::vector<Complex> other_;
};

}  // namespace qheat
