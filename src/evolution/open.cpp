#include "qheat/evolution/open.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "qheat/evolution/density_evolution.hpp"
#include "qheat/evolution/density_observer.hpp"
#include "qheat/evolution/density_spectrum.hpp"
#include "qheat/evolution/phases.hpp"
#include "qheat/evolution/resolvents.hpp"
#include "qheat/evolution/runge_kutta.hpp"
#include "qheat/operators/liouvillian.hpp"
#include "qheat/operators/product_work.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/memory.hpp"

namespace qheat {
namespace {

constexpr std::size_t kMostOutputs = 64;  // measured together: bounds the numbers held beside rho
constexpr double kMostProducts = 1e8;     // |L| t: as many products
constexpr double kLeastError = 3e-12;     // that implicit steps reach, relative to rho
constexpr double kRungeKuttaPhase = 8.0;  // of a step, so that safe points come often: some hundred products

int work_vectors(ExactMethod method) {
  if (method == ExactMethod::krylov) return KrylovEvolution::kWorkVectors;
  if (method == ExactMethod::runge_kutta) return RungeKuttaEvolution::kWorkVectors;
  return FaberEvolution::kWorkVectors;
}

double bytes_per_rank(const Model& model, const OpenPlan& plan, std::size_t outputs, int ranks) {
  if (plan.method == ExactMethod::implicit) return ResolventEvolution::bytes_per_rank(plan.elements, ranks);
  double kets = 0.0;
  for (const auto& c : plan.counts) kets += static_cast<double>(level_sector_dimension(model, c));
  const int vectors = 1 + work_vectors(plan.method);
  constexpr double kBuffers = 0.05;  // of a vector: rows of other ranks under way
  const double vector = 16.0 * static_cast<double>(plan.elements) / ranks;
  const double bonds = model.lattice.bond_count();
  const double on_every_rank =
      kets * (4.0 * model.sites() + 40.0 + 24.0 * bonds) + jump_table_bytes(model, kets);
  const double split =
      kets * (100.0 + 100.0 * bonds + 8.0 * static_cast<double>(std::min(kMostOutputs, outputs)));
  return (vectors + (ranks > 1 ? kBuffers : 0.0)) * vector + on_every_rank + split / ranks;
}

/// What the spectral bounds will give, without computing them.
GeneratorRange typical_range(const Model& model, const std::vector<std::vector<int>>& counts) {
  const DissipatorRange dissipators = dissipator_range(model, counts);
  double width = 0.0;
  for (const auto& block : counts) width = std::max(width, 2.0 * typical_radius(model, block));
  return {dissipators.low, dissipators.high, width + dissipators.imaginary};
}

double phase_of(const GeneratorRange& range, double end) {
  return std::max(range.imaginary, -range.low) * end;
}

Index least_steps_of(ExactMethod method, std::size_t outputs, double phase) {
  if (method == ExactMethod::implicit) return static_cast<Index>(outputs) - 1;
  const auto least = static_cast<Index>((outputs + kMostOutputs - 1) / kMostOutputs);
  if (method != ExactMethod::runge_kutta) return least;
  return std::max(least, static_cast<Index>(std::ceil(phase / kRungeKuttaPhase)));
}

/// By what is known beforehand alone, so that `check` and `run` decide alike.
void require_phase(double phase) {
  if (phase <= kMostProducts) return;
  throw Error(fmt::format(
      "the last time is {:.1e} in units of the fastest motion, and takes as many products; lower time.end, "
      "or "
      "set exact.method = \"implicit\" (small systems), or follow populations alone: [rates] with "
      "kernels = [\"markov\"], which dephasing makes the better the stronger it is",
      phase));
}

constexpr Index kMostImplicit = 20000;  // elements; beyond, factors take gigabytes and hours

bool equally_spaced(const std::vector<double>& times) {
  constexpr double kSame = 1e-9;
  if (times.size() < 2 || times.front() != 0.0) return false;
  const double spacing = times.back() / static_cast<double>(times.size() - 1);
  for (std::size_t k = 1; k < times.size(); ++k)
    if (std::abs(times[k] - times[k - 1] - spacing) > kSame * spacing) return false;
  return true;
}

void require_implicit(Index elements, const std::vector<double>& times) {
  if (elements > kMostImplicit) {
    throw Error(fmt::format(
        "implicit steps take sparse factors of the Liouvillian, of {} elements here and {} at the most; use "
        "fewer sites, or exact.method = \"chebyshev\"",
        elements, kMostImplicit));
  }
  if (!equally_spaced(times)) throw Error("implicit steps need equally spaced times from 0 on");
}

/// Factors of each length of a step, from that of the fastest motion up to that between outputs.
Work implicit_work(double elements, double phase, double outputs) {
  constexpr double kFactors = 4.0;  // seconds, for 12870 elements
  constexpr double kSolve = 0.02;   // of its factors
  const double lengths = 2.0 + std::max(0.0, std::log2(phase / outputs));
  const double applied = 3.0 * (lengths + outputs);
  return {.dense = ResolventEvolution::kNodes * (lengths + kSolve * applied) * kFactors *
                   std::pow(elements / 12870.0, 2.2)};
}

Work work_of(const Model& model, const OpenPlan& plan, const std::vector<double>& times, double tolerance) {
  const GeneratorRange range = typical_range(model, plan.counts);
  const double end = times.back();
  const double phase = phase_of(range, end);
  const auto outputs = static_cast<double>(times.size());
  const auto elements = static_cast<double>(plan.elements);
  if (plan.method == ExactMethod::implicit) return implicit_work(elements, phase, outputs);
  const FaberPlan faber = plan_faber(range, end, tolerance, least_steps_of(plan.method, times.size(), phase));
  const auto steps = static_cast<double>(faber.steps);
  const Work product = liouvillian_work(model, plan.counts, elements);
  if (plan.method == ExactMethod::krylov) {
    constexpr double kSubspace = 30.0;
    constexpr double kPhase = 9.0;  // of one subspace
    const double spaces = (steps + outputs) * std::max(1.0, std::ceil(phase / (steps + outputs) / kPhase));
    Work space = kSubspace * product;
    space += pass_work(elements, 2.0 * kSubspace * kSubspace, kSubspace);
    return spaces * space;
  }
  if (plan.method == ExactMethod::runge_kutta) {
    constexpr double kStages = 13.0;
    constexpr double kPhase = 0.7;  // of an inner step at usual tolerances
    Work step = kStages * product;
    step += pass_work(elements, kStages * kStages, kStages);
    return (std::ceil(phase / kPhase) + 2.0 * (steps + outputs)) * step;
  }
  Work term = product;
  term += pass_work(elements, 3.0);  // the sum
  return steps * static_cast<double>(faber.terms) * term;
}

/// The density matrix on its way through the steps, with what was measured so far.
class DensityPropagation {
 public:
  DensityPropagation(const Model& model, const InitialState& initial, const std::vector<double>& times,
                     const ExactOptions& options, const OpenPlan& plan, const Communicator& comm,
                     Timings& timings)
      : times_(times),
        timings_(timings),
        space_(std::make_shared<DistributedSector>(density_space(model, plan.counts), comm)),
        generator_(make_liouvillian(space_, model)),
        observer_(model, space_, other_observables(model, options)),
        model_(model),
        options_(options),
        plan_(plan),
        rho_(initial_density(*space_, initial.probabilities)),
        initial_norm_(norm()) {}

