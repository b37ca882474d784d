// The heat equation against closed forms, manufactured solutions and conservation laws.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "qheat/heat/heat_evolution.hpp"
#include "qheat/parallel/error.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

constexpr double kPi = std::numbers::pi;
/// What takes many steps is followed by one rank alone: several share nothing there that shorter tests do
/// not.
bool alone() {
  return qheat_test::world().size() == 1;
}

constexpr double kForever = std::numeric_limits<double>::infinity();
using Middle = std::array<double, 3>;
using Kind = FaceCondition::Kind;

HeatProblem problem(CellBox::Axes cells, double spacing) {
  HeatProblem heat;
  heat.cells = cells;
  heat.spacing = spacing;
  return heat;
}

std::vector<double> field(const HeatEquation& equation, const std::function<double(const Middle&)>& f) {
  return equation.field_of(CellProperty::function([&](double, const Middle& x) { return f(x); }, false, true),
                           std::vector<double>(equation.box().storage(), 0.0));
}

/// Largest distance of a field from a function of place.
double distance(const HeatEquation& equation, const std::vector<double>& temperature,
                const std::function<double(const Middle&)>& f) {
  const auto expected = field(equation, f);
  double largest = 0.0;
  equation.box().for_each([&](std::size_t p, Index, Index, Index) {
    largest = std::max(largest, std::abs(temperature[p] - expected[p]));
  });
  return equation.box().comm().max(largest);
}

std::vector<double> steady(HeatEquation& equation, double start) {
  std::vector<double> t(equation.box().storage(), start);
  equation.solve(t, kForever, 1e-12, t);
  return t;
}

HeatState evolved(HeatEquation& equation, const std::function<double(const Middle&)>& start, double end,
                  double tolerance) {
  HeatState state{.temperature = field(equation, start)};
  UninterruptedRun uninterrupted;
  HeatEvolution(equation, tolerance)
      .run(
          state, {0.0, end / 3.0, end}, uninterrupted, [](std::size_t, const HeatState&) {},
          [](StateWriter&) {}, [](StateReader&) {});
  return state;
}

}  // namespace

// physics: section Heat equation: the modes of the cells decay with 2 D/a^2 (1 - cos(pi m/N))
TEST(Heat, ModesOfTheCellsDecayAsTheyMust) {
  for (const bool periodic : {false, true}) {
    HeatProblem heat = problem({12, 10, 6}, 0.5);
    heat.periodic = {periodic, false, false};
    heat.conductivity = CellProperty::constant(0.7);
    heat.capacity = CellProperty::constant(1.6);
    HeatEquation equation(heat, qheat_test::world());
    const double qx = (periodic ? 2.0 : 1.0) * kPi / 12.0;
    const double qy = 2.0 * kPi / 10.0;
    const auto mode = [&](const Middle& x) {
      return std::cos(qx * (x[0] / 0.5 - (periodic ? 0.2 : 0.0))) * std::cos(qy * x[1] / 0.5);
    };
    const double rate = 0.7 / 1.6 / 0.25 * (2.0 * (1.0 - std::cos(qx)) + 2.0 * (1.0 - std::cos(qy)));
    const auto state = evolved(
        equation, [&](const Middle& x) { return 1.0 + mode(x); }, 0.5, alone() ? 1e-12 : 1e-7);
    EXPECT_LT(distance(equation, state.temperature,
                       [&](const Middle& x) { return 1.0 + std::exp(-rate * 0.5) * mode(x); }),
              alone() ? 1e-10 : 1e-5);
  }
}

// Layers of D = 1, 0.1, 1 with unit flux: x, 10 x - 9 L/4 ..., x + 18 L/4 over 4 quarters, the middle two
// slow
TEST(Heat, LayersCarryOneFlux) {
  HeatProblem heat = problem({64, 1, 1}, 1.0 / 64.0);
  std::vector<double> kappa(64, 1.0);
  std::fill(kappa.begin() + 16, kappa.begin() + 48, 0.1);
  heat.conductivity = CellProperty::of_cells(kappa);
  heat.capacity = CellProperty::function([](double, const Middle& x) { return 1.0 + x[0]; }, false, true);
  heat.faces[0] = {.kind = Kind::temperature, .value = 0.0};
  heat.faces[1] = {.kind = Kind::flux, .value = 1.0};
  HeatEquation equation(heat, qheat_test::world());
  const auto t = steady(equation, 0.3);
  EXPECT_LT(distance(equation, t,
                     [](const Middle& x) {
                       if (x[0] < 0.25) return x[0];
                       return x[0] < 0.75 ? 10.0 * x[0] - 2.25 : x[0] + 4.5;
                     }),
            1e-9);
  const auto power = equation.face_power(t);
  EXPECT_NEAR(power[0], -1.0, 1e-9);
  EXPECT_NEAR(power[1], 1.0, 1e-12);
}

