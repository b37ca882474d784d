#include "app/sweep_commands.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "app/job_input.hpp"
#include "app/model_text.hpp"
#include "app/output_file.hpp"
#include "io/console.hpp"
#include "io/version.hpp"
#include "parallel/on_root.hpp"
#include "qheat/io/checkpoint.hpp"
#include "qheat/parallel/error.hpp"
#include "studies/job_run.hpp"
#include "sweep/collection.hpp"
#include "sweep/survey.hpp"
#include "sweep/sweep_run.hpp"

namespace qheat::app {
namespace {

std::filesystem::path output_of(const Sweep& sweep, const RunArguments& arguments, const Communicator& comm) {
  return output_file(arguments.out ? *arguments.out : sweep.job(0).output, sweep.name(), comm);
}

std::string header(const Sweep& sweep, const Survey& survey, const Machine& machine) {
  const Job first = ready_job(sweep, 0);
  Report report;
  report.say("qheat {}   {}\n", kVersion, title_text(first));
  describe_sweep(sweep, survey, machine, report);
  report.say("first point:\n{}", model_text(first));
  return report.text();
}

/// Tells what is lacking and how to get it.
[[noreturn]] void fail_lacking(const Lacking& lacking) {
  std::string text;
  for (const auto& failure : lacking.failures) text += failure + "\n";
  if (lacking.missing.empty()) {
    throw Error(
        fmt::format("{}{} point(s) lack something: NaN in the results", text, lacking.failures.size()));
  }
  throw Error(fmt::format("{}{} point(s) without results: {}; compute them with run --resume", text,
                          lacking.missing.size(), ranges_text(lacking.missing)));
}

/// Puts all points together; fails after that if any lacks something.
int put_together(const Sweep& sweep, const PointFiles& files, const std::filesystem::path& output,
                 const Communicator& comm) {
  const Lacking lacking = collect_points(sweep, files, output, comm);
  if (comm.is_root()) {
    say("results         {}: {} of {} point(s)\n", output.string(),
        sweep.points() - static_cast<Index>(lacking.missing.size()), sweep.points());
  }
  const bool lacks = comm.any(!lacking.missing.empty() || !lacking.failures.empty());
  if (lacks) fail_lacking(lacking);
  return 0;
}

/// Of a share: its own points alone are looked at.
int end_of_share(const Sweep& sweep, const PointFiles& files, const Share& share, const Communicator& comm) {
  Lacking lacking;
  if (comm.is_root()) {
    const auto points = points_of(sweep, share);
    for (const Index point : points) {
      if (!files.is_finished(point)) lacking.missing.push_back(point);
      if (const auto why = files.failure(point); !why.empty())
        lacking.failures.push_back(fmt::format("point {} ({}): {}", point, sweep.label(point), why));
    }
    say("results         {} of {} point(s) of this share in {}; `qheat collect` puts all together\n",
        points.size() - lacking.missing.size(), points.size(), files.folder().string());
  }
  const bool lacks = comm.any(!lacking.missing.empty() || !lacking.failures.empty());
  if (lacks) fail_lacking(lacking);
  return 0;
}

}  // namespace

int run_sweep(const Sweep& sweep, const RunArguments& arguments, double started, const Communicator& comm) {
  const Machine machine = look_at_machine(comm);
  const Survey survey = survey_points(sweep, machine, comm);
  const auto output = output_of(sweep, arguments, comm);
  const PointFiles files(sweep, output);
  Progress progress(comm.is_root());
  if (comm.is_root()) {
    say(stdout, header(sweep, survey, machine));
    say("output          {} on {} rank(s)\n", output.string(), comm.size());
  }
  on_root(comm, [&] { files.prepare(arguments.resume); });
  const Share share = arguments.share.value_or(Share{});
  const auto locked =
      arguments.share ? files.folder() / fmt::format("share_{}_of_{}", share.number, share.of) : output;
  const OutputLock lock(locked, comm);
  try {
    run_points(
        sweep, survey, files,
        {.resume = arguments.resume, .max_time = arguments.max_time, .started = started, .share = share},
        machine, comm, progress);
  } catch (const Stopped&) {
    progress.log(fmt::format("stopped; what is done is in {}: go on with --resume", files.folder().string()));
    throw;
  }
  return arguments.share ? end_of_share(sweep, files, share, comm) : put_together(sweep, files, output, comm);
}

int check_sweep(const Sweep& sweep, const Communicator& comm) {
  const Machine machine = look_at_machine(comm);
  const Survey survey = survey_points(sweep, machine, comm);
  output_of(sweep, {}, comm);
  bool lost = comm.is_root() && !say(stdout, header(sweep, survey, machine));
  if (survey.impossible() > 0) {
    std::string text;
    for (const auto& obstacle : survey.obstacles) text += obstacle + "\n";
    throw Error(fmt::format("{}{} of {} point(s) cannot be computed here; `run` computes the others", text,
                            survey.impossible(), sweep.points()));
  }
  lost = (comm.is_root() && !say(stdout, fmt::format("{}: valid\n", sweep.name()))) || lost;
  if (comm.any(lost)) throw Error(kOutputLost);
  return 0;
}

int collect(const RunArguments& arguments, const Communicator& comm) {
  const Sweep sweep = read_sweep_on_all_ranks(arguments.job, comm);
  if (!sweep.swept())
    throw InputError(fmt::format("{} stands for one job; `run` writes its results", arguments.job));
  on_root(comm, [&] { sweep.job(0); });
  const auto output = output_of(sweep, arguments, comm);
  const PointFiles files(sweep, output);
  const OutputLock lock(output, comm);
  on_root(comm, [&] {
    if (!std::filesystem::exists(files.folder()))
      throw Error(fmt::format("there is no folder {}: no point has been computed", files.folder().string()));
    files.require_same_job();
  });
  return put_together(sweep, files, output, comm);
}

}  // namespace qheat::app
