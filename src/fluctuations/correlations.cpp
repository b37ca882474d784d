#include "qheat/fluctuations/correlations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <span>
#include <utility>

#include "fluctuations/open_correlations.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/basis/product_weights.hpp"
#include "qheat/evolution/chebyshev.hpp"
#include "qheat/evolution/output_steps.hpp"
#include "qheat/model/counter_random.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/heisenberg.hpp"
#include "qheat/operators/operator.hpp"
#include "qheat/operators/overlaps.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr std::uint32_t kTypicalStream = 0xC0000000U;  // apart from all other random numbers
constexpr double kSampledTolerance = 1e-7;  // of states whose sampling error is much larger in any case
constexpr double kLeastTolerance = 1e-14;   // of a step; below, rounding decides

/// The observables, the same in every part of the space.
struct Observed {
  Observed(const Model& model, const CorrelationOptions& options) {
    for (int i = 0; i < model.sites(); ++i) {
      energies.push_back(site_energy(model, options.energy, i));
      means.push_back(equilibrium_mean(model, options.equilibrium, energies.back()).real());
    }
    between_sites = energies;
    for (int i = 0; i < model.sites(); ++i) between_sites.push_back(energy_change(model, options.energy, i));
    for (int i = 0; options.curvature && i < model.sites(); ++i)
      between_sites.push_back(rate_of_change(model, between_sites[as_size(model.sites() + i)]));
    LocalTerm<Complex> one{.sites = {0}, .elements = {}};
    for (LocalCode n = 0; n < static_cast<LocalCode>(model.levels()); ++n)
      one.elements.push_back({n, n, 1.0});
    between_sites.push_back({.levels = model.levels(), .terms = {std::move(one)}});
    for (const int axis : options.axes) currents.push_back(total_current(model, options.energy, axis));
  }

  std::vector<TermSum<Complex>> energies;       ///< h_i, [N]
  std::vector<double> means;                    ///< <h_i>, [N]
  std::vector<TermSum<Complex>> between_sites;  ///< h_i, dh_i/dt, d2h_i/dt2 if asked for, 1
  std::vector<TermSum<Complex>> currents;       ///< J_a, [A]
};

/// The vectors of one random state, or of all states one after another, in one part of the space.
class PartCorrelations {
 public:
  PartCorrelations(const Model& model, const CorrelationOptions& options, const std::vector<double>& times,
                   const CorrelationPlan& plan, std::size_t part, const Observed& observed,
                   const Communicator& comm, Timings& timings)
      : options_(options),
        times_(times),
        plan_(plan),
        part_(plan.parts[part]),
        number_(static_cast<std::uint32_t>(part)),
        observed_(observed),
        timings_(timings),
        sites_(as_size(model.sites())),
        space_(std::make_shared<DistributedSector>(level_sector(model, part_.counts), comm)),
        hamiltonian_(make_operator(space_, hamiltonian(model))),
        evolution_(*hamiltonian_, plan.outputs_at_once),
        weights_(product_weights(*space_, options.equilibrium.counts.empty()
                                              ? equilibrium_levels(model, options.equilibrium).probabilities
                                              : std::vector<double>(sites_ * as_size(model.levels()), 1.0))),
        between_sites_(space_, observed.between_sites),
        columns_(1 + static_cast<Index>(options.sources.size() + options.axes.size())),
        state_(space_->local_size(), columns_),
        history_(space_->local_size(), plan.outputs_at_once) {
    double total = 0.0;
    double largest = 0.0;
    for (const double w : weights_) {
      total += w;
      largest = std::max(largest, w);
    }
    total_weight_ = space_->comm().sum(total);
    const double equal = space_->comm().max(largest) * static_cast<double>(space_->dimension());
    equal_weights_ = equal - total_weight_ <= 1e-9 * total_weight_;
    for (const int j : options.sources)
      sources_.push_back(make_operator(space_, observed.energies[as_size(j)]));
    for (const auto& current : observed.currents) {
      currents_.push_back(make_operator(space_, current));
      between_currents_.emplace_back(space_, std::span(&current, 1));
    }
  }

