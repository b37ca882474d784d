#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "app/commands.hpp"
#include "app/job_input.hpp"
#include "app/output_file.hpp"
#include "studies/requirements.hpp"
#include "studies/sensible_ranks.hpp"
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

/// Memory and time on 1, 2, 4, ... ranks as long as they gain.
void print_ranks(const std::vector<std::unique_ptr<Study>>& studies, const Machine& machine) {
  const int sensible = total_need(studies, 1, machine.free_bytes * machine.ranks).sensible_ranks;
  constexpr int kMostListed = 1024;
  fmt::print("ranks           memory a rank at least, to be quick      time\n");
  for (int ranks = 1; ranks <= std::min(sensible, kMostListed); ranks *= 2) {
    const Requirement need = requirement(studies, ranks, machine);
    fmt::print("{:>12}    {:>12.3g} GB {:>16.3g} GB      about {}\n", ranks, need.least_bytes / 1e9,
               need.quick_bytes / 1e9, rough_time(need.seconds));
  }
  if (sensible == 1) {
    fmt::print("advice          1 rank: with more there is more talk than work\n");
  } else if (sensible >= kMostSensibleRanks) {
    fmt::print("advice          as many ranks as there are cores, up to {} and more\n", sensible);
  } else {
    fmt::print("advice          up to {} ranks make sense: with more there is more talk than work\n",
               sensible);
  }
}

}  // namespace

int check(const std::string& name, const Communicator& comm) {
  const Job job = read_job_on_all_ranks(name, comm);
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
  if (comm.is_root()) {
    print_model(job);
    fmt::print("{}", report.text());
    print_ranks(studies, machine);
    std::fflush(stdout);
  }
  require_fit(studies, machine);
  if (comm.is_root()) fmt::print("{}: valid\n", job.name);
  return 0;
}

}  // namespace qheat::app
