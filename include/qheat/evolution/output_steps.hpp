#pragma once

#include <span>
#include <vector>

namespace qheat {

/// What is done between two safe points: part of the way to an output, or a few outputs.
struct OutputSteps {
  std::vector<double> dts;  ///< intervals from now, ascending
  bool reach_outputs;       ///< or a part of the way to one
};

/// The next steps of a propagation that has passed all outputs before number `time` of the ascending `times`,
/// and since then `elapsed`. Short enough that safe points come often: `radius`, half the width of the
/// spectrum, times the length of a step is at most some tens. At most `at_once` outputs.
OutputSteps next_output_steps(std::span<const double> times, std::size_t time, double elapsed, double radius,
                              int at_once);

}  // namespace qheat
