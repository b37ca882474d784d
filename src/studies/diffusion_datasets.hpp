#pragma once

#include <optional>
#include <span>
#include <string>

#include "qheat/io/results.hpp"
#include "qheat/transport/window.hpp"

namespace qheat {

/// The number that a D(t) settles at, or why it does not.
struct SettledDiffusion {
  const std::optional<Window>& window;
  double error;
  const std::string& obstacle;
};

/// Datasets and attributes that every route to D has in its group. True if there is a number.
inline bool write_diffusion(std::span<const double> diffusion, std::span<const double> error,
                            const SettledDiffusion& settled, const std::string& group, ResultsFile& file) {
  const auto times = static_cast<Index>(diffusion.size());
  file.dataset(group + "/diffusion", {times}, diffusion);
  file.dataset(group + "/diffusion_error", {times}, error);
  if (!settled.window) {
    file.attribute(group, "reason", settled.obstacle);
    return false;
  }
  const double window[2] = {settled.window->begin, settled.window->end};
  file.attribute(group, "value", settled.window->value);
  file.attribute(group, "error", settled.error);
  file.attribute(group, "window", std::span<const double>(window));
  return true;
}

}  // namespace qheat
