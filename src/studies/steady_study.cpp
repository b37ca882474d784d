#include "studies/steady_study.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/steady/two_point.hpp"
#include "qheat/transport/level_energy.hpp"
#include "studies/sensible_ranks.hpp"

namespace qheat {
namespace {

constexpr std::array<const char*, 3> kMethods = {"direct", "iterative", "two-point"};

/// All series of a state, each with its name.
template <class State, class Visit>
void visit_series(State& state, const Visit& visit) {
  visit("populations", state.populations);
  visit("energy", state.energy);
  visit("outflow", state.outflow);
  visit("current", state.current);
  visit("temperature", state.temperature);
  visit("heat", state.heat);
  visit("jump_heat", state.jump_heat);
  visit("full_energy", state.full_energy);
  visit("full_current", state.full_current);
  visit("full_heat", state.full_heat);
}

void save(const SteadyState& state, StateWriter& writer) {
  visit_series(state,
               [&](const char* name, const std::vector<double>& values) { writer.replicated(name, values); });
  const auto method = std::find(kMethods.begin(), kMethods.end(), state.method) - kMethods.begin();
  writer.replicated("numbers", std::array{state.entropy_production, state.residual, state.smallest_population,
                                          state.hermiticity_error, static_cast<double>(state.elements),
                                          static_cast<double>(state.iterations), static_cast<double>(method),
                                          state.smallest_eigenvalue, state.difference_of_starts,
                                          state.balance, state.full_balance});
}

void load(SteadyState& state, StateReader& reader) {
  visit_series(state,
               [&](const char* name, std::vector<double>& values) { values = reader.replicated(name); });
  const auto numbers = reader.replicated("numbers");
  state.entropy_production = numbers[0];
  state.residual = numbers[1];
  state.smallest_population = numbers[2];
  state.hermiticity_error = numbers[3];
  state.elements = static_cast<Index>(numbers[4]);
  state.iterations = static_cast<Index>(numbers[5]);
  state.method = kMethods[static_cast<std::size_t>(numbers[6])];
  state.smallest_eigenvalue = numbers[7];
  state.difference_of_starts = numbers[8];
  state.balance = numbers[9];
  state.full_balance = numbers[10];
}

/// NaN throughout.
SteadyState unknown_state(const Model& model, bool full_energy) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  const auto sites = as_size(model.sites());
  const auto bonds = as_size(model.lattice.bond_count());
  SteadyState state;
  state.populations.assign(sites * as_size(model.levels()), unknown);
  state.energy.assign(sites, unknown);
  state.temperature.assign(sites, unknown);
  state.outflow.assign(2 * bonds, unknown);
  state.current.assign(bonds, unknown);
  state.heat.assign(model.bath.reservoirs.size(), unknown);
  state.jump_heat.assign(2 * model.bath.jumps.size(), unknown);
  if (full_energy) {
    state.full_energy.assign(sites, unknown);
    state.full_current.assign(bonds, unknown);
    state.full_heat.assign(sites, unknown);
    state.full_balance = unknown;
  }
  state.entropy_production = unknown;
  state.residual = unknown;
  state.balance = unknown;
  state.smallest_population = unknown;
  state.hermiticity_error = unknown;
  state.method = "failed";
  return state;
}

SteadyOptions steady_options(const SteadyRequest& request) {
  return {.method = request.method,
          .tolerance = request.tolerance,
          .full_energy = request.energy == SiteEnergy::full};
}

std::vector<const Model*> steady_models(const Job& job) {
  std::vector<const Model*> models;
  for (const Model& model : job.steady->models) models.push_back(&model);
  if (models.empty()) models.push_back(&*job.model);
  return models;
}

std::vector<SteadyVariant> steady_variants(const Job& job) {
  auto rates = job.steady->rates;
  auto dephasings = job.steady->dephasings;
  if (rates.empty()) rates = {1.0};
  if (dephasings.empty()) dephasings = {job.model->bath.dephasing};
  std::vector<SteadyVariant> variants;
  for (const double rate : rates)
    for (const double dephasing : dephasings) variants.push_back({rate, dephasing});
  return variants;
}

void write_coefficients(const std::string& group, Index count, const Coefficients& found, ResultsFile& file) {
  file.dataset(group + "/diffusion", {count}, found.diffusion);
  file.dataset(group + "/diffusion_error", {count}, found.diffusion_error);
  file.dataset(group + "/kappa", {count}, found.kappa);
  file.dataset(group + "/kappa_error", {count}, found.kappa_error);
}

}  // namespace

