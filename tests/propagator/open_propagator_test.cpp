// G(t) of open systems on cells against the dense reference, the closed propagator, and known results.

#include "qheat/propagator/open_propagator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "support/cell_reference.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;
namespace brute = qheat_test::brute;

namespace {

constexpr double kEnd = 4.0;

std::unique_ptr<const PopulationPropagator> propagator_of(const Model& model, const CellSector& sector,
                                                          double end, CellMomentsOptions options = {}) {
  UninterruptedRun control;
  return open_population_propagator(model, sector, end, qheat_test::world(), control, options);
}

void expect_reference(const std::string& name, const Model& model, const brute::System& reference,
                      const InitialState& initial, CellMomentsOptions options = {}) {
  const CellSpace cells(model, initial);
  for (const CellSector& sector : cells.sectors()) {
    const auto propagator = propagator_of(model, sector, kEnd, options);
    const auto numbers = qheat_test::reference_cells(sector.cells);
    const auto difference = [&](const CellColumns& columns, const brute::RealMatrix& all) {
      return qheat_test::largest_difference(full_columns(propagator->layout(), columns),
                                            brute::restricted(all, numbers));
    };
    const bool small = brute::dimension(reference) <= 9;  // the reference is slow
    for (const double t : small ? std::vector<double>{0.0, 1.7, kEnd} : std::vector<double>{1.3}) {
      const auto g = propagator->evaluate(t, 2);
      const auto expected = brute::populations_propagator_pair(reference, t);
      EXPECT_LT(difference(g[0], expected.g), 1e-11) << name << " t=" << t;
      EXPECT_LT(difference(g[1], expected.g_dot), 1e-10) << name << " t=" << t;
      if (!small || t != 1.7) continue;
      constexpr double kStep = 1e-4;  // the second derivative by differences of the first
      auto second = brute::populations_propagator_derivative(reference, t + kStep);
      const auto before = brute::populations_propagator_derivative(reference, t - kStep);
      for (std::size_t e = 0; e < second.size(); ++e) second[e] = (second[e] - before[e]) / (2.0 * kStep);
      EXPECT_LT(difference(g[2], second), 1e-4) << name << " t=" << t;
      EXPECT_LT(propagator->error(t), 1e-11);
    }
  }
}

TEST(OpenPropagator, EqualsTheReferenceOnRandomModels) {
  std::uint64_t seed = 30;
  for (const auto& random : qheat_test::random_open_cases(32)) {
    const bool real = random.name.find("real") != std::string::npos;
    if (real && random.model.sites() > 2) continue;  // the reference is slow
    expect_reference(random.name, random.model, random.reference,
                     InitialState::product(random.model, qheat_test::random_levels(random.model, seed++)));
  }
}

/// Reservoirs in the middle, bands of several levels that fill unevenly in time.
TEST(OpenPropagator, EqualsTheReferenceUnderJumps) {
  for (const auto& random : qheat_test::random_jump_cases(9)) {
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, 2));
    expect_reference(random.name, random.model, random.reference, initial);
  }
}

TEST(OpenPropagator, SumsOverTheStatesOfBands) {
  for (const bool conserving : {true, false}) {
    auto reference = brute::random_system(
        5, {{0, 1}}, 2, 4, {.complex_v = true, .conserving = conserving, .onsite = false, .detuned = true});
    reference.dephasing = 0.2;
    reference.band_of_level = qheat_test::uneven_bands(4);
    for (const bool reservoirs : {false, true}) {
      if (reservoirs) reference.reservoirs = {{.site = 1, .temperature = 0.9, .rate = 0.7}};
      const auto model = qheat_test::model_of(reference, Lattice::chain(2), 5);
      expect_reference("bands, mixture", model, reference, InitialState::thermal(model, {1.0, 2.0}));
    }
  }
}

