#include "qheat/kernel/correlation_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

using Kind = BathCorrelation::Kind;

constexpr int kPoints = 24;            // Gauss-Legendre points and Legendre polynomials of a panel
constexpr double kTail = 1e-14;        // last coefficients over the largest one
constexpr double kRounding = 2e-15;    // of an integral over the integral of the modulus
constexpr double kNegligible = 1e-18;  // |C|^s where memory ends
constexpr double kFarthest = 1e15;     // end of the panels in units of the first one's length, if it does not
constexpr double kShortest = 1e-9;     // panel, in the same units
constexpr std::size_t kMostPanels = 100000;
constexpr double kLargestFirst = 0.25;  // first panel tried, in units of the shortest time of the bath

/// Gauss-Legendre quadrature on [-1, 1], and the Legendre polynomials at its points.
struct LegendreRule {
  std::array<double, kPoints> points{}, weights{};
  std::array<std::array<double, kPoints>, kPoints> polynomials{};  ///< [point][degree]

  LegendreRule() {
    for (std::size_t i = 0; i < kPoints; ++i) {
      double x = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (kPoints + 0.5));
      double slope = 1.0;
      for (int newton = 0; newton < 8; ++newton) {
        const auto [value, derivative] = last_polynomial(x);
        x -= value / derivative;
        slope = last_polynomial(x).second;
      }
      points[i] = x;
      weights[i] = 2.0 / ((1.0 - x * x) * slope * slope);
      polynomials[i][0] = 1.0;
      polynomials[i][1] = x;
      for (std::size_t j = 1; j + 1 < kPoints; ++j) {
        const auto degree = static_cast<double>(j);
        polynomials[i][j + 1] =
            ((2.0 * degree + 1.0) * x * polynomials[i][j] - degree * polynomials[i][j - 1]) / (degree + 1.0);
      }
    }
  }

 private:
  /// P_n(x) and its derivative, n = kPoints.
  static std::pair<double, double> last_polynomial(double x) {
    double before = 1.0;
    double now = x;
    for (int j = 1; j < kPoints; ++j) {
      before = std::exchange(now, ((2.0 * j + 1.0) * x * now - j * before) / (j + 1.0));
    }
    return {now, kPoints * (x * now - before) / (x * x - 1.0)};
  }
};

const LegendreRule& legendre() {
  static const LegendreRule rule;
  return rule;
}

using Bessel = std::array<double, kPoints>;

/// Downwards from far above, where any start has forgotten itself; x > 0 and not beyond the degrees.
Bessel downwards(double x) {
  Bessel j{};
  constexpr int kAbove = 24;
  double above = 0.0;
  double now = 1e-200;
  for (int n = kPoints - 1 + kAbove; n > 0; --n) {
    above = std::exchange(now, (2.0 * n + 1.0) / x * now - above);
    if (n <= kPoints) j[as_size(n) - 1] = now;
  }
  const double zeroth = std::sin(x) / x;
  const double first = (zeroth - std::cos(x)) / x;
  const double scale = std::abs(zeroth) > std::abs(first) ? zeroth / j[0] : first / j[1];
  for (double& value : j) value *= scale;
  return j;
}

/// By ratios j_{n+1}/j_n, which do not overflow; 0 <= x < 1.
Bessel by_ratios(double x) {
  constexpr int kAbove = 8;
  std::array<double, kPoints> ratio{};
  double now = 0.0;
  for (int n = kPoints + kAbove; n >= 0; --n) {
    now = x / (2.0 * n + 3.0 - x * now);
    if (n < kPoints) at(ratio, n) = now;
  }
  Bessel j{};
  j[0] = x == 0.0 ? 1.0 : std::sin(x) / x;
  for (std::size_t n = 0; n + 1 < kPoints; ++n) j[n + 1] = j[n] * ratio[n];
  return j;
}

Bessel upwards(double x) {
  Bessel j{};
  j[0] = std::sin(x) / x;
  j[1] = (j[0] - std::cos(x)) / x;
  for (std::size_t n = 1; n + 1 < kPoints; ++n) {
    j[n + 1] = (2.0 * static_cast<double>(n) + 1.0) / x * j[n] - j[n - 1];
  }
  return j;
}

/// Spherical Bessel functions j_0 ... of x >= 0.
Bessel spherical_bessel(double x) {
  if (x < 1.0) return by_ratios(x);
  return x < kPoints ? downwards(x) : upwards(x);
}

