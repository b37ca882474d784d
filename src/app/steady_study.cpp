#include "app/steady_study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>

#include "app/eigenvalue_text.hpp"
#include "io/console.hpp"
#include "qheat/parallel/memory.hpp"

namespace qheat::app {
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
                                          state.smallest_eigenvalue});
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
}

std::string with_error(double value, double error) {
  return std::isnan(error) ? fmt::format("{:.6g} (no error: fewer than 3 sizes)", value)
                           : fmt::format("{:.6g} +- {:.2g}", value, error);
}

}  // namespace

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

SteadyStudy::SteadyStudy(const Job& job, const Communicator& comm, RunControl& control, Progress& progress,
                         Timings& timings)
    : job_(job), comm_(comm), control_(control), progress_(progress), timings_(timings), rates_{1.0} {
  if (!job.steady) return;
  models_ = steady_models(job);
  if (!job.steady->rates.empty()) rates_ = job.steady->rates;
  const auto given = std::find(rates_.begin(), rates_.end(), 1.0);
  if (given != rates_.end()) shown_rate_ = static_cast<std::size_t>(given - rates_.begin());
}

Model SteadyStudy::model_of(std::size_t rate, std::size_t size) const {
  Model model = *models_[size];
  for (Reservoir& reservoir : model.bath.reservoirs) reservoir.rate *= rates_[rate];
  return model;
}

std::vector<double> SteadyStudy::sizes() const {
  std::vector<double> sizes;
  for (const Model* model : models_) sizes.push_back(model->sites());
  return sizes;
}

SteadyState SteadyStudy::solve(std::size_t rate, std::size_t size) {
  const Stage stage(control_, fmt::format("rate_{}_size_{}", rate, models_[size]->sites()));
  SteadyState state;
  if (control_.restore_finished([&](StateReader& reader) { load(state, reader); })) return state;
  progress_.log(fmt::format("steady state of {} sites{}", models_[size]->sites(),
                            rates_.size() > 1 ? fmt::format(", rates x {:g}", rates_[rate]) : ""));
  state = find_steady_state(model_of(rate, size), steady_options(*job_.steady), comm_,
                            free_bytes_per_rank(comm_), control_, timings_);
  control_.finish([&](StateWriter& writer) { save(state, writer); });
  return state;
}

void SteadyStudy::compute() {
  if (models_.empty()) return;
  const Stage stage(control_, "steady state");
  control_.restore_partial([](StateReader&) {});  // the states themselves are in the finished stages
  const double all = static_cast<double>(rates_.size() * models_.size());
  for (std::size_t r = 0; r < rates_.size(); ++r) {
    for (std::size_t s = 0; s < models_.size(); ++s) {
      SteadyState state = solve(r, s);
      const Model model = model_of(r, s);
      const auto bulk = bulk_coefficients(model, state);
      const auto chain = chain_resistance(model, state);
      cases_.push_back({std::move(state), bulk, chain});
      const auto done = static_cast<double>(cases_.size());
      control_.offer(done / all,
                     [&](StateWriter& writer) { writer.replicated("done", std::span(&done, 1)); });
    }
  }
  if (compares()) compare();
}

void SteadyStudy::compare() {
  std::vector<std::vector<double>> resistance(rates_.size());
  for (std::size_t r = 0; r < rates_.size(); ++r) {
    std::vector<double> errors;
    for (std::size_t s = 0; s < models_.size(); ++s) {
      resistance[r].push_back(at(r, s).chain.resistance);
      errors.push_back(at(r, s).chain.error);
    }
    fits_.push_back(fit_contact_resistance(sizes(), resistance[r], errors));
  }
  verdict_ = judge_resistance(sizes(), resistance, fits_);
}

void SteadyStudy::write_state(const std::string& group, std::size_t size, ResultsFile& file) const {
  const SteadyState& state = at(shown_rate_, size).state;
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
}

void SteadyStudy::write_fit(ResultsFile& file) const {
  const auto rates = static_cast<Index>(rates_.size());
  const auto by_rate = [&](const std::string& name, double ContactFit::*member) {
    std::vector<double> values;
    for (const ContactFit& fit : fits_) values.push_back(fit.*member);
    file.dataset("/steady/fit/" + name, {rates}, values);
  };
  const auto by_case = [&](const std::string& name, const auto& value) {
    std::vector<double> values;
    for (const Case& one : cases_) values.push_back(value(one));
    file.dataset("/steady/fit/" + name, {rates, static_cast<Index>(models_.size())}, values);
  };
  file.dataset("/steady/fit/rate", {rates}, rates_);
  by_rate("contact_resistance", &ContactFit::contact_resistance);
  by_rate("contact_resistance_error", &ContactFit::contact_resistance_error);
  by_rate("conductivity", &ContactFit::conductivity);
  by_rate("conductivity_error", &ContactFit::conductivity_error);
  by_rate("deviation", &ContactFit::deviation);
  by_case("resistance", [](const Case& one) { return one.chain.resistance; });
  by_case("resistance_error", [](const Case& one) { return one.chain.error; });
  by_case("current", [](const Case& one) { return one.chain.current; });
  by_case("diffusion", [](const Case& one) { return one.bulk.diffusion; });
  by_case("kappa", [](const Case& one) { return one.bulk.kappa; });
  file.attribute("/steady/fit", "verdict", verdict_.text());
}