brute::System mirrored_chain(int sites, bool reservoirs) {
  brute::System system{.sites = sites, .levels = 2};
  system.energies.assign(static_cast<std::size_t>(sites), {0.0, 1.0});
  for (int i = 0; i + 1 < sites; ++i) system.bonds.push_back(brute::exchange_bond(i, i + 1, 2, 0.4, 0.7));
  system.dephasing = 0.15;
  if (reservoirs) {
    system.reservoirs = {{.site = 0, .temperature = 0.7, .rate = 0.5},
                         {.site = sites - 1, .temperature = 0.7, .rate = 0.5}};
  }
  return system;
}

TEST(OpenPropagator, UsesTheMirrorOfTheLattice) {
  for (const bool reservoirs : {false, true}) {
    auto reference = mirrored_chain(4, reservoirs);
    for (const bool symmetric : {true, false}) {
      if (!symmetric) {
        if (reservoirs) {
          reference.reservoirs.back().rate = 0.3;
        } else {
          reference.energies.back()[1] = 1.3;
        }
      }
      const auto model = qheat_test::model_of(reference, Lattice::chain(4), 1);
      auto even = model;  // model_of draws couplings of bonds at random
      even.couplings = {1.0, 1.0, 1.0};
      even.interactions = {PairInteraction::exchange(2, 0.7)};
      even.interaction_of_bond = {0, 0, 0};
      even.strength = 0.4;
      const auto initial = InitialState::product(even, {1, 0, 1, 0});
      const CellSpace cells(even, initial);
      const auto propagator = propagator_of(even, cells.sectors().front(), kEnd);
      EXPECT_EQ(propagator->layout().mirror().odd_size() > 0, symmetric);
      expect_reference("mirror", even, reference, initial);
    }
  }
}

/// However the columns are shared out among the ranks.
TEST(OpenPropagator, DoesNotDependOnWhoDoesWhat) {
  const auto reference = mirrored_chain(3, true);
  auto model = qheat_test::model_of(reference, Lattice::chain(3), 1);
  const auto initial = InitialState::product(model, {1, 0, 1});
  for (const auto work : {ColumnWork::alone, ColumnWork::together}) {
    expect_reference("columns", model, reference, initial,
                     {.order = std::nullopt, .mirror = MirrorUse::never, .work = work});
  }
}

/// Without surroundings it is the closed propagator, over many steps.
TEST(OpenPropagator, OfAClosedSystemIsTheClosedOne) {
  constexpr double kLong = 60.0;
  auto model = uniform_model(Lattice::chain(5), Site({0.0, 1.0}), PairInteraction::exchange(2, 0.6), 0.8);
  model.energies[3] += 0.2;
  const CellSpace cells(model, InitialState::product(model, {1, 0, 1, 0, 0}));
  const auto& sector = cells.sectors().front();
  const auto closed = closed_population_propagator(model, sector, qheat_test::world());
  const auto open = propagator_of(model, sector, kLong);
  const double frequency = open->largest_frequency();
  for (const double t : {0.0, 0.3, 17.0, 44.4, kLong}) {
    const auto expected = closed->evaluate(t, 2);
    const auto g = open->evaluate(t, 2);
    double scale = 1.0;
    for (std::size_t d = 0; d < 3; ++d) {
      const auto full = full_columns(open->layout(), g[d]);
      const auto wanted = full_columns(closed->layout(), expected[d]);
      double largest = 0.0;
      for (Index j = 0; j < full.values.block().columns(); ++j) {
        for (Index i = 0; i < full.values.block().rows(); ++i) {
          largest = std::max(largest,
                             std::abs(full.values.block().column(j)[i] - wanted.values.block().column(j)[i]));
        }
      }
      EXPECT_LT(largest, scale * (open->error(t) + closed->error(t))) << "t = " << t << " derivative " << d;
      scale *= frequency;
    }
    EXPECT_LT(open->error(t), 1e-12);
  }
}

