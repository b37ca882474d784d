#include "studies/requirements.hpp"

#include <algorithm>
#include <cmath>

#include "qheat/operators/machine_speed.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/memory.hpp"

namespace qheat {
namespace {

double gigabytes(double bytes) {
  return bytes / 1e9;
}

/// With what the machine's ranks use anyway.
double whole_bytes(double need, const Machine& machine) {
  return std::max(machine.peak_bytes, machine.base_bytes + need);
}

}  // namespace

Machine look_at_machine(const Communicator& comm) {
  Machine machine;
  machine.ranks = comm.size();
  machine.speed = measure_machine_speed(comm);
  machine.base_bytes = comm.max(resident_bytes());
  machine.peak_bytes = comm.max(peak_resident_bytes());
  machine.free_bytes = free_bytes_per_rank(comm);
  return machine;
}

Requirement requirement(const std::vector<std::unique_ptr<Study>>& studies, int ranks,
                        const Machine& machine) {
  const Need need = total_need(studies, ranks, machine.free_bytes * machine.ranks / ranks);
  const double seconds = need.work.seconds(machine.speed) / std::min(ranks, need.sensible_ranks);
  return {.least_bytes = whole_bytes(need.least_bytes_per_rank + need.kept_bytes_per_rank, machine),
          .quick_bytes = whole_bytes(need.bytes_per_rank + need.kept_bytes_per_rank, machine),
          .seconds = seconds};
}

void require_possible(const std::vector<std::unique_ptr<Study>>& studies) {
  for (const auto& study : studies) study->require_possible();
}

void require_fit(const std::vector<std::unique_ptr<Study>>& studies, const Machine& machine) {
  const Need need = total_need(studies, machine.ranks, machine.free_bytes);
  if (fits_memory(need.least_bytes_per_rank + need.kept_bytes_per_rank, machine.free_bytes)) return;
  const Requirement whole = requirement(studies, machine.ranks, machine);
  throw Error(fmt::format(
      "{} does not fit here: it needs at least {:.3g} GB a rank, {:.3g} GB to be quick, on each of {} "
      "rank(s), but {:.3g} GB are free for each, of which {:.0f} % may be planned with; {}",
      need.what, gigabytes(whole.least_bytes), gigabytes(whole.quick_bytes), machine.ranks,
      gigabytes(machine.free_bytes), 100.0 * kUsableShare, need.remedy));
}

void say_requirement(const std::vector<std::unique_ptr<Study>>& studies, const Machine& machine,
                     Report& report) {
  const Requirement need = requirement(studies, machine.ranks, machine);
  report.say("memory          at least {:.3g} GB a rank, {:.3g} GB to be quick, {:.2g} GB of it the program",
             gigabytes(need.least_bytes), gigabytes(need.quick_bytes), gigabytes(machine.base_bytes));
  if (machine.free_bytes > 0.0) report.say("; {:.3g} GB are free", gigabytes(machine.free_bytes));
  report.say("\n");
  report.say("time            about {} on {} rank(s), if nothing else runs here\n", rough_time(need.seconds),
             machine.ranks);
}

std::string rough_time(double seconds) {
  struct TimeUnit {
    double seconds;
    const char* name;
  };
  constexpr TimeUnit kUnits[] = {
      {1.0, "s"}, {60.0, "min"}, {3600.0, "h"}, {86400.0, "days"}, {3.156e7, "years"}};
  if (std::isnan(seconds)) return "an unknown time";
  if (seconds < 1.0) return fmt::format("{:.1g} s", std::max(0.1, seconds));
  const TimeUnit* unit = kUnits;
  for (const TimeUnit& next : kUnits) {
    if (seconds >= 2.0 * next.seconds) unit = &next;
  }
  const double value = seconds / unit->seconds;
  if (value > 1e6) return fmt::format("more than a million {}", unit->name);
  const double digit = std::pow(10.0, std::max(0.0, std::floor(std::log10(value)) - 1.0));
  return fmt::format("{:.0f} {}", std::round(value / digit) * digit, unit->name);
}

}  // namespace qheat
