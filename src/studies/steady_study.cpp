#include "studies/steady_study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "qheat/parallel/error.hpp"
#include "qheat/steady/two_point.hpp"
#include "studies/eigenvalue_text.hpp"
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
}

void save(const SteadyState& state, StateWriter& writer) {
  visit_series(state,
               [&](const char* name, const std::vector<double>& values) { writer.replicated(name, values); });
  const auto method = std::find(kMethods.begin(), kMethods.end(), state.method) - kMethods.begin();
  writer.replicated("numbers", std::array{state.entropy_production, state.residual, state.smallest_population,
                                          state.hermiticity_error, static_cast<double>(state.elements),
                                          static_cast<double>(state.iterations), static_cast<double>(method),
                                          state.smallest_eigenvalue, state.difference_of_starts});
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
}

/// NaN throughout.
SteadyState unknown_state(const Model& model) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  const auto sites = static_cast<std::size_t>(model.sites());
  const auto bonds = static_cast<std::size_t>(model.lattice.bond_count());
  SteadyState state;
  state.populations.assign(sites * static_cast<std::size_t>(model.levels()), unknown);
  state.energy.assign(sites, unknown);
  state.temperature.assign(sites, unknown);
  state.outflow.assign(2 * bonds, unknown);
  state.current.assign(bonds, unknown);
  state.heat.assign(model.bath.reservoirs.size(), unknown);
  state.entropy_production = unknown;
  state.residual = unknown;
  state.smallest_population = unknown;
  state.hermiticity_error = unknown;
  state.method = "failed";
  return state;
}

std::string with_error(double value, double error) {
  return std::isnan(error) ? fmt::format("{:.6g} (no error: fewer than 3 sizes)", value)
                           : fmt::format("{:.6g} +- {:.2g}", value, error);
}

SteadyOptions steady_options(const SteadyRequest& request) {
  SteadyOptions options{.tolerance = request.tolerance};
  switch (request.method) {
    case SteadyRequest::Method::direct:
      options.method = SteadyMethod::direct;
      break;
    case SteadyRequest::Method::iterative:
      options.method = SteadyMethod::iterative;
      break;
    case SteadyRequest::Method::two_point:
      options.method = SteadyMethod::two_point;
      break;
    case SteadyRequest::Method::automatic:
      break;
  }
  return options;
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

Model varied(Model model, const SteadyVariant& variant) {
  for (Reservoir& reservoir : model.bath.reservoirs) reservoir.rate *= variant.rate;
  model.bath.dephasing = variant.dephasing;
  return model;
}

}  // namespace

SteadyStudy::SteadyStudy(const Job& job, const StudyContext& context)
    : job_(job), context_(context), models_(steady_models(job)), variants_(steady_variants(job)) {
  const auto given = std::find_if(variants_.begin(), variants_.end(), [&](const SteadyVariant& variant) {
    return variant.rate == 1.0 && variant.dephasing == job.model->bath.dephasing;
  });
  if (given != variants_.end()) shown_ = static_cast<std::size_t>(given - variants_.begin());
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
}

