#pragma once

#include <functional>
#include <span>
#include <vector>

#include "qheat/parallel/run_control.hpp"
#include "steady/steady_solver.hpp"

namespace qheat {

/// The steady state from the even mixture, and once more from a random start, whose part of a second steady
/// state, or of a motion too slow to be seen in the equations, would stay.
class TwoStarts {
 public:
  /// What two states found differ by.
  using Difference = std::function<double(std::span<const Complex>, std::span<const Complex>)>;
  enum class Outcome { found, not_converged, different };

  /// `allowed`: the largest difference of what is one state.
  TwoStarts(SteadySolver& solver, const TracedLiouvillian& a, double tolerance, double allowed,
            Difference difference, RunControl& control);

  Outcome solve(std::vector<Complex>& rho);
  /// That would be made of the start that was iterated last.
  double correction(const std::vector<Complex>& rho) const;
  /// Of the states found.
  double difference() const { return difference_; }

 private:
  /// First start; second, roughly and as far as the first; both farther.
  static constexpr std::size_t kLegs = 5;
  static constexpr std::size_t kSecondStart = 1;
  static constexpr std::size_t kFirstAgain = 3;

  bool on_second() const { return leg_ >= kSecondStart; }
  bool iterate(std::vector<Complex>& rho);
  void start_elsewhere(const std::vector<Complex>& rho);
  void save(StateWriter& writer, std::vector<Complex>& rho);
  void load(StateReader& reader, std::vector<Complex>& rho);

  SteadySolver& solver_;
  const TracedLiouvillian& a_;
  double tolerance_;
  double allowed_;
  Difference difference_of_;
  RunControl& control_;
  std::size_t leg_ = 0;
  bool has_other_ = false;  ///< a rank may own nothing of it
  double difference_ = 0.0;
  std::vector<Complex> other_;
};

}  // namespace qheat