  ExactResult run(RunControl& control) {
    Index step = 0;
    if (!control.restore_partial([&](StateReader& reader) { step = load(reader); }))
      range_ = generator_range(model_, plan_.counts, space_->comm());
    make_evolution();
    if (halvings_ >= 0) evolution_->begin_with(halvings_);
    while (step < evolution_->steps()) {
      take(step);
      ++step;
      if (step == evolution_->steps()) control.keep_end([&](StateWriter& writer) { save(writer, step); });
      control.reach(start_of(step), times_.back());
      control.offer(static_cast<double>(step) / static_cast<double>(evolution_->steps()),
                    [&](StateWriter& writer) { save(writer, step); });
    }
    auto& timing = timings_.phase("liouvillian products");
    timing.seconds += generator_->timing().seconds;
    timing.calls += generator_->timing().calls;
    timing.bytes_sent += generator_->timing().bytes_sent;
    return {.mean = unpack(observer_.layout(), values_),
            .error = std::nullopt,
            .truncation_error = truncation_,
            .watch = DensityWatch{smallest_, hermiticity_, smallest_eigenvalue(*space_, rho_)}};
  }

  static void save_series(const ExactResult& result, StateWriter& writer) {
    writer.replicated("populations", result.mean.populations);
    writer.replicated("energy", result.mean.energy);
    writer.replicated("outflow", result.mean.outflow);
    writer.replicated("current", result.mean.current);
    writer.replicated("norm", result.mean.norm);
    writer.replicated("total-energy", result.mean.total_energy);
    writer.replicated("others", result.mean.others);
    writer.replicated("truncation", result.truncation_error);
    writer.replicated("smallest", result.watch->smallest_population);
    writer.replicated("hermiticity", result.watch->hermiticity_error);
    writer.replicated("eigenvalue", std::span(&result.watch->smallest_eigenvalue, 1));
  }
  static ExactResult load_series(StateReader& reader) {
    return {.mean = {.populations = reader.replicated("populations"),
                     .energy = reader.replicated("energy"),
                     .outflow = reader.replicated("outflow"),
                     .current = reader.replicated("current"),
                     .norm = reader.replicated("norm"),
                     .total_energy = reader.replicated("total-energy"),
                     .others = reader.replicated("others")},
            .error = std::nullopt,
            .truncation_error = reader.replicated("truncation"),
            .watch = DensityWatch{reader.replicated("smallest"), reader.replicated("hermiticity"),
                                  reader.replicated("eigenvalue").front()}};
  }

