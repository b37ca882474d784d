#include "io/model_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "io/job_names.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// Attributes of /model.
class Parameters {
 public:
  explicit Parameters(ResultsFile& file) : file_(file) {}

  void add(const char* name, double value) { file_.attribute("/model", name, value); }
  void add(const char* name, std::int64_t value) { file_.attribute("/model", name, value); }
  void add(const char* name, std::uint64_t value) { add(name, static_cast<std::int64_t>(value)); }
  void add(const char* name, int value) { add(name, std::int64_t{value}); }
  void add(const char* name, std::string_view value) { file_.attribute("/model", name, std::string(value)); }
  void add(const char* name, const std::vector<double>& values) {
    file_.attribute("/model", name, std::span<const double>(values));
  }
  void add(const char* name, const std::vector<std::string>& values) {
    file_.attribute("/model", name, std::span<const std::string>(values));
  }
  template <class List>
  void add_integers(const char* name, const List& values) {
    const std::vector<std::int64_t> wide(values.begin(), values.end());
    file_.attribute("/model", name, std::span<const std::int64_t>(wide));
  }

 private:
  ResultsFile& file_;
};

void add_lattice_and_site(const Model& model, Parameters& parameters) {
  parameters.add_integers("shape", model.lattice.shape());
  parameters.add_integers("periodic", model.lattice.periodic());
  parameters.add("bonds_listed", model.lattice.explicit_graph() ? 1 : 0);
  parameters.add("spacing", model.lattice.spacing());
  parameters.add("levels", model.site.energies());
  parameters.add_integers("bands", model.site.band_of_level());
}

void add_interaction(const Job& job, Parameters& parameters) {
  parameters.add("kind", name_of(kInteractionNames, job.interaction_kind));
  if (job.model) parameters.add("strength", job.model->strength);
  if (job.interaction_kind == InteractionKind::exchange) parameters.add("anisotropy", job.anisotropy);
  if (job.interaction_kind == InteractionKind::matrix) parameters.add("oriented", job.oriented ? 1 : 0);
  if (job.interaction_kind == InteractionKind::random_bands)
    parameters.add("interaction_seed", job.interaction_seed);
}

void add_well(const WellRequest& request, Parameters& parameters) {
  parameters.add("well_shape", name_of(kWellNames, request.well.shape));
  parameters.add("well_width", request.well.width);
  parameters.add("well_separation", request.well.separation);
  parameters.add("well_potential", request.potential_text);
  if (!request.rows_r.empty()) {
    parameters.add("well_potential_r", request.rows_r);
    parameters.add("well_potential_v", request.rows_v);
  }
  parameters.add("well_direct", request.direct);
  parameters.add("well_exchange", request.exchange);
  parameters.add("well_screening", request.potential.screening);
  parameters.add("well_temperature", request.temperature);
}

void add_detuning(const Detuning& detuning, Parameters& parameters) {
  parameters.add("detuning_listed", detuning.offsets.empty() ? 0 : 1);
  if (detuning.distribution == Detuning::Distribution::none) return;
  parameters.add("detuning", name_of(kDistributionNames, detuning.distribution));
  parameters.add("detuning_width", detuning.width);
  parameters.add("detuning_seed", detuning.seed);
  parameters.add("realizations", detuning.realizations);
}

void add_reservoirs(const Model& model, Parameters& parameters) {
  const auto& reservoirs = model.bath.reservoirs;
  if (reservoirs.empty()) return;
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  std::vector<int> sites;
  std::vector<double> temperatures;
  std::vector<double> rates;
  std::vector<std::string> statistics;
  for (const Reservoir& reservoir : reservoirs) {
    const bool given = !reservoir.given.empty();
    sites.push_back(reservoir.site);
    temperatures.push_back(
        reservoir_temperature(reservoir, model.energies_of(reservoir.site)).value_or(kNone));
    rates.push_back(given ? kNone : reservoir.rate);
    statistics.emplace_back(given ? "given" : name_of(kStatisticsNames, reservoir.statistics));
  }
  parameters.add_integers("reservoir_site", sites);
  parameters.add("reservoir_temperature", temperatures);
  parameters.add("reservoir_rate", rates);
  parameters.add("reservoir_statistics", statistics);
}

