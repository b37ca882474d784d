#include "qheat/evolution/exact.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>

#include "qheat/basis/product_weights.hpp"
#include "qheat/evolution/chebyshev.hpp"
#include "qheat/evolution/krylov.hpp"
#include "qheat/evolution/observer.hpp"
#include "qheat/evolution/open.hpp"
#include "qheat/evolution/output_steps.hpp"
#include "qheat/evolution/spectrum.hpp"
#include "qheat/model/counter_random.hpp"
#include "qheat/operators/energy_currents.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/memory.hpp"

namespace qheat {
namespace {

constexpr std::uint32_t kPhaseStream = 0x80000000U;  // apart from the detunings' random numbers
constexpr double kSmallestTolerance = 1e-14;         // of one step; below, rounding decides

/// Sums over columns of the observed values and of their squares, [T][Q] each.
struct Sums {
  Sums(std::size_t times, std::size_t size) : values(times * size), squares(times * size), errors(times) {}
  void save(StateWriter& writer) const {
    writer.replicated("values", values);
    writer.replicated("squares", squares);
    writer.replicated("errors", errors);
  }
  void load(StateReader& reader) {
    const std::size_t size = values.size();
    const std::size_t times = errors.size();
    values = reader.replicated("values");
    squares = reader.replicated("squares");
    errors = reader.replicated("errors");
    const bool whole =
        values.size() * times == size * errors.size();  // of fewer outputs, if a run is extended
    if (!whole || values.size() > size || squares.size() != values.size())
      throw Error("the checkpoint does not fit this version of the program; start afresh without --resume");
    values.resize(size);
    squares.resize(size);
    errors.resize(times);
  }
  void add(const Sums& other) {
    std::transform(values.begin(), values.end(), other.values.begin(), values.begin(), std::plus<>());
    std::transform(squares.begin(), squares.end(), other.squares.begin(), squares.begin(), std::plus<>());
    std::transform(errors.begin(), errors.end(), other.errors.begin(), errors.begin(),
                   [](double a, double b) { return std::max(a, b); });
  }

  std::vector<double> values, squares;
  std::vector<double> errors;  ///< bound on the truncation error of the states, [T]
};

template <class Make>
auto timed(Timings& timings, const char* phase, const Make& make) {
  const Timings::Scope scope(timings, phase);
  return make();
}

/// Propagates the state vectors of one sector, a block of columns at a time.
class SectorPropagation {
 public:
  SectorPropagation(const Model& model, const InitialState& initial, const std::vector<double>& times,
                    const ExactOptions& options, const SectorPlan& plan, std::uint32_t number,
                    const Communicator& comm, Timings& timings)
      : times_(times),
        options_(options),
        plan_(plan),
        number_(number),
        timings_(timings),
        space_(timed(
            timings, "setup basis",
            [&] { return std::make_shared<DistributedSector>(level_sector(model, plan.counts), comm); })),
        terms_(hamiltonian(model)),
        hamiltonian_(timed(timings, "setup operators", [&] { return make_operator(space_, terms_); })),
        observer_(timed(timings, "setup operators",
                        [&] { return Observer(model, space_, other_observables(model, options)); })),
        weights_(product_weights(*space_, initial.probabilities)),
        radius_(plan.method == ExactMethod::krylov ? spectral_radius_bound(model) : 0.0) {
    count_occupied();
    if (plan_.method == ExactMethod::diagonalize) {
      const Timings::Scope scope(timings_, "diagonalization");
      spectrum_ = std::make_unique<Spectrum>(space_, terms_);
    } else {
      const Timings::Scope scope(timings_, "spectral bounds");
      make_evolution();
    }
  }