 private:
  std::span<double> doubles() { return {reinterpret_cast<double*>(rho_.data()), 2 * rho_.size()}; }

  void make_evolution() {
    const double end = times_.back() - begin_;
    const double phase = phase_of(range_, end);
    const auto outputs =
        1 + std::count_if(times_.begin(), times_.end(), [&](double t) { return t > begin_; });
    const Index least_steps = least_steps_of(plan_.method, as_size(outputs), phase);
    if (plan_.method == ExactMethod::implicit) {
      // A tenth for each of the some ten parts of a step
      const double tolerance =
          std::max(0.1 * options_.tolerance / static_cast<double>(least_steps), kLeastError);
      evolution_ = std::make_unique<ResolventEvolution>(model_, space_, least_steps, tolerance, end, phase);
      return;
    }
    const FaberPlan steps = plan_faber(range_, end, options_.tolerance, least_steps);
    if (plan_.method == ExactMethod::krylov) {
      evolution_ = std::make_unique<KrylovDensityEvolution>(*generator_, steps, end);
    } else if (plan_.method == ExactMethod::runge_kutta) {
      evolution_ = std::make_unique<RungeKuttaEvolution>(*generator_, steps, end);
    } else {
      evolution_ = std::make_unique<FaberEvolution>(*generator_, steps, end);
    }
  }

  double norm() const {
    double square = 0.0;
    for (const Complex& element : rho_) square += std::norm(element);
    return std::sqrt(space_->comm().sum(square));
  }

  double length() const { return (times_.back() - begin_) / static_cast<double>(evolution_->steps()); }
  /// Where a step begins; the last one ends at the last output exactly.
  double start_of(Index step) const {
    return step == evolution_->steps() ? times_.back() : begin_ + static_cast<double>(step) * length();
  }

  /// One step, with all outputs that are not later than its end.
  void take(Index step) {
    const auto start = std::chrono::steady_clock::now();
    const double begin = start_of(step);
    std::vector<double> dts;
    for (std::size_t k = truncation_.size(); k < times_.size() && times_[k] <= start_of(step + 1); ++k)
      dts.push_back(std::clamp(times_[k] - begin, 0.0, length()));
    measured_.resize(dts.size() * observer_.measured());
    evolution_->step(
        dts, rho_, [&](std::span<const Complex> rho, std::span<double> values) { observe(rho, values); },
        observer_.measured(), measured_);
    const auto report = observer_.report(measured_);
    values_.insert(values_.end(), report.values.begin(), report.values.end());
    smallest_.insert(smallest_.end(), report.smallest_population.begin(), report.smallest_population.end());
    error_ += evolution_->step_error() * norm() / initial_norm_;
    truncation_.resize(truncation_.size() + dts.size(), error_);
    if (!dts.empty()) hermiticity_.resize(truncation_.size(), observer_.hermiticity_error(rho_));
    auto& timing = timings_.phase("evolution");
    timing.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ++timing.calls;
  }

  void observe(std::span<const Complex> rho, std::span<double> values) const {
    const Timings::Scope scope(timings_, "observables");
    observer_.measure(rho, values);
  }

  void save(StateWriter& writer, Index step) {
    const double place[6] = {static_cast<double>(step),
                             error_,
                             static_cast<double>(evolution_->halvings()),
                             begin_,
                             start_of(step),
                             times_.back()};
    writer.replicated("place", place);
    writer.replicated("extendable", {});
    // On other numbers of ranks Lanczos rounds differently: the steps must not change on the way.
    const double range[3] = {range_.low, range_.high, range_.imaginary};
    writer.replicated("range", range);
    writer.replicated("values", values_);
    writer.replicated("smallest", smallest_);
    writer.replicated("truncation", truncation_);
    writer.replicated("hermiticity", hermiticity_);
    writer.distributed("rho", doubles(), 2 * space_->first_state(), 2 * space_->dimension());
  }

