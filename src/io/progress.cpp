#include "qheat/io/progress.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "io/console.hpp"

namespace qheat {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kFirstOnTerminal{1000};
constexpr milliseconds kOnTerminal{200};
constexpr milliseconds kFirstInLog{10000};
constexpr milliseconds kInLog{60000};

}  // namespace

std::string format_seconds(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f}s", seconds);
  const auto whole = std::llround(seconds);
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
  return fmt::format("{}d{:02}h", whole / 86400, whole % 86400 / 3600);
}

Progress::Progress(bool enabled)
    : enabled_(enabled),
      terminal_(isatty(STDERR_FILENO) != 0),
      stage_start_(Clock::now()),
      next_line_(stage_start_ + (terminal_ ? kFirstOnTerminal : kFirstInLog)) {}

Progress::~Progress() {
  clear_line();
}

void Progress::clear_line() {
  if (!line_drawn_) return;
  put(stderr, "\r\033[K");
  line_drawn_ = false;
}

void Progress::update(const std::string& stage, double fraction) {
  if (!enabled_) return;
  const auto now = Clock::now();
  if (stage != stage_) {
    stage_ = stage;
    first_fraction_ = fraction;  // of a resumed stage: its speed is that of this run
    stage_start_ = now;
  }
  if (now < next_line_) return;  // whatever the stage: many short ones are a long wait as well
  next_line_ = now + (terminal_ ? kOnTerminal : kInLog);
  const double elapsed = std::chrono::duration<double>(now - stage_start_).count();
  const double advanced = fraction - first_fraction_;
  const std::string left =
      advanced > 0.0 ? fmt::format(", {} left", format_seconds(elapsed * (1.0 - fraction) / advanced)) : "";
  const std::string text = fmt::format("{}: {:.0f} %{}", stage, 100.0 * std::clamp(fraction, 0.0, 1.0), left);
  if (terminal_) {
    put(stderr, fmt::format("\r\033[K  {}", printable(text, 200)));
    line_drawn_ = true;
  } else {
    log(text);
  }
}

void Progress::log(const std::string& message) {
  if (!enabled_) return;
  clear_line();
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  say(stderr, fmt::format("[{:%H:%M:%S}] {}\n", local, message));
}

}  // namespace qheat
