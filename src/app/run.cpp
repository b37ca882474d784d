#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "app/commands.hpp"
#include "app/job_input.hpp"
#include "app/output_file.hpp"
#include "app/requests.hpp"
#include "io/console.hpp"
#include "io/version.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/io/checkpoint.hpp"
#include "qheat/io/results.hpp"
#include "qheat/kernel/second_order.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/memory.hpp"
#include "qheat/rates/solve.hpp"

namespace qheat::app {
namespace {

/// Everything that the requested computations gave.
struct Findings {
  std::optional<ExactResult> exact;
  std::optional<SecondOrderKernel> second_order;
  std::optional<RateSolution> many_body;
  std::optional<RateSolution> sites;
};

class JobRun {
 public:
  JobRun(const Job& job, const Communicator& comm, RunControl& control, Progress& progress)
      : job_(job),
        model_(*job.model),
        times_(job.time->times()),
        comm_(comm),
        control_(control),
        progress_(progress) {}

  Findings compute() {
    Findings found;
    if (job_.exact) {
      const Stage stage(control_, "exact");
      progress_.log("exact propagation");
      const Timings::Scope scope(timings_, "exact");
      found.exact = propagate_exact(model_, *job_.initial, times_, exact_options(*job_.exact), comm_,
                                    control_, timings_);
    }
    if (wants_second_order(job_)) {
      const Timings::Scope scope(timings_, "second-order kernel");
      found.second_order.emplace(model_);
    }
    if (wants_second_order_rates(job_)) {
      const RateOptions options{.tolerance = job_.rates->tolerance};
      {
        const Stage stage(control_, "many-body-tcl2");
        progress_.log("many-body gain-loss equation, second-order kernel");
        found.many_body = solve_many_body(model_, *job_.initial, *found.second_order, times_, options, comm_,
                                          control_, timings_);
      }
      const Stage stage(control_, "sites-tcl2");
      found.sites =
          solve_sites(model_, *job_.initial, *found.second_order, times_, options, comm_, control_, timings_);
    }
    return found;
  }

  void write(const Findings& found, ResultsFile& file) const {
    write_model(file);
    if (found.exact) {
      write_exact(file, found.exact->mean, "");
      if (found.exact->error) write_exact(file, *found.exact->error, "_error");
      file.dataset("/exact/truncation_error", {outputs()}, found.exact->truncation_error);
      if (const auto& watch = found.exact->watch) {
        file.dataset("/exact/smallest_population", {outputs()}, watch->smallest_population);
        file.dataset("/exact/hermiticity_error", {outputs()}, watch->hermiticity_error);
      }
    }
    if (found.second_order) write_kernel(file, *found.second_order);
    const std::vector<Index> populations_shape = {outputs(), sites(), model_.site.bands()};
    if (found.many_body) {
      file.dataset("/rates/tcl2/populations", populations_shape, found.many_body->populations);
      file.dataset("/rates/tcl2/energy", {outputs(), sites()}, found.many_body->energy);
      warn_about_uneven_start(file, "/rates/tcl2");
    }
    if (found.sites) {
      file.dataset("/sites/tcl2/populations", populations_shape, found.sites->populations);
      file.dataset("/sites/tcl2/energy", {outputs(), sites()}, found.sites->energy);
      if (found.exact) {
        file.dataset("/sites/tcl2/closure_error", {outputs()}, closure(found));
      }
    }
    file.timings(timings_);
  }

  /// A table for the reader at the end.
  void summarize(const Findings& found) const {
    if (!comm_.is_root()) return;
    const double end = times_.back();
    say("\n");
    if (found.exact) {
      const auto& exact = found.exact->mean;
      const auto drift = [](const std::vector<double>& series) {
        double largest = 0.0;
        for (const double value : series) largest = std::max(largest, std::abs(value - series.front()));
        return largest;
      };
      if (found.exact->watch) {
        say_watch(*found.exact->watch, drift(exact.norm));
      } else {
        say("exact           norm kept to {:.1e}, total energy to {:.1e}{}\n", drift(exact.norm),
            drift(exact.total_energy), found.exact->error ? " (sampled: see the _error datasets)" : "");
      }
    }
    if (found.exact && found.many_body) {
      say("many-body tcl2  differs from exact by at most {:.2g} in a population (up to t = {:g})\n",
          largest_difference(found.many_body->populations, exact_bands(found)), end);
    }
    if (found.exact && found.sites) {
      const auto errors = closure(found);
      double worst = std::nan("");
      for (const double e : errors)
        worst = std::isnan(worst) ? e : std::max(worst, std::isnan(e) ? worst : e);
      say("site equation   closure error at most {:.2g}, {:.2g} at the end\n", worst, errors.back());
    }
    if (found.many_body && found.sites) {
      say("                differs from the many-body equation by at most {:.2g}\n",
          largest_difference(found.many_body->populations, found.sites->populations));
    }
  }

