// Averages over random detunings: against closed forms with the same draws, on any number of ranks.

#include "qheat/evolution/exact_ensemble.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <string>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/rank_groups.hpp"
#include "support/modular.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

using Distribution = Detuning::Distribution;

constexpr double kStrength = 0.1;
const std::vector<double> kTimes = {0.0, 3.0, 10.0, 25.0};

Model pair_model() {
  return uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), kStrength);
}

DrawRealization draws_of(const Model& model, const std::vector<int>& levels, const Detuning& detuning) {
  return [=](int number) {
    Model realization = model_of_realization(model, detuning, number);
    auto initial = InitialState::band_mixture(realization, levels);
    return Realization{std::move(realization), std::move(initial)};
  };
}

ExactResult average(int realizations, const DrawRealization& draw, const ExactOptions& options = {},
                    const std::vector<double>& times = kTimes) {
  UninterruptedRun control;
  Timings timings;
  auto result =
      propagate_exact_ensemble(realizations, draw, times, options, qheat_test::world(), control, timings);
  timings.over_ranks(qheat_test::world());  // ranks without work must not make others wait
  return result;
}

/// P of the site that was excited at first, at one detuning of the pair (physics: a detuned pair).
double closed_form(double difference, double t) {
  const double omega = std::sqrt(difference * difference + 4.0 * kStrength * kStrength);
  return 1.0 - std::pow(2.0 * kStrength / omega * std::sin(omega * t / 2.0), 2);
}

struct MeanAndError {
  double mean, error;
};
MeanAndError of_pairs(int realizations, const Detuning& detuning, double t) {
  double sum = 0.0;
  double squares = 0.0;
  for (int r = 0; r < realizations; ++r) {
    const auto energies = site_energies({0.0, 1.0}, 2, detuning, r);
    const double p = closed_form(energies[1] - energies[3], t);
    sum += p;
    squares += p * p;
  }
  const double mean = sum / realizations;
  return {mean, std::sqrt(std::max(0.0, squares / realizations - mean * mean) / (realizations - 1.0))};
}

double population(const Observations& observed, std::size_t time, std::size_t site, std::size_t level) {
  return observed.populations[(time * 2 + site) * 2 + level];
}

TEST(Ensemble, MeanAndErrorOfPairsAreThoseOfTheClosedForm) {
  const Detuning detuning{.distribution = Distribution::gaussian, .width = 0.15, .seed = 4};
  for (const int realizations : {2, 7, 40}) {
    const auto result = average(realizations, draws_of(pair_model(), {1, 0}, detuning));
    ASSERT_TRUE(result.error);
    for (std::size_t k = 0; k < kTimes.size(); ++k) {
      const auto expected = of_pairs(realizations, detuning, kTimes[k]);
      EXPECT_NEAR(population(result.mean, k, 0, 1), expected.mean, 1e-10);
      EXPECT_NEAR(population(result.mean, k, 1, 0), expected.mean, 1e-10);
      EXPECT_NEAR(population(*result.error, k, 0, 1), expected.error, 1e-7);
      EXPECT_LT(result.error->norm[k], 1e-12);
      EXPECT_NEAR(result.mean.norm[k], 1.0, 1e-10);
    }
    EXPECT_GT(population(*result.error, 2, 0, 1), 0.01);
  }
}

