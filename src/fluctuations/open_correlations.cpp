#include "fluctuations/open_correlations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <utility>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/density_evolution.hpp"
#include "qheat/evolution/density_observer.hpp"
#include "qheat/operators/heisenberg.hpp"
#include "qheat/operators/liouvillian.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr Index kMostOutputs = 64;  // measured together

/// A state with the blocks of the equilibrium: a product of local states, sharp in its counts for a sector.
InitialState blocks_of(const Model& model, const Equilibrium& equilibrium) {
  if (equilibrium.counts.empty()) return equilibrium_levels(model, equilibrium);
  std::vector<int> levels;
  for (int n = 0; n < model.levels(); ++n) {
    const std::size_t band = at(model.site.band_of_level(), n);
    const bool first = std::count(levels.begin(), levels.end(), n) == 0;
    if (!first) continue;
    const auto& bands = model.site.band_of_level();
    if (std::find(bands.begin(), bands.begin() + n, bands[as_size(n)]) != bands.begin() + n) continue;
    levels.insert(levels.end(), as_size(equilibrium.counts[band]), n);
  }
  return InitialState::band_mixture(model, levels);
}

/// The probability of a ket.
class KetWeight {
 public:
  KetWeight(const Model& model, const Equilibrium& equilibrium) : levels_(as_size(model.levels())) {
    if (equilibrium.counts.empty()) {
      probabilities_ = equilibrium_levels(model, equilibrium).probabilities;
    } else {
      alike_ = 1.0 / static_cast<double>(level_sector_dimension(model, equilibrium.counts));
    }
  }
  double operator()(std::span<const Level> ket) const {
    if (probabilities_.empty()) return alike_;
    double product = 1.0;
    for (std::size_t i = 0; i < ket.size(); ++i) product *= probabilities_[i * levels_ + ket[i]];
    return product;
  }

 private:
  std::size_t levels_;
  double alike_ = 0.0;
  std::vector<double> probabilities_;
};

/// {A, rho}/2 on the pairs of states of this rank.
std::vector<Complex> weighted_operator(const DistributedSector& space, TermSum<Complex> a, double mean,
                                       const KetWeight& weight) {
  canonicalize(a);
  const Sector& pairs = space.sector();
  const auto sites = as_size(pairs.prefix().sites());
  std::vector<Complex> x(as_size(space.local_size()));
  std::vector<Level> both(2 * sites);
  for (Index row = space.first_row(); row < space.first_row() + space.local_rows(); ++row) {
    const auto ket = pairs.prefix().configuration(row);
    std::copy(ket.begin(), ket.end(), both.begin());
    const double own = weight(ket);
    const auto add = [&](std::span<const Level> bra, Complex value) {
      std::copy(bra.begin(), bra.end(), both.begin() + static_cast<std::ptrdiff_t>(sites));
      const Index place = pairs.index(both);
      QHEAT_ASSERT(place >= 0);  // otherwise the operator leaves the blocks
      at(x, place - space.first_state()) += value;
    };
    add(ket, -mean * own);
    std::vector<Level> bra(ket.begin(), ket.end());
    for (const auto& term : a.terms) {
      const LocalCode to = code_on(ket, term.sites, a.levels);
      for (const auto& e : term.elements) {
        if (e.to != to) continue;
        write_code(e.from, term.sites, a.levels, bra);
        add(bra, e.value * (own + weight(bra)) / 2.0);
        write_code(to, term.sites, a.levels, bra);
      }
    }
  }
  return x;
}

/// One operator on its way, with what was measured so far.
class OperatorPropagation {
 public:
  OperatorPropagation(const Operator& generator, const DensityObserver& observer, const FaberPlan& plan,
                      const std::vector<double>& times, std::vector<Complex> x)
      : space_(generator.space()),
        observer_(observer),
        times_(times),
        evolution_(generator, plan, times.back()),
        x_(std::move(x)) {}

  /// What the observer reports, [T][layout().size()].
  std::vector<double> run(RunControl& control) {
    Index step = 0;
    control.restore_partial([&](StateReader& reader) {
      step = static_cast<Index>(reader.replicated("place").front());
      values_ = reader.replicated("values");
      reader.distributed("x", doubles(), 2 * space_.first_state(), 2 * space_.dimension());
    });
    while (step < evolution_.steps()) {
      take(step++);
      const double done = static_cast<double>(step);
      control.reach(start_of(step), times_.back());
      if (step == evolution_.steps()) break;
      control.offer(done / static_cast<double>(evolution_.steps()), [&](StateWriter& writer) {
        writer.replicated("place", std::span(&done, 1));
        writer.replicated("values", values_);
        writer.distributed("x", doubles(), 2 * space_.first_state(), 2 * space_.dimension());
      });
    }
    return std::move(values_);
  }
  double error() const { return static_cast<double>(evolution_.steps()) * evolution_.step_error(); }

 private:
  std::span<double> doubles() { return {reinterpret_cast<double*>(x_.data()), 2 * x_.size()}; }
  double start_of(Index step) const {
    const auto steps = evolution_.steps();
    return step == steps ? times_.back()
                         : times_.back() / static_cast<double>(steps) * static_cast<double>(step);
  }

