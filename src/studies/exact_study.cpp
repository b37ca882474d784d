#include "studies/exact_study.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "qheat/evolution/open.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/rates/solve.hpp"
#include "studies/eigenvalue_text.hpp"
#include "studies/realizations.hpp"
#include "studies/sensible_ranks.hpp"
#include "studies/series_memory.hpp"

namespace qheat {
namespace {

const char* method_name(ExactMethod method) {
  if (method == ExactMethod::diagonalize) return "diagonalisation";
  if (method == ExactMethod::runge_kutta) return "Runge-Kutta steps";
  if (method == ExactMethod::implicit) return "implicit steps (resolvents)";
  return method == ExactMethod::krylov ? "Krylov subspaces" : "Chebyshev polynomials";
}

double drift(const std::vector<double>& series) {
  double largest = 0.0;
  for (const double value : series) largest = std::max(largest, std::abs(value - series.front()));
  return largest;
}

}  // namespace

ExactStudy::ExactStudy(const Job& job, const StudyContext& context)
    : job_(job), model_(*job.model), context_(context), times_(job.time->times()), options_(*job.exact) {}

void ExactStudy::describe_open(Report& report) const {
  const auto plan = plan_open(model_, *job_.initial, times_, options_, 1, 0.0);
  const std::string where = plan.counts.front().empty() ? "full space"
                            : plan.counts.size() == 1
                                ? fmt::format("sector [{}]", fmt::join(plan.counts.front(), ", "))
                                : fmt::format("{} blocks of equal counts", plan.counts.size());
  report.say("exact           {}: density matrix of {} elements, by {}\n", where, plan.elements,
             plan.method == ExactMethod::chebyshev ? "Faber polynomials" : method_name(plan.method));
}

void ExactStudy::describe(Report& report) const {
  if (!model_.bath.closed()) {
    describe_open(report);
    return;
  }
  const auto plans = plan_exact(model_, *job_.initial, times_, options_, 1, 0.0);
  if (job_.detuning.realizations > 1) {
    report.say("average         over {} realizations of the detuning; the first one:\n",
               job_.detuning.realizations);
  }
  constexpr std::size_t kMostLines = 12;
  for (std::size_t s = 0; s < std::min(plans.size(), kMostLines); ++s) {
    const auto& plan = plans[s];
    report.say("exact           {}: {} states, {} {}, by {}\n",
               plan.counts.empty() ? "full space" : fmt::format("sector [{}]", fmt::join(plan.counts, ", ")),
               plan.dimension, plan.columns, plan.sampled ? "random-phase states" : "state vector(s)",
               method_name(plan.method));
  }
  if (plans.size() > kMostLines)
    report.say("                ... and {} more sectors\n", plans.size() - kMostLines);
}

void ExactStudy::require_possible() const {
  if (model_.bath.closed()) {
    plan_exact(model_, *job_.initial, times_, options_, 1, 0.0);
  } else {
    plan_open(model_, *job_.initial, times_, options_, 1, 0.0);
  }
}

Need ExactStudy::need(int ranks, double free_bytes) const {
  const int realizations = job_.detuning.realizations;
  const int groups = realizations > 1 ? groups_of(ranks, free_bytes) : 1;
  Need need = model_.bath.closed() ? need_closed(ranks / groups) : need_open(ranks / groups);
  need.work = static_cast<double>(realizations) * need.work;
  need.sensible_ranks = sensible_ranks(1.0 * need.sensible_ranks * realizations, 1.0);
  need.kept_bytes_per_rank = series_bytes(job_);
  need.remedy = "use more nodes, fewer sites or a smaller sector";
  if (options_.method != ExactMethod::automatic && options_.method != ExactMethod::chebyshev)
    need.remedy += ", or exact.method = \"chebyshev\"";
  return need;
}

/// Groups of ranks for one realisation each, in as much memory as it takes if there is too little.
int ExactStudy::groups_of(int ranks, double free_bytes) const {
  const Realization first{model_, *job_.initial};
  const int realizations = job_.detuning.realizations;
  try {
    return ensemble_groups(realizations, first, times_, options_, ranks, free_bytes);
  } catch (const Error&) {  // one by one on all ranks, and even then too large
    return 1;
  }
}

/// Of one realisation.
Need ExactStudy::need_open(int ranks) const {
  const auto plan = plan_open(model_, *job_.initial, times_, options_, ranks, 0.0);
  Need need{
      .bytes_per_rank = plan.bytes_per_rank, .least_bytes_per_rank = plan.bytes_per_rank, .work = plan.work};
  need.sensible_ranks = sensible_ranks(static_cast<double>(plan.elements), kStatesARank);
  need.what = fmt::format("exact propagation of a density matrix of {} elements", plan.elements);
  return need;
}

Need ExactStudy::need_closed(int ranks) const {
  Need need;
  for (const auto& plan : plan_exact(model_, *job_.initial, times_, options_, ranks, 0.0)) {
    if (plan.least_bytes_per_rank >= need.least_bytes_per_rank)
      need.what = fmt::format("exact propagation of a sector of {} states", plan.dimension);
    need.bytes_per_rank = std::max(need.bytes_per_rank, plan.bytes_per_rank);
    need.least_bytes_per_rank = std::max(need.least_bytes_per_rank, plan.least_bytes_per_rank);
    need.work += plan.work;
    const bool dense = plan.method == ExactMethod::diagonalize;
    need.sensible_ranks = std::max(need.sensible_ranks, sensible_ranks(static_cast<double>(plan.dimension),
                                                                       dense ? kRowsARank : kStatesARank));
  }
  return need;
}

void ExactStudy::compute() {
  const Stage stage(context_.control, "exact");
  context_.progress.log("exact propagation");
  const Timings::Scope scope(context_.timings, "exact");
  if (job_.detuning.realizations == 1) {
    result_ = propagate_exact(model_, *job_.initial, times_, options_, context_.comm, context_.control,
                              context_.timings);
    return;
  }
  result_ = propagate_exact_ensemble(
      job_.detuning.realizations, [&](int number) { return realization_of(job_, number); }, times_, options_,
      context_.comm, context_.control, context_.timings);
}

void ExactStudy::write(ResultsFile& file) {
  const auto outputs = static_cast<Index>(times_.size());
  write_observations(result_->mean, "", file);
  if (result_->error) write_observations(*result_->error, "_error", file);
  file.dataset("/exact/truncation_error", {outputs}, result_->truncation_error);
  if (const auto& watch = result_->watch) {
    file.dataset("/exact/smallest_population", {outputs}, watch->smallest_population);
    file.dataset("/exact/hermiticity_error", {outputs}, watch->hermiticity_error);
    if (!std::isnan(watch->smallest_eigenvalue))
      file.dataset("/exact/smallest_eigenvalue", {1}, std::span(&watch->smallest_eigenvalue, 1));
  }
}

void ExactStudy::write_observations(const Observations& values, const std::string& suffix,
                                    ResultsFile& file) const {
  const auto outputs = static_cast<Index>(times_.size());
  const Index sites = model_.sites();
  const Index bonds = model_.lattice.bond_count();
  file.dataset("/exact/populations" + suffix, {outputs, sites, model_.levels()}, values.populations);
  file.dataset("/exact/energy" + suffix, {outputs, sites}, values.energy);
  file.dataset("/exact/outflow" + suffix, {outputs, bonds, 2}, values.outflow);
  file.dataset("/exact/current" + suffix, {outputs, bonds}, values.current);
  file.dataset("/exact/norm" + suffix, {outputs}, values.norm);
  file.dataset("/exact/total_energy" + suffix, {outputs}, values.total_energy);
  if (options_.full_energy) write_full_energy(values.others, suffix, file);
}

void ExactStudy::write_full_energy(const std::vector<double>& values, const std::string& suffix,
                                   ResultsFile& file) const {
  const std::size_t all = values.size() / times_.size();
  std::size_t first = 0;
  const auto write_next = [&](const std::string& name, int count) {
    std::vector<double> some;
    for (std::size_t t = 0; t < times_.size(); ++t) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(t * all + first);
      some.insert(some.end(), begin, begin + count);
    }
    file.dataset("/exact/" + name + suffix, {static_cast<Index>(times_.size()), count}, some);
    first += as_size(count);
  };
  write_next("full_energy", model_.sites());
  write_next("full_current", model_.lattice.bond_count());
  if (!model_.bath.closed()) write_next("full_heat", model_.sites());
}