void SteadyStudy::write(ResultsFile& file) const {
  if (models_.empty()) return;
  write_state("/steady", models_.size() - 1, file);
  if (!compares()) return;
  std::vector<std::int64_t> lengths;
  for (std::size_t s = 0; s < models_.size(); ++s) {
    const Model& model = *models_[s];
    const std::string group = fmt::format("/steady/size_{}", model.sites());
    write_state(group, s, file);
    file.dataset(group + "/site_energies", {model.sites(), model.levels()}, model.energies);
    lengths.push_back(model.sites());
  }
  file.dataset("/steady/sizes", {static_cast<Index>(lengths.size())}, lengths);
  write_fit(file);
}

void SteadyStudy::say_state(std::size_t rate, std::size_t size) const {
  const Case& one = at(rate, size);
  const SteadyState& state = one.state;
  const Model& model = *models_[size];
  say("steady state    {} elements, {} ({} iterations): residual {:.1e}, smallest population {:.1e}{}\n",
      state.elements, state.method, state.iterations, state.residual, state.smallest_population,
      eigenvalue_text(state.smallest_eigenvalue));
  constexpr double kNegative = -1e-7;
  if (state.smallest_eigenvalue < kNegative)
    say("                WARNING: no density matrix is negative; lower steady.tolerance\n");
  for (std::size_t r = 0; r < state.heat.size(); ++r) {
    const auto& reservoir = model.bath.reservoirs[r];
    say("                reservoir at site {}, T = {:g}: heat {:.6g} into the lattice\n", reservoir.site,
        reservoir.temperature, state.heat[r]);
  }
  say("                entropy production {:.3g}\n", state.entropy_production);
  if (!std::isnan(one.bulk.diffusion)) {
    say("                gradients inside the chain: diffusion D = {:.6g}, conductivity kappa = {:.6g} a "
        "site\n",
        one.bulk.diffusion, one.bulk.kappa);
  }
}

void SteadyStudy::say_sizes(std::size_t rate) const {
  say("steady states   reservoir rates x {:g}\n", rates_[rate]);
  say("                {:>7}  {:>12}  {:>12}  {:>12}  {:>12}  {:>9}  method\n", "sites", "J", "J N",
      "D inside", "kappa inside", "residual");
  for (std::size_t s = 0; s < models_.size(); ++s) {
    const Case& one = at(rate, s);
    const int sites = models_[s]->sites();
    const auto& current = one.state.current;
    const double heat = std::accumulate(current.begin(), current.end(), 0.0) / (sites - 1);
    say("                {:>7}  {:>12.6g}  {:>12.6g}  {:>12.6g}  {:>12.6g}  {:>9.1e}  {}\n", sites, heat,
        heat * sites, one.bulk.diffusion, one.bulk.kappa, one.state.residual, one.state.method);
  }
}

void SteadyStudy::say_fit(std::size_t rate) const {
  const ContactFit& fit = fits_[rate];
  if (std::isnan(fit.slope)) return;
  say("                (f_L - f_R)/J = R + N/kappa':  R = {}\n",
      with_error(fit.contact_resistance, fit.contact_resistance_error));
  if (fit.slope > fit.slope_error || std::isnan(fit.slope_error)) {
    say("                {:31}kappa' = {}\n", "", with_error(fit.conductivity, fit.conductivity_error));
  } else {
    say("                {:31}1/kappa' = {}: no growth with N to be told from zero\n", "",
        with_error(fit.slope, fit.slope_error));
  }
}

void SteadyStudy::summarize() const {
  if (models_.empty()) return;
  if (compares()) {
    for (std::size_t r = 0; r < rates_.size(); ++r) {
      say_sizes(r);
      say_fit(r);
    }
    const bool fitted = !std::isnan(fits_.front().slope);
    if (fitted && rates_.size() > 1) {
      const bool agree = conductivities_agree(fits_, 0.0);
      say("                kappa' at the different rates {} within twice their errors\n",
          agree ? "agrees" : "does not agree");
    }
    if (!fitted) {
      say("                no fit: it takes several sizes, two levels a site, one reservoir at each end, and "
          "an "
          "interaction that keeps the number of excited sites\n");
    }
    say("                transport {}\n", verdict_.text());
  } else {
    say_state(0, 0);
  }
  if (bonds_keep_level_energy(*models_.back())) return;
  say("                WARNING: bonds do not keep the sum of level energies, and local reservoirs then "
      "break detailed balance\n");
}

}  // namespace qheat::app
