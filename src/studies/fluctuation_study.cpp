#include "studies/fluctuation_study.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "parallel/unknown.hpp"
#include "qheat/kernel/kernel_interpolant.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/rates/site_closure.hpp"
#include "qheat/rates/solve.hpp"
#include "studies/diffusion_datasets.hpp"
#include "studies/sensible_ranks.hpp"

namespace qheat {
namespace {

constexpr int kMostSamples = 64;  // that `accuracy` may take

const std::vector<double>& diffusion_of(TransportRoute route, const EquilibriumAnalysis& analysis) {
  if (route == TransportRoute::spreading) return analysis.spread->diffusion;
  if (route == TransportRoute::green_kubo) return analysis.green_kubo->diffusion;
  if (route == TransportRoute::modes) return analysis.modes->diffusion;
  return analysis.site_kernel->diffusion;
}

}  // namespace

FluctuationStudy::FluctuationStudy(const Job& job, const StudyContext& context)
    : job_(job),
      context_(context),
      times_(job.time->times()),
      wanted_{.spreading = true,  // the verdict rests on it
              .green_kubo = job.transport->takes(TransportRoute::green_kubo),
              .modes = job.transport->takes(TransportRoute::modes),
              .site_kernel = job.transport->takes(TransportRoute::site_kernel),
              .memory = job.transport->memory} {}

CorrelationOptions FluctuationStudy::options_for(const Model& model) const {
  const TransportRequest& request = *job_.transport;
  CorrelationOptions options{.equilibrium = request.equilibrium,
                             .energy = request.energy,
                             .sources = request.sources,
                             .axes = wanted_.green_kubo ? transport_axes(model.lattice) : std::vector<int>{},
                             .curvature = wanted_.memory,
                             .samples = request.samples,
                             .seed = request.seed};
  if (&model == &*job_.model) return options;
  const bool all = as_size(job_.model->sites()) == request.sources.size();
  options.sources = default_sources(model);
  if (!all && options.sources.size() > 1) options.sources = {model.sites() / 2};
  return options;
}

void FluctuationStudy::describe(Report& report) const {
  const auto options = options_for(*job_.model);
  const auto plan = plan_correlations(*job_.model, times_, options, 1, 0.0);
  const TransportRequest& request = *job_.transport;
  const std::string where = request.equilibrium.counts.empty()
                                ? fmt::format("full space, T = {:g}", request.equilibrium.temperature)
                                : fmt::format("sector [{}]", fmt::join(request.equilibrium.counts, ", "));
  const std::string energy = request.energy == SiteEnergy::full ? ", energy with the interaction" : "";
  const std::string how =
      plan.elements > 0 ? fmt::format("operators of {} elements by Faber polynomials", plan.elements)
      : plan.exact      ? fmt::format("all {} states, exactly", plan.states)
                        : fmt::format("{} random states{} of {} dimensions in {} part(s){}", plan.samples,
                                 request.samples > 0 ? "" : " or more", plan.states, plan.parts.size(),
                                 plan.reversal ? ", of those with reversed levels one" : "");
  report.say("fluctuations    {}: {}, {} source(s){}{}\n", where, how, options.sources.size(), energy,
             request.shorter ? fmt::format("; the same on {} sites", request.shorter->sites()) : "");
  for (const auto& [route, why] : request.left_out)
    report.say("                without {}: {}\n", route_name(route), why);
}

void FluctuationStudy::require_possible() const {
  const double chi = susceptibility(*job_.model, job_.transport->equilibrium, job_.transport->energy);
  if (!(chi > std::numeric_limits<double>::min()))
    throw Error(
        job_.transport->energy == SiteEnergy::levels
            ? "no level energy fluctuates in this equilibrium: give the levels of a site a spacing and "
              "transport.equilibrium a temperature that they feel, or use transport.energy = \"full\""
            : "no energy fluctuates in this equilibrium: the interaction is zero");
  plan_correlations(*job_.model, times_, options_for(*job_.model), 1, 0.0);
}

Need FluctuationStudy::need(int ranks, double free_bytes) const {
  Need need = need_of(*job_.model, ranks, free_bytes);
  if (job_.transport->shorter) {
    const Need more = need_of(*job_.transport->shorter, ranks, free_bytes);
    need.kept_bytes_per_rank += more.kept_bytes_per_rank;
    need.work += more.work;
  }
  return need;
}

Need FluctuationStudy::need_of(const Model& model, int ranks, double free_bytes) const {
  const auto options = options_for(model);
  const auto plan = plan_correlations(model, times_, options, ranks, free_bytes);
  const auto sites = static_cast<double>(model.sites());
  const auto outputs = static_cast<double>(times_.size());
  const double samples = plan.exact ? 1.0 : std::max(options.samples, plan.samples);
  // Series of each sample, and for a jackknife the matrices and waves of each.
  const double series = 16.0 * outputs * sites * static_cast<double>(options.sources.size());
  const double matrices =
      8.0 * outputs * sites * sites * (wanted_.site_kernel ? 2.0 : 0.1) * (wanted_.memory ? 3.0 : 1.0);
  const auto size = static_cast<double>(std::max(plan.largest_dimension, plan.elements));
  return {.bytes_per_rank = plan.bytes_per_rank,
          .least_bytes_per_rank = plan.least_bytes_per_rank,
          .kept_bytes_per_rank = samples * series + (3.0 + samples) * matrices,
          .work = plan.work,
          .sensible_ranks = sensible_ranks(size, kStatesARank),
          .what = fmt::format("equilibrium fluctuations of {:.0f} {}", size,
                              plan.elements > 0 ? "elements" : "states"),
          .remedy = "use more nodes, fewer sites, transport.ensemble = \"sector\" or fewer sources"};
}

/// What all samples say, and all but one each.
void FluctuationStudy::analyse_samples(const Model& model, Followed& found) const {
  const auto correlations = [&](const CorrelationSeries& series) {
    return site_correlations(model, found.correlations, series, found.background);
  };
  const auto analysis = [&](const SiteCorrelations& of) {
    return analyse(model.lattice, of, found.susceptibility, found.modes, wanted_);
  };
  const CorrelationSeries mean = found.correlations.mean();
  const SiteCorrelations all = correlations(mean);
  found.all = analysis(all);
  found.without_one.clear();
  found.relative_error = 0.0;
  found.correlation_error.assign(times_.size(), found.correlations.truncation);
  if (found.correlations.exact) return;
  std::vector<double> squares(times_.size(), 0.0);
  const std::size_t samples = found.correlations.samples.size();
  for (std::size_t s = 0; s < samples; ++s) {
    const SiteCorrelations one = correlations(found.correlations.mean_without(s, mean));
    for (std::size_t e = 0; e < one.energy.size(); ++e)
      squares[e / (one.sites * one.sites)] += std::pow(one.energy[e] - all.energy[e], 2);
    found.without_one.push_back(analysis(one));
  }
  const auto variance_error = jackknife_errors(
      found.without_one, [](const EquilibriumAnalysis& one) { return one.spread->variance; });
  forget_unknown_spreading(*found.all.spread, variance_error);
  for (std::size_t t = 0; t < times_.size() && wanted_.site_kernel; ++t) {
    const double jackknife = static_cast<double>(samples - 1) / static_cast<double>(samples);
    found.correlation_error[t] += std::sqrt(jackknife * squares[t]) / found.all.site_kernel->kernels[t].norm;
  }
  // Not of waves and kernels: they divide by what decays, and their late times ask for any number of samples.
  const TransportRoute route = wanted_.green_kubo ? TransportRoute::green_kubo : TransportRoute::spreading;
  double largest = 0.0;
  for (const double d : diffusion_of(route, found.all)) largest = std::max(largest, std::abs(d));
  const auto errors = jackknife_errors(
      found.without_one, [&](const EquilibriumAnalysis& one) { return diffusion_of(route, one); });
  for (const double error : errors) found.relative_error = std::max(found.relative_error, error / largest);
}

/// As many as bring the error to the accuracy that is wanted, from what it is now.
int FluctuationStudy::more_samples(const Followed& found) const {
  const double factor = std::pow(found.relative_error / job_.transport->accuracy, 2);
  const auto have = static_cast<int>(found.correlations.samples.size());
  if (factor <= 1.0 || have >= kMostSamples) return 0;
  return static_cast<int>(std::clamp(std::ceil(have * (factor - 1.0)), 1.0, 1.0 * (kMostSamples - have)));
}

FluctuationStudy::Followed FluctuationStudy::follow(const Model& model) {
  const auto options = options_for(model);
  Followed found;
  found.modes = lattice_modes(model.lattice);
  found.susceptibility = susceptibility(model, options.equilibrium, options.energy);
  found.background = sector_background(model, options.equilibrium, options.energy);
  const auto plan = plan_correlations(model, times_, options, context_.comm.size(), context_.free_bytes());
  bool analysed = false;
  found.correlations = compute_correlations(
      model, times_, options, plan,
      [&](const Correlations& so_far) {
        found.correlations = so_far;
        analyse_samples(model, found);
        analysed = true;
        return more_samples(found);
      },
      context_.comm, context_.control, context_.timings);
  if (!analysed) analyse_samples(model, found);
  check_start(model, found);
  find_routes(model.lattice, found);
  return found;
}

void FluctuationStudy::compute() {
  const Timings::Scope scope(context_.timings, "fluctuations");
  context_.progress.log("equilibrium fluctuations");
  {
    const Stage stage(context_.control, "fluctuations");
    here_ = follow(*job_.model);
  }
  if (job_.transport->shorter) {
    const Stage stage(context_.control, "fluctuations of the shorter lattice");
    context_.progress.log(fmt::format("the same on {} sites", job_.transport->shorter->sites()));
    shorter_ = follow(*job_.transport->shorter);
  }
  judge();
  if (wanted_.site_kernel) close_sites();
}

/// How far the site equation with the bond rates of the site kernel alone is from the exact profile.
void FluctuationStudy::close_sites() {
  const Lattice& lattice = job_.model->lattice;
  bond_rates_.clear();
  for (const auto& kernel : here_.all.site_kernel->kernels) {
    const auto rates = site_bond_rates(lattice, kernel);
    bond_rates_.insert(bond_rates_.end(), rates.begin(), rates.end());
  }
  const std::size_t sites = as_size(lattice.sites());
  const auto& profile = here_.all.spread->profile;
  // Rates have no meaning between outputs at which the kernel diverges.
  auto known = bond_rates_;
  singular_times_ = singular_times(times_, here_.all.site_kernel->kernels, here_.correlation_error);
  const double until =
      singular_times_.empty() ? std::numeric_limits<double>::infinity() : singular_times_.front();
  const std::size_t bonds = as_size(lattice.bond_count());
  for (std::size_t t = 0; t < times_.size(); ++t) {
    if (times_[t] >= until)
      std::fill_n(known.begin() + static_cast<std::ptrdiff_t>(t * bonds), bonds, kUnknown);
  }
  const auto solved = solve_sites(lattice, times_, known, std::span(profile).first(sites));
  closure_error_ = closure_error(sites, 1, solved, profile);
}

/// Of K(t), over |K(t)|: by the samples, or by truncation.
std::vector<double> FluctuationStudy::error_of_kernel() const {
  const auto& kernels = here_.all.site_kernel->kernels;
  std::vector<const SiteKernelSeries*> without_one;
  for (const auto& one : here_.without_one) without_one.push_back(&*one.site_kernel);
  auto errors = kernel_errors(*here_.all.site_kernel, without_one);
  const auto known = known_inverses(*here_.all.site_kernel, here_.correlation_error);
  for (std::size_t t = 0; t < errors.size(); ++t)
    errors[t] = known[t] ? errors[t] + kernels[t].condition * here_.correlations.truncation : kUnknown;
  return errors;
}

/// Of an element of the memory kernel by samples and quadrature, over the largest one.
double FluctuationStudy::error_of_memory() const {
  const auto errors =
      jackknife_errors(here_.without_one, [](const EquilibriumAnalysis& one) { return one.memory->kernel; });
  double largest = 0.0;
  for (const double value : here_.all.memory->kernel) largest = std::max(largest, std::abs(value));
  double error = 0.0;
  for (const double value : errors) error = std::isfinite(value) ? std::max(error, value) : kUnknown;
  return here_.all.memory->error + (largest > 0.0 ? error / largest : 0.0);
}

/// C_jj(0) is known exactly by counting: what the states say must agree.
void FluctuationStudy::check_start(const Model& model, const Followed& found) const {
  const auto options = options_for(model);
  const int source = options.sources.front();
  const auto energy = site_energy(model, options.energy, source);
  const double counted = equilibrium_covariance(model, options.equilibrium, energy, energy);
  const double followed = found.correlations.mean().energy[as_size(source)];
  constexpr double kRounding = 1e-9;
  constexpr double kErrors = 10.0;
  double allowed = kRounding * counted;
  if (!found.correlations.exact)
    allowed += kErrors * typical_scatter(model, options.equilibrium, energy) /
               std::sqrt(static_cast<double>(found.correlations.samples.size()));
  if (std::abs(followed - counted) <= allowed) return;
  throw Error(
      fmt::format("the fluctuation of a site's energy is {:g} by the states and {:g} by counting; use more "
                  "transport.samples",
                  followed, counted));
}

std::string FluctuationStudy::end_in_words() const {
  return has_open_axis(job_.model->lattice) ? "the excess reaches the edge" : "the excess meets itself";
}

DiffusionRoute FluctuationStudy::route(TransportRoute route, const Lattice& lattice,
                                       const Followed& followed) const {
  DiffusionRoute found{.route = route,
                       .times = times_,
                       .diffusion = diffusion_of(route, followed.all),
                       .error = {},
                       .samples = followed.without_one.size(),
                       .systematic = {},
                       .window = std::nullopt,
                       .obstacle = {}};
  found.error = jackknife_errors(followed.without_one,
                                 [&](const EquilibriumAnalysis& one) { return diffusion_of(route, one); });
  found.error.resize(times_.size(), 0.0);
  const auto& all = followed.all;
  const double truncation = followed.correlations.truncation;
  std::vector<bool> known(times_.size(), true);
  if (route == TransportRoute::modes)
    known = known_waves(lattice, followed.modes, *all.modes, followed.without_one);
  if (route == TransportRoute::site_kernel)
    known = known_inverses(*all.site_kernel, followed.correlation_error);
  for (std::size_t t = 0; t < times_.size(); ++t) {
    double of_route = 0.0;
    double amplified = 2.0;
    if (route == TransportRoute::green_kubo) of_route = all.green_kubo->quadrature[t];
    if (route == TransportRoute::modes) of_route = all.modes->finite_wave[t];
    if (route == TransportRoute::site_kernel) {
      of_route = all.site_kernel->finite_wave[t];
      amplified += all.site_kernel->kernels[t].condition;
    }
    found.systematic.push_back(of_route + amplified * truncation * std::abs(found.diffusion[t]));
    if (!known[t]) found.error[t] = kUnknown;
  }
  const bool meets = std::isfinite(followed.edge_time);
  find_window(
      found, followed.edge_time,
      meets ? fmt::format("{} at t = {}", end_in_words(), time_text(job_.units, followed.edge_time)) : "");
  return found;
}

void FluctuationStudy::find_routes(const Lattice& lattice, Followed& found) const {
  const auto edge_error =
      jackknife_errors(found.without_one, [](const EquilibriumAnalysis& one) { return one.spread->edge; });
  found.edge_time = end_of_spreading(times_, found.all.spread->edge, edge_error, found.without_one.size());
  for (const TransportRoute route : job_.transport->routes) {
    if (from_fluctuations(route)) found.routes.push_back(this->route(route, lattice, found));
  }
}

void FluctuationStudy::judge() {
  const auto& kubo = here_.all.green_kubo;
  const Spreading& spread = *here_.all.spread;
  const auto exponent_error = jackknife_errors(here_.without_one, [&](const EquilibriumAnalysis& one) {
    return kubo ? one.green_kubo->exponent : one.spread->exponent;
  });
  const auto total_error =
      jackknife_errors(here_.without_one, [](const EquilibriumAnalysis& one) { return one.spread->total; });
  const auto variance_error = jackknife_errors(
      here_.without_one, [](const EquilibriumAnalysis& one) { return one.spread->variance; });
  SpreadEvidence evidence{
      .times = times_,
      .spread = &spread,
      .exponent = kubo ? kubo->exponent : spread.exponent,
      .exponent_error = exponent_error,
      .total_error = total_error.empty() ? 0.0 : *std::max_element(total_error.begin(), total_error.end()),
      .variance_error =
          variance_error.empty() ? 0.0 : *std::max_element(variance_error.begin(), variance_error.end()),
      .end = here_.edge_time,
      .spacing = job_.model->lattice.spacing(),
      .dephased = job_.model->bath.dephasing > 0.0,
      .units = job_.units,
      .routes = {},
      .smaller = {}};
  for (const auto& route : here_.routes) evidence.routes.push_back(&route);
  for (const auto& route : shorter_.routes) evidence.smaller.push_back(&route);
  verdict_ = judge_spreading(evidence);
}

void FluctuationStudy::write(ResultsFile& file) {
  const auto outputs = static_cast<Index>(times_.size());
  for (const DiffusionRoute& route : here_.routes) {
    const std::string group = "/transport/" + route_group(route.route);
    std::vector<double> error = route.error;
    for (std::size_t t = 0; t < error.size(); ++t)
      error[t] += std::isfinite(route.systematic[t]) ? route.systematic[t] : 0.0;
    write_diffusion(route.diffusion, error, {route.window, route.window_error, route.obstacle}, group, file);
    file.attribute(group, "verdict", std::string(name_of(verdict_.kind)));
  }
  if (job_.transport->takes(TransportRoute::spreading)) write_spreading(file);
  if (wanted_.green_kubo) write_green_kubo(file);
  if (wanted_.modes) write_modes(file);
  if (wanted_.site_kernel) write_site_kernel(file);
  file.attribute("/transport", "samples",
                 here_.correlations.exact ? std::int64_t{0}
                                          : static_cast<std::int64_t>(here_.correlations.samples.size()));
  file.attribute("/transport", "susceptibility", here_.susceptibility);
  if (std::isfinite(here_.edge_time)) file.attribute("/transport", "edge_time", here_.edge_time);
  if (!job_.transport->shorter) return;
  file.attribute("/transport", "shorter_sites", static_cast<std::int64_t>(job_.transport->shorter->sites()));
  for (const DiffusionRoute& route : shorter_.routes)
    file.dataset("/transport/" + route_group(route.route) + "/diffusion_shorter", {outputs}, route.diffusion);
}

void FluctuationStudy::write_spreading(ResultsFile& file) const {
  const std::string group = "/transport/spreading";
  const Spreading& spread = *here_.all.spread;
  const auto outputs = static_cast<Index>(times_.size());
  file.dataset(group + "/profile", {outputs, job_.model->sites()}, spread.profile);
  file.dataset(group + "/variance", {outputs}, spread.variance);
  file.dataset(group + "/kurtosis", {outputs}, spread.kurtosis);
  file.dataset(group + "/exponent", {outputs}, spread.exponent);
  file.dataset(group + "/edge", {outputs}, spread.edge);
  file.dataset(group + "/total", {outputs}, spread.total);
  const auto exponent_error = jackknife_errors(
      here_.without_one, [](const EquilibriumAnalysis& one) { return one.spread->exponent; });
  if (!exponent_error.empty()) file.dataset(group + "/exponent_error", {outputs}, exponent_error);
  file.attribute(group, "source", static_cast<std::int64_t>(spread.source));
  if (std::isfinite(here_.edge_time)) file.attribute(group, "edge_time", here_.edge_time);
  if (std::isfinite(verdict_.exponent)) {
    const double window[2] = {verdict_.begin, verdict_.until};
    file.attribute(group, "steady_exponent", verdict_.exponent);
    file.attribute(group, "steady_window", std::span<const double>(window));
  }
  file.attribute(group, "reason_of_verdict", verdict_.reason);
}

void FluctuationStudy::write_green_kubo(ResultsFile& file) const {
  const auto outputs = static_cast<Index>(times_.size());
  file.dataset("/transport/green_kubo/correlation", {outputs}, here_.all.green_kubo->correlation);
  file.dataset("/transport/green_kubo/exponent", {outputs}, here_.all.green_kubo->exponent);
  const auto errors = jackknife_errors(
      here_.without_one, [](const EquilibriumAnalysis& one) { return one.green_kubo->exponent; });
  if (!errors.empty()) file.dataset("/transport/green_kubo/exponent_error", {outputs}, errors);
}

void FluctuationStudy::write_modes(ResultsFile& file) const {
  const std::string group = "/transport/modes";
  const auto& modes = here_.modes;
  const auto outputs = static_cast<Index>(times_.size());
  const auto waves = static_cast<Index>(modes.size());
  std::vector<double> q;
  for (const auto& mode : modes) {
    for (const double phase : mode.q) q.push_back(phase / job_.model->lattice.spacing());
  }
  file.dataset(group + "/q", {waves, static_cast<Index>(job_.model->lattice.shape().size())}, q);
  file.dataset(group + "/amplitude", {outputs, waves}, here_.all.modes->amplitude);
  file.dataset(group + "/rate", {outputs, waves}, here_.all.modes->rate);
}

void FluctuationStudy::write_site_kernel(ResultsFile& file) const {
  const std::string group = "/transport/site_kernel";
  const auto& modes = here_.modes;
  const SiteKernelSeries& series = *here_.all.site_kernel;
  const auto outputs = static_cast<Index>(times_.size());
  const Index sites = job_.model->sites();
  std::vector<double> generators;
  for (const auto& kernel : series.kernels)
    generators.insert(generators.end(), kernel.generator.begin(), kernel.generator.end());
  file.dataset(group + "/generator", {outputs, sites, sites}, generators);
  const auto scores = [&](const std::string& name, double SiteKernel::*score) {
    std::vector<double> values;
    for (const auto& kernel : series.kernels) values.push_back(kernel.*score);
    file.dataset(group + "/" + name, {outputs}, values);
  };
  scores("locality", &SiteKernel::locality);
  scores("symmetry", &SiteKernel::symmetry);
  scores("negativity", &SiteKernel::negativity);
  scores("condition", &SiteKernel::condition);
  file.dataset(group + "/dispersion", {outputs, static_cast<Index>(modes.size())}, series.dispersion);
  file.dataset(group + "/distance", {static_cast<Index>(series.distances.size())}, series.distances);
  file.dataset(group + "/rate", {outputs, static_cast<Index>(series.distances.size())},
               series.rate_by_distance);
  file.dataset(group + "/singular_times", {static_cast<Index>(singular_times_.size())}, singular_times_);
  file.dataset(group + "/error", {outputs}, error_of_kernel());
  file.dataset(group + "/bond_rate", {outputs, job_.model->lattice.bond_count()}, bond_rates_);
  file.dataset(group + "/closure_error", {outputs}, closure_error_);
  if (wanted_.memory) write_memory(file);
}

void FluctuationStudy::write_memory(ResultsFile& file) const {
  const Index sites = job_.model->sites();
  file.dataset("/transport/site_kernel/memory", {static_cast<Index>(times_.size()), sites, sites},
               here_.all.memory->kernel);
  file.dataset("/transport/site_kernel/frequency", {sites, sites}, here_.all.memory->frequency);
  file.attribute("/transport/site_kernel", "memory_error", error_of_memory());
}

void FluctuationStudy::summarize(Report& report) const {
  report.say("fluctuations    {}; {}\n",
             here_.correlations.exact ? std::string("exact")
                                      : fmt::format("{} random states", here_.correlations.samples.size()),
             std::isfinite(here_.edge_time)
                 ? fmt::format("{} at t = {}", end_in_words(), time_text(job_.units, here_.edge_time))
                 : "the excess stays inside the lattice");
  const double wanted = job_.transport->accuracy;
  if (here_.relative_error > wanted) {
    report.say(
        "                errors of D(t) reach {:.1e} of it, more than transport.accuracy = {:g}; about "
        "{:.0f} samples "
        "would do\n",
        here_.relative_error, wanted,
        std::ceil(static_cast<double>(here_.correlations.samples.size()) *
                  std::pow(here_.relative_error / wanted, 2)));
  }
  report.say("verdict         {}: {}\n", name_of(verdict_.kind), verdict_.reason);
  if (wanted_.memory && !(error_of_memory() <= kLargestKernelError))
    report.say(
        "                the memory kernel of the sites is not known: the output times are too few or too "
        "far apart for it, or the random states; use more time.outputs, an earlier time.end or more "
        "transport.samples\n");
}

}  // namespace qheat