SteadyStudy::SteadyStudy(const Job& job, const StudyContext& context)
    : job_(job), context_(context), models_(steady_models(job)), variants_(steady_variants(job)) {
  const auto given = std::find_if(variants_.begin(), variants_.end(), [&](const SteadyVariant& variant) {
    return variant.rate == 1.0 && variant.dephasing == job.model->bath.dephasing;
  });
  if (given != variants_.end()) shown_ = as_size(given - variants_.begin());
}

void SteadyStudy::describe(Report& report) const {
  const Model& largest = *models_.back();
  const double free_here = context_.free_bytes() * context_.comm.size();
  const std::size_t rates = std::max<std::size_t>(1, job_.steady->rates.size());
  const auto& dephasings = job_.steady->dephasings;
  if (compares_sizes() || compares_dephasings()) {
    report.say("steady          {} states: {} of {} sites at {} rate(s) of the reservoirs{}; the longest:\n",
               models_.size() * variants_.size(), compares_sizes() ? "chains" : "the lattice",
               fmt::join(sizes(), ", "), rates,
               dephasings.empty() ? "" : fmt::format(" and dephasings {:g}", fmt::join(dephasings, ", ")));
  }
  if (takes_two_point(largest, steady_options(*job_.steady), 1, free_here)) {
    report.say(
        "steady          two-point functions of {} sites, on one rank; {:.3g} GB if coherences reach from "
        "end "
        "to end\n",
        largest.sites(), two_point_bytes(largest.sites(), largest.sites() - 1) / 1e9);
  } else {
    report.say("steady          density matrix of {} elements\n", steady_elements(largest));
  }
  for (const auto& warning : level_energy_warnings(largest)) report.say("WARNING         {}\n", warning);
}

void SteadyStudy::require_possible() const {
  const SteadyOptions options = steady_options(*job_.steady);
  for (std::size_t v = 0; v < variants_.size(); ++v) {
    for (std::size_t s = 0; s < models_.size(); ++s) {
      const Model model = model_of(v, s);
      require_possible_steady_state(model, options);
      if (takes_two_point(model, options, 1, 0.0)) continue;
      require_petsc_indices(steady_elements(model), "the density matrix of [steady]");
    }
  }
}

/// The most of all sizes (the factors of a small density matrix may be larger than what a large one takes by
/// iteration) and dephasings.
Need SteadyStudy::need(int ranks, double free_bytes) const {
  Need need;
  for (std::size_t v = 0; v < variants_.size(); ++v) {
    for (std::size_t s = 0; s < models_.size(); ++s) {
      const Model model = model_of(v, s);
      SteadyOptions options = steady_options(*job_.steady);
      const bool two_point = takes_two_point(model, options, ranks, free_bytes);
      if (two_point) options.method = SteadyMethod::two_point;
      const double bytes = steady_bytes_per_rank(model, options, ranks);
      if (bytes >= need.least_bytes_per_rank) {
        need.what = two_point
                        ? fmt::format("the steady state of {} sites by two-point functions", model.sites())
                        : fmt::format("the steady state of {} elements", steady_elements(model));
      }
      need.least_bytes_per_rank = std::max(need.least_bytes_per_rank, bytes);
      need.bytes_per_rank = std::max(
          need.bytes_per_rank, two_point ? two_point_bytes(model.sites(), two_point_width(model)) : bytes);
      need.work += steady_work(model, options, two_point);
      if (two_point) continue;
      need.sensible_ranks = std::max(
          need.sensible_ranks, sensible_ranks(static_cast<double>(steady_elements(model)), kStatesARank));
    }
  }
  need.bytes_per_rank = std::max(need.bytes_per_rank, need.least_bytes_per_rank);
  need.remedy = "use more nodes or fewer sites";
  if (job_.steady->method == SteadyMethod::direct) need.remedy += ", or steady.method = \"iterative\"";
  return need;
}

