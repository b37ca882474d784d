#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include "app/commands.hpp"
#include "app/job_input.hpp"
#include "app/model_text.hpp"
#include "app/output_file.hpp"
#include "app/sweep_commands.hpp"
#include "io/console.hpp"
#include "io/version.hpp"
#include "io/xdmf.hpp"
#include "parallel/on_root.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/stop_signals.hpp"
#include "studies/job_run.hpp"

namespace qheat::app {
namespace {

using Studies = std::vector<std::unique_ptr<Study>>;

void print_header(const Job& job, const std::filesystem::path& output, const Studies& studies,
                  const Machine& machine, const Communicator& comm) {
  Report report;
  report.say("qheat {}   {}\n{}", kVersion, title_text(job), model_text(job));
  for (const auto& study : studies) study->describe(report);
  say_requirement(studies, machine, report);
  report.say("output          {} on {} rank(s)\n", output.string(), comm.size());
  if (comm.is_root()) say(stdout, report.text());
}

/// Refuses what cannot be done before anything is computed or locked, and tells what will be.
void prepare(const Job& job, const std::filesystem::path& output, const Communicator& comm) {
  UninterruptedRun control;
  Progress silent(false);
  Timings timings;
  const Studies studies = studies_of(job, {comm, control, silent, timings});
  require_possible(studies);
  const Machine machine = look_at_machine(comm);
  require_fit(studies, machine);
  print_header(job, output, studies, machine, comm);
}

void tell_end(const std::filesystem::path& output, double started) {
  say("results         {} after {}\n", output.string(), format_seconds(MPI_Wtime() - started));
  if (std::ferror(stdout) == 0) return;
  say(stderr, fmt::format("qheat: warning: the log on standard output could not be written; the results "
                          "are in {}\n",
                          output.string()));
}

int run_one(const Job& job, const RunArguments& arguments, double started, const Communicator& comm,
            Timings& timings) {
  auto preparing = std::make_unique<Timings::Scope>(timings, "preparing the run");
  const std::filesystem::path output =
      output_file(arguments.out ? *arguments.out : job.output, arguments.job, comm);
  prepare(job, output, comm);
  preparing.reset();
  Progress progress(comm.is_root());
  const JobRun run{.job = job,
                   .output = output,
                   .checkpoint = {.file = {},
                                  .interval = job.checkpoint_interval,
                                  .max_time = arguments.max_time,
                                  .resume = arguments.resume},
                   .started = started,
                   .begun = started};
  const JobOutcome outcome = run_job(run, comm, progress, timings);
  if (comm.is_root()) {
    say(stdout, "\n" + outcome.summary);
    tell_end(output, started);
  }
  if (job.heat) on_root(comm, [&] { write_xdmf(output); });
  if (outcome.failures.empty()) return 0;
  throw Error(
      fmt::format("{} part(s) could not be computed: they are NaN in the results, and the table says why",
                  outcome.failures.size()));
}

}  // namespace

int run(const RunArguments& arguments, double started, const Communicator& comm) {
  Timings timings;
  auto reading = std::make_unique<Timings::Scope>(timings, "reading the job");
  const Sweep sweep = read_sweep_on_all_ranks(arguments.job, comm);
  reading.reset();
  catch_stop_signals();           // not before: a pipe as job file may never end
  std::signal(SIGPIPE, SIG_IGN);  // results matter more than a log that nobody reads any more
  if (sweep.swept()) return run_sweep(sweep, arguments, started, comm);
  if (arguments.share)
    throw InputError(fmt::format("--point: {} stands for one job; add [sweep]", arguments.job));
  return run_one(ready_job(sweep, 0), arguments, started, comm, timings);
}

}  // namespace qheat::app
