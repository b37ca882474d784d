#include "qheat/rates/site_closure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "qheat/parallel/index.hpp"
#include "qheat/rates/rate_equation.hpp"
#include "qheat/rates/site_equation.hpp"
#include "qheat/rates/solve.hpp"

namespace qheat {
namespace {

constexpr double kTolerance = 1e-9;

/// Series at equally spaced times, between which six of them are interpolated.
class UniformSeries {
 public:
  UniformSeries(std::span<const double> values, std::size_t width, std::size_t times, double step)
      : values_(values), width_(width), times_(times), step_(step) {}

  void at(double t, std::span<double> now) const {
    const std::size_t points = std::min<std::size_t>(6, times_);
    const double place = step_ > 0.0 ? t / step_ : 0.0;
    const double below =
        std::max(0.0, std::floor(place) - static_cast<double>(points / 2 - points % 2 / 2 - 1));
    const std::size_t first = std::min(static_cast<std::size_t>(below), times_ - points);
    std::fill(now.begin(), now.end(), 0.0);
    for (std::size_t k = 0; k < points; ++k) {
      double weight = 1.0;
      for (std::size_t other = 0; other < points; ++other) {
        if (other == k) continue;
        weight *= (place - static_cast<double>(first + other)) /
                  (static_cast<double>(k) - static_cast<double>(other));
      }
      for (std::size_t e = 0; e < width_; ++e) now[e] += weight * values_[(first + k) * width_ + e];
    }
  }

 private:
  std::span<const double> values_;
  std::size_t width_, times_;
  double step_;
};

}  // namespace

namespace {

/// The solution at the first `known` times with the rates of every `stride`-th of them; NaN after them and
/// where the equation grows without bound.
std::vector<double> solution(const Lattice& lattice, const std::vector<double>& times, std::size_t known,
                             std::span<const double> bond_rates, std::size_t stride,
                             std::span<const double> start) {
  const std::size_t bonds = as_size(lattice.bond_count());
  const std::size_t sites = start.size();
  std::vector<double> chosen;
  for (std::size_t t = 0; t < known; t += stride) {
    const auto rates = bond_rates.subspan(t * bonds, bonds);
    chosen.insert(chosen.end(), rates.begin(), rates.end());
  }
  const double step = known > 1 ? static_cast<double>(stride) * (times[1] - times[0]) : 0.0;
  const UniformSeries series(chosen, bonds, chosen.size() / bonds, step);
  SiteEquation equation(lattice, 1, [&](double t, std::span<double> now) { series.at(t, now); });
  std::vector<double> u(start.begin(), start.end());
  std::vector<double> result(times.size() * sites, std::numeric_limits<double>::quiet_NaN());
  UninterruptedRun alone;
  const std::vector<double> reached(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(known));
  const auto observe = [&](std::size_t time, std::span<const double> now) {
    std::copy(now.begin(), now.end(), result.begin() + static_cast<std::ptrdiff_t>(time * sites));
  };
  try {
    integrate(
        equation, u, reached, kTolerance, Integrator::automatic, alone, observe, [](StateWriter&) {},
        [](StateReader&) {});
  } catch (const IntegrationFailed&) {  // what has been reached stays
  }
  return result;
}

}  // namespace

std::vector<double> solve_sites(const Lattice& lattice, const std::vector<double>& times,
                                std::span<const double> bond_rates, std::span<const double> start) {
  constexpr double kResolved = 0.02;  // of the excess: what coarser rates may change
  const std::size_t bonds = as_size(lattice.bond_count());
  const std::size_t sites = start.size();
  std::size_t known = 0;
  const auto is_known = [&](std::size_t time) {
    const auto rates = bond_rates.subspan(time * bonds, bonds);
    return std::all_of(rates.begin(), rates.end(), [](double w) { return std::isfinite(w); });
  };
  while (known < times.size() && is_known(known)) ++known;
  if (known == 0) return std::vector<double>(times.size() * sites, std::numeric_limits<double>::quiet_NaN());
  auto result = solution(lattice, times, known, bond_rates, 1, start);
  const auto coarser = solution(lattice, times, known, bond_rates, 2, start);
  const auto errors = closure_error(sites, 1, coarser, result);
  for (std::size_t t = 1; t < times.size(); ++t) {
    if (errors[t] <= kResolved) continue;
    std::fill(result.begin() + static_cast<std::ptrdiff_t>(t * sites), result.end(),
              std::numeric_limits<double>::quiet_NaN());
    break;
  }
  return result;
}

}  // namespace qheat