  /// Series of a random state, or of all states; to be multiplied with what the part weighs.
  CorrelationSeries run(int sample, RunControl& control, const std::function<double(double)>& progress,
                        double& truncation) {
    sums_ = CorrelationSeries::zero(times_.size(), sites_, options_);
    const Index states = plan_.exact ? space_->dimension() : 1;
    Place place;
    bool restored = control.restore_partial([&](StateReader& reader) { place = load(reader); });
    for (; place.state < states; ++place.state) {
      if (!restored) begin(sample, place);
      restored = false;
      if (norm_ == 0.0) continue;
      follow(place, states, control, progress);
      place.time = 0;
      place.elapsed = 0.0;
      truncation = std::max(truncation, place.error);
      place.error = 0.0;
    }
    return reduced();
  }

  /// Products of all runs so far.
  void add_products_to(Timings& timings) const {
    auto& products = timings.phase("hamiltonian products");
    products.seconds += hamiltonian_->timing().seconds;
    products.calls += hamiltonian_->timing().calls;
    products.bytes_sent += hamiltonian_->timing().bytes_sent;
  }

 private:
  /// How far the work is.
  struct Place {
    Index state = 0;
    std::size_t time = 0;
    double elapsed = 0.0;
    double error = 0.0;
  };

  std::span<Complex> column(Index k) { return state_.block().column_span(k); }

