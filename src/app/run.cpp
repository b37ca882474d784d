#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "app/commands.hpp"
#include "app/eigenvalue_text.hpp"
#include "app/job_input.hpp"
#include "app/kernel_study.hpp"
#include "app/output_file.hpp"
#include "app/requests.hpp"
#include "app/steady_study.hpp"
#include "io/console.hpp"
#include "io/version.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/eigenstates.hpp"
#include "qheat/io/checkpoint.hpp"
#include "qheat/io/results.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/memory.hpp"
#include "qheat/rates/solve.hpp"

namespace qheat::app {
namespace {

/// Everything that the requested computations gave.
struct Findings {
  std::optional<ExactResult> exact;
  std::optional<Eigenstates> eigenstates;
};

class JobRun {
 public:
  JobRun(const Job& job, const Communicator& comm, RunControl& control, Progress& progress, Timings& timings)
      : job_(job),
        model_(*job.model),
        times_(job.time ? job.time->times() : std::vector<double>{}),
        comm_(comm),
        control_(control),
        progress_(progress),
        timings_(timings),
        study_(job, comm, control, progress, timings_),
        steady_(job, comm, control, progress, timings_) {}

  Findings compute() {
    Findings found;
    if (job_.exact) {
      const Stage stage(control_, "exact");
      progress_.log("exact propagation");
      const Timings::Scope scope(timings_, "exact");
      found.exact = exact();
    }
    if (job_.spectrum) found.eigenstates = eigenstates();
    {
      const Timings::Scope scope(timings_, "kernels and rates");
      study_.compute();
    }
    const Timings::Scope scope(timings_, "steady states");
    steady_.compute();
    return found;
  }

  /// `started`: by MPI_Wtime, when the run began.
  void write(const Findings& found, double started, ResultsFile& file) {
    const double writing = MPI_Wtime();
    write_model(file);
    if (found.exact) {
      write_exact(file, found.exact->mean, "");
      if (found.exact->error) write_exact(file, *found.exact->error, "_error");
      file.dataset("/exact/truncation_error", {outputs()}, found.exact->truncation_error);
      if (const auto& watch = found.exact->watch) {
        file.dataset("/exact/smallest_population", {outputs()}, watch->smallest_population);
        file.dataset("/exact/hermiticity_error", {outputs()}, watch->hermiticity_error);
        if (!std::isnan(watch->smallest_eigenvalue))
          file.dataset("/exact/smallest_eigenvalue", {1}, std::span(&watch->smallest_eigenvalue, 1));
      }
    }
    if (found.eigenstates) write_eigenstates(*found.eigenstates, file);
    study_.write(exact_bands(found), file);
    steady_.write(file);
    auto& phase = timings_.phase("writing results");
    phase.seconds += MPI_Wtime() - writing;
    ++phase.calls;
    timings_.phase("whole run") = {.seconds = MPI_Wtime() - started, .calls = 1};
    file.timings(timings_);
  }

  /// False if a part of several is missing.
  bool complete() const { return steady_.failures().empty(); }