/// Of open systems too: density matrices, with the bath in each.
TEST(Ensemble, OfOpenSystemsIsTheMeanOfDensityMatrices) {
  Model model = pair_model();
  model.bath.dephasing = 0.2;
  model.bath.reservoirs = {{1, 0.9, 0.05, Reservoir::Statistics::fermi}};
  const Detuning detuning{.distribution = Distribution::gaussian, .width = 0.15, .seed = 4};
  const auto draw = draws_of(model, {1, 0}, detuning);
  for (const int realizations : {2, 5}) {
    const auto result = average(realizations, draw, {.tolerance = 1e-12});
    std::vector<double> expected(result.mean.populations.size(), 0.0);
    for (int r = 0; r < realizations; ++r) {
      UninterruptedRun control;
      Timings timings;
      const auto one = draw(r);
      const auto alone = propagate_exact(one.model, one.initial, kTimes, {.tolerance = 1e-12},
                                         qheat_test::world(), control, timings);
      for (std::size_t e = 0; e < expected.size(); ++e)
        expected[e] += alone.mean.populations[e] / realizations;
    }
    for (std::size_t e = 0; e < expected.size(); ++e)
      EXPECT_NEAR(result.mean.populations[e], expected[e], 1e-10);
    const double closed = of_pairs(realizations, detuning, kTimes[2]).mean;
    EXPECT_GT(std::abs(population(result.mean, 2, 0, 1) - closed), 0.02);  // the bath is there
  }
}

TEST(Ensemble, EveryRealizationIsReproducibleAlone) {
  const Detuning detuning{.distribution = Distribution::uniform, .width = 0.4, .seed = 9};
  const auto draw =
      draws_of(qheat_test::modular_model(Lattice::ring(3), {1.0, 1.2}, 0.2, 3), {0, 1, 0}, detuning);
  const auto result = average(3, draw);
  std::vector<double> populations, currents, outflows, energies;
  for (int r = 0; r < 3; ++r) {
    const auto realization = draw(r);
    EXPECT_EQ(realization.model.energies, site_energies({0.0, 1.0, 1.2}, 3, detuning, r));
    UninterruptedRun control;
    Timings timings;
    const auto alone = propagate_exact(realization.model, realization.initial, kTimes, {},
                                       qheat_test::world(), control, timings)
                           .mean;
    const auto add = [](std::vector<double>& sum, const std::vector<double>& values) {
      sum.resize(values.size());
      for (std::size_t e = 0; e < values.size(); ++e) sum[e] += values[e] / 3.0;
    };
    add(populations, alone.populations);
    add(currents, alone.current);
    add(outflows, alone.outflow);
    add(energies, alone.energy);
  }
  const auto expect_equal = [](const std::vector<double>& got, const std::vector<double>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t e = 0; e < got.size(); ++e) EXPECT_NEAR(got[e], expected[e], 1e-12);
  };
  expect_equal(result.mean.populations, populations);
  expect_equal(result.mean.current, currents);
  expect_equal(result.mean.outflow, outflows);
  expect_equal(result.mean.energy, energies);
  EXPECT_GT(*std::max_element(currents.begin(), currents.end()), 1e-3);
}

/// Half widths w of each level make a Lorentzian density Gamma of the mismatch, of half width 2 w, that is
/// flat where it matters; then an isolated pair relaxes with 2 pi lambda^2 Gamma(0) J_0(2 lambda t) and
/// saturates.
TEST(Ensemble, PairsInAStaticLorentzianBandSaturate) {
  constexpr double kHalfWidth = 2.0;
  constexpr int kRealizations = 4000;
  const Detuning detuning{.distribution = Distribution::lorentzian, .width = kHalfWidth / 2.0, .seed = 2};
  const std::vector<double> times = {0.0, 5.0, 12.0, 20.0, 40.0};
  const auto result = average(kRealizations, draws_of(pair_model(), {1, 0}, detuning), {}, times);
  // 1 - P = int Gamma(D) (2 lambda/Omega)^2 sin^2(Omega t/2) dD, by quadrature: exact for any width
  for (std::size_t k = 1; k < times.size(); ++k) {
    double expected = 0.0;
    constexpr int kPoints = 200000;
    for (int p = 0; p < kPoints; ++p) {
      const double difference = kHalfWidth * std::tan(std::numbers::pi * ((p + 0.5) / kPoints - 0.5));
      expected += (1.0 - closed_form(difference, times[k])) / kPoints;
    }
    const double error = population(*result.error, k, 1, 1);
    EXPECT_NEAR(population(result.mean, k, 1, 1), expected, 4.0 * error) << "t = " << times[k];
    EXPECT_LT(error, 0.005);
    // the rate of the flat density, integrated: 2 pi lambda^2 Gamma(0) int_0^t J_0(2 lambda s) ds
    double bessel = 0.0;
    constexpr int kSteps = 2000;
    for (int s = 0; s < kSteps; ++s)
      bessel += std::cyl_bessel_j(0.0, 2.0 * kStrength * times[k] * (s + 0.5) / kSteps) * times[k] / kSteps;
    const double flat = 2.0 * kStrength * kStrength / kHalfWidth * bessel;
    if (times[k] > 2.0 / kHalfWidth) {
      EXPECT_NEAR(expected, flat, 0.12 * flat) << "t = " << times[k];
    }
  }
  // saturated: far from the even distribution that a rate equation would have reached
  EXPECT_LT(population(result.mean, 4, 1, 1), 0.1);
}

