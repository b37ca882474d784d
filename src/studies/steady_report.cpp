#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include "qheat/operators/currents.hpp"
#include "qheat/transport/level_energy.hpp"
#include "studies/eigenvalue_text.hpp"
#include "studies/steady_study.hpp"

namespace qheat {
namespace {

/// The parts of an error that make it what it is, largest first.
std::string parts_text(const DiffusionEstimate& found) {
  constexpr double kNothing = 0.01;
  std::vector<std::pair<double, const char*>> parts = {{found.scatter, "scatter about the line"},
                                                       {found.rates, "rates of the reservoirs"},
                                                       {found.windows, "without the smallest sizes"},
                                                       {found.routes, "fit against gradient inside"},
                                                       {found.places, "places inside"}};
  std::erase_if(parts, [&](const auto& part) { return !(part.first > kNothing * found.error); });
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (const auto& [size, name] : parts)
    text += fmt::format("{}{} {:.1g}", text.empty() ? "" : ", ", name, size);
  return text.empty() ? "nothing larger than what is claimed at most, 1e-6 of D" : text;
}

/// Of the level energy that the bath puts in at the first site, or of the bonds where these keep it.
double heat_of(const Model& model, const SteadyState& state) {
  if (!bonds_keep_level_energy(model)) {
    double heat = 0.0;
    visit_heats(model, state, [&](int site, double into) { heat += site == 0 ? into : 0.0; });
    return heat;
  }
  return std::accumulate(state.current.begin(), state.current.end(), 0.0) / (model.sites() - 1);
}

/// Heat of the jumps, one by one where they are few.
void say_jumps(const Model& model, const SteadyState& state, Report& report) {
  constexpr std::size_t kMost = 8;
  const auto& jumps = model.bath.jumps;
  double all = 0.0;
  for (std::size_t j = 0; j < jumps.size(); ++j) {
    const double heat = state.jump_heat[2 * j] + state.jump_heat[2 * j + 1];
    all += heat;
    if (jumps.size() <= kMost)
      report.say("                jump at site{} {}: heat {:.6g} into the lattice\n",
                 jumps[j].sites.size() > 1 ? "s" : "", fmt::join(jumps[j].sites, ", "), heat);
  }
  if (jumps.size() > kMost)
    report.say("                {} jumps: heat {:.6g} into the lattice\n", jumps.size(), all);
}

}  // namespace

std::string SteadyStudy::text_of(std::size_t variant) const {
  const std::string rates = models_.back()->bath.reservoirs.empty()
                                ? std::string("jumps as given")
                                : fmt::format("reservoir rates x {:g}", variants_[variant].rate);
  return compares_dephasings() ? fmt::format("dephasing {:g}, {}", variants_[variant].dephasing, rates)
                               : rates;
}

std::string SteadyStudy::verdict_text(const std::string& separator) const {
  if (!compares_dephasings()) return comparisons_.front().verdict.text();
  std::string text;
  for (std::size_t d = 0; d < comparisons_.size(); ++d)
    text += fmt::format("{}dephasing {:g}: {}", d > 0 ? separator : "", job_.steady->dephasings[d],
                        comparisons_[d].verdict.text());
  return text;
}

void SteadyStudy::say_gradients(std::size_t variant, std::size_t size, Report& report) const {
  const Case& one = at(variant, size);
  const BulkCoefficients& bulk = one.measured.bulk;
  if (!std::isnan(bulk.diffusion)) {
    const double error = std::hypot(bulk.diffusion_spread, bulk.diffusion_error);
    report.say("                gradient inside: diffusion D = {}\n",
               with_error(bulk.diffusion, error, "a single step inside"));
    report.say("                {:17}conductivity kappa = {} a site\n", "",
               std::isnan(bulk.kappa)
                   ? "unknown: no temperatures"
                   : rounded(bulk.kappa, std::hypot(bulk.kappa_error, bulk.kappa / bulk.diffusion * error)));
    return;
  }
  report.say("                no diffusion constant: {}\n", bulk.obstacle);
  const Model model = model_of(variant, size);
  const auto steps = plane_coefficients(model, one.state, plane_profile(model, one.state));
  std::vector<std::string> known;
  for (std::size_t x = 0; x < steps.diffusion.size(); ++x) {
    if (std::isnan(steps.diffusion[x])) continue;
    known.push_back(fmt::format("D = {}, kappa = {}", rounded(steps.diffusion[x], steps.diffusion_error[x]),
                                rounded(steps.kappa[x], steps.kappa_error[x])));
  }
  if (!known.empty() && known.size() <= 3)
    report.say("                between neighbouring planes, contacts included: {}\n",
               fmt::join(known, "; "));
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
    const auto temperature = reservoir_temperature(reservoir, model.energies_of(reservoir.site));
    report.say("                reservoir at site {}{}: heat {:.6g} into the lattice\n", reservoir.site,
               temperature ? fmt::format(", T = {:g}", *temperature) : "", state.heat[r]);
  }
  say_jumps(model, state, report);
  report.say("                {}currents balance the heats to {:.1e}\n",
             std::isnan(state.entropy_production)
                 ? ""
                 : fmt::format("entropy production {:.3g}; ", state.entropy_production),
             state.balance);
  say_gradients(variant, size, report);
}

