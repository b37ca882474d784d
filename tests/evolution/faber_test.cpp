#include "qheat/evolution/faber.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

using namespace qheat;

namespace {

const std::vector<Ellipse> kEllipses = {
    {0.0, 0.0, 3.0},  {-1.0, 0.2, 5.0}, {-2.0, 2.0, 2.0}, {-2.0, 2.0, 2.0000001},
    {-6.0, 5.0, 0.0}, {-3.0, 4.0, 1.0}, {-1.5, 1.0, 1.4}, {-0.3, 0.0, 0.0},
};

TEST(Faber, SeriesIsTheExponentialOnTheEllipse) {
  for (const Ellipse& ellipse : kEllipses) {
    for (const double t : {0.0, 1e-6, 0.3, 2.0, 9.0}) {
      const auto series = faber_series(ellipse, t, 1e-13);
      EXPECT_LT(series.tail, 1e-13);
      const double growth = std::exp(t * (ellipse.centre + ellipse.real_axis));
      for (int k = 0; k < 16; ++k) {
        const double angle = std::numbers::pi * k / 8.0;
        const double inside = k % 2 == 0 ? 1.0 : 0.6;
        const Complex z(ellipse.centre + inside * ellipse.real_axis * std::cos(angle),
                        inside * ellipse.imaginary_axis * std::sin(angle));
        const Complex u = ellipse.radius() == 0.0 ? 0.0 : (z - ellipse.centre) / ellipse.radius();
        Complex before = 1.0;
        Complex now = u;
        Complex sum = series.values[0];
        for (std::size_t order = 1; order < series.values.size(); ++order) {
          EXPECT_LE(std::abs(now), 2.0 + 1e-9);
          sum += series.values[order] * now;
          before = std::exchange(now, u * now - (order == 1 ? 2.0 : 1.0) * ellipse.ratio() * before);
        }
        EXPECT_LT(std::abs(sum - std::exp(t * z)), 1e-12 * std::max(1.0, growth))
            << ellipse.centre << " " << t;
      }
    }
  }
}

TEST(Faber, PlansKeepTheRangeInsideAndTheTermsSmall) {
  for (const GeneratorRange& range :
       {GeneratorRange{0.0, 0.0, 10.0}, GeneratorRange{-4.0, 0.0, 20.0}, GeneratorRange{-500.0, 0.0, 10.0},
        GeneratorRange{-6.0, 1.5, 12.0}, GeneratorRange{-3.0, 0.0, 0.0}, GeneratorRange{}}) {
    for (const double end : {0.0, 0.5, 30.0}) {
      const auto plan = plan_faber(range, end, 1e-9, 3);
      EXPECT_GE(plan.steps, 3);
      const auto& e = plan.ellipse;
      const auto inside = [&](double re, double im) {
        const auto part = [](double x, double axis) { return x == 0.0 ? 0.0 : x * x / (axis * axis); };
        return part(re - e.centre, e.real_axis) + part(im, e.imaginary_axis) <= 1.0 + 1e-12;
      };
      EXPECT_TRUE(inside(range.low, range.imaginary) && inside(range.high, -range.imaginary));
      EXPECT_LE((e.centre + e.real_axis) * end / static_cast<double>(plan.steps), 4.61);
    }
  }
  // A closed system costs what Chebyshev polynomials cost: little more than |H| t products a step.
  const auto closed = plan_faber({0.0, 0.0, 10.0}, 3.0, 1e-8);
  EXPECT_LT(closed.steps * closed.terms, 60);
}

}  // namespace