/// ln C^s.
Complex logarithm_of_power(const BathCorrelation& bath, int changed_sites, double tau) {
  const double s = changed_sites;
  if (bath.kind == Kind::exponential) return -s * bath.rate * tau;
  if (bath.kind == Kind::gaussian) return -0.5 * s * bath.rate * bath.rate * tau * tau;
  const double x = bath.cutoff * tau;
  double modulus = -bath.alpha * s * std::log1p(x * x);
  if (bath.temperature > 0.0) {
    modulus +=
        4.0 * bath.alpha * s * log_gamma_ratio(1.0 + bath.temperature / bath.cutoff, bath.temperature * tau);
  }
  return {modulus, -2.0 * bath.alpha * s * std::atan(x)};
}

/// The shortest time on which C changes.
double shortest_time(const BathCorrelation& bath) {
  if (bath.kind != Kind::bosons) return 1.0 / bath.rate;
  return 1.0 / std::max(bath.cutoff, bath.temperature);
}

}  // namespace

double log_gamma_ratio(double x, double y) {
  constexpr double kLarge = 12.0;
  double result = 0.0;
  while (x < kLarge) {  // Gamma(z) = Gamma(z + 1) / z
    result -= 0.5 * std::log1p((y / x) * (y / x));
    x += 1.0;
  }
  result += 0.5 * (x - 0.5) * std::log1p((y / x) * (y / x)) - y * std::atan(y / x);
  // B_2m / (2m (2m - 1)) (z^{1-2m} - x^{1-2m}), z = x + iy
  constexpr std::array<double, 8> kSeries = {1.0 / 12,   -1.0 / 360,       1.0 / 1260, -1.0 / 1680,
                                             1.0 / 1188, -691.0 / 360'360, 1.0 / 156,  -3617.0 / 122'400};
  const Complex inverse = 1.0 / Complex(x, y);
  const Complex step = inverse * inverse;
  Complex power = inverse;
  double real_power = 1.0 / x;
  for (const double c : kSeries) {
    result += c * (power.real() - real_power);
    power *= step;
    real_power /= x * x;
  }
  return result;
}

Complex correlation_power(const BathCorrelation& bath, int changed_sites, double tau) {
  const Complex logarithm = logarithm_of_power(bath, changed_sites, tau);
  return std::polar(std::exp(logarithm.real()), logarithm.imag());
}

double line_width(const BathCorrelation& bath, int changed_sites) {
  if (changed_sites == 0) return 0.0;
  const double s = changed_sites;
  if (bath.kind == Kind::exponential) return s * bath.rate;
  if (bath.kind == Kind::gaussian) return bath.rate * std::sqrt(2.0 * s / std::numbers::pi);
  if (bath.temperature == 0.0) {
    const double p = 2.0 * bath.alpha * s;  // |C|^s = (1 + (w_c tau)^2)^{-p/2}
    if (p <= 1.0) return 0.0;
    return 2.0 * bath.cutoff / std::sqrt(std::numbers::pi) *
           std::exp(std::lgamma(p / 2.0) - std::lgamma((p - 1.0) / 2.0));
  }
  return 1.0 / CorrelationIntegral(bath, changed_sites).magnitude();
}

CorrelationIntegral::CorrelationIntegral(const BathCorrelation& bath, int changed_sites)
    : bath_(bath), changed_sites_(changed_sites) {
  QHEAT_ASSERT(changed_sites > 0);
  const double first = kLargestFirst * shortest_time(bath);
  double length = first;
  double begin = 0.0;
  while (!ends_ && begin < kFarthest * first) {
    Panel panel = make_panel(begin, begin + length);
    // The largest value of |j_n| is below 3/(2n + 1), so this bounds what a coefficient adds to any integral.
    const auto size = [&](std::size_t n) {
      return std::abs(panel.coefficients[n]) * std::min(1.0, 3.0 / (2.0 * static_cast<double>(n) + 1.0));
    };
    double largest = 0.0;
    for (std::size_t n = 0; n < kPoints; ++n) largest = std::max(largest, size(n));
    const double tail = size(kPoints - 1) + size(kPoints - 2) + size(kPoints - 3);
    // C is an exponential: it cannot be known better than its exponent is.
    const double rounding = kRounding * (1.0 + std::abs(logarithm_of_power(bath, changed_sites, panel.end)));
    if (tail > std::max(kTail, rounding) * largest) {
      if (length < kShortest * first || panels_.size() > kMostPanels) {
        throw Error(
            "the correlation function of the bath cannot be integrated: its exponent is so large that "
            "rounding hides how C changes; lower bath.correlation.alpha");
      }
      length /= 2.0;
      continue;
    }
    panel.error = tail + rounding * panel.magnitude;
    begin = panel.end;
    length *= 2.0;
    panels_.push_back(std::move(panel));
    const double left = std::abs(correlation_power(bath, changed_sites, begin));
    ends_ = left < kNegligible;
  }
}