  /// Sums over all columns. `progress(fraction)` maps the sector's own progress to that of the run.
  template <class Progress>
  Sums run(RunControl& control, const Progress& progress) {
    Sums total(times_.size(), observer_.layout().size());
    for (Index first = 0; first < plan_.columns; first += plan_.columns_at_once) {
      const Index columns = std::min(plan_.columns_at_once, plan_.columns - first);
      // A resumed run may choose another method, as memory or ranks have changed: its stages are others.
      const Stage stage(control, fmt::format("method-{}-columns-{}-{}", static_cast<int>(plan_.method), first,
                                             first + columns));
      Sums sums(times_.size(), observer_.layout().size());
      if (!control.restore_finished([&](StateReader& reader) { sums.load(reader); })) {
        const auto done = [&](double fraction) {
          return progress((static_cast<double>(first) + fraction * static_cast<double>(columns)) /
                          static_cast<double>(plan_.columns));
        };
        if (spectrum_) {
          run_diagonalized(control, first, columns, sums, done);
        } else {
          run_stepwise(control, first, columns, sums, done);
        }
        control.finish([&](StateWriter& writer) { sums.save(writer); });
      }
      total.add(sums);
    }
    timings_.phase("hamiltonian products").seconds += hamiltonian_->timing().seconds;
    timings_.phase("hamiltonian products").calls += hamiltonian_->timing().calls;
    timings_.phase("hamiltonian products").bytes_sent += hamiltonian_->timing().bytes_sent;
    return total;
  }

 private:
  void make_evolution() {
    if (plan_.method == ExactMethod::krylov) {
      evolution_ = std::make_unique<KrylovEvolution>(*hamiltonian_);
    } else {
      auto chebyshev = std::make_unique<ChebyshevEvolution>(*hamiltonian_, plan_.outputs_at_once);
      radius_ = chebyshev->bounds().radius();
      evolution_ = std::move(chebyshev);
    }
  }

  void count_occupied() {
    Index mine = 0;
    for (const double w : weights_) mine += w > 0.0 ? 1 : 0;
    MPI_Exscan(&mine, &occupied_before_, 1, MPI_INT64_T, MPI_SUM, space_->comm().get());
    if (space_->comm().is_root()) occupied_before_ = 0;
  }

  void prepare(Index first, ColumnBlock<Complex> psi) const {
    for (Index k = 0; k < psi.columns(); ++k) std::fill_n(psi.column(k), psi.rows(), Complex{});
    Index occupied = occupied_before_;
    const CounterRandom random(options_.seed);
    for (Index i = 0; i < psi.rows(); ++i) {
      const double weight = at(weights_, i);
      if (weight == 0.0) continue;
      const double amplitude = std::sqrt(weight);
      if (plan_.sampled) {
        const auto state = static_cast<std::uint64_t>(space_->first_state() + i);
        for (Index k = 0; k < psi.columns(); ++k) {
          const double u =
              random.uniform({static_cast<std::uint32_t>(state), static_cast<std::uint32_t>(state >> 32),
                              static_cast<std::uint32_t>(first + k), kPhaseStream + number_});
          psi.column(k)[i] = std::polar(amplitude, 2.0 * std::numbers::pi * u);
        }
      } else if (occupied >= first && occupied < first + psi.columns()) {
        psi.column(occupied - first)[i] = amplitude;
      }
      ++occupied;
    }
  }

  void observe(std::size_t time, ColumnBlock<const Complex> psi, Sums& sums) {
    const Timings::Scope scope(timings_, "observables");
    const std::size_t size = observer_.layout().size();
    const auto values = observer_.observe(psi);
    for (std::size_t e = 0; e < values.size(); ++e) {
      const std::size_t place = time * size + e % size;
      sums.values[place] += values[e];
      sums.squares[place] += values[e] * values[e];
    }
  }

  template <class Progress>
  void run_diagonalized(RunControl& control, Index first, Index columns, Sums& sums,
                        const Progress& progress) {
    ColumnStorage<Complex> psi(space_->local_size(), columns);
    ColumnStorage<Complex> coefficients(spectrum_->local_coefficients(), columns);
    prepare(first, psi.block());
    spectrum_->coefficients(psi.block(), coefficients.block());
    double next = 0.0;
    control.restore_partial([&](StateReader& reader) {
      sums.load(reader);
      next = reader.replicated("next").front();
    });
    for (auto time = static_cast<std::size_t>(next); time < times_.size(); ++time) {
      {
        const Timings::Scope scope(timings_, "evolution");
        spectrum_->state(times_[time], coefficients.block(), psi.block());
      }
      observe(time, psi.block(), sums);
      control.reach(times_[time], times_.back());
      const auto save = [&](StateWriter& writer) {
        sums.save(writer);
        const double following = static_cast<double>(time + 1);
        writer.replicated("next", std::span(&following, 1));
        writer.replicated("extendable", {});
      };
      if (time + 1 == times_.size()) keep_end(control, columns, save);
      control.offer(progress(static_cast<double>(time + 1) / static_cast<double>(times_.size())), save);
    }
  }