TEST(Ensemble, SampledMixturesDifferFromRealizationToRealization) {
  const auto model =
      uniform_model(Lattice::chain(6), Site({0.0, 1.0}), PairInteraction::exchange(2, 0.5), 0.4);
  const Detuning narrow{.distribution = Distribution::uniform, .width = 1e-9};
  const DrawRealization draw = [&](int number) {
    Model realization = model_of_realization(model, narrow, number);
    auto initial = InitialState::thermal(realization, {0.5, 0.7, 1.0, 2.0, 5.0, 9.0});
    return Realization{std::move(realization), std::move(initial)};
  };
  const auto result = average(12, draw, {.samples = 3});
  const auto whole = average(2, draw);
  double largest = 0.0;
  for (std::size_t e = 0; e < result.mean.current.size(); ++e) {
    const double error = result.error->current[e];
    largest = std::max(largest, error);
    EXPECT_NEAR(result.mean.current[e], whole.mean.current[e], 5.0 * error + 1e-8);
  }
  EXPECT_GT(largest, 1e-4);  // same phases in all would hide the sampling
}

TEST(Ensemble, GroupsAreManyUnlessOneRealizationIsLarge) {
  const Realization small{pair_model(), InitialState::product(pair_model(), {1, 0})};
  EXPECT_EQ(ensemble_groups(10, small, kTimes, {}, 4, 0.0), 4);
  EXPECT_EQ(ensemble_groups(3, small, kTimes, {}, 8, 0.0), 3);
  EXPECT_EQ(ensemble_groups(10, small, kTimes, {}, 1, 0.0), 1);
  EXPECT_THROW(ensemble_groups(10, small, kTimes, {}, 4, 1.0), Error);  // a byte is not enough
  const auto chain = uniform_model(Lattice::chain(24), Site({0.0, 1.0}), PairInteraction::exchange(2), 1.0);
  std::vector<int> half(24, 0);
  std::fill_n(half.begin(), 12, 1);
  const Realization large{chain, InitialState::product(chain, half)};
  EXPECT_EQ(ensemble_groups(10, large, {0.0, 1000.0}, {}, 4, 0.0), 1);
  EXPECT_GT(ensemble_groups(10, large, {0.0, 1000.0}, {}, 4096, 0.0), 1);
  // and where a group of two ranks has the memory that one does not have
  const double bytes = plan_exact(chain, large.initial, {0.0, 1.0}, {}, 2, 0.0).front().bytes_per_rank;
  EXPECT_EQ(ensemble_groups(10, large, {0.0, 1.0}, {}, 4, bytes / 0.79), 2);
}

/// Stops at an offer after the first `offers`, with all that was finished and the state saved: a checkpoint
/// in memory.
class StoppingRun final : public RunControl {
 public:
  using Record = std::map<std::string, std::vector<double>>;
  struct Saved {
    std::map<std::string, Record> finished;
    std::string partial_stage;
    Record partial;  ///< distributed vectors: this rank's part
  };
  StoppingRun(Saved& saved, int offers) : saved_(saved), offers_left_(offers) {}

