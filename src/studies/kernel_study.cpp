#include "studies/kernel_study.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/propagator/mean_propagator.hpp"
#include "qheat/propagator/open_propagator.hpp"
#include "qheat/rates/memory_equation.hpp"
#include "studies/assumption_table.hpp"
#include "studies/kernel_need.hpp"
#include "studies/kernel_requests.hpp"
#include "studies/realizations.hpp"
#include "studies/sensible_ranks.hpp"
#include "studies/series_memory.hpp"

namespace qheat {
namespace {

double largest_known(const std::vector<double>& values) {
  double largest = std::nan("");
  for (const double value : values) largest = std::isnan(value) ? largest : std::fmax(largest, value);
  return largest;
}

}  // namespace

KernelStudy::KernelStudy(const Job& job, const StudyContext& context, const ExactStudy* exact)
    : job_(job),
      exact_study_(exact),
      averaged_(job.detuning.realizations > 1),
      model_(averaged_ ? undetuned_.emplace(model_of_realization(*job.model, Detuning{}, 0)) : *job.model),
      draw_([&job](int number) { return realization_of(job, number); }),
      times_(job.time->times()),
      context_(context) {
  for (const KernelId id : wanted_kernels(job)) kernels_.push_back({id, {}, {}, {}});
}

void KernelStudy::describe(Report& report) const {
  std::vector<std::string> kernels;
  for (const KernelId id : wanted_kernels(job_)) kernels.push_back(id.name());
  const auto cells = cell_count(job_);
  const double stored =
      1e-6 * generator_bytes(job_) * job_.time->outputs * static_cast<double>(kernels.size());
  report.say("kernels         {} on {} cells{}\n", fmt::join(kernels, ", "),
             cells ? fmt::to_string(*cells) : "more than 2^63",
             stores_generators(job_) ? fmt::format(", generators written: {:.3g} MB", stored) : "");
  if (const double steps = order_steps(job_); steps > 0.0)
    report.say("                orders beyond 2 in {:.2g} steps of a unit phase\n", steps);
}

void KernelStudy::require_possible() const {
  require_possible_kernels(job_);
}

Need KernelStudy::need(int ranks, double) const {
  const bool dense = wants_dense_kernels(job_);
  const bool on_cells = dense || !kernels_with_rates(job_).empty();
  Need need;
  if (on_cells || stores_generators(job_)) need = kernel_need(job_, ranks);
  if (!exact_study_) need.kept_bytes_per_rank = series_bytes(job_);
  if (on_cells) {
    const auto cells = static_cast<double>(cell_dimension(*job_.model, *job_.initial));
    need.sensible_ranks = sensible_ranks(cells, !dense                      ? kStatesARank
                                                : job_.model->bath.closed() ? kRowsARank
                                                                            : kCellsARank);
  }
  need.what = dense ? "the dense matrices of the kernels" : "the rate equations on all cells";
  need.remedy = remedy_of_kernels(job_);
  return need;
}

bool KernelStudy::wants(KernelId id) const {
  return std::any_of(kernels_.begin(), kernels_.end(), [&](const Kernel& k) { return k.id == id; });
}

bool KernelStudy::has_rates(KernelId id) const {
  const auto with_rates = kernels_with_rates(job_);
  return std::find(with_rates.begin(), with_rates.end(), id) != with_rates.end();
}

KernelStudy::Kernel& KernelStudy::of(KernelId id) {
  return *std::find_if(kernels_.begin(), kernels_.end(), [&](const Kernel& k) { return k.id == id; });
}

/// Markov kernels have one time, the last: the longest that energies have to be told apart.
std::vector<double> KernelStudy::times_of(KernelId id) const {
  return id == KernelId::markov() ? std::vector<double>{times_.back()} : times_;
}

std::vector<KernelStudy::BondRates> KernelStudy::with_bond_rates() const {
  std::vector<BondRates> found;
  for (const Kernel& kernel : kernels_) {
    if (!kernel.series.scores.empty()) found.push_back({kernel.id, times_of(kernel.id), &kernel.series});
  }
  return found;
}

void KernelStudy::compute() {
  const Timings::Scope scope(context_.timings, "kernels and rates");
  for (const KernelId id : {KernelId::tcl(2), KernelId::markov()}) {
    if (wants(id) && is_local_kernel(job_, id)) local_.emplace(id, second_order_kernel(job_, id));
  }
  bool lists_cells = stores_generators(job_);
  for (auto& kernel : kernels_) {
    const bool local = is_local_kernel(job_, kernel.id);
    if (local) evaluate_local(kernel);
    lists_cells = lists_cells || !local;
  }
  if (lists_cells) cells_.emplace(model_, *job_.initial);
  make_dense_kernels();
  evaluate_dense();
  evaluate_memory();
  for (auto& kernel : kernels_) {
    if (!has_rates(kernel.id)) continue;
    context_.progress.log(fmt::format("rate equations, kernel {}", kernel.id.name()));
    if (kernel.id == KernelId::memory()) {
      solve_memory_equation(kernel);
    } else {
      solve_rates(kernel);
    }
  }
}

void KernelStudy::evaluate_memory() {
  if (!wants(KernelId::memory())) return;
  const Stage stage(context_.control, "kernel-memory");
  const Timings::Scope scope(context_.timings, "kernel memory");
  context_.progress.log("memory kernel");
  memory_ = std::make_unique<MemoryKernel>(exact_->propagators(), times_, MemoryKernelOptions{},
                                           context_.comm, context_.control);
  KernelSeries& series = of(KernelId::memory()).series;
  series.error.assign(times_.size(), memory_->error() - memory_->sampling_error());
  if (averaged_) series.sampling.assign(times_.size(), memory_->sampling_error());
}

void KernelStudy::solve_memory_equation(Kernel& kernel) {
  const Stage stage(context_.control, "many-body-memory");
  auto solution = solve_memory(model_, *job_.initial, *cells_, *memory_, context_.comm, context_.control,
                               context_.timings);
  kernel.many_body = std::move(solution.solution);
  kernel.rates_error = solution.error;
}

void KernelStudy::evaluate_local(Kernel& kernel) {
  const Stage stage(context_.control, "kernel-" + kernel.id.name());
  const Timings::Scope scope(context_.timings, "kernel " + kernel.id.name());
  kernel.series = kernel_series(local_kernel(kernel.id), model_, sector_counts(model_, *job_.initial),
                                times_of(kernel.id), context_.control);
}

void KernelStudy::make_dense_kernels() {
  const char* phase = model_.bath.closed() ? "diagonalization for kernels" : "propagation for kernels";
  const Timings::Scope scope(context_.timings, phase);
  if (wants(KernelId::exact()) || wants(KernelId::memory())) {
    context_.progress.log(phase);
    std::vector<std::unique_ptr<const PopulationPropagator>> propagators;
    for (const auto& sector : cells_->sectors()) {
      const Stage stage(context_.control, fmt::format("propagator-{}", propagators.size()));
      propagators.push_back(propagator(sector));
    }
    exact_ = std::make_unique<ExactKernel>(std::move(propagators), context_.comm);
  }
  std::vector<int> tcl_orders;
  for (const auto& kernel : kernels_) {
    if (!is_local_kernel(job_, kernel.id) && kernel.id.order > 0) tcl_orders.push_back(kernel.id.order);
  }
  if (tcl_orders.empty()) return;
  const int highest = *std::max_element(tcl_orders.begin(), tcl_orders.end());
  if (!averaged_ && !model_.bath.closed()) make_moments(highest);
  tcl_ = std::make_unique<TclKernels>(tcl_orders, orders(highest), context_.comm);
}

std::unique_ptr<const PopulationPropagator> KernelStudy::propagator(const CellSector& sector) {
  if (averaged_) {
    return mean_population_propagator(job_.detuning.realizations, draw_, sector, times_.back(), context_.comm,
                                      context_.control);
  }
  if (model_.bath.closed()) return closed_population_propagator(model_, sector, context_.comm);
  return open_population_propagator(model_, sector, times_.back(), context_.comm, context_.control);
}

/// Moments of all orders up to the highest, which all kernels share.
void KernelStudy::make_moments(int highest) {
  context_.progress.log("propagation of the orders");
  for (const auto& sector : cells_->sectors()) {
    const Stage stage(context_.control, fmt::format("orders-{}", moments_.size()));
    const CellMomentsOptions options{.order = highest};
    moments_.push_back(std::make_shared<const CellMoments>(model_, sector, times_.back(), options,
                                                           context_.comm, context_.control));
  }
}

std::vector<std::unique_ptr<PropagatorOrders>> KernelStudy::orders(int highest) const {
  std::vector<std::unique_ptr<PropagatorOrders>> propagators;
  for (std::size_t s = 0; s < cells_->sectors().size(); ++s) {
    const CellSector& sector = cells_->sectors()[s];
    const Stage stage(context_.control, fmt::format("orders-{}-{}", highest, s));
    if (averaged_) {
      propagators.push_back(mean_propagator_orders(job_.detuning.realizations, draw_, sector, highest, times_,
                                                   context_.comm, context_.control));
    } else if (model_.bath.closed()) {
      propagators.push_back(closed_propagator_orders(model_, sector, highest, times_, context_.comm));
    } else {
      propagators.push_back(open_propagator_orders(model_, sector, moments_[s], highest));
    }
  }
  return propagators;
}

/// Generators wait in memory until the results are written if that takes little of it; else they are
/// evaluated again then.
bool KernelStudy::keeps_generators() const {
  if (!stores_generators(job_)) return false;
  constexpr double kShare = 0.25;
  const double matrices = static_cast<double>(times_.size() * kernels_.size());
  const auto cells = static_cast<double>(cells_->dimension());
  return sizeof(double) * matrices * cells * cells / context_.comm.size() < kShare * context_.free_bytes();
}

void KernelStudy::evaluate_dense() {
  if (!exact_ && !tcl_) return;
  const AssumptionScores scores(model_, *cells_);
  const int bonds = model_.lattice.bond_count();
  const bool keep = keeps_generators();
  if (wants(KernelId::exact())) {
    const Stage stage(context_.control, "kernel-exact");
    const Timings::Scope scope(context_.timings, "kernel exact");
    context_.progress.log("exact kernel");
    of(KernelId::exact()).series =
        kernel_series(*exact_, times_, scores, bonds, keep, context_.comm, context_.control);
  }
  if (tcl_) {
    const Stage stage(context_.control, "kernel-tcl");
    const Timings::Scope scope(context_.timings, "kernel tcl");
    context_.progress.log("perturbative kernels");
    auto series = kernel_series(*tcl_, times_, scores, bonds, keep, context_.comm, context_.control);
    for (std::size_t o = 0; o < series.size(); ++o) {
      of(KernelId::tcl(tcl_->orders()[o])).series = std::move(series[o]);
    }
  }
}

std::unique_ptr<TimeLocalKernel> KernelStudy::tcl_kernel(int order) const {
  return std::make_unique<TclKernel>(order, orders(order), context_.comm);
}

void KernelStudy::solve_rates(Kernel& kernel) {
  const RateOptions options{.tolerance = job_.rates->tolerance};
  const std::string many_body = "many-body-" + kernel.id.name();
  const std::string sites = "sites-" + kernel.id.name();
  if (is_local_kernel(job_, kernel.id)) {
    const SecondOrderKernel& second_order = local_kernel(kernel.id);
    {
      const Stage stage(context_.control, many_body);
      kernel.many_body = solve_many_body(model_, *job_.initial, second_order, times_, options, context_.comm,
                                         context_.control, context_.timings);
    }
    const Stage stage(context_.control, sites);
    kernel.sites = solve_sites(model_, *job_.initial, second_order, times_, options, context_.comm,
                               context_.control, context_.timings);
    return;
  }
  const std::size_t known = kernel.series.known(times_);
  DenseRates rates;
  {
    const Stage stage(context_.control, many_body);
    const int order = kernel.id.order;
    const auto own = order > 0 ? tcl_kernel(order) : nullptr;
    rates = solve_many_body(
        model_, *job_.initial, *cells_, own ? *own : static_cast<TimeLocalKernel&>(*exact_), times_, known,
        kernel.series.fastest_until(known), options, context_.comm, context_.control, context_.timings);
  }
  const Stage stage(context_.control, sites);
  kernel.sites = solve_sites(model_, *job_.initial, rates, times_, options, context_.comm, context_.control,
                             context_.timings);
  kernel.many_body = std::move(rates.many_body);
}

std::optional<std::vector<double>> KernelStudy::exact_populations() const {
  if (!exact_study_) return std::nullopt;
  return exact_study_->band_populations();
}

void KernelStudy::write(ResultsFile& file) {
  const auto exact = exact_populations();
  for (const auto& kernel : kernels_) {
    write_series(kernel, file);
    write_rates(kernel, exact, file);
  }
  if (!stores_generators(job_)) return;
  write_cells(file);
  for (const auto& kernel : kernels_) {
    if (is_local_kernel(job_, kernel.id)) write_local_generator(kernel, file);
  }
  write_generators(file);
}

void KernelStudy::write_series(const Kernel& kernel, ResultsFile& file) const {
  const std::string group = "/kernel/" + kernel.id.name();
  const auto write = [&](const std::string& name, const std::vector<double>& values) {
    if (!values.empty()) file.dataset(group + name, {static_cast<Index>(values.size())}, values);
  };
  write("/error", kernel.series.error);
  write("/sampling_error", kernel.series.sampling);
  if (!kernel.series.scores.empty()) write_scores(kernel, file);  // memory kernels have none
  warn_about_uneven_start(file, group);
}

void KernelStudy::write_scores(const Kernel& kernel, ResultsFile& file) const {
  const std::string group = "/kernel/" + kernel.id.name();
  const auto times = static_cast<Index>(kernel.series.scores.size());
  const auto write_score = [&](const char* name, double Assumptions::*score) {
    std::vector<double> values;
    for (const auto& now : kernel.series.scores) values.push_back(now.*score);
    file.dataset(group + "/" + name, {times}, values);
  };
  write_score("symmetry", &Assumptions::symmetry);
  write_score("locality", &Assumptions::locality);
  write_score("additivity", &Assumptions::additivity);
  write_score("spectator_independence", &Assumptions::spectator_independence);
  write_score("energy_conservation", &Assumptions::energy_conservation);
  write_score("swap_fraction", &Assumptions::swap_fraction);
  write_score("level_independence", &Assumptions::level_independence);
  write_score("negativity", &Assumptions::negativity);
  std::vector<std::int64_t> compared;
  std::vector<double> bond_rate;
  for (const auto& now : kernel.series.scores) {
    compared.insert(compared.end(), now.compared.begin(), now.compared.end());
    bond_rate.insert(bond_rate.end(), now.bond_rate.begin(), now.bond_rate.end());
  }
  file.dataset(group + "/compared", {times, static_cast<Index>(Assumptions{}.compared.size())}, compared);
  file.dataset(group + "/bond_rate", {times, model_.lattice.bond_count()}, bond_rate);
  if (!kernel.series.condition.empty()) {
    file.dataset(group + "/condition", {times}, kernel.series.condition);
    file.dataset(group + "/singular_times", {static_cast<Index>(kernel.series.singular_times.size())},
                 kernel.series.singular_times);
  }
}

void KernelStudy::write_rates(const Kernel& kernel, const std::optional<std::vector<double>>& exact,
                              ResultsFile& file) const {
  const auto outputs = static_cast<Index>(times_.size());
  const Index sites = model_.sites();
  const auto write = [&](const std::string& group, const RateSolution& solution) {
    file.dataset(group + "/populations", {outputs, sites, model_.site.bands()}, solution.populations);
    file.dataset(group + "/energy", {outputs, sites}, solution.energy);
    if (exact) {
      file.dataset(group + "/deviation", {outputs},
                   largest_deviation(solution.populations, *exact, times_.size()));
    }
  };
  if (kernel.many_body) {
    write("/rates/" + kernel.id.name(), *kernel.many_body);
    if (kernel.id == KernelId::memory()) {
      file.dataset("/rates/memory/error", {1}, std::span(&kernel.rates_error, 1));
    }
    warn_about_uneven_start(file, "/rates/" + kernel.id.name());
  }
  if (!kernel.sites) return;
  write("/sites/" + kernel.id.name(), *kernel.sites);
  if (exact) {
    file.dataset("/sites/" + kernel.id.name() + "/closure_error", {outputs},
                 closure_error(model_, kernel.sites->populations, *exact));
  }
}

/// Band of each site in each cell, [C][N].
void KernelStudy::write_cells(ResultsFile& file) const {
  std::vector<std::int64_t> bands;
  if (file.writes()) {
    std::vector<Level> configuration(as_size(model_.sites()));
    for (Index cell = 0; cell < cells_->dimension(); ++cell) {
      cells_->configuration(cell, configuration);
      bands.insert(bands.end(), configuration.begin(), configuration.end());
    }
  }
  file.dataset("/kernel/cells", {cells_->dimension(), model_.sites()}, bands);
}

void KernelStudy::write_local_generator(const Kernel& kernel, ResultsFile& file) const {
  const Index size = cells_->dimension();
  const std::string name = "/kernel/" + kernel.id.name() + "/generator";
  const bool markov = kernel.id == KernelId::markov();
  const auto dense = [&](double t) {
    const auto terms = local_kernel(kernel.id).at(t);
    std::vector<double> all(as_size(size * size), 0.0);
    for (const auto& sector : cells_->sectors()) {
      const auto block = dense_generator(sector.cells, terms);
      const Index rows = sector.cells.dimension();
      for (Index i = 0; i < rows; ++i) {
        std::copy_n(block.begin() + i * rows, rows, all.begin() + (sector.first + i) * size + sector.first);
      }
    }
    return all;
  };
  if (markov) {
    file.dataset(name, {size, size}, file.writes() ? dense(times_.back()) : std::vector<double>{});
    return;
  }
  file.series(name, static_cast<Index>(times_.size()), {size, size});
  if (!file.writes()) return;
  for (std::size_t k = 0; k < times_.size(); ++k) file.slice(name, static_cast<Index>(k), dense(times_[k]));
}

void KernelStudy::write_generators(ResultsFile& file) {
  const Index size = cells_->dimension();
  const auto outputs = static_cast<Index>(times_.size());
  const auto generator = [](KernelId id) { return "/kernel/" + id.name() + "/generator"; };
  std::vector<KernelId> tcl;
  for (std::size_t o = 0; tcl_ && o < tcl_->orders().size(); ++o) {
    tcl.push_back(KernelId::tcl(tcl_->orders()[o]));
  }
  std::vector<KernelId> dense = tcl;
  if (wants(KernelId::exact())) dense.push_back(KernelId::exact());
  if (memory_) dense.push_back(KernelId::memory());
  for (const KernelId id : dense) file.series(generator(id), outputs, {size, size});
  if (file.measures()) return;
  const Stage stage(context_.control, "generators");
  const auto write = [&](KernelId id, std::size_t k, const KernelValue& value) {
    const auto all = gather_generator(*cells_, value, context_.comm);
    if (file.writes()) file.slice(generator(id), static_cast<Index>(k), all);
  };
  for (std::size_t k = 0; k < times_.size(); ++k) {
    if (memory_) write(KernelId::memory(), k, memory_->at(k));
    if (wants(KernelId::exact())) {
      const auto& kept = of(KernelId::exact()).series.generators;
      write(KernelId::exact(), k, kept.empty() ? exact_->at(times_[k]) : kept[k]);
    }
    if (tcl.empty()) continue;
    const bool kept = !of(tcl.front()).series.generators.empty();
    while (!kept && tcl_->approach(times_[k]) < 1.0)
      context_.control.offer(static_cast<double>(k) / static_cast<double>(times_.size()),
                             [](StateWriter&) {});
    const auto values = kept ? std::vector<KernelValue>{} : tcl_->at(times_[k]);
    for (std::size_t o = 0; o < tcl.size(); ++o) {
      write(tcl[o], k, kept ? of(tcl[o]).series.generators[k] : values[o]);
    }
  }
}

void KernelStudy::warn_about_uneven_start(ResultsFile& file, const std::string& group) const {
  if (even_in_bands(model_, *job_.initial)) return;
  file.attribute(group, "warning",
                 "the job does not start evenly mixed inside its bands; kernel and rate equations describe "
                 "the evenly mixed start");
}

/// Output times with known populations; the first one always is.
std::size_t KernelStudy::reached_outputs(const Kernel& kernel) const {
  const auto& populations = kernel.many_body->populations;
  const std::size_t size = populations.size() / times_.size();
  std::size_t reached = 1;
  while (reached < times_.size() && !std::isnan(populations[reached * size])) ++reached;
  return reached;
}

void KernelStudy::say_rates(const Kernel& kernel, const std::optional<std::vector<double>>& exact,
                            Report& report) const {
  const bool time_local = kernel.sites.has_value();
  if (const std::size_t reached = reached_outputs(kernel); reached < times_.size()) {
    report.say("kernel {:<8} carries the rate equations up to t = {:g}; NaN after that ({})\n",
               kernel.id.name(), times_[reached - 1], end_of_rates(kernel.series, times_));
  }
  if (exact) {
    report.say("many-body {:<6} differs from exact by at most {:.2g} in a population\n", kernel.id.name(),
               largest_known(largest_deviation(kernel.many_body->populations, *exact, times_.size())));
  }
  if (!time_local) {
    report.say("many-body {:<6} stated error {:.2g}\n", kernel.id.name(), kernel.rates_error);
    return;
  }
  if (exact) {
    report.say("sites {:<10} closure error at most {:.2g}\n", kernel.id.name(),
               largest_known(closure_error(model_, kernel.sites->populations, *exact)));
  }
  report.say("sites {:<10} differ from the many-body equation by at most {:.2g}\n", kernel.id.name(),
             largest_known(
                 largest_deviation(kernel.many_body->populations, kernel.sites->populations, times_.size())));
}

void KernelStudy::summarize(Report& report) const {
  const auto exact = exact_populations();
  for (const auto& kernel : kernels_) {
    if (kernel.many_body) say_rates(kernel, exact, report);
  }
  for (const auto& kernel : kernels_) {
    if (!kernel.series.scores.empty()) {
      report.say("{}", assumption_table(kernel.id.name(), kernel.series, times_of(kernel.id)));
    }
  }
}

}  // namespace qheat