  template <class Progress>
  void run_stepwise(RunControl& control, Index first, Index columns, Sums& sums, const Progress& progress) {
    ColumnStorage<Complex> psi(space_->local_size(), columns);
    const auto doubles =
        std::span(reinterpret_cast<double*>(psi.block().data()), as_size(2 * space_->local_size() * columns));
    // Columns are saved one by one: each is a distributed vector of its own.
    const auto column = [&](Index k) {
      const auto size = as_size(2 * space_->local_size());
      return doubles.subspan(as_size(k) * size, size);
    };
    std::size_t time = 0;  // output under way
    double elapsed = 0.0;  // since the output before
    double error = 0.0;    // bound on the truncation error so far
    const bool restored = control.restore_partial([&](StateReader& reader) {
      sums.load(reader);
      const auto place = reader.replicated("place");
      time = static_cast<std::size_t>(place[0]);
      elapsed = place[1];
      error = place[2];
      for (Index k = 0; k < columns; ++k) {
        reader.distributed(fmt::format("state-{}", k), column(k), 2 * space_->first_state(),
                           2 * space_->dimension());
      }
    });
    if (!restored) prepare(first, psi.block());
    const auto save = [&](StateWriter& writer) {
      sums.save(writer);
      const double place[3] = {static_cast<double>(time), elapsed, error};
      writer.replicated("place", place);
      if (plan_.columns == columns) writer.replicated("extendable", {});
      for (Index k = 0; k < columns; ++k) {
        writer.distributed(fmt::format("state-{}", k), column(k), 2 * space_->first_state(),
                           2 * space_->dimension());
      }
    };
    while (time < times_.size()) {
      const auto intervals =
          next_output_steps(times_, time, elapsed, radius_, evolution_->intervals_at_once());
      const auto errors =
          evolve(intervals, psi.block(), [&](std::size_t k, Index, ColumnBlock<const Complex> state) {
            if (intervals.reach_outputs) observe(time + k, state, sums);
          });
      if (intervals.reach_outputs) {
        for (std::size_t k = 0; k < errors.size(); ++k) sums.errors[time + k] = error + errors[k];
        time += errors.size();
        elapsed = 0.0;
      } else {
        elapsed += intervals.dts.back();
      }
      error += errors.back();
      const double within = elapsed == 0.0 ? 0.0 : elapsed / interval_before(time);
      control.reach((time == 0 ? 0.0 : times_[time - 1]) + elapsed, times_.back());
      if (time == times_.size()) keep_end(control, columns, save);
      control.offer(progress((static_cast<double>(time) + within) / static_cast<double>(times_.size())),
                    save);
    }
  }

  /// Where all columns are there at once.
  void keep_end(RunControl& control, Index columns, const RunControl::Save& save) const {
    if (columns == plan_.columns) control.keep_end(save);
  }

  double interval_before(std::size_t time) const {
    return time == 0 ? times_[0] : times_[time] - times_[time - 1];
  }

  std::vector<double> evolve(const OutputSteps& intervals, ColumnBlock<Complex> psi,
                             const StateEvolution::Observe& observe_state) {
    const auto start = std::chrono::steady_clock::now();
    const double observing = timings_.phase("observables").seconds;
    const double share = times_.back() == 0.0 ? 1.0 : intervals.dts.back() / times_.back();
    auto errors = evolution_->advance(intervals.dts, std::max(kSmallestTolerance, options_.tolerance * share),
                                      psi, observe_state);
    auto& timing = timings_.phase("evolution");
    timing.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() -
                      (timings_.phase("observables").seconds - observing);
    ++timing.calls;
    return errors;
  }