  Index load(StateReader& reader) {
    const auto place = reader.replicated("place");
    error_ = place[1];
    halvings_ = static_cast<int>(place[2]);
    const bool extends = place[5] != times_.back();  // a run to an earlier end: its steps were others
    begin_ = extends ? place[4] : place[3];
    const auto range = reader.replicated("range");
    range_ = {range[0], range[1], range[2]};
    values_ = reader.replicated("values");
    smallest_ = reader.replicated("smallest");
    truncation_ = reader.replicated("truncation");
    hermiticity_ = reader.replicated("hermiticity");
    reader.distributed("rho", doubles(), 2 * space_->first_state(), 2 * space_->dimension());
    return extends ? 0 : static_cast<Index>(place[0]);
  }

  const std::vector<double>& times_;
  Timings& timings_;
  std::shared_ptr<const DistributedSector> space_;
  std::unique_ptr<Operator> generator_;
  DensityObserver observer_;
  const Model& model_;
  const ExactOptions& options_;
  const OpenPlan& plan_;
  std::vector<Complex> rho_;
  double initial_norm_;
  GeneratorRange range_;
  std::unique_ptr<DensityEvolution> evolution_;
  int halvings_ = -1;             ///< of the steps that a resumed run goes on with; -1: not resumed
  double begin_ = 0.0;            ///< of the steps: 0, or where an earlier run ended
  double error_ = 0.0;            ///< bound on the truncation error so far
  std::vector<double> measured_;  ///< of one step
  std::vector<double> values_, smallest_, truncation_, hermiticity_;
};

/// L keeps the trace, so its drift bounds what can be trusted.
void require_trace(const std::vector<double>& trace) {
  constexpr double kLargestDrift = 1e-6;
  for (const double now : trace) {
    if (std::abs(now - 1.0) <= kLargestDrift) continue;
    throw Error(
        fmt::format("the propagation of the density matrix does not keep its trace (1 became {:g}); use "
                    "a smaller exact.tolerance or another exact.method",
                    now));
  }
}

}  // namespace

OpenPlan plan_open(const Model& model, const InitialState& initial, const std::vector<double>& times,
                   const ExactOptions& options, int ranks, double free_bytes) {
  if (options.method == ExactMethod::diagonalize) {
    throw Error(
        "diagonalisation is for closed systems; set exact.method = \"chebyshev\", \"krylov\", "
        "\"runge-kutta\" or \"implicit\"");
  }
  if (model.bath.correlation)
    throw Error(
        "a bath given by its correlation function has no exact dynamics; use dephasing or reservoirs");
  OpenPlan plan{.counts = density_counts(model, initial)};
  plan.elements = density_dimension(model, plan.counts);
  const bool polynomials =
      options.method == ExactMethod::automatic || options.method == ExactMethod::chebyshev;
  if (!polynomials) {
    plan.method = options.method;
    require_petsc_indices(plan.elements, "the density matrix, for this exact.method,");
  }
  followed_phase(model, times.back(), "exact propagation");
  const double phase = phase_of(typical_range(model, plan.counts), times.back());
  // Where polynomials do not get there, resolvents may
  if (options.method == ExactMethod::automatic && phase > kMostProducts && equally_spaced(times) &&
      plan.elements <= kMostImplicit)
    plan.method = ExactMethod::implicit;
  if (plan.method == ExactMethod::implicit) {
    require_implicit(plan.elements, times);
  } else {
    require_phase(phase);
  }
  plan.bytes_per_rank = bytes_per_rank(model, plan, times.size(), ranks);
  plan.work = work_of(model, plan, times, options.tolerance);
  if (!fits_memory(plan.bytes_per_rank, free_bytes)) {
    throw Error(fmt::format(
        "exact propagation of a density matrix of {} elements needs {:.3g} GB on each of {} ranks, but "
        "{:.3g} GB are "
        "free; use more nodes, fewer sites{}",
        plan.elements, plan.bytes_per_rank / 1e9, ranks, free_bytes / 1e9,
        !polynomials ? ", or exact.method = \"chebyshev\"" : " or a smaller sector"));
  }
  return plan;
}

ExactResult propagate_open(const Model& model, const InitialState& initial, const std::vector<double>& times,
                           const ExactOptions& options, const Communicator& comm, RunControl& control,
                           Timings& timings) {
  const auto plan = plan_open(model, initial, times, options, comm.size(), free_bytes_per_rank(comm));
  // A resumed run may choose another method: its stages are others.
  const Stage stage(control, fmt::format("density-method-{}", static_cast<int>(plan.method)));
  ExactResult result;
  if (control.restore_finished(
          [&](StateReader& reader) { result = DensityPropagation::load_series(reader); }))
    return result;
  DensityPropagation propagation(model, initial, times, options, plan, comm, timings);
  result = propagation.run(control);
  require_trace(result.mean.norm);
  control.finish([&](StateWriter& writer) { DensityPropagation::save_series(result, writer); });
  return result;
}

}  // namespace qheat