void SteadyStudy::say_sizes(std::size_t variant, Report& report) const {
  const bool keep = bonds_keep_level_energy(*models_.back());
  report.say("steady states   {}\n", text_of(variant));
  report.say("                {:>7}  {:>12}  {:>12}  {:>12}  {:>12}  {:>9}  method\n", "sites",
             keep ? "J" : "heat in", keep ? "J N" : "heat in N", "D inside", "kappa inside", "residual");
  std::set<std::string> obstacles;
  for (std::size_t s = 0; s < models_.size(); ++s) {
    const Case& one = at(variant, s);
    const BulkCoefficients& bulk = one.measured.bulk;
    const int sites = models_[s]->sites();
    const double heat = heat_of(*models_[s], one.state);
    const double error =
        std::hypot(bulk.diffusion_error, std::isnan(bulk.diffusion_spread) ? 0.0 : bulk.diffusion_spread);
    report.say("                {:>7}  {:>12.6g}  {:>12.6g}  {:>12}  {:>12}  {:>9.1e}  {}\n", sites, heat,
               heat * sites, rounded(bulk.diffusion, error),
               rounded(bulk.kappa, std::hypot(bulk.kappa_error, bulk.kappa / bulk.diffusion * error)),
               one.state.residual, one.state.method);
    if (!std::isnan(one.state.residual) && !bulk.obstacle.empty()) obstacles.insert(bulk.obstacle);
  }
  for (const auto& obstacle : obstacles) report.say("                no D inside (-): {}\n", obstacle);
}

/// The scatter about one line is no error of the constant: that is told once a dephasing.
void SteadyStudy::say_fit(std::size_t variant, Report& report) const {
  const ContactFit& fit = fit_of(variant);
  if (std::isnan(fit.slope)) return;
  const auto scatter = [](double error) {
    return std::isnan(error) ? std::string("no error: fewer than 3 sizes")
                             : fmt::format("scatter about this line {:.1g}", error);
  };
  report.say("                (f_L - f_R)/J = R + N/kappa':  R = {} ({})\n",
             rounded(fit.contact_resistance, fit.contact_resistance_error),
             scatter(fit.contact_resistance_error));
  if (std::isfinite(fit.conductivity)) {
    report.say("                {:31}kappa' = {} ({})\n", "",
               rounded(fit.conductivity, fit.conductivity_error), scatter(fit.conductivity_error));
  } else {
    report.say("                {:31}1/kappa'{}: no growth with N to be told from zero\n", "",
               std::isnan(fit.slope_error)
                   ? ""
                   : fmt::format(" < {:.1g}", std::max(0.0, fit.slope) + 2.0 * fit.slope_error));
  }
}

/// One constant a dephasing, and what its error holds.
void SteadyStudy::say_diffusion(Report& report) const {
  for (std::size_t d = 0; d < dephasings(); ++d) {
    const DiffusionEstimate& found = comparisons_[d].diffusion;
    const std::string which =
        compares_dephasings() ? fmt::format("dephasing {:g}: ", job_.steady->dephasings[d]) : "";
    if (std::isnan(found.value)) {
      report.say("diffusion       {}no constant: {}\n", which,
                 found.obstacle.empty() ? "a state is missing" : found.obstacle);
      continue;
    }
    report.say("diffusion       {}D = {}\n", which, with_error(found.value, found.error, "a single number"));
    if (!std::isnan(found.error)) report.say("                the error holds: {}\n", parts_text(found));
  }
}

void SteadyStudy::say_comparison(Report& report) const {
  for (std::size_t v = 0; v < variants_.size(); ++v) {
    say_sizes(v, report);
    say_fit(v, report);
  }
  const std::string obstacle = resistance_obstacle(*models_.back());
  if (!obstacle.empty()) {
    report.say("                no fit of (f_L - f_R)/J: {}\n", obstacle);
  } else if (models_.size() < 2) {
    report.say("                no fit of (f_L - f_R)/J: a single size\n");
  }
  say_diffusion(report);
  if (!same_levels(*models_.back()) && job_.detuning.distribution != Detuning::Distribution::none)
    report.say(
        "                WARNING: one realisation of the detunings; how far others differ is not in any "
        "error "
        "here\n");
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
  report.say("                WARNING: bonds do not keep the sum of level energies{}\n",
             has_temperatures(*models_.back()) ? ", and local reservoirs then break detailed balance" : "");
}

}  // namespace qheat