/// Columns of G sum to one: probability goes nowhere.
TEST(OpenPropagator, KeepsProbability) {
  const auto reference = mirrored_chain(4, true);
  const auto model = qheat_test::model_of(reference, Lattice::chain(4), 3);
  const CellSpace cells(model, InitialState::product(model, {1, 0, 0, 0}));
  const auto propagator = propagator_of(model, cells.sectors().front(), kEnd);
  for (const double t : {0.5, 3.9}) {
    const auto g = full_columns(propagator->layout(), propagator->evaluate(t, 0).front());
    for (Index j = 0; j < g.values.block().columns(); ++j) {
      double sum = 0.0;
      for (const double p : g.values.block().column_span(j)) sum += p;
      EXPECT_NEAR(sum, 1.0, 1e-13);
    }
  }
}

/// Haken-Strobl: one excitation in a long xy chain spreads with D = lambda^2/gamma (1 - e^{-2 gamma t}) at
/// any lambda, until it sees the ends.
TEST(OpenPropagator, SpreadsAsHakenAndStrobl) {
  constexpr int kSites = 41;
  constexpr double kLambda = 0.3;
  constexpr double kGamma = 0.25;
  constexpr double kLast = 8.0;
  for (const double anisotropy : {0.0, 1.0}) {
    auto model = uniform_model(Lattice::chain(kSites), Site({0.0, 1.0}),
                               PairInteraction::exchange(2, anisotropy), kLambda);
    model.bath.dephasing = kGamma;
    std::vector<int> start(kSites, 0);
    start[kSites / 2] = 1;
    const CellSpace cells(model, InitialState::product(model, start));
    const auto& sector = cells.sectors().front();
    const auto propagator = propagator_of(model, sector, kLast);
    std::vector<Level> bands(start.begin(), start.end());
    const Index centre = sector.cells.index(bands);
    std::vector<double> place(static_cast<std::size_t>(sector.cells.dimension()));
    for (Index cell = 0; cell < sector.cells.dimension(); ++cell) {
      sector.cells.configuration(cell, bands);
      for (int i = 0; i < kSites; ++i)
        place[static_cast<std::size_t>(cell)] += bands[static_cast<std::size_t>(i)] * i;
    }
    for (const double t : {0.5, 2.0, kLast}) {
      const auto rate = full_columns(propagator->layout(), propagator->evaluate(t, 1)[1]);
      double spreading = 0.0;  // d/dt of the variance
      for (std::size_t j = 0; j < rate.cells.size(); ++j) {
        if (rate.cells[j] != centre) continue;
        const auto column = rate.values.block().column_span(static_cast<Index>(j));
        for (std::size_t i = 0; i < column.size(); ++i)
          spreading += std::pow(place[i] - kSites / 2, 2) * column[i];
      }
      spreading = qheat_test::world().sum(spreading);
      EXPECT_NEAR(spreading / 2.0, kLambda * kLambda / kGamma * (1.0 - std::exp(-2.0 * kGamma * t)), 1e-8)
          << "anisotropy " << anisotropy << " t = " << t;
    }
  }
}

/// Reservoirs of one temperature and a V that keeps the sum of level energies: the Gibbs product stays.
TEST(OpenPropagator, LeavesTheGibbsProductAlone) {
  constexpr double kTemperature = 0.8;
  auto model = uniform_model(Lattice::chain(3), Site({0.0, 1.0, 2.3}), PairInteraction::exchange(3), 0.5);
  model.bath.dephasing = 0.1;
  for (const int site : {0, 1}) {
    model.bath.reservoirs.push_back({site, kTemperature, 0.4 + 0.3 * site, Reservoir::Statistics::fermi});
  }
  const auto thermal = InitialState::thermal(model, std::vector<double>(3, kTemperature));
  const CellSpace cells(model, thermal);
  const auto& sector = cells.sectors().front();
  const auto propagator = propagator_of(model, sector, kEnd);
  std::vector<double> weight;
  std::vector<Level> bands(3);
  for (Index cell = 0; cell < sector.cells.dimension(); ++cell) {
    sector.cells.configuration(cell, bands);
    weight.push_back(1.0);
    for (std::size_t i = 0; i < 3; ++i) weight.back() *= thermal.probabilities[3 * i + bands[i]];
  }
  const auto g = full_columns(propagator->layout(), propagator->evaluate(kEnd, 0).front());
  std::vector<double> after(weight.size(), 0.0);
  for (std::size_t j = 0; j < g.cells.size(); ++j) {
    const auto column = g.values.block().column_span(static_cast<Index>(j));
    for (std::size_t i = 0; i < after.size(); ++i)
      after[i] += column[i] * weight[static_cast<std::size_t>(g.cells[j])];
  }
  qheat_test::world().sum(after);
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_NEAR(after[i], weight[i], 1e-13);
}