// kappa = T^m: T^{m+1} is linear in x. For m = 1 the cells have it exactly, else to order 2 in their width.
TEST(Heat, KirchhoffProfiles) {
  for (const int m : {1, 3}) {
    std::vector<double> errors;
    for (const Index n : {16, 32, 64}) {
      HeatProblem heat = problem({n, 1, 1}, 1.0 / static_cast<double>(n));
      heat.conductivity =
          CellProperty::function([m](double t, const Middle&) { return std::pow(t, m); }, true, false);
      heat.faces[0] = {.kind = Kind::temperature, .value = 2.0};
      heat.faces[1] = {.kind = Kind::temperature, .value = 3.0};
      HeatEquation equation(heat, qheat_test::world());
      const auto t = steady(equation, 2.5);
      const double cold = std::pow(2.0, m + 1);
      const double whole = std::pow(3.0, m + 1) - cold;
      errors.push_back(distance(
          equation, t, [&](const Middle& x) { return std::pow(cold + whole * x[0], 1.0 / (m + 1)); }));
      const auto power = equation.face_power(t);
      EXPECT_NEAR(power[0] + power[1], 0.0, 1e-8);
      EXPECT_NEAR(power[1], whole / (m + 1), 1e-9 + 50.0 * errors.back());
    }
    if (m == 1) {
      EXPECT_LT(errors[0], 1e-9);
      continue;
    }
    EXPECT_GT(errors[0] / errors[1], 3.3);
    EXPECT_GT(errors[1] / errors[2], 3.3);
  }
}

// Convection at both ends of a rod: resistances in series.
TEST(Heat, ConvectionIsAResistanceInSeries) {
  HeatProblem heat = problem({20, 1, 1}, 0.1);
  heat.conductivity = CellProperty::constant(0.5);
  heat.faces[0] = {.kind = Kind::convection, .value = 4.0, .transfer = 2.0};
  heat.faces[1] = {.kind = Kind::convection, .value = 1.0, .transfer = 0.5};
  HeatEquation equation(heat, qheat_test::world());
  const auto power = equation.face_power(steady(equation, 2.0));
  const double flux = 3.0 / (1.0 / 2.0 + 2.0 / 0.5 + 1.0 / 0.5);
  EXPECT_NEAR(power[0], flux, 1e-10);
  EXPECT_NEAR(power[1], -flux, 1e-10);
}

// kappa = 1 + T^2 in three dimensions with the source that makes T = 1 + x y z/2 the solution; order 2.
TEST(Heat, ManufacturedSolutionInThreeDimensions) {
  const auto exact = [](const Middle& x) {
    return 1.0 + std::sin(x[0]) * std::cos(x[1]) * (1.0 + 0.3 * x[2]);
  };
  const auto source = [&](double, const Middle& x) {  // -div((1 + T^2) grad T)
    const double t = exact(x);
    const double z = 1.0 + 0.3 * x[2];
    const double dx = std::cos(x[0]) * std::cos(x[1]) * z;
    const double dy = -std::sin(x[0]) * std::sin(x[1]) * z;
    const double dz = 0.3 * std::sin(x[0]) * std::cos(x[1]);
    return (1.0 + t * t) * 2.0 * (t - 1.0) - 2.0 * t * (dx * dx + dy * dy + dz * dz);
  };
  std::vector<double> errors;
  for (const Index n : {8, 16}) {
    const double a = 1.0 / static_cast<double>(n);
    HeatProblem heat = problem({n, n, n}, a);
    heat.conductivity =
        CellProperty::function([](double t, const Middle&) { return 1.0 + t * t; }, true, false);
    // A face has one temperature, which this solution has not: a source holds the outermost cells at it.
    heat.source = CellProperty::function(
        [&, a](double t, const Middle& x) {
          const bool outside =
              std::any_of(x.begin(), x.end(), [&](double v) { return v < a || v > 1.0 - a; });
          return outside ? 1e8 * (exact(x) - t) : source(t, x);
        },
        true, true);
    heat.faces[0] = {.kind = Kind::convection, .value = 1.0, .transfer = 1e-9};
    HeatEquation equation(heat, qheat_test::world());
    std::vector<double> t(equation.box().storage(), 1.3);
    equation.solve(t, kForever, 1e-8, t);
    errors.push_back(distance(equation, t, exact));
  }
  EXPECT_LT(errors[1], 1e-3);
  EXPECT_GT(errors[0] / errors[1], 3.0);
}