  /// A table for the reader at the end.
  void summarize(const Findings& found) const {
    if (!comm_.is_root()) return;
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
            drift(exact.total_energy), found.exact->error ? " (standard errors in the _error datasets)" : "");
      }
    }
    if (found.eigenstates) say_eigenstates(*found.eigenstates);
    study_.summarize(exact_bands(found));
    steady_.summarize();
  }

 private:
  Eigenstates eigenstates() {
    const Stage stage(control_, "eigenstates");
    const Timings::Scope scope(timings_, "eigenstates");
    Eigenstates found;
    if (control_.restore_finished([&](StateReader& reader) { found = load_eigenstates(model_, reader); }))
      return found;
    progress_.log("eigenstates");
    found = extreme_eigenstates(model_, *job_.initial, eigenstate_options(*job_.spectrum), comm_,
                                free_bytes_per_rank(comm_), timings_);
    control_.finish([&](StateWriter& writer) { save_eigenstates(model_, found, writer); });
    return found;
  }

  void write_eigenstates(const Eigenstates& found, ResultsFile& file) const {
    const auto states = static_cast<Index>(found.energies.size());
    const auto& values = found.observations;
    file.dataset("/spectrum/energies", {states}, found.energies);
    file.dataset("/spectrum/residuals", {states}, found.residuals);
    file.dataset("/spectrum/populations", {states, sites(), model_.levels()}, values.populations);
    file.dataset("/spectrum/energy", {states, sites()}, values.energy);
    file.dataset("/spectrum/outflow", {states, bonds(), 2}, values.outflow);
    file.dataset("/spectrum/current", {states, bonds()}, values.current);
    std::vector<std::int64_t> counts;
    for (const auto& one : found.band_counts) counts.insert(counts.end(), one.begin(), one.end());
    const auto bands = states == 0 ? 0 : static_cast<Index>(counts.size()) / states;
    if (bands > 0) file.dataset("/spectrum/band_counts", {states, bands}, counts);
    const std::vector<std::int64_t> groups(found.energy_group.begin(), found.energy_group.end());
    file.dataset("/spectrum/energy_group", {states}, groups);
    const std::int64_t left_out = found.partners_left_out;
    const std::int64_t all = found.all_partners ? 1 : 0;
    file.dataset("/spectrum/partners_left_out", {}, std::span<const std::int64_t>(&left_out, 1));
    file.dataset("/spectrum/all_partners_counted", {}, std::span<const std::int64_t>(&all, 1));
  }

  void say_eigenstates(const Eigenstates& found) const {
    const double residual = *std::max_element(found.residuals.begin(), found.residuals.end());
    say("eigenstates     {} from the {} energy, {:.10g}, to {:.10g}; |H psi - E psi| at most {:.1e}\n",
        found.energies.size(), job_.spectrum->highest ? "highest" : "lowest", found.energies.front(),
        found.energies.back(), residual);
    if (found.partners_left_out == 0) return;
    say("                {}{} more state(s) have the last energy and are left out; ask for more with "
        "spectrum.states\n",
        found.all_partners ? "" : "at least ", found.partners_left_out);
  }

  /// What a density matrix must keep, with a warning if rounding or truncation has spoilt it.
  static void say_watch(const DensityWatch& watch, double trace_drift) {
    const double population =
        *std::min_element(watch.smallest_population.begin(), watch.smallest_population.end());
    const double hermiticity =
        *std::max_element(watch.hermiticity_error.begin(), watch.hermiticity_error.end());
    const double eigenvalue = watch.smallest_eigenvalue;
    say("exact           trace kept to {:.1e}, Hermiticity to {:.1e}, smallest population {:.1e}{}\n",
        trace_drift, hermiticity, population, eigenvalue_text(eigenvalue));
    constexpr double kNoticeable = 1e-7;
    if (std::max({trace_drift, hermiticity, -population}) > kNoticeable || eigenvalue < -kNoticeable)
      say("                WARNING: the density matrix drifts; lower exact.tolerance\n");
  }

  Index outputs() const { return static_cast<Index>(times_.size()); }
  Index sites() const { return model_.sites(); }
  Index bonds() const { return model_.lattice.bond_count(); }

  ExactResult exact() {
    const ExactOptions options = exact_options(*job_.exact);
    if (job_.detuning.realizations == 1)
      return propagate_exact(model_, *job_.initial, times_, options, comm_, control_, timings_);
    return propagate_exact_ensemble(
        job_.detuning.realizations, [&](int number) { return realization_of(job_, number); }, times_, options,
        comm_, control_, timings_);
  }

  std::optional<std::vector<double>> exact_bands(const Findings& found) const {
    if (!found.exact) return std::nullopt;
    return band_populations(model_, found.exact->mean.populations);
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

  const Job& job_;
  const Model& model_;
  std::vector<double> times_;
  Communicator comm_;
  RunControl& control_;
  Progress& progress_;
  Timings& timings_;
  KernelStudy study_;
  SteadyStudy steady_;
};

std::string basis_text(const Job& job) {
  if (!job.exact && !job.spectrum) {
    const auto cells = cell_count(job);
    return cells ? fmt::format("{} cells", *cells) : "more than 2^63 cells";
  }
  if (job.exact && !job.model->bath.closed()) {
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
  const bool only_steady = !job.exact && !job.spectrum && wanted_kernels(job).empty();
  const std::string basis = only_steady ? "" : basis_text(job);  // may throw, so on all ranks
  if (!comm.is_root()) return;
  const Model& model = *job.model;
  say("qheat {}   {}\n", kVersion, job.title);
  say("model           {} sites, {} bonds, {} levels, lambda = {:g}{}\n", model.sites(),
      model.lattice.bond_count(), model.levels(), model.strength,
      model.bath.correlation ? std::string(", bath by its correlation function")
                             : fmt::format(", gamma = {:g}", model.bath.dephasing));
  if (!basis.empty()) say("basis           {}\n", basis);
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
  Timings timings;
  auto reading = std::make_unique<Timings::Scope>(timings, "reading the job");
  const Job job = read_job_on_all_ranks(arguments.job, comm);
  reading.reset();
  auto preparing = std::make_unique<Timings::Scope>(timings, "preparing the run");
  const std::filesystem::path output = output_file(
      arguments.out.empty() ? job.output : std::filesystem::path(arguments.out), arguments.job, comm);
  require_memory_for_series(job, comm);
  const double free = free_bytes_per_rank(comm);
  require_possible_kernels(job, comm.size(), free);
  require_possible_steady_states(job, comm.size(), free);
  if (job.spectrum)
    require_eigenstate_memory(*job.model, *job.initial, job.spectrum->states, comm.size(), free);
  const OutputLock lock(output, comm);
  print_header(job, output, comm);
  Progress progress(comm.is_root());
  const std::filesystem::path checkpoint(output.string() + ".chk");
  CheckpointedRun control({.file = checkpoint,
                           .interval = job.checkpoint_interval,
                           .max_time = arguments.max_time,
                           .resume = arguments.resume},
                          {job.text, model_digest(job)}, started, comm, progress);
  JobRun work(job, comm, control, progress, timings);
  preparing.reset();
  Findings found;
  try {
    found = work.compute();
  } catch (const Stopped&) {
    progress.log(fmt::format("stopped; the state is in {}: go on with --resume", checkpoint.string()));
    throw;
  }
  ResultsFile size(comm);
  work.write(found, started, size);
  ResultsFile file(output, comm, size.bytes());
  work.write(found, started, file);
  file.commit();
  control.discard();
  work.summarize(found);
  if (comm.is_root()) {
    say("results         {} after {}\n", output.string(), format_seconds(MPI_Wtime() - started));
  }
  if (work.complete()) return 0;
  throw Error("some steady states could not be found: they are NaN in the results, and the table says why");
}

}  // namespace qheat::app