  void take(Index step) {
    const double begin = start_of(step);
    const std::size_t first = values_.size() / observer_.layout().size();
    std::vector<double> dts;
    for (std::size_t k = first; k < times_.size() && times_[k] <= start_of(step + 1); ++k)
      dts.push_back(std::max(0.0, times_[k] - begin));
    measured_.resize(dts.size() * observer_.measured());
    evolution_.step(
        dts, x_, [&](std::span<const Complex> x, std::span<double> values) { observer_.measure(x, values); },
        observer_.measured(), measured_);
    const auto report = observer_.report(measured_).values;
    values_.insert(values_.end(), report.begin(), report.end());
  }

  const DistributedSector& space_;
  const DensityObserver& observer_;
  const std::vector<double>& times_;
  FaberEvolution evolution_;
  std::vector<Complex> x_;
  std::vector<double> measured_, values_;
};

/// C_ij and its derivative from what was measured of one source.
void take_source(const Model& model, const ObservationLayout& layout, const std::vector<double>& values,
                 std::size_t source, std::size_t sources, CorrelationSeries& series) {
  const std::size_t times = values.size() / layout.size();
  const auto n = as_size(model.sites());
  for (std::size_t t = 0; t < times; ++t) {
    const auto now = std::span(values).subspan(t * layout.size(), layout.size());
    const std::size_t first = (t * sources + source) * n;
    for (std::size_t i = 0; i < n; ++i) series.energy[first + i] = now[layout.energy() + i];
    for (int b = 0; b < model.lattice.bond_count(); ++b) {
      const Bond& bond = at(model.lattice.bonds(), b);
      series.change[first + as_size(bond.first)] -= now[layout.outflow() + 2 * as_size(b)];
      series.change[first + as_size(bond.second)] -= now[layout.outflow() + 2 * as_size(b) + 1];
    }
    for (std::size_t i = 0; i < layout.other_count(); ++i)
      series.curvature[first + i] = now[layout.others() + i];
  }
}

/// Re<J(t) J>/N from what was measured of J.
void take_current(const Model& model, const ObservationLayout& layout, const std::vector<double>& values,
                  int axis, std::size_t number, std::size_t axes, CorrelationSeries& series) {
  const std::size_t times = values.size() / layout.size();
  for (std::size_t t = 0; t < times; ++t) {
    double sum = 0.0;
    for (int b = 0; b < model.lattice.bond_count(); ++b) {
      const Bond& bond = at(model.lattice.bonds(), b);
      sum += model.lattice.spacing() * model.lattice.displacement(bond.first, bond.second, axis) *
             values[t * layout.size() + layout.current() + as_size(b)];
    }
    series.current[t * axes + number] = sum / model.sites();
  }
}

}  // namespace

OpenPlan plan_open_correlations(const Model& model, const std::vector<double>& times,
                                const CorrelationOptions& options, int ranks, double free_bytes) {
  return plan_open(model, blocks_of(model, options.equilibrium), times, {.tolerance = options.tolerance},
                   ranks, free_bytes);
}

CorrelationSeries open_correlations(const Model& model, const std::vector<double>& times,
                                    const CorrelationOptions& options, const Communicator& comm,
                                    RunControl& control, Timings& timings, double& truncation) {
  const auto counts = density_counts(model, blocks_of(model, options.equilibrium));
  const auto space = std::make_shared<DistributedSector>(density_space(model, counts), comm);
  const auto generator = make_liouvillian(space, model);
  std::vector<TermSum<Complex>> curvatures;
  for (int i = 0; options.curvature && i < model.sites(); ++i)
    curvatures.push_back(rate_of_change(model, rate_of_change(model, site_energy(model, options.energy, i))));
  const DensityObserver observer(model, space, curvatures);
  const KetWeight weight(model, options.equilibrium);
  const auto outputs = static_cast<Index>(times.size());
  const FaberPlan plan = plan_faber(generator_range(model, counts, comm), times.back(), options.tolerance,
                                    (outputs + kMostOutputs - 1) / kMostOutputs);
  const std::size_t sources = options.sources.size();
  const std::size_t columns = sources + options.axes.size();
  auto series = CorrelationSeries::zero(times.size(), as_size(model.sites()), options);
  for (std::size_t k = 0; k < columns; ++k) {
    const Stage stage(control, fmt::format("operator-{}", k));
    std::vector<double> values;
    const bool finished = control.restore_finished([&](StateReader& reader) {
      values = reader.replicated("values");
      truncation = std::max(truncation, reader.replicated("truncation").front());
    });
    if (!finished) {
      const Timings::Scope scope(timings, "evolution");
      const bool source = k < sources;
      const auto a = source ? site_energy(model, options.energy, options.sources[k])
                            : total_current(model, options.energy, options.axes[k - sources]);
      const double mean = source ? equilibrium_mean(model, options.equilibrium, a).real() : 0.0;
      OperatorPropagation propagation(*generator, observer, plan, times,
                                      weighted_operator(*space, a, mean, weight));
      values = propagation.run(control);
      const double error = propagation.error();
      truncation = std::max(truncation, error);
      control.finish([&](StateWriter& writer) {
        writer.replicated("values", values);
        writer.replicated("truncation", std::span(&error, 1));
      });
    }
    if (k < sources) {
      take_source(model, observer.layout(), values, k, sources, series);
    } else {
      take_current(model, observer.layout(), values, options.axes[k - sources], k - sources,
                   options.axes.size(), series);
    }
  }
  auto& timing = timings.phase("liouvillian products");
  timing.seconds += generator->timing().seconds;
  timing.calls += generator->timing().calls;
  timing.bytes_sent += generator->timing().bytes_sent;
  return series;
}

}  // namespace qheat