// Half of space heated at its face: erfc.
TEST(Heat, HalfSpace) {
  if (!alone()) return;
  HeatProblem heat = problem({400, 1, 1}, 0.02);
  heat.faces[0] = {.kind = Kind::temperature, .value = 1.0};
  HeatEquation equation(heat, qheat_test::world());
  const auto state = evolved(
      equation, [](const Middle&) { return 0.0; }, 0.5, 1e-8);
  EXPECT_LT(distance(equation, state.temperature,
                     [](const Middle& x) { return std::erfc(x[0] / (2.0 * std::sqrt(0.5))); }),
            2e-4);
}

// kappa = T^m from a point: Barenblatt's profile, whose front goes as t^{1/(m + 2)} in one dimension.
TEST(Heat, BarenblattFront) {
  if (!alone()) return;
  const double m = 2.0;
  const auto profile = [m](double x, double t) {  // of u_t = (u^m u_x)_x
    const double scale = std::pow(t, 1.0 / (m + 2.0));
    const double inside = 1.0 - m / (2.0 * (m + 2.0)) * std::pow(x / scale, 2);
    return inside > 0.0 ? std::pow(inside, 1.0 / m) / scale : 0.0;
  };
  const double a = 0.02;
  const double middle = 4.0;
  HeatProblem heat = problem({400, 1, 1}, a);
  heat.conductivity = CellProperty::function(
      [m](double t, const Middle&) { return std::pow(std::max(t, 0.0), m) + 1e-6; }, true, false);
  HeatEquation equation(heat, qheat_test::world());
  const auto state = evolved(
      equation, [&](const Middle& x) { return profile(x[0] - middle, 0.2); }, 1.0, 1e-5);
  // away from the front, where its slope is infinite
  const double front = std::sqrt(2.0 * (m + 2.0) / m) * std::pow(1.2, 1.0 / (m + 2.0));
  double largest = 0.0;
  double outside = 0.0;
  equation.box().for_each([&](std::size_t p, Index i, Index, Index) {
    const double x = a * (static_cast<double>(i) + 0.5) - middle;
    const double error = std::abs(state.temperature[p] - profile(x, 1.2));
    if (std::abs(x) < front - 0.15) largest = std::max(largest, error);
    if (std::abs(x) > front + 0.15) outside = std::max(outside, std::abs(state.temperature[p]));
  });
  EXPECT_LT(equation.box().comm().max(largest), 0.01);
  EXPECT_LT(equation.box().comm().max(outside), 0.01);
}

// What comes in through faces and from sources is what is there more; nothing is lost or made, and nothing is
// hotter than what heats it.
TEST(Heat, EnergyIsBalancedAndTemperaturesStayBetween) {
  HeatProblem heat = problem({9, 7, 5}, 0.2);
  heat.conductivity =
      CellProperty::function([](double, const Middle& x) { return 1.0 + 3.0 * x[0]; }, false, true);
  heat.capacity = CellProperty::function([](double, const Middle& x) { return 2.0 - x[1]; }, false, true);
  HeatProblem alone = heat;
  heat.faces[0] = {.kind = Kind::temperature, .value = 3.0};
  heat.faces[3] = {.kind = Kind::convection, .value = 1.0, .transfer = 2.0};
  heat.faces[4] = {.kind = Kind::flux, .value = 0.1};
  heat.source = CellProperty::constant(0.3);
  const auto start = [](const Middle& x) { return 1.0 + x[0] * x[2]; };
  HeatEquation equation(heat, qheat_test::world());
  const double before = equation.content(field(equation, start));
  const auto state = evolved(equation, start, 2.0, 1e-5);
  const double in = std::accumulate(state.through.begin(), state.through.end(), state.supplied);
  EXPECT_NEAR(equation.content(state.temperature) - before, in, 1e-10 * before);
  HeatEquation insulated(alone, qheat_test::world());
  const auto kept = evolved(insulated, start, 2.0, 1e-5);
  EXPECT_NEAR(insulated.content(kept.temperature), before, 1e-10 * before);
  double highest = 0.0;
  insulated.box().for_each(
      [&](std::size_t p, Index, Index, Index) { highest = std::max(highest, kept.temperature[p]); });
  EXPECT_LE(insulated.box().comm().max(highest), 1.0 + 1.8 * 1.0);
}

TEST(Heat, RefusesAConductivityThatIsNotPositive) {
  HeatProblem heat = problem({8, 3, 1}, 1.0);
  heat.conductivity = CellProperty::function([](double t, const Middle&) { return 1.0 - t; }, true, false);
  heat.faces[0] = {.kind = Kind::temperature, .value = 0.5};
  heat.faces[1] = {.kind = Kind::temperature, .value = 2.0};
  HeatEquation equation(heat, qheat_test::world());
  std::vector<double> t(equation.box().storage(), 0.5);
  EXPECT_THROW(equation.solve(t, kForever, 1e-8, t), Error);
}
