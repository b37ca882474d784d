#include "studies/fluctuation_study.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "studies/sensible_ranks.hpp"

namespace qheat {
namespace {

constexpr int kMostSamples = 200;  // that `accuracy` may take

/// The values of one quantity in each of several analyses.
template <class Get>
std::vector<std::vector<double>> values_of(const std::vector<EquilibriumAnalysis>& analyses, const Get& get) {
  std::vector<std::vector<double>> values;
  for (const auto& analysis : analyses) values.push_back(get(analysis));
  return values;
}

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
      wanted_{.spreading = job.transport->takes(TransportRoute::spreading),
              .green_kubo = job.transport->takes(TransportRoute::green_kubo),
              .modes = job.transport->takes(TransportRoute::modes),
              .site_kernel = job.transport->takes(TransportRoute::site_kernel)} {}

CorrelationOptions FluctuationStudy::options() const {
  const TransportRequest& request = *job_.transport;
  return {.equilibrium = request.equilibrium,
          .energy = request.energy,
          .sources = request.sources,
          .axes = wanted_.green_kubo ? transport_axes(job_.model->lattice) : std::vector<int>{},
          .samples = request.samples,
          .seed = request.seed};
}

void FluctuationStudy::describe(Report& report) const {
  const auto plan = plan_correlations(*job_.model, times_, options(), 1, 0.0);
  const TransportRequest& request = *job_.transport;
  const std::string where = request.equilibrium.counts.empty()
                                ? fmt::format("full space, T = {:g}", request.equilibrium.temperature)
                                : fmt::format("sector [{}]", fmt::join(request.equilibrium.counts, ", "));
  if (plan.elements > 0) {
    report.say("fluctuations    {}: operators of {} elements by Faber polynomials, {} source(s)\n", where,
               plan.elements, request.sources.size());
    return;
  }
  report.say("fluctuations    {}: {} states in {} part(s), {}, {} source(s), energy of a site: {}\n", where,
             plan.states, plan.parts.size(),
             plan.exact ? "all of them, exactly"
                        : fmt::format("{} random states{}", plan.samples,
                                      request.samples > 0 ? "" : " to begin with"),
             request.sources.size(), request.energy == SiteEnergy::full ? "full" : "levels");
}

void FluctuationStudy::require_possible() const {
  plan_correlations(*job_.model, times_, options(), 1, 0.0);
}

Need FluctuationStudy::need(int ranks, double free_bytes) const {
  const auto plan = plan_correlations(*job_.model, times_, options(), ranks, free_bytes);
  const auto sites = static_cast<double>(job_.model->sites());
  const double series = 8.0 * static_cast<double>(times_.size()) * sites *
                        static_cast<double>(job_.transport->sources.size()) * 2.0;
  const double samples = plan.exact ? 1.0 : std::max(job_.transport->samples, plan.samples);
  const double matrices = wanted_.modes || wanted_.site_kernel
                              ? 8.0 * static_cast<double>(times_.size()) * sites * sites * (3.0 + samples)
                              : 0.0;
  const auto size = static_cast<double>(std::max(plan.largest_dimension, plan.elements));
  return {.bytes_per_rank = plan.bytes_per_rank,
          .least_bytes_per_rank = plan.least_bytes_per_rank,
          .kept_bytes_per_rank = samples * series + matrices,
          .work = plan.work,
          .sensible_ranks = sensible_ranks(size, kStatesARank),
          .what = fmt::format("equilibrium fluctuations of {} states", plan.largest_dimension),
          .remedy = "use more nodes, fewer sites, transport.ensemble = \"sector\" or fewer sources"};
}

EquilibriumAnalysis FluctuationStudy::analysis(const CorrelationSeries& series) const {
  return analyse(job_.model->lattice, site_correlations(*job_.model, correlations_, series), susceptibility_,
                 modes_, wanted_);
}

/// As many as bring the largest error of D(t) to the accuracy that is wanted, of what they are now.
int FluctuationStudy::more_samples(const Correlations& found) const {
  const auto all = analyse(job_.model->lattice, site_correlations(*job_.model, found, found.mean()),
                           susceptibility_, modes_, wanted_);
  std::vector<EquilibriumAnalysis> without_one;
  for (std::size_t s = 0; s < found.samples.size(); ++s)
    without_one.push_back(analyse(job_.model->lattice,
                                  site_correlations(*job_.model, found, found.mean_without(s)),
                                  susceptibility_, modes_, wanted_));
  double worst = 0.0;
  for (const TransportRoute route : job_.transport->routes) {
    // Waves and kernels divide by what decays: their late times ask for any number of samples.
    if (route != TransportRoute::spreading && route != TransportRoute::green_kubo) continue;
    const auto errors = jackknife_errors(
        values_of(without_one, [&](const EquilibriumAnalysis& one) { return diffusion_of(route, one); }));
    const auto& diffusion = diffusion_of(route, all);
    double largest = 0.0;
    for (const double d : diffusion) largest = std::max(largest, std::abs(d));
    for (const double error : errors) worst = std::max(worst, error / largest);
  }
  const double factor = std::pow(worst / job_.transport->accuracy, 2);
  const auto have = static_cast<int>(found.samples.size());
  if (factor <= 1.0 || have >= kMostSamples) return 0;
  return std::clamp(static_cast<int>(std::ceil(have * (factor - 1.0))), 1, kMostSamples - have);
}

void FluctuationStudy::compute() {
  const Stage stage(context_.control, "fluctuations");
  context_.progress.log("equilibrium fluctuations");
  const Timings::Scope scope(context_.timings, "fluctuations");
  const Model& model = *job_.model;
  modes_ = lattice_modes(model.lattice);
  susceptibility_ = susceptibility(model, job_.transport->equilibrium, job_.transport->energy);
  const auto plan = plan_correlations(model, times_, options(), context_.comm.size(), context_.free_bytes());
  correlations_ = compute_correlations(
      model, times_, options(), plan, [&](const Correlations& found) { return more_samples(found); },
      context_.comm, context_.control, context_.timings);
  const CorrelationSeries mean = correlations_.mean();
  found_analyses_.all = analysis(mean);
  if (!correlations_.exact) {
    for (std::size_t s = 0; s < correlations_.samples.size(); ++s)
      found_analyses_.without_one.push_back(analysis(correlations_.mean_without(s)));
  }
  check_conservation();
  find_routes();
}

/// C_ij(0) is known exactly by counting: what comes from states must agree.
void FluctuationStudy::check_conservation() const {
  const Model& model = *job_.model;
  const TransportRequest& request = *job_.transport;
  const int source = request.sources.front();
  const auto sites = as_size(model.sites());
  const CorrelationSeries mean = correlations_.mean();
  const auto here = site_energy(model, request.energy, source);
  const double exact = equilibrium_covariance(model, request.equilibrium, here, here);
  std::vector<std::vector<double>> without;
  for (std::size_t s = 0; !correlations_.exact && s < correlations_.samples.size(); ++s)
    without.push_back({correlations_.mean_without(s).energy[as_size(source)]});
  const auto errors = jackknife_errors(without);
  const double found = mean.energy[as_size(source)];
  constexpr double kRounding = 1e-8;
  constexpr double kErrors = 8.0;
  const double allowed =
      kRounding * exact +
      (errors.empty() ? 0.0
                      : kErrors * errors[0] + exact / std::sqrt(1.0 * static_cast<double>(sites)) * 0.5);
  if (std::abs(found - exact) > allowed)
    throw Error(
        fmt::format("the fluctuation of a site's energy is {:g} by the states and {:g} by counting; use more "
                    "transport.samples",
                    found, exact));
}

DiffusionRoute FluctuationStudy::route(TransportRoute route) const {
  DiffusionRoute found{.route = route,
                       .times = times_,
                       .diffusion = diffusion_of(route, found_analyses_.all),
                       .error = {},
                       .window = std::nullopt,
                       .obstacle = {}};
  found.error = jackknife_errors(values_of(
      found_analyses_.without_one, [&](const EquilibriumAnalysis& one) { return diffusion_of(route, one); }));
  found.error.resize(times_.size(), 0.0);
  for (std::size_t t = 0; t < times_.size(); ++t) {
    if (route == TransportRoute::green_kubo) found.error[t] += found_analyses_.all.green_kubo->quadrature[t];
    found.error[t] += 2.0 * correlations_.truncation * std::abs(found.diffusion[t]);
  }
  const bool meets = std::isfinite(edge_time_);
  const std::string end = meets
                              ? fmt::format("{} at t = {:.4g}",
                                            has_open_axis(job_.model->lattice) ? "the excess reaches the edge"
                                                                               : "the excess meets itself",
                                            edge_time_)
                              : "";
  find_window(found, edge_time_, end);
  return found;
}

void FluctuationStudy::find_routes() {
  const auto& spread = found_analyses_.all.spread;
  std::vector<double> exponent_error;
  if (spread) {
    const auto edge_error = jackknife_errors(values_of(
        found_analyses_.without_one, [](const EquilibriumAnalysis& one) { return one.spread->edge; }));
    exponent_error = jackknife_errors(values_of(
        found_analyses_.without_one, [](const EquilibriumAnalysis& one) { return one.spread->exponent; }));
    edge_time_ = end_of_spreading(times_, spread->edge, edge_error);
  }
  for (const TransportRoute route : job_.transport->routes) {
    if (from_fluctuations(route)) found_.push_back(this->route(route));
  }
  if (!spread) return;
  const auto& kubo = found_analyses_.all.green_kubo;
  if (kubo)
    exponent_error =
        jackknife_errors(values_of(found_analyses_.without_one,
                                   [](const EquilibriumAnalysis& one) { return one.green_kubo->exponent; }));
  const auto total_error = jackknife_errors(values_of(
      found_analyses_.without_one, [](const EquilibriumAnalysis& one) { return one.spread->total; }));
  SpreadEvidence evidence{
      .times = times_,
      .spread = &*spread,
      .exponent = kubo ? kubo->exponent : spread->exponent,
      .exponent_error = exponent_error,
      .total_error = total_error.empty() ? 0.0 : *std::max_element(total_error.begin(), total_error.end()),
      .end = edge_time_,
      .spacing = job_.model->lattice.spacing(),
      .routes = {},
      .smaller = {}};
  for (const auto& route : found_) evidence.routes.push_back(&route);
  verdict_ = judge_spreading(evidence);
}

void FluctuationStudy::write(ResultsFile& file) {
  const auto outputs = static_cast<Index>(times_.size());
  for (const DiffusionRoute& route : found_) {
    const std::string group = "/transport/" + route_group(route.route);
    file.dataset(group + "/diffusion", {outputs}, route.diffusion);
    file.dataset(group + "/diffusion_error", {outputs}, route.error);
    if (!route.window) {
      file.attribute(group, "reason", route.obstacle);
      continue;
    }
    const double window[2] = {route.window->begin, route.window->end};
    file.attribute(group, "value", route.window->value);
    file.attribute(group, "error", route.window_error);
    file.attribute(group, "window", std::span<const double>(window));
  }
  if (wanted_.spreading) write_spreading(file);
  if (wanted_.green_kubo) write_green_kubo(file);
  if (wanted_.modes) write_modes(file);
  if (wanted_.site_kernel) write_site_kernel(file);
  file.attribute(
      "/transport", "samples",
      correlations_.exact ? std::int64_t{0} : static_cast<std::int64_t>(correlations_.samples.size()));
  file.attribute("/transport", "susceptibility", susceptibility_);
}

void FluctuationStudy::write_spreading(ResultsFile& file) const {
  const std::string group = "/transport/spreading";
  const Spreading& spread = *found_analyses_.all.spread;
  const auto outputs = static_cast<Index>(times_.size());
  file.dataset(group + "/profile", {outputs, job_.model->sites()}, spread.profile);
  file.dataset(group + "/variance", {outputs}, spread.variance);
  file.dataset(group + "/kurtosis", {outputs}, spread.kurtosis);
  file.dataset(group + "/exponent", {outputs}, spread.exponent);
  file.dataset(group + "/edge", {outputs}, spread.edge);
  file.dataset(group + "/total", {outputs}, spread.total);
  const auto exponent_error = jackknife_errors(values_of(
      found_analyses_.without_one, [](const EquilibriumAnalysis& one) { return one.spread->exponent; }));
  if (!exponent_error.empty()) file.dataset(group + "/exponent_error", {outputs}, exponent_error);
  file.attribute(group, "source", static_cast<std::int64_t>(spread.source));
  if (std::isfinite(edge_time_)) file.attribute(group, "edge_time", edge_time_);
  if (!verdict_) return;
  if (std::isfinite(verdict_->exponent)) file.attribute(group, "late_exponent", verdict_->exponent);
  file.attribute(group, "verdict", std::string(name_of(verdict_->kind)));
  file.attribute(group, "reason_of_verdict", verdict_->reason);
}

void FluctuationStudy::write_green_kubo(ResultsFile& file) const {
  const auto outputs = static_cast<Index>(times_.size());
  file.dataset("/transport/green_kubo/correlation", {outputs}, found_analyses_.all.green_kubo->correlation);
  file.dataset("/transport/green_kubo/exponent", {outputs}, found_analyses_.all.green_kubo->exponent);
}

void FluctuationStudy::write_modes(ResultsFile& file) const {
  const std::string group = "/transport/modes";
  const auto outputs = static_cast<Index>(times_.size());
  const auto waves = static_cast<Index>(modes_.size());
  std::vector<double> q;
  for (const auto& mode : modes_) {
    for (const double phase : mode.q) q.push_back(phase / job_.model->lattice.spacing());
  }
  file.dataset(group + "/q", {waves, static_cast<Index>(job_.model->lattice.shape().size())}, q);
  file.dataset(group + "/amplitude", {outputs, waves}, found_analyses_.all.modes->amplitude);
  file.dataset(group + "/rate", {outputs, waves}, found_analyses_.all.modes->rate);
}

void FluctuationStudy::write_site_kernel(ResultsFile& file) const {
  const std::string group = "/transport/site_kernel";
  const SiteKernelSeries& series = *found_analyses_.all.site_kernel;
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
  file.dataset(group + "/dispersion", {outputs, static_cast<Index>(modes_.size())}, series.dispersion);
  file.dataset(group + "/distance", {static_cast<Index>(series.distances.size())}, series.distances);
  file.dataset(group + "/rate", {outputs, static_cast<Index>(series.distances.size())},
               series.rate_by_distance);
  file.dataset(group + "/singular_times", {static_cast<Index>(series.singular_times.size())},
               series.singular_times);
}

void FluctuationStudy::summarize(Report& report) const {
  report.say("fluctuations    {}; ", correlations_.exact
                                         ? std::string("all states, exactly")
                                         : fmt::format("{} random states", correlations_.samples.size()));
  report.say("{}\n", std::isfinite(edge_time_)
                         ? fmt::format("{} at t = {:.4g}",
                                       has_open_axis(job_.model->lattice) ? "the excess reaches the edge"
                                                                          : "the excess meets itself",
                                       edge_time_)
                         : "the excess stays inside the lattice");
  if (verdict_) report.say("verdict         {}: {}\n", name_of(verdict_->kind), verdict_->reason);
}

}  // namespace qheat
