#include <fmt/format.h>

#include <memory>
#include <vector>

#include "app/commands.hpp"
#include "app/job_input.hpp"
#include "app/model_text.hpp"
#include "io/console.hpp"
#include "studies/study.hpp"

namespace qheat::app {
namespace {

std::string header_text(const Job& job) {
  std::string text = fmt::format("{}: valid\n", job.name);
  if (!job.title.empty()) text += fmt::format("title           {}\n", title_text(job));
  return text + model_text(job);
}

void say_ranks(const std::vector<std::unique_ptr<Study>>& studies, double free_here, Report& report) {
  const auto bytes = [](const Need& need) { return need.bytes_per_rank + need.kept_bytes_per_rank; };
  const Need one = total_need(studies, 1, free_here);
  report.say("ranks           memory a rank\n");
  for (int ranks = 1;; ranks *= 2) {
    const Need need = total_need(studies, ranks, free_here / ranks);
    report.say("{:>12}    {:.3g} GB{}\n", ranks, bytes(need) / 1e9,
               ranks <= one.sensible_ranks ? "" : "   (too many: more talk than work)");
    if (ranks > one.sensible_ranks || ranks >= 1 << 20) break;
  }
  report.say("advice          1 to {} rank(s) make sense; {:.3g} GB in all, {:.3g} GB are free here\n",
             one.sensible_ranks, bytes(one) / 1e9, free_here / 1e9);
}

}  // namespace

int check(const std::string& name, const Communicator& comm) {
  const Job job = read_job_on_all_ranks(name, comm);
  UninterruptedRun control;
  Progress silent(false);
  Timings timings;
  const StudyContext context{comm, control, silent, timings};
  const double free_here = context.free_bytes() * comm.size();
  const auto studies = studies_of(job, context);
  Report report;
  for (const auto& study : studies) {
    study->require_possible(comm.size(), 0.0);
    study->describe(report);
  }
  say_ranks(studies, free_here, report);
  const bool lost = comm.is_root() && !say(stdout, header_text(job) + report.text());
  if (comm.any(lost)) throw Error(kOutputLost);
  return 0;
}

}  // namespace qheat::app