Model SteadyStudy::model_of(std::size_t variant, std::size_t size) const {
  return varied(*models_[size], variants_[variant]);
}

std::vector<double> SteadyStudy::sizes() const {
  std::vector<double> sizes;
  for (const Model* model : models_) sizes.push_back(model->sites());
  return sizes;
}

SteadyState SteadyStudy::solve(std::size_t variant, std::size_t size) {
  const Stage stage(context_.control, fmt::format("variant_{}_size_{}", variant, models_[size]->sites()));
  SteadyState state;
  if (context_.control.restore_finished([&](StateReader& reader) { load(state, reader); })) return state;
  context_.progress.log(fmt::format("steady state of {} sites{}", models_[size]->sites(),
                                    variants_.size() > 1 ? ", " + text_of(variant) : ""));
  state = find_steady_state(model_of(variant, size), steady_options(*job_.steady), context_.comm,
                            context_.free_bytes(), context_.control, context_.timings);
  context_.control.finish([&](StateWriter& writer) { save(state, writer); });
  return state;
}

/// One of several states that cannot be found does not take the others with it.
SteadyState SteadyStudy::solve_or_go_on(std::size_t variant, std::size_t size) {
  if (!compares_sizes() && !compares_dephasings()) return solve(variant, size);
  try {
    return solve(variant, size);
  } catch (const InputError&) {
    throw;
  } catch (const Error& error) {
    failures_.push_back(
        fmt::format("{} sites, {}: {}", models_[size]->sites(), text_of(variant), error.what()));
    return unknown_state(*models_[size], steady_options(*job_.steady).full_energy);
  }
}

void SteadyStudy::compute() {
  const Timings::Scope scope(context_.timings, "steady states");
  const Stage stage(context_.control, "steady state");
  context_.control.restore_partial([](StateReader&) {});  // the states themselves are in the finished stages
  const double all = static_cast<double>(variants_.size() * models_.size());
  for (std::size_t v = 0; v < variants_.size(); ++v) {
    for (std::size_t s = 0; s < models_.size(); ++s) {
      SteadyState state = solve_or_go_on(v, s);
      const Model model = model_of(v, s);
      ChainMeasurement measured{chain_resistance(model, state), bulk_coefficients(model, state)};
      cases_.push_back({std::move(state), std::move(measured)});
      const auto done = static_cast<double>(cases_.size());
      context_.control.offer(done / all,
                             [&](StateWriter& writer) { writer.replicated("done", std::span(&done, 1)); });
    }
  }
  if (compares_sizes() || compares_dephasings()) compare();
}

DiffusionEstimate SteadyStudy::diffusion() const {
  if (comparisons_.size() == 1) return comparisons_.front().diffusion;
  DiffusionEstimate estimate;
  if (comparisons_.size() > 1) {
    estimate.obstacle = "there are several dephasings, each with a D of its own";
    return estimate;
  }
  const BulkCoefficients& bulk = at(shown_, 0).measured.bulk;
  estimate.value = bulk.diffusion;
  estimate.places = bulk.diffusion_spread;
  estimate.error = bulk.diffusion_error + (std::isnan(bulk.diffusion_spread) ? 0.0 : bulk.diffusion_spread);
  estimate.obstacle = bulk.obstacle;
  return estimate;
}