/// The rates of all jumps of reservoirs, and where jumps are.
void write_bath(const Model& model, ResultsFile& file) {
  const auto& reservoirs = model.bath.reservoirs;
  const auto& jumps = model.bath.jumps;
  if (!reservoirs.empty()) {
    std::vector<double> rates;
    for (const Reservoir& reservoir : reservoirs)
      for (const auto& [up, down] : jump_rates(reservoir, model.energies_of(reservoir.site)))
        rates.insert(rates.end(), {up, down});
    file.dataset("/model/reservoir_jumps", {static_cast<Index>(reservoirs.size()), model.levels() - 1, 2},
                 rates);
  }
  if (jumps.empty()) return;
  std::vector<std::int64_t> sites;
  std::vector<double> rates;
  for (const Jump& jump : jumps) {
    sites.insert(sites.end(), {jump.sites.front(), jump.sites.size() > 1 ? jump.sites.back() : -1});
    rates.push_back(jump.rate);
  }
  file.dataset("/model/jump_sites", {static_cast<Index>(jumps.size()), 2}, sites);
  file.dataset("/model/jump_rates", {static_cast<Index>(jumps.size())}, rates);
}

void add_bath(const Model& model, Parameters& parameters) {
  const Bath& bath = model.bath;
  parameters.add("dephasing", bath.dephasing);
  add_reservoirs(model, parameters);
  if (!bath.correlation) return;
  const BathCorrelation& correlation = *bath.correlation;
  parameters.add("correlation", name_of(kCorrelationNames, correlation.kind));
  if (correlation.kind == BathCorrelation::Kind::bosons) {
    parameters.add("correlation_alpha", correlation.alpha);
    parameters.add("correlation_cutoff", correlation.cutoff);
    parameters.add("correlation_temperature", correlation.temperature);
  } else {
    parameters.add("correlation_rate", correlation.rate);
  }
}

/// Places of sites and middles of bonds along each axis. A closing bond lies behind the last site.
void write_places(const Lattice& lattice, ResultsFile& file) {
  constexpr const char* kAxes[] = {"x", "y", "z"};
  std::vector<std::int64_t> numbers(as_size(lattice.sites()));
  std::iota(numbers.begin(), numbers.end(), 0);
  file.dataset("/site", {lattice.sites()}, numbers);
  int stride = 1;
  for (std::size_t axis = 0; axis < lattice.shape().size(); ++axis) {
    const int length = lattice.shape()[axis];
    const auto place = [&](int site) { return site / stride % length; };
    std::vector<double> sites, bonds;
    for (int i = 0; i < lattice.sites(); ++i) sites.push_back(lattice.spacing() * place(i));
    for (const Bond& bond : lattice.bonds()) {
      const int first = place(bond.first);
      const bool closes = !lattice.explicit_graph() && place(bond.second) < first;
      const int second = closes ? first + 1 : place(bond.second);
      bonds.push_back(0.5 * lattice.spacing() * (first + second));
    }
    file.dataset(fmt::format("/{}", kAxes[axis]), {lattice.sites()}, sites);
    file.dataset(fmt::format("/bond_{}", kAxes[axis]), {lattice.bond_count()}, bonds);
    stride *= length;
  }
}

void write_lattice(const Model& model, ResultsFile& file) {
  write_places(model.lattice, file);
  file.dataset("/model/site_energies", {model.sites(), model.levels()}, model.energies);
  std::vector<std::int64_t> ends;
  for (const Bond& bond : model.lattice.bonds()) ends.insert(ends.end(), {bond.first, bond.second});
  file.dataset("/model/bonds", {model.lattice.bond_count(), 2}, ends);
  const auto& couplings = model.couplings;
  const bool alike = std::all_of(couplings.begin(), couplings.end(), [](double j) { return j == 1.0; });
  if (!alike) file.dataset("/model/couplings", {model.lattice.bond_count()}, couplings);
  write_bath(model, file);
}

}  // namespace

void write_model(const Job& job, ResultsFile& file) {
  file.text("/job", job.text);
  if (!job.title.empty()) file.attribute("/", "title", job.title);
  if (job.units) file.laboratory(*job.units);
  const auto times = job.time ? job.time->times() : std::vector<double>{};
  file.dataset("/time", {static_cast<Index>(times.size())}, times);
  file.group("/model");
  if (job.model) write_lattice(*job.model, file);
  Parameters parameters(file);
  if (job.model) add_lattice_and_site(*job.model, parameters);
  add_interaction(job, parameters);
  if (job.well) add_well(*job.well, parameters);
  add_detuning(job.detuning, parameters);
  if (job.model) add_bath(*job.model, parameters);
  if (!job.initial_temperatures.empty()) parameters.add("initial_temperature", job.initial_temperatures);
}

}  // namespace qheat
