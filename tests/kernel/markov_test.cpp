// The Markov limit: as the limit of the second-order kernel, against its formulas, and where there is none.

#include "qheat/kernel/markov.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "qheat/basis/cell_space.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/parallel/error.hpp"
#include "support/random_models.hpp"

using namespace qheat;

namespace {

constexpr double kStrength = 0.1;

Model pair(double detuning = 0.0) {
  auto model = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), kStrength);
  model.energies = {0.0, 1.0, 0.0, 1.0 + detuning};
  return model;
}

double bond_rate(const Model& model, const std::optional<Broadening>& broadening,
                 const std::vector<int>& counts = {}) {
  std::vector<double> rates(static_cast<std::size_t>(model.lattice.bond_count()));
  markov_kernel(model, broadening).bond_rates(0.0, counts, rates);
  return rates.front();
}

std::string refusal(const Model& model, const std::optional<Broadening>& broadening = {}) {
  try {
    markov_kernel(model, broadening);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

void expect_same_elements(const SecondOrderKernel& a, double t_a, const SecondOrderKernel& b, double t_b,
                          const std::string& name) {
  ASSERT_EQ(a.value_count(), b.value_count()) << name;
  std::vector<double> of_a(a.value_count());
  std::vector<double> of_b(b.value_count());
  a.values(t_a, of_a);
  b.values(t_b, of_b);
  for (std::size_t e = 0; e < of_a.size(); ++e) EXPECT_NEAR(of_a[e], of_b[e], 1e-13) << name;
}

TEST(MarkovKernel, IsTheLimitOfTheSecondOrderKernelWithDephasing) {
  for (auto& random : qheat_test::random_cases()) {
    auto& model = random.model;
    model.bath.dephasing = 0.4;
    expect_same_elements(markov_kernel(model, {}), 0.0, SecondOrderKernel(model), 200.0, random.name);
    if (model.levels() < 3) continue;
    std::vector<int> bands(static_cast<std::size_t>(model.levels()), 1);
    bands[0] = 0;
    model.site = Site(std::vector<double>(bands.size(), 0.0), bands);
    expect_same_elements(markov_kernel(model, {}), 7.0, SecondOrderKernel(model), 200.0, random.name);
  }
}

TEST(MarkovKernel, DephasedPairHasTheTextbookRate) {
  auto model = pair();
  model.bath.dephasing = 0.25;
  const double gamma = 0.5;  // two sites differ
  EXPECT_DOUBLE_EQ(bond_rate(model, {}), 2.0 * kStrength * kStrength / gamma);
  model = pair(0.3);
  model.bath.dephasing = 0.25;
  EXPECT_DOUBLE_EQ(bond_rate(model, {}), 2.0 * kStrength * kStrength * gamma / (gamma * gamma + 0.3 * 0.3));
}

TEST(MarkovKernel, DensitiesAreNormalised) {
  using Shape = Broadening::Shape;
  for (const auto shape : {Shape::lorentzian, Shape::gaussian, Shape::uniform}) {
    const Broadening broadening{shape, 0.7};
    double integral = 0.0;
    const double step = 0.01;
    const double end = 200.0;
    for (int i = -20000; i < 20000; ++i) integral += step * broadening.density((i + 0.5) * step);
    const double tails =
        shape == Shape::lorentzian ? 1.0 - 2.0 / std::numbers::pi * std::atan(end / 0.7) : 0.0;
    EXPECT_NEAR(integral, 1.0 - tails, 1e-10) << static_cast<int>(shape);
  }
}

TEST(MarkovKernel, BroadeningIsTheDensityOfTheMismatch) {
  using Shape = Broadening::Shape;
  const double scale = 2.0 * std::numbers::pi * kStrength * kStrength;
  const auto rate = [](Shape shape, double width, double detuning) {
    return bond_rate(pair(detuning), Broadening{shape, width});
  };
  EXPECT_NEAR(rate(Shape::lorentzian, 0.2, 0.0), scale / (std::numbers::pi * 0.2), 1e-15);
  EXPECT_NEAR(rate(Shape::lorentzian, 0.2, 0.2), scale / (2.0 * std::numbers::pi * 0.2),
              1e-15);  // the half width
  EXPECT_NEAR(rate(Shape::gaussian, 0.2, 0.0), scale / (std::sqrt(2.0 * std::numbers::pi) * 0.2), 1e-15);
  EXPECT_NEAR(rate(Shape::gaussian, 0.2, 0.2),
              scale / (std::sqrt(2.0 * std::numbers::pi) * 0.2) * std::exp(-0.5), 1e-14);
  EXPECT_NEAR(rate(Shape::uniform, 0.2, 0.0), scale / 0.2, 1e-14);
  EXPECT_NEAR(rate(Shape::uniform, 0.2, 0.1), scale / 0.2, 1e-14);
  EXPECT_EQ(rate(Shape::uniform, 0.2, 0.1001), 0.0);
}

TEST(MarkovKernel, PairRatesFollowTheElementOfTheSwap) {
  // Eq. 18: 2 pi lambda^2 Gamma(0) |V_{ab,ba}|^2, here different for each pair, times J_b^2
  const double v01 = 0.8;
  const Complex v02(0.3, -0.4);
  const double v12 = -1.1;
  auto model = uniform_model(
      Lattice::chain(3), Site({0.0, 1.0, 2.5}),
      PairInteraction::matrix(3, {{0, 1, 1, 0, v01}, {0, 2, 2, 0, v02}, {1, 2, 2, 1, v12}}, true), kStrength);
  model.couplings = {1.5, 1.0};
  const Broadening broadening{Broadening::Shape::gaussian, 0.3};
  const double unit = 2.0 * std::numbers::pi * kStrength * kStrength * 2.25 * broadening.density(0.0);
  EXPECT_NEAR(bond_rate(model, broadening, {2, 1, 0}), unit * v01 * v01, 1e-14);
  EXPECT_NEAR(bond_rate(model, broadening, {2, 0, 1}), unit * std::norm(v02), 1e-14);
  EXPECT_NEAR(bond_rate(model, broadening, {0, 2, 1}), unit * v12 * v12, 1e-14);
}

/// A ground level and a band of `size` levels, delta-eps wide, equal couplings of all levels of the band.
Model band_model(int size, double width, double detuning = 0.0) {
  std::vector<double> levels = {0.0};
  std::vector<int> bands = {0};
  for (int n = 0; n < size; ++n) {
    levels.push_back(3.0 + width * n / (size - 1));
    bands.push_back(1);
  }
  std::vector<PairElement> elements;
  for (int a = 1; a <= size; ++a) {
    for (int c = 1; c <= size; ++c) {
      elements.push_back({static_cast<Level>(a), 0, 0, static_cast<Level>(c), 0.6});
    }
  }
  auto model = uniform_model(Lattice::chain(3), Site(levels, bands),
                             PairInteraction::matrix(size + 1, elements, true), kStrength);
  for (std::size_t n = 1; n < levels.size(); ++n) model.energies[levels.size() + n] += detuning;
  return model;
}

TEST(MarkovKernel, BandsGiveTheDensityOfTheirStates) {
  const int n = 7;
  const double width = 0.5;
  const double expected = 2.0 * std::numbers::pi * kStrength * kStrength * 0.36 * n / width;
  EXPECT_NEAR(bond_rate(band_model(n, width), {}), expected, 1e-13);
  EXPECT_NEAR(bond_rate(band_model(n, width, 0.25), {}), expected, 1e-13);  // centres half a width apart
  EXPECT_EQ(bond_rate(band_model(n, width, 0.26), {}), 0.0);
  const auto kernel = markov_kernel(band_model(n, width), {});
  expect_same_elements(kernel, 0.0, kernel, 1e6, "constant");
}

TEST(MarkovKernel, BroadeningGoesBeforeBands) {
  const auto model = band_model(2, 0.5);
  const Broadening broadening{Broadening::Shape::uniform, 0.1};
  // of the four pairs of levels those of equal energy: one final state for each initial one
  EXPECT_NEAR(bond_rate(model, broadening), 2.0 * std::numbers::pi * kStrength * kStrength * 0.36 / 0.1,
              1e-13);
}

TEST(MarkovKernel, NeedsExactlyOneSource) {
  EXPECT_NE(refusal(pair()).find("add bath.dephasing, bands of several energies"), std::string::npos);
  EXPECT_NE(refusal(pair()).find("kernel.broadening"), std::string::npos);
  auto model = pair();
  model.bath.dephasing = 0.1;
  EXPECT_EQ(refusal(model), "");
  EXPECT_NE(refusal(model, Broadening{.width = 0.1}).find("name one of them"), std::string::npos);
  model = pair();
  EXPECT_EQ(refusal(model, Broadening{.width = 0.1}), "");
  model.bath.reservoirs = {{}};
  EXPECT_NE(refusal(model, Broadening{.width = 0.1}).find("remove the reservoirs"), std::string::npos);
}

TEST(MarkovKernel, DegenerateBandsAreNoSource) {
  const auto exchange = PairInteraction::exchange(3);
  const auto degenerate =
      uniform_model(Lattice::chain(2), Site({0.0, 1.0, 1.0}, {0, 1, 1}), exchange, kStrength);
  EXPECT_NE(refusal(degenerate).find("there is no Markov limit"), std::string::npos);
}

TEST(MarkovKernel, ChangesBetweenSingleEnergiesNeedAWidthOfTheirOwn) {
  // levels 0 and 1 are bands of a single energy each and are swapped at equal energies
  const auto four = uniform_model(Lattice::chain(2), Site({0.0, 1.0, 2.0, 2.5}, {0, 1, 2, 2}),
                                  PairInteraction::exchange(4), kStrength);
  EXPECT_NE(refusal(four).find("bands of a single energy"), std::string::npos);
  auto detuned = four;
  detuned.energies[5] += 0.3;
  EXPECT_EQ(refusal(detuned), "");  // nothing happens out of resonance
}

/// Physics 13.5: with constant rates the cells perform an exclusion process (M = 2) or an interchange
/// process, whose slowest decay is that of one particle, 2 w (1 - cos(pi/N)), in every filling.
TEST(MarkovKernel, HasTheGapOfOneParticleInEveryFilling) {
  constexpr int kSites = 5;
  for (const int levels : {2, 3}) {
    std::vector<double> energies;
    for (int n = 0; n < levels; ++n) energies.push_back(n);
    auto model =
        uniform_model(Lattice::chain(kSites), Site(energies), PairInteraction::exchange(levels), kStrength);
    model.bath.dephasing = 0.4;
    const double w = kStrength * kStrength / model.bath.dephasing;
    const SecondOrderKernel kernel = markov_kernel(model, {});
    const CellSpace cells(model, InitialState::thermal(model, std::vector<double>(kSites, 1.0)));
    for (const auto& sector : cells.sectors()) {
      const auto size = static_cast<std::size_t>(sector.cells.dimension());
      if (size == 1) continue;
      const auto generator = dense_generator(sector.cells, kernel.at(1.0));
      const qheat_test::brute::ComplexMatrix matrix(generator.begin(), generator.end());
      auto values = qheat_test::brute::eigen_hermitian(matrix, size).values;
      std::sort(values.begin(), values.end());
      EXPECT_NEAR(values[size - 1], 0.0, 1e-12);
      EXPECT_NEAR(values[size - 2], -2.0 * w * (1.0 - std::cos(std::numbers::pi / kSites)), 1e-12) << size;
    }
  }
}

}  // namespace