/// A RunControl in memory that stops after some safe points and gives its state back once.
class InterruptedPropagation final : public RunControl {
 public:
  explicit InterruptedPropagation(int offers) : offers_(offers) {}
  void enter(const std::string&) override {}
  void leave() noexcept override {}
  bool restore_finished(const Load&) override { return false; }
  bool restore_partial(const Load& load) override {
    if (saved_.empty()) return false;
    Reader reader(saved_);
    load(reader);
    return true;
  }
  void offer(double, const Save& save) override {
    if (offers_-- != 0) return;
    Writer writer(saved_);
    save(writer);
    throw Stopped();
  }
  void finish(const Save&) override {}

 private:
  using Saved = std::map<std::string, std::vector<double>>;
  class Writer final : public StateWriter {
   public:
    explicit Writer(Saved& saved) : saved_(saved) {}
    void replicated(const std::string& name, std::span<const double> values) override {
      saved_[name].assign(values.begin(), values.end());
    }
    void distributed(const std::string& name, std::span<const double> local, Index offset,
                     Index size) override {
      auto& all = saved_[name];
      all.assign(static_cast<std::size_t>(size), 0.0);
      std::copy(local.begin(), local.end(), all.begin() + offset);
      qheat_test::world().sum(all);
    }

   private:
    Saved& saved_;
  };
  class Reader final : public StateReader {
   public:
    explicit Reader(Saved& saved) : saved_(saved) {}
    std::vector<double> replicated(const std::string& name) override { return saved_.at(name); }
    void distributed(const std::string& name, std::span<double> local, Index offset, Index) override {
      std::copy_n(saved_.at(name).begin() + offset, local.size(), local.begin());
    }

   private:
    Saved& saved_;
  };
  int offers_;
  Saved saved_;
};

TEST(OpenPropagator, GoesOnWhereItWasStopped) {
  auto model = uniform_model(Lattice::chain(8), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.9);
  model.bath.dephasing = 0.3;
  const CellSpace cells(model, InitialState::product(model, {1, 0, 1, 0, 1, 0, 1, 0}));
  const auto& sector = cells.sectors().front();
  for (const auto order : {std::optional<int>{}, std::optional<int>{2}}) {
    const CellMomentsOptions options{.order = order};
    UninterruptedRun whole;
    const CellMoments expected(model, sector, kEnd, options, qheat_test::world(), whole);
    InterruptedPropagation control(1);
    EXPECT_THROW(CellMoments(model, sector, kEnd, options, qheat_test::world(), control), Stopped);
    const CellMoments resumed(model, sector, kEnd, options, qheat_test::world(), control);
    const int last = order.value_or(0);
    EXPECT_EQ(resumed.error(last, kEnd), expected.error(last, kEnd));
    const auto a = full_columns(resumed.layout(), resumed.evaluate(last, 2.9, 0).front());
    const auto b = full_columns(expected.layout(), expected.evaluate(last, 2.9, 0).front());
    for (Index j = 0; j < a.values.block().columns(); ++j) {
      for (Index i = 0; i < a.values.block().rows(); ++i)
        ASSERT_EQ(a.values.block().column(j)[i], b.values.block().column(j)[i]);
    }
  }
}

}  // namespace
