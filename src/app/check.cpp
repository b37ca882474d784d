#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <vector>

#include "app/commands.hpp"
#include "app/job_input.hpp"
#include "studies/study.hpp"

namespace qheat::app {
namespace {

std::string bath_text(const Bath& bath) {
  if (bath.closed()) return "none";
  if (!bath.correlation) {
    return fmt::format("dephasing gamma = {:g}, {} reservoir(s)", bath.dephasing, bath.reservoirs.size());
  }
  const auto& c = *bath.correlation;
  switch (c.kind) {
    case BathCorrelation::Kind::exponential:
      return fmt::format("correlation exp(-gamma t), gamma = {:g}", c.rate);
    case BathCorrelation::Kind::gaussian:
      return fmt::format("correlation exp(-(gamma t)^2/2), gamma = {:g}", c.rate);
    case BathCorrelation::Kind::bosons:
      break;
  }
  return fmt::format("bosons, alpha = {:g}, cutoff = {:g}, T = {:g}", c.alpha, c.cutoff, c.temperature);
}

void print_model(const Job& job) {
  const Model& model = *job.model;
  fmt::print("{}: valid\n", job.name);
  if (!job.title.empty()) fmt::print("title           {}\n", job.title);
  fmt::print("lattice         {} sites ({}), {} bonds{}\n", model.sites(),
             fmt::join(model.lattice.shape(), " x "), model.lattice.bond_count(),
             model.lattice.explicit_graph() ? " listed by hand" : "");
  fmt::print("sites           {} levels in {} bands\n", model.levels(), model.site.bands());
  fmt::print(
      "interaction     lambda = {:g}, {}, {}\n", model.strength, model.is_real() ? "real" : "complex",
      model.hamiltonian_conserves_bands() ? "keeps the number of sites in each band" : "mixes the bands");
  fmt::print("bath            {}\n", bath_text(model.bath));
  if (job.time) fmt::print("time            0 to {:g}, {} outputs\n", job.time->end, job.time->outputs);
}

void print_ranks(const std::vector<std::unique_ptr<Study>>& studies, double free_here) {
  const auto bytes = [](const Need& need) { return need.bytes_per_rank + need.kept_bytes_per_rank; };
  const Need one = total_need(studies, 1, free_here);
  fmt::print("ranks           memory a rank\n");
  for (int ranks = 1;; ranks *= 2) {
    const Need need = total_need(studies, ranks, free_here / ranks);
    fmt::print("{:>12}    {:.3g} GB{}\n", ranks, bytes(need) / 1e9,
               ranks <= one.sensible_ranks ? "" : "   (too many: more talk than work)");
    if (ranks > one.sensible_ranks || ranks >= 1 << 20) break;
  }
  fmt::print("advice          1 to {} rank(s) make sense; {:.3g} GB in all, {:.3g} GB are free here\n",
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
  if (!comm.is_root()) return 0;
  print_model(job);
  fmt::print("{}", report.text());
  print_ranks(studies, free_here);
  return 0;
}

}  // namespace qheat::app
