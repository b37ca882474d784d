#include "qheat/model/broadening.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace qheat {
namespace {

using Shape = Broadening::Shape;

/// Midpoint sums on x = w tan(theta), which takes the whole axis to a finite interval.
double integral(const Broadening& line) {
  constexpr int kPoints = 200000;
  double sum = 0.0;
  for (int k = 0; k < kPoints; ++k) {
    const double theta = std::numbers::pi * ((k + 0.5) / kPoints - 0.5);
    const double c = std::cos(theta);
    sum += line.density(line.width * std::tan(theta)) * line.width / (c * c);
  }
  return sum * std::numbers::pi / kPoints;
}

TEST(Broadening, DensitiesAreNormalised) {
  for (const Shape shape : {Shape::lorentzian, Shape::gaussian, Shape::uniform}) {
    for (const double width : {1e-3, 0.7, 40.0}) EXPECT_NEAR(integral({shape, width}), 1.0, 1e-4);
  }
}

TEST(Broadening, WidthsAreThoseOfTheirNames) {
  const double w = 0.3;
  const Broadening lorentzian{Shape::lorentzian, w};
  EXPECT_NEAR(lorentzian.density(w), lorentzian.density(0.0) / 2.0, 1e-14);  // half width
  EXPECT_NEAR(lorentzian.density(0.0), 1.0 / (std::numbers::pi * w), 1e-14);
  const Broadening gaussian{Shape::gaussian, w};
  EXPECT_NEAR(gaussian.density(w), gaussian.density(0.0) * std::exp(-0.5), 1e-14);  // standard deviation
  const Broadening uniform{Shape::uniform, w};                                      // full width
  EXPECT_NEAR(uniform.density(0.49 * w), 1.0 / w, 1e-14);
  EXPECT_EQ(uniform.density(0.51 * w), 0.0);
}

TEST(Broadening, IsEven) {
  for (const Shape shape : {Shape::lorentzian, Shape::gaussian, Shape::uniform}) {
    const Broadening line{shape, 0.4};
    for (const double x : {0.01, 0.19, 0.3, 2.0}) EXPECT_EQ(line.density(x), line.density(-x));
  }
}

}  // namespace
}  // namespace qheat
