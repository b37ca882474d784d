#include "qheat/evolution/faber.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr double kMostGrowth = 4.6;     // log of the largest term of a series, rounding grows with it
constexpr double kFaberPhase = 60.0;    // |L| dt of one step: bounds the time between safe points
constexpr double kFinestFaber = 1e-14;  // of one step; below, rounding decides

/// The ellipse around the rectangle that touches its corners; `angle` in (0, pi/2): towards pi/2 slim along
/// the imaginary axis.
Ellipse around(const GeneratorRange& range, double angle) {
  return {.centre = (range.low + range.high) / 2,
          .real_axis = (range.high - range.low) / 2 / std::cos(angle),
          .imaginary_axis = range.imaginary / std::sin(angle)};
}

FaberPlan plan_with(const Ellipse& ellipse, double end, double tolerance, Index least_steps) {
  const double growth = std::max(0.0, ellipse.centre + ellipse.real_axis);  // the ellipse's rightmost point
  const double largest = std::max(growth / kMostGrowth, 2.0 * ellipse.radius() / kFaberPhase);
  FaberPlan plan{.ellipse = ellipse,
                 .steps = std::max<Index>(least_steps, std::llround(std::ceil(end * largest)))};
  plan.step_tolerance = std::max(kFinestFaber, tolerance / static_cast<double>(plan.steps));
  const double dt = end / static_cast<double>(plan.steps);
  plan.terms = static_cast<Index>(faber_series(ellipse, dt, plan.step_tolerance).values.size());
  return plan;
}

}  // namespace

namespace {

/// All coefficients that are not negligible, and many that are.
std::vector<double> all_coefficients(const Ellipse& ellipse, double t) {
  const double z = t * ellipse.radius();
  const double q = ellipse.ratio();
  if (z == 0.0) return {std::exp(t * ellipse.centre)};
  // e^{t(c + r(w + q/w))} = e^{tc} sum_k a_k w^k, a_{-k} = q^k a_k, k a_k = t r (a_{k-1} - q a_{k+1}):
  // downwards from where a_k has long vanished, normalised at w = 1 (Bessel functions J_k for q = -1, I_k for
  // q = 1).
  const auto start = static_cast<std::size_t>(std::numbers::e * z * (1.0 + std::abs(q)) + 60.0);
  std::vector<double> a(start + 2, 0.0);
  a[start] = 1e-280;
  constexpr double kLarge = 1e250;
  for (std::size_t k = start; k > 0; --k) {
    a[k - 1] = static_cast<double>(k) / z * a[k] + q * a[k + 1];
    if (std::abs(a[k - 1]) > kLarge) {
      for (std::size_t later = k - 1; later < a.size(); ++later) a[later] /= kLarge;
    }
  }
  double sum = a[0];
  double power = 1.0;
  for (std::size_t k = 1; k < a.size(); ++k) {
    power *= q;
    sum += a[k] * (1.0 + power);
  }
  const double factor = std::exp(t * (ellipse.centre + ellipse.real_axis)) / sum;
  for (double& value : a) value *= factor;
  return a;
}

}  // namespace

FaberSeries faber_series(const Ellipse& ellipse, double t, double tolerance) {
  std::vector<double> a = all_coefficients(ellipse, t);
  double tail = 0.0;
  std::size_t order = a.size() - 1;
  while (order > 0 && tail + 2.0 * std::abs(a[order]) < tolerance) tail += 2.0 * std::abs(a[order--]);
  a.resize(order + 1);
  return {std::move(a), tail};
}

std::vector<std::vector<double>> faber_derivatives(const Ellipse& ellipse, double t, std::size_t terms,
                                                   int derivatives) {
  const auto more = as_size(derivatives);
  std::vector<std::vector<double>> all(1, all_coefficients(ellipse, t));
  all.front().resize(terms + more + 1, 0.0);
  for (std::size_t d = 1; d <= more; ++d) {
    // z F_k = centre F_k + r (F_{k+1} + q F_{k-1}), and twice the last term for k = 1.
    const std::vector<double>& a = all.back();
    std::vector<double> derivative(a.size(), 0.0);
    for (std::size_t k = 0; k + 1 < a.size(); ++k) {
      const double below = k == 0 ? ellipse.ratio() * a[1] : a[k - 1];
      derivative[k] = ellipse.centre * a[k] + ellipse.radius() * (below + ellipse.ratio() * a[k + 1]);
    }
    all.push_back(std::move(derivative));
  }
  for (auto& coefficients : all) coefficients.resize(terms);
  return all;
}

FaberPlan plan_faber(const GeneratorRange& range, double end, double tolerance, Index least_steps) {
  constexpr int kAngles = 24;
  constexpr double kCountlessPhase = 1e10;  // beyond, no plan is worth counting its steps
  const double phase = std::max({range.imaginary, range.high, -range.low}) * end;
  if (!(phase <= kCountlessPhase)) {
    throw Error(
        fmt::format("the last time is {:.1e} in units of the fastest motion, and takes as many products; "
                    "lower time.end or the fastest rates",
                    phase));
  }
  FaberPlan best;
  for (int k = 1; k < kAngles; ++k) {
    const Ellipse ellipse = around(range, std::numbers::pi / 2 * k / kAngles);
    const FaberPlan plan = plan_with(ellipse, end, tolerance, least_steps);
    if (k == 1 || plan.steps * (plan.terms - 1) < best.steps * (best.terms - 1)) best = plan;
  }
  return best;
}

}  // namespace qheat
