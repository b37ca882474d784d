#include "studies/transport_study.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "qheat/parallel/index.hpp"
#include "qheat/transport/level_energy.hpp"
#include "qheat/transport/site_heat.hpp"
#include "studies/diffusion_datasets.hpp"

namespace qheat {
namespace {

constexpr std::size_t kMostRows = 12;  // of a table in the log

/// Greater for the one to believe first: exact, then the highest order, then Markov, whose D holds at long
/// times only.
std::pair<int, int> trust(KernelId id) {
  return {-static_cast<int>(id.kind), id.order};
}

std::string name_of(KernelId id) {
  return "kernel " + id.name();
}

}  // namespace

TransportStudy::TransportStudy(const Job& job, const StudyContext& context, const KernelStudy* kernels,
                               const SteadyStudy* steady, const FluctuationStudy* fluctuations)
    : job_(job),
      context_(context),
      kernels_(job.transport->takes(TransportRoute::kernel) ? kernels : nullptr),
      steady_(job.transport->takes(TransportRoute::steady) ? steady : nullptr),
      fluctuations_(fluctuations),
      temperatures_(job.transport->temperatures) {}

void TransportStudy::describe(Report& report) const {
  std::vector<std::string> names;
  for (const TransportRoute route : job_.transport->routes) names.push_back(route_name(route));
  if (!names.empty()) report.say("transport       D by {}\n", fmt::join(names, ", "));
  if (temperatures_.empty()) return;
  report.say("transport       kappa(T) = D C_V at {} temperature{}{}\n", temperatures_.size(),
             temperatures_.size() == 1 ? "" : "s",
             names.empty() ? ": C_V(T) alone; add [kernel], whose bond rates give D" : "");
}

Need TransportStudy::need(int, double) const {
  const auto numbers = static_cast<double>(temperatures_.size());
  const double levels = static_cast<double>(job_.model->energies.size()) * job_.detuning.realizations;
  constexpr double kLevelSeconds = 4e-8;
  constexpr double kBytes = 200.0;        // of a temperature
  constexpr double kSchemeBytes = 100.0;  // of a level scheme, beside its levels
  const bool drawn = job_.detuning.distribution != Detuning::Distribution::none;
  const double schemes =
      drawn ? levels * (sizeof(double) + kSchemeBytes / job_.model->levels()) : 0.0;  // each site its own
  return {.bytes_per_rank = kBytes * numbers + schemes,
          .least_bytes_per_rank = kBytes * numbers + schemes,
          .kept_bytes_per_rank = kBytes * numbers,
          .work = {.dense = kLevelSeconds * numbers * levels},
          .what = "the table of temperatures, and the level schemes of all sites",
          .remedy = "lower the number of transport.temperatures, or site.detuning.realizations"};
}

void TransportStudy::compute() {
  const Timings::Scope scope(context_.timings, "transport");
  const Model& model = *job_.model;
  LevelSchemes schemes;
  for (int r = 0; r < job_.detuning.realizations; ++r) {
    count_schemes(site_energies(model.site.energies(), model.sites(), job_.detuning, r), model.levels(),
                  schemes);
  }
  heat_ = site_heat(schemes, temperatures_);
  pair_rate_ = resonant_pair_rate(model, job_.kernel ? job_.kernel->broadening : std::optional<Broadening>{});
  if (kernels_ == nullptr) return;
  for (const auto& [id, times, series] : kernels_->with_bond_rates())
    routes_.push_back({id, times, kernel_diffusion(*series, times, model.lattice, open_share())});
}

/// What a table of V leaves open of rates, relative: they go as squared elements.
double TransportStudy::open_share() const {
  if (!job_.well || job_.well->potential.value_error == 0.0) return 0.0;
  const double open =
      (std::abs(job_.well->direct) + std::abs(job_.well->exchange)) * job_.well->potential.value_error;
  double square = 0.0;
  double count = 0.0;
  for (const PairElement& v : job_.model->interactions.front().elements()) {
    if (!is_swap(v)) continue;
    square += std::norm(v.value);
    ++count;
  }
  return count > 0.0 ? 2.0 * open / std::sqrt(square / count) : 0.0;
}

const TransportStudy::Route* TransportStudy::best() const {
  const Route* best = nullptr;
  for (const Route& route : routes_) {
    if (!route.found.window) continue;
    if (best == nullptr || trust(route.id) > trust(best->id)) best = &route;
  }
  return best;
}

std::vector<double> TransportStudy::conductivity(double diffusion) const {
  std::vector<double> kappa;
  for (const Thermodynamics& one : heat_) kappa.push_back(diffusion * one.specific_heat);
  return kappa;
}

void TransportStudy::write_route(const Route& route, const std::string& group, ResultsFile& file) const {
  const KernelDiffusion& found = route.found;
  const bool settled = write_diffusion(found.diffusion, found.error,
                                       {found.window, found.window_error, found.obstacle}, group, file);
  if (!settled || temperatures_.empty()) return;
  const auto count = static_cast<Index>(temperatures_.size());
  file.dataset(group + "/conductivity", {count}, conductivity(found.window->value));
  file.dataset(group + "/conductivity_error", {count}, conductivity(found.window_error));
}

/// What does not depend on time (Markov) has one; the route has all output times, whichever kernel it takes.
TransportStudy::Route TransportStudy::at_all_outputs(Route route) const {
  if (route.times.size() > 1) return route;
  route.times = job_.time->times();
  route.found.diffusion.resize(route.times.size(), route.found.diffusion.front());
  route.found.error.resize(route.times.size(), route.found.error.front());
  return route;
}

void TransportStudy::write_pair_rate(ResultsFile& file) const {
  if (!pair_rate_) return;
  const std::string group = "/transport/pair_rate";
  const double area = std::pow(job_.model->lattice.spacing(), 2);
  const double range[2] = {area * pair_rate_->lowest, area * pair_rate_->highest};
  file.dataset(group + "/conductivity", {static_cast<Index>(temperatures_.size())},
               conductivity(area * pair_rate_->value));
  file.attribute(group, "value", area * pair_rate_->value);
  file.attribute(group, "range", std::span<const double>(range));
}

void TransportStudy::write_thermodynamics(ResultsFile& file) const {
  const auto count = static_cast<Index>(temperatures_.size());
  const auto write = [&](const std::string& name, double Thermodynamics::*value) {
    std::vector<double> values;
    for (const Thermodynamics& one : heat_) values.push_back(one.*value);
    file.dataset("/transport/" + name, {count}, values);
  };
  file.dataset("/transport/temperature", {count}, temperatures_);
  write("energy", &Thermodynamics::energy);
  write("specific_heat", &Thermodynamics::specific_heat);
  write("entropy", &Thermodynamics::entropy);
  write("exponent", &Thermodynamics::exponent);
}

std::optional<TransportStudy::Final> TransportStudy::final_diffusion() const {
  // From the one to believe first on. Spreading and Green-Kubo are exact at every wave length, the other two
  // belong to waves that fit the lattice.
  constexpr std::array kTrusted = {TransportRoute::green_kubo, TransportRoute::spreading,
                                   TransportRoute::site_kernel, TransportRoute::modes};
  std::vector<const DiffusionRoute*> known;
  for (const TransportRoute wanted : kTrusted) {
    for (std::size_t k = 0; fluctuations_ != nullptr && k < fluctuations_->routes().size(); ++k) {
      const DiffusionRoute& route = fluctuations_->routes()[k];
      if (route.route == wanted && route.window) known.push_back(&route);
    }
  }
  const bool diffuses =
      fluctuations_ != nullptr && fluctuations_->verdict().kind == SpreadVerdict::Kind::diffusive;
  if (!known.empty() && diffuses) {
    const auto best = std::ranges::min_element(known, {}, &DiffusionRoute::window_error);
    Final found{(*best)->route, route_name((*best)->route), (*best)->window->value, (*best)->window_error};
    // farther away than its own error tells
    for (const DiffusionRoute* other : known)
      found.error = std::max(found.error, std::abs(other->window->value - found.value) - other->window_error);
    return found;
  }
  if (const Route* kernel = best(); kernel != nullptr)
    return Final{TransportRoute::kernel, name_of(kernel->id), kernel->found.window->value,
                 kernel->found.window_error};
  if (steady_ != nullptr) {
    const DiffusionEstimate estimate = steady_->diffusion();
    if (!std::isnan(estimate.value))
      return Final{TransportRoute::steady, "steady state", estimate.value, estimate.error};
  }
  return {};
}

void TransportStudy::write_steady(ResultsFile& file) const {
  if (steady_ == nullptr) return;
  const std::string group = "/transport/steady";
  const DiffusionEstimate estimate = steady_->diffusion();
  file.group(group);
  if (std::isnan(estimate.value)) {
    file.attribute(group, "reason", estimate.obstacle);
    return;
  }
  file.attribute(group, "value", estimate.value);
  file.attribute(group, "error", estimate.error);
}

void TransportStudy::write(ResultsFile& file) {
  if (!temperatures_.empty()) write_thermodynamics(file);
  if (!temperatures_.empty()) write_pair_rate(file);
  for (const Route& route : routes_) write_route(route, "/transport/kernel/" + route.id.name(), file);
  if (const Route* route = best(); route != nullptr) {
    write_route(at_all_outputs(*route), "/transport/kernel", file);
    file.attribute("/transport/kernel", "kernel", route->id.name());
  }
  write_steady(file);
  file.group("/transport");
  if (fluctuations_ != nullptr) {
    file.attribute("/transport", "verdict", std::string(name_of(fluctuations_->verdict().kind)));
    file.attribute("/transport", "reason_of_verdict", fluctuations_->verdict().reason);
  }
  const auto found = final_diffusion();
  if (!found) {
    file.attribute("/transport", "reason",
                   fluctuations_ != nullptr ? "the verdict is not diffusive: there is no D to be believed"
                   : routes_.empty()        ? "the job has no kernel whose bond rates give D"
                                            : "D(t) of no kernel has a window");
    return;
  }
  file.attribute("/transport", "route", route_name(found->route));
  file.attribute("/transport", "diffusion", found->value);
  file.attribute("/transport", "diffusion_error", found->error);
  if (temperatures_.empty()) return;
  const auto count = static_cast<Index>(temperatures_.size());
  file.dataset("/transport/conductivity", {count}, conductivity(found->value));
  file.dataset("/transport/conductivity_error", {count}, conductivity(found->error));
}

TransportStudy::Scale TransportStudy::scale(Quantity quantity) const {
  if (!job_.units) return {1.0, ""};
  return {job_.units->factor(quantity), " " + job_.units->laboratory_unit(quantity)};
}

void TransportStudy::say_diffusion(Report& report) const {
  const auto [factor, unit] = scale(Quantity::diffusion);
  for (const auto& [id, times, found] : routes_) {
    if (!found.window) {
      report.say("D, {:<14} none: {}\n", name_of(id), found.obstacle);
      continue;
    }
    report.say("D, {:<14} {:.6g} +- {:.2g}{}{}\n", name_of(id), factor * found.window->value,
               factor * found.window_error, unit,
               times.size() == 1
                   ? ""
                   : fmt::format(", from t = {} to {}", time_text(job_.units, found.window->begin),
                                 time_text(job_.units, found.window->end)));
  }
  if (!pair_rate_) return;
  const double area = factor * std::pow(job_.model->lattice.spacing(), 2);
  const bool one = pair_rate_->highest - pair_rate_->lowest <= 1e-9 * pair_rate_->highest;
  report.say("D, {:<14} {:.6g}{}{}{}\n", "Eq. 18", area * pair_rate_->value, unit,
             same_levels(*job_.model) ? "" : ", without the detunings",
             one ? ""
                 : fmt::format(", the mean of {:.3g} to {:.3g}: rates depend on the levels or the bond",
                               area * pair_rate_->lowest, area * pair_rate_->highest));
}

void TransportStudy::say_fluctuations(Report& report) const {
  if (fluctuations_ == nullptr) return;
  const auto [factor, unit] = scale(Quantity::diffusion);
  const bool diffuses = fluctuations_->verdict().kind == SpreadVerdict::Kind::diffusive;
  for (const DiffusionRoute& route : fluctuations_->routes()) {
    if (!route.window) {
      report.say("D, {:<14} none: {}\n", route_name(route.route), route.obstacle);
      continue;
    }
    // A D(t) that stands still for a while is none yet: the verdict decides.
    const std::string stands = diffuses ? "" : "not decided; D(t) stands for a while at ";
    report.say("D, {:<14} {}{:.6g} +- {:.2g}{}, from t = {} to {}\n", route_name(route.route), stands,
               factor * route.window->value, factor * route.window_error, unit,
               time_text(job_.units, route.window->begin), time_text(job_.units, route.window->end));
  }
}

void TransportStudy::say_conductivity(Report& report) const {
  const auto route = final_diffusion();
  const Scale kelvin = scale(Quantity::temperature);
  const Scale energy = scale(Quantity::energy);
  const Scale kappa = scale(Quantity::conductivity);
  report.say("{:>12}  {:>12}  {:>12}{}  {:>9}\n", "T" + kelvin.unit, "u" + energy.unit, "C_V k_B",
             route ? fmt::format("  {:>14}  {:>9}", "kappa" + kappa.unit, "+-") : "", "exponent");
  const std::size_t count = temperatures_.size();
  const std::size_t step = (count + kMostRows - 1) / kMostRows;
  for (std::size_t k = 0; k < count; k += step) {
    const double heat = heat_[k].specific_heat;
    const double scaled = kappa.factor * heat;
    const std::string text =
        !route ? "" : fmt::format("  {:14.6g}  {:9.2g}", scaled * route->value, scaled * route->error);
    const std::string exponent =
        std::isnan(heat_[k].exponent) ? "nan" : fmt::format("{:.4g}", heat_[k].exponent);
    report.say("{:12.6g}  {:12.6g}  {:12.6g}{}  {:>9}\n", kelvin.factor * temperatures_[k],
               energy.factor * heat_[k].energy, heat, text, exponent);
  }
  if (step > 1) report.say("(every {}th of {} temperatures)\n", step, count);
}

void TransportStudy::summarize(Report& report) const {
  say_fluctuations(report);
  say_diffusion(report);
  const auto route = final_diffusion();
  if (route && fluctuations_ != nullptr)
    report.say(
        "D               {:.6g} +- {:.2g}{} (by {})\n", scale(Quantity::diffusion).factor * route->value,
        scale(Quantity::diffusion).factor * route->error, scale(Quantity::diffusion).unit, route->name);
  if (temperatures_.empty()) return;
  const std::string heat = "exponent d ln C_V/d ln T";
  const bool warm_bath = job_.model->bath.correlation || !job_.model->bath.reservoirs.empty();
  const bool varies = (job_.well && job_.well->by_temperature) || warm_bath;
  report.say("{}\n", !route ? "thermodynamics of a site; no route has a D; " + heat
                            : fmt::format("kappa(T) = D C_V of a {} with D of the {}; {}",
                                          job_.units ? "volume" : "site", route->name,
                                          varies ? heat : "exponent d ln kappa/d ln T"));
  if (route && varies)
    report.say(
        "D depends on the temperature of the {} too, which is one here: sweep it for kappa's exponent\n",
        warm_bath ? "bath" : "interaction");
  say_conductivity(report);
}

}  // namespace qheat