void SteadyStudy::require_possible() const {
  const SteadyOptions options = steady_options(*job_.steady);
  for (std::size_t v = 0; v < variants_.size(); ++v) {
    for (std::size_t s = 0; s < models_.size(); ++s) {
      const Model model = model_of(v, s);
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
  if (job_.steady->method == SteadyRequest::Method::direct)
    need.remedy += ", or steady.method = \"iterative\"";
  return need;
}

Model SteadyStudy::model_of(std::size_t variant, std::size_t size) const {
  return varied(*models_[size], variants_[variant]);
}

std::vector<std::size_t> SteadyStudy::variants_with(std::size_t dephasing) const {
  std::vector<std::size_t> found;
  for (std::size_t v = dephasing; v < variants_.size(); v += dephasings()) found.push_back(v);
  return found;
}

std::string SteadyStudy::text_of(std::size_t variant) const {
  const std::string rates = fmt::format("reservoir rates x {:g}", variants_[variant].rate);
  return compares_dephasings() ? fmt::format("dephasing {:g}, {}", variants_[variant].dephasing, rates)
                               : rates;
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
    return unknown_state(*models_[size]);
  }
}

void SteadyStudy::compute() {
  const Stage stage(context_.control, "steady state");
  context_.control.restore_partial([](StateReader&) {});  // the states themselves are in the finished stages
  const double all = static_cast<double>(variants_.size() * models_.size());
  for (std::size_t v = 0; v < variants_.size(); ++v) {
    for (std::size_t s = 0; s < models_.size(); ++s) {
      SteadyState state = solve_or_go_on(v, s);
      const Model model = model_of(v, s);
      const auto bulk = bulk_coefficients(model, state);
      const auto chain = chain_resistance(model, state);
      cases_.push_back({std::move(state), bulk, chain});
      const auto done = static_cast<double>(cases_.size());
      context_.control.offer(done / all,
                             [&](StateWriter& writer) { writer.replicated("done", std::span(&done, 1)); });
    }
  }
  if (compares_sizes() || compares_dephasings()) compare();
}

void SteadyStudy::compare() {
  std::vector<std::vector<double>> resistance(variants_.size());
  for (std::size_t v = 0; v < variants_.size(); ++v) {
    std::vector<double> errors;
    for (std::size_t s = 0; s < models_.size(); ++s) {
      resistance[v].push_back(at(v, s).chain.resistance);
      errors.push_back(at(v, s).chain.error);
    }
    fits_.push_back(fit_contact_resistance(sizes(), resistance[v], errors));
  }
  for (std::size_t d = 0; d < dephasings(); ++d) {
    std::vector<std::vector<double>> resistance_here;
    std::vector<ContactFit> fits_here;
    for (const std::size_t v : variants_with(d)) {
      resistance_here.push_back(resistance[v]);
      fits_here.push_back(fits_[v]);
    }
    verdicts_.push_back(judge_resistance(sizes(), resistance_here, fits_here));
  }
}

std::string SteadyStudy::verdict_text(const std::string& separator) const {
  if (!compares_dephasings()) return verdicts_.front().text();
  std::string text;
  for (std::size_t d = 0; d < verdicts_.size(); ++d)
    text += fmt::format("{}dephasing {:g}: {}", d > 0 ? separator : "", job_.steady->dephasings[d],
                        verdicts_[d].text());
  return text;
}

void SteadyStudy::write_state(const std::string& group, std::size_t size, ResultsFile& file) const {
  const SteadyState& state = at(shown_, size).state;
  const Model& model = *models_[size];
  const Index sites = model.sites();
  const Index bonds = model.lattice.bond_count();
  file.dataset(group + "/populations", {sites, model.levels()}, state.populations);
  file.dataset(group + "/energy", {sites}, state.energy);
  file.dataset(group + "/current", {bonds}, state.current);
  file.dataset(group + "/outflow", {bonds, 2}, state.outflow);
  file.dataset(group + "/temperature", {sites}, state.temperature);
  file.dataset(group + "/heat", {static_cast<Index>(state.heat.size())}, state.heat);
  file.dataset(group + "/entropy_production", {1}, std::span(&state.entropy_production, 1));
  if (!std::isnan(state.smallest_eigenvalue))
    file.dataset(group + "/smallest_eigenvalue", {1}, std::span(&state.smallest_eigenvalue, 1));
  const auto coefficients = bond_coefficients(model, state);
  file.dataset(group + "/diffusion", {bonds}, coefficients.diffusion);
  file.dataset(group + "/kappa", {bonds}, coefficients.kappa);
  file.attribute(group, "method", state.method);
  file.attribute(group, "residual", fmt::format("{:.3e}", state.residual));
  if (!std::isnan(state.difference_of_starts))
    file.attribute(group, "difference_of_starts", fmt::format("{:.3e}", state.difference_of_starts));
}

void SteadyStudy::write_fit(ResultsFile& file) const {
  const auto variants = static_cast<Index>(variants_.size());
  const auto by_variant = [&](const std::string& name, double ContactFit::*member) {
    std::vector<double> values;
    for (const ContactFit& fit : fits_) values.push_back(fit.*member);
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
  by_case("resistance", [](const Case& one) { return one.chain.resistance; });
  by_case("resistance_error", [](const Case& one) { return one.chain.error; });
  by_case("current", [](const Case& one) { return one.chain.current; });
  by_case("diffusion", [](const Case& one) { return one.bulk.diffusion; });
  by_case("kappa", [](const Case& one) { return one.bulk.kappa; });
  file.attribute("/steady/fit", "verdict", verdict_text("\n"));
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

void SteadyStudy::say_state(std::size_t variant, std::size_t size, Report& report) const {
  const Case& one = at(variant, size);
  const SteadyState& state = one.state;
  const Model& model = *models_[size];
  report.say(
      "steady state    {} elements, {} ({} iterations): residual {:.1e}, smallest population {:.1e}{}\n",
      state.elements, state.method, state.iterations, state.residual, state.smallest_population,
      eigenvalue_text(state.smallest_eigenvalue));
  if (!std::isnan(state.difference_of_starts))
    report.say("                found from two starts that agree to {:.1e}\n", state.difference_of_starts);
  constexpr double kNegative = -1e-7;
  if (state.smallest_eigenvalue < kNegative)
    report.say("                WARNING: no density matrix is negative; lower steady.tolerance\n");
  for (std::size_t r = 0; r < state.heat.size(); ++r) {
    const auto& reservoir = model.bath.reservoirs[r];
    report.say("                reservoir at site {}, T = {:g}: heat {:.6g} into the lattice\n",
               reservoir.site, reservoir.temperature, state.heat[r]);
  }
  report.say("                entropy production {:.3g}\n", state.entropy_production);
  if (!std::isnan(one.bulk.diffusion)) {
    report.say(
        "                gradients inside the chain: diffusion D = {:.6g}, conductivity kappa = {:.6g} a "
        "site\n",
        one.bulk.diffusion, one.bulk.kappa);
  }
}

void SteadyStudy::say_sizes(std::size_t variant, Report& report) const {
  report.say("steady states   {}\n", text_of(variant));
  report.say("                {:>7}  {:>12}  {:>12}  {:>12}  {:>12}  {:>9}  method\n", "sites", "J", "J N",
             "D inside", "kappa inside", "residual");
  for (std::size_t s = 0; s < models_.size(); ++s) {
    const Case& one = at(variant, s);
    const int sites = models_[s]->sites();
    const auto& current = one.state.current;
    const double heat = std::accumulate(current.begin(), current.end(), 0.0) / (sites - 1);
    report.say("                {:>7}  {:>12.6g}  {:>12.6g}  {:>12.6g}  {:>12.6g}  {:>9.1e}  {}\n", sites,
               heat, heat * sites, one.bulk.diffusion, one.bulk.kappa, one.state.residual, one.state.method);
  }
}

void SteadyStudy::say_fit(std::size_t variant, Report& report) const {
  const ContactFit& fit = fits_[variant];
  if (std::isnan(fit.slope)) return;
  report.say("                (f_L - f_R)/J = R + N/kappa':  R = {}\n",
             with_error(fit.contact_resistance, fit.contact_resistance_error));
  if (std::isfinite(fit.conductivity)) {
    report.say("                {:31}kappa' = {}\n", "",
               with_error(fit.conductivity, fit.conductivity_error));
  } else {
    report.say("                {:31}1/kappa' = {}: no growth with N to be told from zero\n", "",
               with_error(fit.slope, fit.slope_error));
  }
}

void SteadyStudy::say_agreement(Report& report) const {
  for (std::size_t d = 0; d < dephasings(); ++d) {
    std::vector<ContactFit> fits;
    for (const std::size_t v : variants_with(d)) fits.push_back(fits_[v]);
    const bool known = std::all_of(fits.begin(), fits.end(),
                                   [](const ContactFit& fit) { return std::isfinite(fit.conductivity); });
    if (fits.size() < 2 || !known) continue;
    report.say("                {}kappa' at the different rates {} within twice their errors\n",
               compares_dephasings() ? fmt::format("dephasing {:g}: ", job_.steady->dephasings[d]) : "",
               conductivities_agree(fits, 0.0) ? "agrees" : "does not agree");
  }
}

void SteadyStudy::say_comparison(Report& report) const {
  for (std::size_t v = 0; v < variants_.size(); ++v) {
    say_sizes(v, report);
    say_fit(v, report);
  }
  say_agreement(report);
  if (std::isnan(fits_.front().slope)) {
    report.say(
        "                no fit: it takes several sizes, two levels a site, one reservoir at each end, and "
        "an "
        "interaction that keeps the number of excited sites\n");
  }
  report.say("                transport {}\n", verdict_text("\n                transport "));
}

void SteadyStudy::summarize(Report& report) const {
  for (const auto& failure : failures_) report.say("WARNING         no steady state: {}\n", failure);
  if (compares_sizes()) {
    say_comparison(report);
  } else {
    for (std::size_t v = 0; v < variants_.size(); ++v) {
      if (compares_dephasings()) report.say("steady state    dephasing {:g}\n", variants_[v].dephasing);
      say_state(v, 0, report);
    }
  }
  if (bonds_keep_level_energy(*models_.back())) return;
  report.say(
      "                WARNING: bonds do not keep the sum of level energies, and local reservoirs then "
      "break detailed balance\n");
}

}  // namespace qheat
