#include "studies/job_run.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "io/model_record.hpp"
#include "qheat/io/results.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/memory.hpp"
#include "studies/model_digest.hpp"

namespace qheat {
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

/// Largest resident set of each rank so far, libraries included. Collective.
std::vector<std::int64_t> peak_bytes_of_ranks(const Communicator& comm) {
  std::vector<double> peaks(as_size(comm.size()));
  at(peaks, comm.rank()) = peak_resident_bytes();
  comm.sum(std::span(peaks));
  return {peaks.begin(), peaks.end()};
}

RunIdentity identity_of(const Job& job) {
  return {.job_text = job.text,
          .digest = model_digest(job),
          .text_without_times = text_without_times(job.text),
          .end = job.time ? job.time->end : 0.0,
          .outputs = job.time ? job.time->outputs : 0};
}

JobOutcome outcome_of(const Studies& studies, const std::vector<std::int64_t>& peaks) {
  Report report;
  JobOutcome outcome;
  for (const auto& study : studies) {
    study->summarize(report);
    for (auto& failure : study->failures()) outcome.failures.push_back(std::move(failure));
  }
  report.say("memory          {:.3g} GB at the most on one rank\n",
             1e-9 * static_cast<double>(*std::max_element(peaks.begin(), peaks.end())));
  outcome.summary = report.text();
  return outcome;
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

Job ready_job(const Sweep& sweep, Index point) {
  Job job = sweep.job(point);
  if (!job.unavailable.empty()) throw InputError(job.unavailable);
  if (job.model && !job.initial) {  // a kernel alone: all cells
    const std::vector<double> hot(as_size(job.model->sites()), std::numeric_limits<double>::infinity());
    job.initial = InitialState::thermal(*job.model, hot);
  }
  return job;
}

void require_doable(const Job& job, const Machine& machine, const Communicator& comm) {
  UninterruptedRun control;
  Progress silent(false);
  Timings timings;
  const Studies studies = studies_of(job, {comm, control, silent, timings});
  require_possible(studies);
  require_fit(studies, machine);
}

JobOutcome run_job(const JobRun& run, const Communicator& comm, Progress& progress, Timings& timings) {
  auto preparing = std::make_unique<Timings::Scope>(timings, "preparing the run");
  const OutputLock lock(run.output, comm);
  CheckpointOptions options = run.checkpoint;
  options.file = std::filesystem::path(run.output.string() + ".chk");
  options.keep_state = run.job.keep_state;
  CheckpointedRun control(options, identity_of(run.job), run.started, comm, progress);
  const Studies studies = studies_of(run.job, {comm, control, progress, timings});
  preparing.reset();
  try {
    for (const auto& study : studies) study->compute();
    const auto peaks = peak_bytes_of_ranks(comm);
    ResultsFile size(comm);
    write_all(run.job, studies, run.begun, timings, peaks, size);
    ResultsFile file(run.output, comm, size.bytes());
    write_all(run.job, studies, run.begun, timings, peaks, file);  // may evaluate kernels again
    commit(file, control);
  } catch (const Stopped&) {
    progress.log(fmt::format("stopped; the state is in {}: go on with --resume", options.file.string()));
    throw;
  }
  control.discard();
  return outcome_of(studies, peak_bytes_of_ranks(comm));
}

}  // namespace qheat