void SteadyStudy::compare() {
  const std::string obstacle = resistance_obstacle(*models_.back());
  for (std::size_t d = 0; d < dephasings(); ++d) {
    std::vector<std::vector<ChainMeasurement>> measured;
    for (std::size_t v = d; v < variants_.size(); v += dephasings()) {
      measured.emplace_back();
      for (std::size_t s = 0; s < models_.size(); ++s) measured.back().push_back(at(v, s).measured);
    }
    comparisons_.push_back(
        compare_steady_states(sizes(), measured, models_.back()->lattice.spacing(), obstacle));
  }
}

void SteadyStudy::write_state(const std::string& group, std::size_t size, ResultsFile& file) const {
  const SteadyState& state = at(shown_, size).state;
  const Model model = model_of(shown_, size);
  const Index sites = model.sites();
  const Index bonds = model.lattice.bond_count();
  file.dataset(group + "/populations", {sites, model.levels()}, state.populations);
  file.dataset(group + "/energy", {sites}, state.energy);
  file.dataset(group + "/current", {bonds}, state.current);
  file.dataset(group + "/outflow", {bonds, 2}, state.outflow);
  if (!state.full_energy.empty()) {
    file.dataset(group + "/full_energy", {sites}, state.full_energy);
    file.dataset(group + "/full_current", {bonds}, state.full_current);
    file.dataset(group + "/full_heat", {sites}, state.full_heat);
    file.dataset(group + "/full_balance", {1}, std::span(&state.full_balance, 1));
  }
  std::vector<double> temperature = state.temperature;
  const auto defined = temperatures_defined(model);
  for (std::size_t i = 0; i < temperature.size(); ++i)
    if (!defined[i]) temperature[i] = std::numeric_limits<double>::quiet_NaN();
  file.dataset(group + "/temperature", {sites}, temperature);
  if (!state.heat.empty()) file.dataset(group + "/heat", {static_cast<Index>(state.heat.size())}, state.heat);
  if (!state.jump_heat.empty())
    file.dataset(group + "/jump_heat", {static_cast<Index>(state.jump_heat.size() / 2), 2}, state.jump_heat);
  file.dataset(group + "/entropy_production", {1}, std::span(&state.entropy_production, 1));
  file.dataset(group + "/balance", {1}, std::span(&state.balance, 1));
  if (!std::isnan(state.smallest_eigenvalue))
    file.dataset(group + "/smallest_eigenvalue", {1}, std::span(&state.smallest_eigenvalue, 1));
  const auto known = temperatures_known(model);
  file.dataset(group + "/is_temperature", {sites}, std::vector<std::int64_t>(known.begin(), known.end()));
  write_coefficients(group, bonds, bond_coefficients(model, state), file);
  write_planes(group, size, file);
  file.attribute(group, "method", state.method);
  file.attribute(group, "residual", state.residual);
  if (!std::isnan(state.difference_of_starts))
    file.attribute(group, "difference_of_starts", state.difference_of_starts);
}

void SteadyStudy::write_planes(const std::string& group, std::size_t size, ResultsFile& file) const {
  const Model model = model_of(shown_, size);
  const Case& one = at(shown_, size);
  const auto profile = plane_profile(model, one.state);
  if (!profile.axis.found()) return;
  const std::string planes = group + "/planes";
  const Index length = profile.axis.length;
  file.dataset(planes + "/energy", {length}, profile.energy);
  file.dataset(planes + "/temperature", {length}, profile.temperature);
  file.dataset(planes + "/current", {length - 1}, profile.current);
  write_coefficients(planes, length - 1, plane_coefficients(model, one.state, profile), file);
  const BulkCoefficients& bulk = one.measured.bulk;
  file.dataset(planes + "/inside_diffusion", {1}, std::span(&bulk.diffusion, 1));
  file.dataset(planes + "/inside_diffusion_error", {1}, std::span(&bulk.diffusion_error, 1));
  file.dataset(planes + "/inside_diffusion_spread", {1}, std::span(&bulk.diffusion_spread, 1));
  file.dataset(planes + "/inside_kappa", {1}, std::span(&bulk.kappa, 1));
  file.dataset(planes + "/inside_kappa_error", {1}, std::span(&bulk.kappa_error, 1));
  file.attribute(planes, "axis", std::string(1, profile.axis.name()));
}

