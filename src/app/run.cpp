#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>

#include "app/commands.hpp"
#include "app/job_input.hpp"
#include "app/model_text.hpp"
#include "app/output_file.hpp"
#include "io/console.hpp"
#include "io/model_record.hpp"
#include "io/version.hpp"
#include "qheat/io/checkpoint.hpp"
#include "qheat/io/results.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/memory.hpp"
#include "qheat/parallel/stop_signals.hpp"
#include "studies/requirements.hpp"
#include "studies/study.hpp"

namespace qheat::app {
namespace {

using Studies = std::vector<std::unique_ptr<Study>>;

/// `started`: by MPI_Wtime, when the run began.
void write_all(const Job& job, const Studies& studies, double started, Timings& timings,
               const std::vector<std::int64_t>& peaks, ResultsFile& file) {
  const double writing = MPI_Wtime();
  write_model(job, file);
  for (const auto& study : studies) study->write(file);
  auto& phase = timings.phase("writing results");
  phase.seconds += MPI_Wtime() - writing;
  ++phase.calls;
  timings.phase("whole run") = {.seconds = MPI_Wtime() - started, .calls = 1};
  file.timings(timings);
  file.dataset("/timing/peak_bytes", {static_cast<Index>(peaks.size())}, peaks);
}

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

/// Largest resident set of each rank so far, libraries included. Collective.
std::vector<std::int64_t> peak_bytes_of_ranks(const Communicator& comm) {
  std::vector<double> peaks(static_cast<std::size_t>(comm.size()));
  peaks[static_cast<std::size_t>(comm.rank())] = peak_resident_bytes();
  comm.sum(std::span(peaks));
  return {peaks.begin(), peaks.end()};
}

void print_summary(const Studies& studies, const std::vector<std::int64_t>& peaks, const Communicator& comm) {
  Report report;
  report.say("\n");
  for (const auto& study : studies) study->summarize(report);
  report.say("memory          {:.3g} GB at the most on one rank\n",
             1e-9 * static_cast<double>(*std::max_element(peaks.begin(), peaks.end())));
  if (comm.is_root()) say(stdout, report.text());
}

void require_complete(const Studies& studies) {
  std::size_t failures = 0;
  for (const auto& study : studies) failures += study->failures().size();
  if (failures == 0) return;
  throw Error(fmt::format(
      "{} part(s) could not be computed: they are NaN in the results, and the table says why", failures));
}

/// Results that could not be written whole leave the checkpoint to a run that tries again.
void commit(ResultsFile& file, CheckpointedRun& control) {
  try {
    file.commit();
  } catch (const Error&) {
    control.keep();
    throw;
  }
}

}  // namespace

int run(const RunArguments& arguments, double started, const Communicator& comm) {
  Timings timings;
  auto reading = std::make_unique<Timings::Scope>(timings, "reading the job");
  const Job job = read_job_on_all_ranks(arguments.job, comm);
  reading.reset();
  auto preparing = std::make_unique<Timings::Scope>(timings, "preparing the run");
  catch_stop_signals();           // not before: a pipe as job file may never end
  std::signal(SIGPIPE, SIG_IGN);  // results matter more than a log that nobody reads any more
  const std::filesystem::path output =
      output_file(arguments.out ? *arguments.out : job.output, arguments.job, comm);
  Progress progress(comm.is_root());
  prepare(job, output, comm);
  const OutputLock lock(output, comm);
  const std::filesystem::path checkpoint(output.string() + ".chk");
  CheckpointedRun control({.file = checkpoint,
                           .interval = job.checkpoint_interval,
                           .max_time = arguments.max_time,
                           .resume = arguments.resume,
                           .keep_state = job.keep_state},
                          {.job_text = job.text,
                           .digest = model_digest(job),
                           .text_without_times = text_without_times(job.text),
                           .end = job.time ? job.time->end : 0.0,
                           .outputs = job.time ? job.time->outputs : 0},
                          started, comm, progress);
  const Studies studies = studies_of(job, {comm, control, progress, timings});
  preparing.reset();
  try {
    for (const auto& study : studies) study->compute();
    const auto peaks = peak_bytes_of_ranks(comm);
    ResultsFile size(comm);
    write_all(job, studies, started, timings, peaks, size);
    ResultsFile file(output, comm, size.bytes());
    write_all(job, studies, started, timings, peaks, file);  // may evaluate kernels again, with safe points
    commit(file, control);
  } catch (const Stopped&) {
    progress.log(fmt::format("stopped; the state is in {}: go on with --resume", checkpoint.string()));
    throw;
  }
  control.discard();
  print_summary(studies, peak_bytes_of_ranks(comm), comm);
  if (comm.is_root()) {
    say("results         {} after {}\n", output.string(), format_seconds(MPI_Wtime() - started));
    if (std::ferror(stdout) != 0)
      say(stderr, fmt::format("qheat: warning: the log on standard output could not be written; the results "
                              "are in {}\n",
                              output.string()));
  }
  require_complete(studies);
  return 0;
}

}  // namespace qheat::app