  const std::vector<double>& times_;
  const ExactOptions& options_;
  const SectorPlan& plan_;
  std::uint32_t number_;
  Timings& timings_;
  std::shared_ptr<const DistributedSector> space_;
  TermSum<Complex> terms_;
  std::unique_ptr<Operator> hamiltonian_;
  Observer observer_;
  std::vector<double> weights_;
  double radius_;              ///< of the spectrum, as far as the method knows it
  Index occupied_before_ = 0;  ///< occupied states on lower ranks
  std::unique_ptr<Spectrum> spectrum_;
  std::unique_ptr<StateEvolution> evolution_;
};

/// The norm is conserved, so its drift bounds what can be trusted.
void require_norm(const std::vector<double>& norm) {
  constexpr double kLargestDrift = 1e-5;
  for (const double now : norm) {
    if (std::abs(now - norm.front()) <= kLargestDrift * norm.front()) continue;
    throw Error(
        fmt::format("exact propagation does not keep the norm ({:g} became {:g}); use exact.method = "
                    "\"chebyshev\" or \"diagonalize\", or a smaller exact.tolerance",
                    norm.front(), now));
  }
}

double sector_cost(const SectorPlan& plan) {
  return static_cast<double>(plan.columns) * static_cast<double>(plan.dimension);
}

}  // namespace

std::vector<TermSum<Complex>> other_observables(const Model& model, const ExactOptions& options) {
  return options.full_energy ? full_energy_observables(model) : std::vector<TermSum<Complex>>{};
}

ObservationLayout observation_layout(const Model& model, const ExactOptions& options) {
  const auto groups = as_size(model.sites()) * (model.bath.closed() ? 1 : 2);
  return ObservationLayout(model, options.full_energy ? groups + as_size(model.lattice.bond_count()) : 0);
}

ExactResult propagate_exact(const Model& model, const InitialState& initial, const std::vector<double>& times,
                            const ExactOptions& options, const Communicator& comm, RunControl& control,
                            Timings& timings) {
  if (!model.bath.closed()) return propagate_open(model, initial, times, options, comm, control, timings);
  const auto plans = plan_exact(model, initial, times, options, comm.size(), free_bytes_per_rank(comm));
  return propagate_exact(model, initial, times, options, plans, comm, control, timings);
}

ExactResult propagate_exact(const Model& model, const InitialState& initial, const std::vector<double>& times,
                            const ExactOptions& options, const std::vector<SectorPlan>& plans,
                            const Communicator& comm, RunControl& control, Timings& timings) {
  const ObservationLayout layout = observation_layout(model, options);
  double cost = 0.0;
  for (const auto& plan : plans) cost += sector_cost(plan);

  std::vector<double> mean(times.size() * layout.size(), 0.0);
  std::vector<double> variance(mean.size(), 0.0);  // of the mean
  std::vector<double> truncation(times.size(), 0.0);
  double done = 0.0;
  for (std::size_t s = 0; s < plans.size(); ++s) {
    const SectorPlan& plan = plans[s];
    const Stage stage(control, fmt::format("sector-{}", s));
    Sums sums(times.size(), layout.size());
    if (!control.restore_finished([&](StateReader& reader) { sums.load(reader); })) {
      SectorPropagation sector(model, initial, times, options, plan, static_cast<std::uint32_t>(s), comm,
                               timings);
      sums =
          sector.run(control, [&](double fraction) { return (done + fraction * sector_cost(plan)) / cost; });
      control.finish([&](StateWriter& writer) { sums.save(writer); });
    }
    done += sector_cost(plan);
    for (std::size_t k = 0; k < truncation.size(); ++k)
      truncation[k] = std::max(truncation[k], sums.errors[k]);
    const auto columns = static_cast<double>(plan.columns);
    for (std::size_t e = 0; e < mean.size(); ++e) {
      const double average = sums.values[e] / columns;
      mean[e] += plan.sampled ? average : sums.values[e];
      if (plan.sampled && plan.columns == 1) {
        variance[e] = std::numeric_limits<double>::quiet_NaN();  // one sample has no spread
      } else if (plan.sampled) {
        variance[e] += std::max(0.0, sums.squares[e] / columns - average * average) / (columns - 1.0);
      }
    }
  }
  ExactResult result{.mean = unpack(layout, mean),
                     .error = std::nullopt,
                     .truncation_error = std::move(truncation),
                     .watch = std::nullopt};
  require_norm(result.mean.norm);
  if (std::any_of(plans.begin(), plans.end(), [](const auto& plan) { return plan.sampled; })) {
    for (double& v : variance) v = std::sqrt(v);
    result.error = unpack(layout, variance);
  }
  return result;
}

}  // namespace qheat