CorrelationIntegral::Panel CorrelationIntegral::make_panel(double begin, double end) const {
  const LegendreRule& rule = legendre();
  const double half = 0.5 * (end - begin);
  Panel panel{.begin = begin, .end = end, .coefficients = std::vector<Complex>(kPoints)};
  for (std::size_t i = 0; i < kPoints; ++i) {
    const double tau = begin + half * (1.0 + rule.points[i]);
    const Complex value = half * rule.weights[i] * correlation_power(bath_, changed_sites_, tau);
    panel.magnitude += std::abs(value);
    for (std::size_t j = 0; j < kPoints; ++j) panel.coefficients[j] += rule.polynomials[i][j] * value;
  }
  constexpr std::array<Complex, 4> kPhases = {Complex(1, 0), Complex(0, -1), Complex(-1, 0), Complex(0, 1)};
  for (std::size_t j = 0; j < kPoints; ++j) {
    panel.coefficients[j] *= (2.0 * static_cast<double>(j) + 1.0) * kPhases[j % 4];
  }
  return panel;
}

double CorrelationIntegral::integral(const Panel& panel, double mismatch) {
  const double half = 0.5 * (panel.end - panel.begin);
  const Bessel bessel = spherical_bessel(std::abs(mismatch) * half);
  Complex even = 0.0;  // j_n(-x) = (-1)^n j_n(x)
  Complex odd = 0.0;
  for (std::size_t j = 0; j < kPoints; j += 2) {
    even += panel.coefficients[j] * bessel[j];
    odd += panel.coefficients[j + 1] * bessel[j + 1];
  }
  const Complex sum = mismatch < 0.0 ? even - odd : even + odd;
  const double phase = mismatch * (panel.begin + half);
  return sum.real() * std::cos(phase) + sum.imag() * std::sin(phase);
}

void CorrelationIntegral::whole_panels(double mismatch, std::span<double> integrals) const {
  double sum = 0.0;
  for (std::size_t p = 0; p < panels_.size(); ++p) {
    integrals[p] = sum;
    sum += integral(panels_[p], mismatch);
  }
  integrals[panels_.size()] = sum;
}

std::pair<std::size_t, CorrelationIntegral::Panel> CorrelationIntegral::up_to(double t) const {
  if (t >= panels_.back().end) {
    if (!ends_) {
      throw Error(fmt::format("the bath's correlations are known up to t = {:.3g} only; lower time.end",
                              panels_.back().end));
    }
    return {panels_.size(), Panel{}};
  }
  const auto after = std::upper_bound(panels_.begin(), panels_.end(), t,
                                      [](double time, const Panel& panel) { return time < panel.begin; });
  const auto number = as_size(after - panels_.begin()) - 1;
  return {number, make_panel(panels_[number].begin, t)};
}

double CorrelationIntegral::error(double t, double uncertainty) const {
  double sum = 0.0;
  for (const Panel& panel : panels_) {
    if (panel.begin >= t) return sum;
    // a part of a panel is expanded anew, no worse than the whole
    sum += panel.error * std::min(1.0, (t - panel.begin) / (panel.end - panel.begin));
    sum += panel.magnitude * std::min(2.0, uncertainty * std::min(t, panel.end));  // of the phase
  }
  return sum + kNegligible * panels_.back().end;
}

double CorrelationIntegral::magnitude() const {
  if (!ends_) return std::numeric_limits<double>::infinity();
  double sum = 0.0;
  for (const Panel& panel : panels_) sum += panel.magnitude;
  return sum;
}

double CorrelationIntegral::limit(double mismatch) const {
  if (!ends_) {
    throw InputError(fmt::format(
        "the bath's correlations are known up to t = {:.3g} only and have not decayed there: their "
        "Markov limit cannot be told; raise bath.correlation.alpha, lower cutoff or temperature "
        "where they are extreme, or do not ask for the Markov kernel",
        panels_.empty() ? 0.0 : panels_.back().end));
  }
  double sum = 0.0;
  for (const Panel& panel : panels_) sum += integral(panel, mismatch);
  return sum;
}

}  // namespace qheat