  void enter(const std::string& stage) override { stages_.push_back(stage); }
  void leave() noexcept override { stages_.pop_back(); }
  bool restore_finished(const Load& load) override {
    const auto place = saved_.finished.find(path());
    if (place == saved_.finished.end()) return false;
    Reader reader(place->second);
    load(reader);
    return true;
  }
  bool restore_partial(const Load& load) override {
    if (saved_.partial_stage != path()) return false;
    Reader reader(saved_.partial);
    load(reader);
    saved_.partial_stage.clear();
    return true;
  }
  void offer(double fraction, const Save& save) override {
    EXPECT_GE(fraction, fraction_ - 1e-12);
    EXPECT_LE(fraction, 1.0 + 1e-12);
    fraction_ = fraction;
    if (--offers_left_ > 0) return;
    saved_.partial.clear();
    Writer writer(saved_.partial);
    save(writer);
    saved_.partial_stage = path();
    throw Stopped();
  }
  void finish(const Save& save) override {
    std::erase_if(saved_.finished, [&](const auto& entry) { return entry.first.starts_with(path() + "/"); });
    Writer writer(saved_.finished[path()]);
    save(writer);
  }

 private:
  struct Writer final : StateWriter {
    explicit Writer(Record& to) : record(to) {}
    void replicated(const std::string& name, std::span<const double> values) override {
      record[name].assign(values.begin(), values.end());
    }
    void distributed(const std::string& name, std::span<const double> local, Index, Index) override {
      record[name].assign(local.begin(), local.end());
    }
    Record& record;
  };
  struct Reader final : StateReader {
    explicit Reader(const Record& from) : record(from) {}
    std::vector<double> replicated(const std::string& name) override { return record.at(name); }
    void distributed(const std::string& name, std::span<double> local, Index, Index) override {
      std::copy(record.at(name).begin(), record.at(name).end(), local.begin());
    }
    const Record& record;
  };
  std::string path() const {
    std::string path;
    for (const auto& stage : stages_) path += "/" + stage;
    return path;
  }

  Saved& saved_;
  int offers_left_;
  double fraction_ = 0.0;
  std::vector<std::string> stages_;
};

TEST(Ensemble, AStoppedRunGoesOnToTheSameNumbers) {
  const Detuning detuning{.distribution = Distribution::gaussian, .width = 0.15, .seed = 4};
  const auto draw = draws_of(pair_model(), {1, 0}, detuning);
  const auto whole = average(5, draw);
  StoppingRun::Saved saved;
  int runs = 0;
  for (bool done = false; !done; ++runs) {
    StoppingRun control(saved, 3);
    Timings timings;
    try {
      const auto result =
          propagate_exact_ensemble(5, draw, kTimes, {}, qheat_test::world(), control, timings);
      done = true;
      EXPECT_EQ(result.mean.populations, whole.mean.populations);
      EXPECT_EQ(result.error->current, whole.error->current);
    } catch (const Stopped&) {
      ASSERT_LT(runs, 30);
    }
  }
  if (qheat_test::world().size() == 1) {
    EXPECT_GT(runs, 5);  // cut inside of realisations
  }
  EXPECT_EQ(saved.finished.contains("/realization-0/sector-0"), false);
}

TEST(RankGroups, AreEqualAndLeaveTheRestIdle) {
  const Communicator& world = qheat_test::world();
  for (int groups = 1; groups <= world.size(); ++groups) {
    const RankGroups split(world, groups);
    const int size = world.size() / groups;
    EXPECT_EQ(split.count(), groups);
    EXPECT_EQ(split.is_idle(), world.rank() >= groups * size);
    if (split.is_idle()) continue;
    EXPECT_EQ(split.comm().size(), size);
    EXPECT_EQ(split.group(), world.rank() / size);
    EXPECT_EQ(split.comm().rank(), world.rank() % size);
    EXPECT_EQ(split.comm().sum(Index{1}), size);
  }
}

}  // namespace