 private:
  /// What a density matrix must keep, with a warning if rounding or truncation has spoilt it.
  static void say_watch(const DensityWatch& watch, double trace_drift) {
    const double population =
        *std::min_element(watch.smallest_population.begin(), watch.smallest_population.end());
    const double hermiticity =
        *std::max_element(watch.hermiticity_error.begin(), watch.hermiticity_error.end());
    say("exact           trace kept to {:.1e}, Hermiticity to {:.1e}, smallest population {:.1e}\n",
        trace_drift, hermiticity, population);
    constexpr double kNoticeable = 1e-7;
    if (std::max({trace_drift, hermiticity, -population}) > kNoticeable)
      say("                WARNING: the density matrix drifts; lower exact.tolerance\n");
  }

  Index outputs() const { return static_cast<Index>(times_.size()); }
  Index sites() const { return model_.sites(); }
  Index bonds() const { return model_.lattice.bond_count(); }

  std::vector<double> exact_bands(const Findings& found) const {
    return band_populations(model_, found.exact->mean.populations);
  }
  std::vector<double> closure(const Findings& found) const {
    return closure_error(model_, found.sites->populations, exact_bands(found));
  }
  static double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
    double largest = 0.0;
    for (std::size_t e = 0; e < a.size(); ++e) largest = std::max(largest, std::abs(a[e] - b[e]));
    return largest;
  }

  void write_model(ResultsFile& file) const {
    file.text("/job", job_.text);
    if (!job_.title.empty()) file.attribute("/", "title", job_.title);
    file.dataset("/time", {outputs()}, times_);
    file.dataset("/model/site_energies", {sites(), model_.levels()}, model_.energies);
    std::vector<std::int64_t> ends;
    for (const Bond& bond : model_.lattice.bonds()) ends.insert(ends.end(), {bond.first, bond.second});
    file.dataset("/model/bonds", {bonds(), 2}, ends);
  }

  void write_exact(ResultsFile& file, const Observations& values, const std::string& suffix) const {
    file.dataset("/exact/populations" + suffix, {outputs(), sites(), model_.levels()}, values.populations);
    file.dataset("/exact/energy" + suffix, {outputs(), sites()}, values.energy);
    file.dataset("/exact/outflow" + suffix, {outputs(), bonds(), 2}, values.outflow);
    file.dataset("/exact/current" + suffix, {outputs(), bonds()}, values.current);
    file.dataset("/exact/norm" + suffix, {outputs()}, values.norm);
    file.dataset("/exact/total_energy" + suffix, {outputs()}, values.total_energy);
  }

  void write_kernel(ResultsFile& file, const SecondOrderKernel& kernel) const {
    file.dataset("/kernel/tcl2/bond_rate", {outputs(), bonds()},
                 bond_rate_series(model_, *job_.initial, kernel, times_));
    warn_about_uneven_start(file, "/kernel/tcl2");
    if (!stores_generators(job_)) return;
    const Index cell_count = cell_dimension(model_, *job_.initial);
    const std::vector<Index> shape = {cell_count, cell_count};
    if (!file.writes()) {
      file.dataset("/kernel/cells", {cell_count, sites()}, std::span<const std::int64_t>());
      file.series("/kernel/tcl2/generator", outputs(), shape);
      return;
    }
    const Sector cells = cell_sector(model_, *job_.initial);
    file.dataset("/kernel/cells", {cell_count, sites()}, bands_of(cells));
    file.series("/kernel/tcl2/generator", outputs(), shape);
    for (std::size_t k = 0; k < times_.size(); ++k) {
      file.slice("/kernel/tcl2/generator", static_cast<Index>(k),
                 dense_generator(cells, kernel.at(times_[k])));
    }
  }