void SteadyStudy::write_fit(ResultsFile& file) const {
  const auto variants = static_cast<Index>(variants_.size());
  const auto by_variant = [&](const std::string& name, double ContactFit::*member) {
    std::vector<double> values;
    for (std::size_t v = 0; v < variants_.size(); ++v) values.push_back(fit_of(v).*member);
    file.dataset("/steady/fit/" + name, {variants}, values);
  };
  const auto by_case = [&](const std::string& name, const auto& value) {
    std::vector<double> values;
    for (const Case& one : cases_) values.push_back(value(one));
    file.dataset("/steady/fit/" + name, {variants, static_cast<Index>(models_.size())}, values);
  };
  std::vector<double> rates;
  std::vector<double> dephasings;
  for (const SteadyVariant& variant : variants_) {
    rates.push_back(variant.rate);
    dephasings.push_back(variant.dephasing);
  }
  file.dataset("/steady/fit/rate", {variants}, rates);
  if (compares_dephasings()) file.dataset("/steady/fit/dephasing", {variants}, dephasings);
  by_variant("contact_resistance", &ContactFit::contact_resistance);
  by_variant("contact_resistance_error", &ContactFit::contact_resistance_error);
  by_variant("conductivity", &ContactFit::conductivity);
  by_variant("conductivity_error", &ContactFit::conductivity_error);
  by_variant("deviation", &ContactFit::deviation);
  by_case("resistance", [](const Case& one) { return one.measured.chain.resistance; });
  by_case("resistance_error", [](const Case& one) { return one.measured.chain.error; });
  by_case("current", [](const Case& one) { return one.measured.chain.current; });
  by_case("diffusion", [](const Case& one) { return one.measured.bulk.diffusion; });
  by_case("inside_diffusion_error", [](const Case& one) { return one.measured.bulk.diffusion_error; });
  by_case("kappa", [](const Case& one) { return one.measured.bulk.kappa; });
  by_case("inside_kappa_error", [](const Case& one) { return one.measured.bulk.kappa_error; });
  write_estimates(file);
  file.attribute("/steady/fit", "verdict", verdict_text("\n"));
}

/// Of the dephasing of each variant, hence the same at all rates.
void SteadyStudy::write_estimates(ResultsFile& file) const {
  const auto by_variant = [&](const std::string& name, double DiffusionEstimate::*member) {
    std::vector<double> values;
    for (std::size_t v = 0; v < variants_.size(); ++v) values.push_back(comparison_of(v).diffusion.*member);
    file.dataset("/steady/fit/" + name, {static_cast<Index>(variants_.size())}, values);
  };
  by_variant("diffusion_value", &DiffusionEstimate::value);
  by_variant("diffusion_error", &DiffusionEstimate::error);
  by_variant("error_of_scatter", &DiffusionEstimate::scatter);
  by_variant("error_of_rates", &DiffusionEstimate::rates);
  by_variant("error_of_windows", &DiffusionEstimate::windows);
  by_variant("error_of_routes", &DiffusionEstimate::routes);
  by_variant("error_of_places", &DiffusionEstimate::places);
}

void SteadyStudy::write(ResultsFile& file) {
  write_state("/steady", models_.size() - 1, file);
  if (compares_sizes() || compares_dephasings()) write_fit(file);
  if (!compares_sizes()) return;
  std::vector<std::int64_t> lengths;
  for (std::size_t s = 0; s < models_.size(); ++s) {
    const Model& model = *models_[s];
    const std::string group = fmt::format("/steady/size_{}", model.sites());
    write_state(group, s, file);
    file.dataset(group + "/site_energies", {model.sites(), model.levels()}, model.energies);
    lengths.push_back(model.sites());
  }
  file.dataset("/steady/sizes", {static_cast<Index>(lengths.size())}, lengths);
}

}  // namespace qheat