  void begin(int sample, const Place& place) {
    const auto psi = column(0);
    std::fill(psi.begin(), psi.end(), Complex{});
    const CounterRandom random(options_.seed);
    for (std::size_t i = 0; i < psi.size(); ++i) {
      const Index state = space_->first_state() + static_cast<Index>(i);
      if (plan_.exact) {
        if (state == place.state) psi[i] = std::sqrt(weights_[i]);
        continue;
      }
      const auto number = static_cast<std::uint64_t>(state);
      psi[i] =
          std::sqrt(weights_[i]) *
          random.complex_normal({static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32),
                                 static_cast<std::uint32_t>(sample), kTypicalStream + number_});
    }
    double square = 0.0;
    for (const Complex& value : psi) square += std::norm(value);
    norm_ = space_->comm().sum(square);
    Index next = 1;
    for (std::size_t s = 0; s < sources_.size(); ++s) {
      const AffineMap centred{.shift = -observed_.means[as_size(options_.sources[s])]};
      sources_[s]->apply(centred, std::span<const Complex>(psi), column(next++));
    }
    for (const auto& current : currents_) current->apply(std::span<const Complex>(psi), column(next++));
  }

  void follow(Place& place, Index states, RunControl& control,
              const std::function<double(double)>& progress) {
    const auto save = [&](StateWriter& writer) { this->save(writer, place); };
    while (place.time < times_.size()) {
      const auto steps = next_output_steps(times_, place.time, place.elapsed, evolution_.bounds().radius(),
                                           plan_.outputs_at_once);
      const double share = times_.back() == 0.0 ? 1.0 : steps.dts.back() / times_.back();
      const double whole = plan_.exact ? options_.tolerance : std::max(options_.tolerance, kSampledTolerance);
      const double tolerance = std::max(kLeastTolerance, whole * share);
      double error = 0.0;
      const auto start = std::chrono::steady_clock::now();
      const double observing = timings_.phase("observables").seconds;
      for (Index k = 0; k < columns_; ++k) {
        const auto errors =
            evolution_.advance(steps.dts, tolerance, column(k),
                               [&](std::size_t interval, Index, ColumnBlock<const Complex> state) {
                                 if (steps.reach_outputs)
                                   observe(k, place.time + interval, interval, state.column_span(0));
                               });
        error = std::max(error, errors.back());
      }
      auto& timing = timings_.phase("evolution");
      timing.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() -
                        (timings_.phase("observables").seconds - observing);
      ++timing.calls;
      if (steps.reach_outputs) {
        place.time += steps.dts.size();
        place.elapsed = 0.0;
      } else {
        place.elapsed += steps.dts.back();
      }
      place.error += error;
      control.reach(times_[std::min(place.time, times_.size() - 1)], times_.back());
      const double done = static_cast<double>(place.time) / static_cast<double>(times_.size());
      if (place.time < times_.size())
        control.offer(progress((static_cast<double>(place.state) + done) / static_cast<double>(states)),
                      save);
    }
  }

  /// Keeps psi of the outputs under way, or adds what stands between it and another vector.
  void observe(Index column, std::size_t time, std::size_t interval, std::span<const Complex> state) {
    const Timings::Scope scope(timings_, "observables");
    const auto kept = history_.block().column_span(static_cast<Index>(interval));
    if (column == 0) {
      std::copy(state.begin(), state.end(), kept.begin());
      return;
    }
    const std::size_t s = as_size(column - 1);
    const double scale = plan_.exact ? 1.0 : 1.0 / expected_norm();
    if (s < sources_.size()) {
      const auto values = between_sites_.between_here(kept, state);
      const std::size_t first = (time * sources_.size() + s) * sites_;
      const double overlap = values.back().real();
      for (std::size_t i = 0; i < sites_; ++i) {
        sums_.energy[first + i] += scale * (values[i].real() - observed_.means[i] * overlap);
        sums_.change[first + i] += scale * values[sites_ + i].real();
        if (options_.curvature) sums_.curvature[first + i] += scale * values[2 * sites_ + i].real();
      }
      return;
    }
    const std::size_t a = s - sources_.size();
    sums_.current[time * currents_.size() + a] +=
        scale * between_currents_[a].between_here(kept, state)[0].real() / static_cast<double>(sites_);
  }

  /// Of a state whose directions are all alike its own norm leaves the mean of <psi|A|psi>/<psi|psi> exact,
  /// and takes scatter away. Where states have different weights that mean is off by the order of sum p^2,
  /// however many states there are: it is divided by what the norm is in the mean.
  double expected_norm() const { return equal_weights_ ? norm_ : total_weight_; }

  /// This rank's sums added up over the ranks, for the whole part as if it were normalised to 1.
  CorrelationSeries reduced() {
    CorrelationSeries series = sums_;
    const double total = plan_.exact ? total_weight_ : 1.0;
    CorrelationSeries::visit(series, [&](const char*, std::vector<double>& values) {
      space_->comm().sum(std::span(values));
      for (double& value : values) value /= total;
    });
    return series;
  }

  std::span<double> doubles(Index k) {
    return {reinterpret_cast<double*>(column(k).data()), 2 * as_size(space_->local_size())};
  }

  void save(StateWriter& writer, const Place& place) {
    const double numbers[] = {static_cast<double>(place.state), static_cast<double>(place.time),
                              place.elapsed, place.error, norm_};
    writer.replicated("place", numbers);
    CorrelationSeries total = sums_;  // ranks may be others when it goes on
    CorrelationSeries::visit(total, [&](const char* name, std::vector<double>& values) {
      space_->comm().sum(std::span(values));
      writer.replicated(name, values);
    });
    for (Index k = 0; k < columns_; ++k)
      writer.distributed(fmt::format("state-{}", k), doubles(k), 2 * space_->first_state(),
                         2 * space_->dimension());
  }

  Place load(StateReader& reader) {
    const auto numbers = reader.replicated("place");
    Place place{static_cast<Index>(numbers[0]), static_cast<std::size_t>(numbers[1]), numbers[2], numbers[3]};
    norm_ = numbers[4];
    CorrelationSeries total;
    CorrelationSeries::visit(
        total, [&](const char* name, std::vector<double>& values) { values = reader.replicated(name); });
    if (total.energy.size() != sums_.energy.size() || total.current.size() != sums_.current.size())
      throw Error("the checkpoint does not fit this version of the program; start afresh without --resume");
    if (space_->comm().is_root()) sums_ = std::move(total);
    for (Index k = 0; k < columns_; ++k)
      reader.distributed(fmt::format("state-{}", k), doubles(k), 2 * space_->first_state(),
                         2 * space_->dimension());
    return place;
  }

  const CorrelationOptions& options_;
  const std::vector<double>& times_;
  const CorrelationPlan& plan_;
  const EquilibriumPart& part_;
  std::uint32_t number_;
  const Observed& observed_;
  Timings& timings_;
  std::size_t sites_;
  std::shared_ptr<const DistributedSector> space_;
  std::unique_ptr<Operator> hamiltonian_;
  ChebyshevEvolution evolution_;
  std::vector<double> weights_;
  Overlaps between_sites_;
  std::vector<std::unique_ptr<Operator>> sources_, currents_;
  std::vector<Overlaps> between_currents_;
  Index columns_;  ///< psi, phi_j, J_a psi
  ColumnStorage<Complex> state_;
  ColumnStorage<Complex> history_;  ///< psi at the outputs under way
  double norm_ = 0.0;               ///< <psi|psi>
  double total_weight_ = 0.0;       ///< its mean over all random states
  bool equal_weights_ = true;       ///< of all states of the part
  CorrelationSeries sums_;          ///< this rank's part
};