  /// Band of each site in each cell, [C][N].
  std::vector<std::int64_t> bands_of(const Sector& cells) const {
    std::vector<std::int64_t> bands;
    std::vector<Level> configuration(static_cast<std::size_t>(sites()));
    for (Index cell = 0; cell < cells.dimension(); ++cell) {
      cells.configuration(cell, configuration);
      bands.insert(bands.end(), configuration.begin(), configuration.end());
    }
    return bands;
  }

  void warn_about_uneven_start(ResultsFile& file, const std::string& group) const {
    if (even_in_bands(model_, *job_.initial)) return;
    file.attribute(group, "warning",
                   "the job does not start evenly mixed inside its bands; kernel and rate equations describe "
                   "the evenly mixed start");
  }

  const Job& job_;
  const Model& model_;
  std::vector<double> times_;
  Communicator comm_;
  RunControl& control_;
  Progress& progress_;
  Timings timings_;
};

std::string basis_text(const Job& job) {
  if (!job.exact) {
    const auto cells = cell_count(job);
    return cells ? fmt::format("{} cells", *cells) : "more than 2^63 cells";
  }
  if (!job.model->bath.closed()) {
    const auto counts = density_counts(*job.model, *job.initial);
    const std::string blocks = counts.size() > 1 ? fmt::format(" in {} blocks", counts.size()) : "";
    return fmt::format("density matrix of {} elements{}", density_dimension(*job.model, counts), blocks);
  }
  const auto sectors = sector_counts(*job.model, *job.initial);
  if (sectors.size() > 1) return fmt::format("{} sectors", sectors.size());
  const Index dimension = level_sector_dimension(*job.model, sectors.front());
  if (sectors.front().empty()) return fmt::format("full space of {} states", dimension);
  return fmt::format("sector with [{}] sites in each band: {} states", fmt::join(sectors.front(), ", "),
                     dimension);
}

void print_header(const Job& job, const std::filesystem::path& output, const Communicator& comm) {
  if (!comm.is_root()) return;
  const Model& model = *job.model;
  say("qheat {}   {}\n", kVersion, job.title);
  say("model           {} sites, {} bonds, {} levels, lambda = {:g}, gamma = {:g}\n", model.sites(),
      model.lattice.bond_count(), model.levels(), model.strength, model.bath.dephasing);
  say("basis           {}\n", basis_text(job));
  say("output          {} on {} rank(s)\n", output.string(), comm.size());
}

/// What every rank holds of each output time, and rank 0 of a generator. Collective.
void require_memory_for_series(const Job& job, const Communicator& comm) {
  const double free = free_bytes_per_rank(comm);
  if (free == 0.0) return;
  if (const double series = series_bytes(job); series > free) {
    throw Error(
        fmt::format("the output times alone need {:.3g} GB on each rank, but {:.3g} GB are free; lower "
                    "time.outputs",
                    series / 1e9, free / 1e9));
  }
  if (const double generator = generator_bytes(job); generator > free) {
    throw Error(
        fmt::format("writing the generators needs {:.3g} GB on one rank, but {:.3g} GB are free; lower "
                    "kernel.store_limit",
                    generator / 1e9, free / 1e9));
  }
}

}  // namespace

int run(const RunArguments& arguments, double started, const Communicator& comm) {
  const Job job = read_job_on_all_ranks(arguments.job, comm);
  const std::filesystem::path output = output_file(
      arguments.out.empty() ? job.output : std::filesystem::path(arguments.out), arguments.job, comm);
  require_memory_for_series(job, comm);
  const OutputLock lock(output, comm);
  print_header(job, output, comm);
  Progress progress(comm.is_root());
  const std::filesystem::path checkpoint(output.string() + ".chk");
  CheckpointedRun control({.file = checkpoint,
                           .interval = job.checkpoint_interval,
                           .max_time = arguments.max_time,
                           .resume = arguments.resume},
                          {job.text, model_digest(job)}, started, comm, progress);
  JobRun work(job, comm, control, progress);
  Findings found;
  try {
    found = work.compute();
  } catch (const Stopped&) {
    progress.log(fmt::format("stopped; the state is in {}: go on with --resume", checkpoint.string()));
    throw;
  }
  ResultsFile size(comm);
  work.write(found, size);
  ResultsFile file(output, comm, size.bytes());
  work.write(found, file);
  file.commit();
  control.discard();
  work.summarize(found);
  if (comm.is_root()) {
    say("results         {} after {}\n", output.string(), format_seconds(MPI_Wtime() - started));
  }
  return 0;
}

}  // namespace qheat::app
