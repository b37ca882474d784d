#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "app/commands.hpp"
#include "app/job_input.hpp"
#include "app/model_text.hpp"
#include "app/output_file.hpp"
#include "app/sweep_commands.hpp"
#include "io/console.hpp"
#include "qheat/parallel/error.hpp"
#include "studies/job_run.hpp"
#include "studies/requirements.hpp"
#include "studies/sensible_ranks.hpp"
#include "studies/study.hpp"

namespace qheat::app {
namespace {

std::string header_text(const Job& job) {
  const std::string title = job.title.empty() ? "" : fmt::format("title           {}\n", title_text(job));
  return title + model_text(job);
}

/// Memory and time on 1, 2, 4, ... ranks as long as they gain.
void say_ranks(const std::vector<std::unique_ptr<Study>>& studies, const Machine& machine, Report& report) {
  const int sensible = total_need(studies, 1, machine.free_bytes * machine.ranks).sensible_ranks;
  constexpr int kMostListed = 1024;
  report.say("ranks           memory a rank at least, to be quick      time\n");
  for (int ranks = 1; ranks <= std::min(sensible, kMostListed); ranks *= 2) {
    const Requirement need = requirement(studies, ranks, machine);
    report.say("{:>12}    {:>12.3g} GB {:>16.3g} GB      about {}\n", ranks, need.least_bytes / 1e9,
               need.quick_bytes / 1e9, rough_time(need.seconds));
  }
  if (sensible == 1) {
    report.say("advice          1 rank: with more there is more talk than work\n");
  } else if (sensible >= kMostSensibleRanks) {
    report.say("advice          as many ranks as there are cores, up to {} and more\n", sensible);
  } else {
    report.say("advice          up to {} ranks make sense: with more there is more talk than work\n",
               sensible);
  }
}

}  // namespace

int check(const std::string& name, const Communicator& comm) {
  const Sweep sweep = read_sweep_on_all_ranks(name, comm);
  if (sweep.swept()) return check_sweep(sweep, comm);
  const Job job = ready_job(sweep, 0);
  output_file(job.output, name, comm);
  UninterruptedRun control;
  Progress silent(false);
  Timings timings;
  const auto studies = studies_of(job, {comm, control, silent, timings});
  require_possible(studies);
  const Machine machine = look_at_machine(comm);
  Report report;
  for (const auto& study : studies) study->describe(report);
  say_requirement(studies, machine, report);
  say_ranks(studies, machine, report);
  bool lost = comm.is_root() && !say(stdout, header_text(job) + report.text());
  require_fit(studies, machine);
  lost = (comm.is_root() && !say(stdout, fmt::format("{}: valid\n", job.name))) || lost;
  if (comm.any(lost)) throw Error(kOutputLost);
  return 0;
}

}  // namespace qheat::app