void ExactStudy::summarize(Report& report) const {
  const auto& exact = result_->mean;
  if (result_->watch) {
    say_watch(report, *result_->watch, drift(exact.norm));
    return;
  }
  // A bath takes energy and gives it.
  const std::string energy =
      model_.bath.closed() ? fmt::format(", total energy to {:.1e}", drift(exact.total_energy)) : "";
  report.say("exact           norm kept to {:.1e}{}{}\n", drift(exact.norm), energy,
             result_->error ? " (standard errors in the _error datasets)" : "");
}

/// What a density matrix must keep, with a warning if rounding or truncation has spoilt it.
void ExactStudy::say_watch(Report& report, const DensityWatch& watch, double trace_drift) const {
  const double population =
      *std::min_element(watch.smallest_population.begin(), watch.smallest_population.end());
  const double hermiticity =
      *std::max_element(watch.hermiticity_error.begin(), watch.hermiticity_error.end());
  const double eigenvalue = watch.smallest_eigenvalue;
  report.say("exact           trace kept to {:.1e}, Hermiticity to {:.1e}, smallest population {:.1e}{}\n",
             trace_drift, hermiticity, population, eigenvalue_text(eigenvalue));
  constexpr double kNoticeable = 1e-7;
  if (std::max({trace_drift, hermiticity, -population}) > kNoticeable || eigenvalue < -kNoticeable)
    report.say("                WARNING: the density matrix drifts; lower exact.tolerance\n");
}

std::vector<double> ExactStudy::band_populations() const {
  return qheat::band_populations(model_, result_->mean.populations);
}

}  // namespace qheat
