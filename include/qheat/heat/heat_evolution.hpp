#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "qheat/heat/heat_equation.hpp"
#include "qheat/parallel/run_control.hpp"

namespace qheat {

/// Where an integration of the heat equation is.
struct HeatState {
  double time = 0.0;
  double step = 0.0;                ///< that is tried next; 0: not known yet
  std::vector<double> temperature;  ///< field
  std::array<double, 6> through{};  ///< energy that has come in through each face of the block
  double supplied = 0.0;            ///< energy from sources
  std::int64_t steps = 0;           ///< taken
  std::int64_t iterations = 0;      ///< of linear solvers
};

/// Integrates the heat equation by the L-stable SDIRK method of order 4 of Hairer and Wanner (Solving
/// Ordinary Differential Equations II, table 6.5) with steps whose error, by the method of order 3 in it,
/// stays below `tolerance` of the largest temperature. PETSc's integrators hold complex vectors here, which
/// would double all that is moved.
class HeatEvolution {
 public:
  HeatEvolution(HeatEquation& equation, double tolerance) : equation_(equation), tolerance_(tolerance) {}

  /// Goes on from `state` and calls observe(k, state) at times[k], which are hit exactly, from the first one
  /// on that is not before the state's. Saves its state through `control` after every step. Collective.
  void run(HeatState& state, const std::vector<double>& times, RunControl& control,
           const std::function<void(std::size_t, const HeatState&)>& observe,
           const RunControl::Save& save_more, const RunControl::Load& load_more);

 private:
  /// One step; the error over what is allowed. What is above 1 is not to be kept.
  double take(const HeatState& from, double step, HeatState& to);
  double first_step(const HeatState& state, double span);

  HeatEquation& equation_;
  double tolerance_;
};

}  // namespace qheat