void add_weighted(CorrelationSeries& sum, const CorrelationSeries& more, double weight) {
  const auto add = [&](std::vector<double>& to, const std::vector<double>& from) {
    to.resize(from.size(), 0.0);
    for (std::size_t k = 0; k < from.size(); ++k) to[k] += weight * from[k];
  };
  add(sum.energy, more.energy);
  add(sum.change, more.change);
  add(sum.curvature, more.curvature);
  add(sum.current, more.current);
}

}  // namespace

CorrelationSeries CorrelationSeries::zero(std::size_t times, std::size_t sites,
                                          const CorrelationOptions& options) {
  const std::size_t pairs = times * options.sources.size() * sites;
  return {.energy = std::vector<double>(pairs),
          .change = std::vector<double>(pairs),
          .curvature = std::vector<double>(options.curvature ? pairs : 0),
          .current = std::vector<double>(times * options.axes.size())};
}

CorrelationSeries Correlations::mean() const {
  CorrelationSeries mean;
  for (const auto& sample : samples) add_weighted(mean, sample, 1.0 / static_cast<double>(samples.size()));
  return mean;
}

CorrelationSeries Correlations::mean_without(std::size_t sample, const CorrelationSeries& mean) const {
  const auto n = static_cast<double>(samples.size());
  CorrelationSeries others;
  add_weighted(others, mean, n / (n - 1.0));
  add_weighted(others, samples[sample], -1.0 / (n - 1.0));
  return others;
}

Correlations compute_correlations(const Model& model, const std::vector<double>& times,
                                  const CorrelationOptions& options, const CorrelationPlan& plan,
                                  const MoreSamples& more, const Communicator& comm, RunControl& control,
                                  Timings& timings) {
  Correlations result{
      .times = times, .sources = options.sources, .axes = options.axes, .exact = plan.exact, .samples = {}};
  if (!model.bath.closed()) {
    result.samples.push_back(
        open_correlations(model, times, options, comm, control, timings, result.truncation));
    return result;
  }
  const Observed observed(model, options);
  double followed = 0.0;  // states of all parts
  for (const auto& part : plan.parts) followed += static_cast<double>(part.dimension);
  int wanted = plan.exact ? 1 : plan.samples;
  for (int done = 0; wanted > 0;) {
    result.samples.resize(as_size(done + wanted));
    double before = 0.0;
    // Part by part: tables are made once for all samples of a round.
    for (std::size_t p = 0; p < plan.parts.size(); ++p) {
      const double share = static_cast<double>(plan.parts[p].dimension) / followed;
      std::unique_ptr<PartCorrelations> part;
      for (int sample = done; sample < done + wanted; ++sample) {
        const Stage stage(
            control, fmt::format("{}-part-{}", plan.exact ? "exact" : fmt::format("sample-{}", sample), p));
        CorrelationSeries series;
        double truncation = 0.0;
        const bool finished = control.restore_finished([&](StateReader& reader) {
          CorrelationSeries::visit(series, [&](const char* name, std::vector<double>& values) {
            values = reader.replicated(name);
          });
          truncation = reader.replicated("truncation").front();
        });
        if (!finished) {
          if (!part) {
            const Timings::Scope scope(timings, "setup fluctuations");
            part =
                std::make_unique<PartCorrelations>(model, options, times, plan, p, observed, comm, timings);
          }
          const double first = before + share * (sample - done) / wanted;
          series = part->run(
              sample, control, [&](double fraction) { return first + share * fraction / wanted; },
              truncation);
          control.finish([&](StateWriter& writer) {
            CorrelationSeries::visit(series, [&](const char* name, const std::vector<double>& values) {
              writer.replicated(name, values);
            });
            writer.replicated("truncation", std::span(&truncation, 1));
          });
        }
        result.truncation = std::max(result.truncation, truncation);
        add_weighted(result.samples[as_size(sample)], series, plan.parts[p].weight);
      }
      if (part) part->add_products_to(timings);
      before += share;
    }
    done += wanted;
    wanted = plan.exact || options.samples > 0 ? 0 : more(result);
  }
  return result;
}

}  // namespace qheat
