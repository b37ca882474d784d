#pragma once

#include <chrono>
#include <string>

namespace qheat {

/// Tells how far a stage is and how long it still takes: on a terminal a line that is redrawn, from the first
/// second on; otherwise a log line after ten seconds, then one a minute. Writes to stderr; used on one rank.
class Progress {
 public:
  /// `enabled` false: silent (other ranks, tests).
  explicit Progress(bool enabled);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `stage`: what is under way; `fraction` in [0, 1] of it is done. May be called often.
  void update(const std::string& stage, double fraction);
  /// A line of its own, above the progress.
  void log(const std::string& message);

 private:
  using Clock = std::chrono::steady_clock;
  void clear_line();

  bool enabled_;
  bool terminal_;
  bool line_drawn_ = false;
  std::string stage_;
  double first_fraction_ = 0.0;
  Clock::time_point stage_start_;
  Clock::time_point next_line_;
};

/// "2h05m", "3m10s", "4.2s".
std::string format_seconds(double seconds);

}  // namespace qheat
