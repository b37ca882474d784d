#include "qheat/transport/contact_resistance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "parallel/unknown.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kFlat = 0.01;        // relative growth of a resistance that does not grow
constexpr double kStraight = 0.05;    // relative difference of slopes and conductivities that does not matter
constexpr double kSignificant = 5.0;  // slope over its error
constexpr double kToldBySlope = 2.0;  // slope over its error, to be told from zero
constexpr double kRounding = 1e-7;    // relative growth that is none
constexpr double kLeastSpan = 2.0;    // largest over smallest size
constexpr std::size_t kFewestFlat = 3;  // sizes
constexpr std::size_t kFewest = 4;      // sizes

double mean(std::span<const double> values) {
  double sum = 0.0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double largest_size(std::span<const double> values) {
  double largest = 0.0;
  for (const double v : values) largest = std::max(largest, std::abs(v));
  return largest;
}

double slope_of(std::span<const double> x, std::span<const double> y) {
  const double middle = mean(x);
  double square = 0.0;
  double product = 0.0;
  for (std::size_t s = 0; s < x.size(); ++s) {
    square += (x[s] - middle) * (x[s] - middle);
    product += (x[s] - middle) * y[s];
  }
  return product / square;
}

bool known(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

bool agree(const ContactFit& a, const ContactFit& b, double tolerance) {
  const double difference = std::abs(a.conductivity - b.conductivity);
  const double error = std::hypot(a.conductivity_error, b.conductivity_error);
  if (!std::isfinite(difference) || !std::isfinite(error)) return false;
  return difference <= std::max(2.0 * error, tolerance * 0.5 * std::abs(a.conductivity + b.conductivity));
}

/// Largest distance of a conductivity from the mean, relative; at least what is never told.
double spread_of(const std::vector<ContactFit>& fits) {
  constexpr double kFinest = 1e-6;
  double sum = 0.0;
  for (const ContactFit& fit : fits) sum += fit.conductivity;
  const double middle = sum / static_cast<double>(fits.size());
  double spread = kFinest;
  for (const ContactFit& fit : fits) spread = std::max(spread, std::abs(fit.conductivity / middle - 1.0));
  return spread;
}

/// Why one rate does not show diffusion; empty if it does.
std::string doubt(std::span<const double> sizes, std::span<const double> resistance, const ContactFit& fit) {
  if (!(fit.slope > kSignificant * fit.slope_error))
    return "the resistance does not grow with the length by much more than its error";
  const std::size_t half = (sizes.size() + 1) / 2;
  const double first = slope_of(sizes.first(half), resistance.first(half));
  const double last = slope_of(sizes.last(half), resistance.last(half));
  if (!(std::abs(last - first) <= kStraight * fit.slope)) {
    return fmt::format(
        "the resistance does not grow along a straight line (slope {:.3g}, then {:.3g}): longer chains are "
        "needed",
        first, last);
  }
  if (!(fit.slope * sizes.back() >= 0.5 * resistance.back()))
    return "the contacts are more than half of the resistance: longer chains are needed";
  return {};
}

}  // namespace

ContactFit fit_contact_resistance(std::span<const double> sizes, std::span<const double> resistance,
                                  std::span<const double> errors) {
  QHEAT_ASSERT(sizes.size() == resistance.size() && sizes.size() == errors.size());
  if (sizes.size() < 2 || !known(resistance))
    return {kUnknown, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown};
  const auto count = static_cast<double>(sizes.size());
  ContactFit fit;
  fit.slope = slope_of(sizes, resistance);
  const double middle = mean(sizes);
  fit.contact_resistance = mean(resistance) - fit.slope * middle;
  double square = 0.0;
  for (const double n : sizes) square += (n - middle) * (n - middle);
  double scatter = 0.0;
  double slope_variance = 0.0;
  double start_variance = 0.0;
  for (std::size_t s = 0; s < sizes.size(); ++s) {
    const double distance = resistance[s] - fit.contact_resistance - fit.slope * sizes[s];
    const double weight = (sizes[s] - middle) / square;  // of y_s in the slope
    scatter += distance * distance;
    slope_variance += std::pow(weight * errors[s], 2);
    start_variance += std::pow((1.0 / count - middle * weight) * errors[s], 2);
    fit.deviation = std::max(fit.deviation, std::abs(distance));
  }
  const double largest = largest_size(resistance);
  fit.deviation /= largest;
  if (sizes.size() < 3) {
    fit.slope_error = fit.contact_resistance_error = fit.deviation = kUnknown;
  } else {
    const double variance = scatter / (count - 2.0);
    fit.slope_error = std::sqrt(variance / square + slope_variance);
    fit.contact_resistance_error =
        std::sqrt(variance * (1.0 / count + middle * middle / square) + start_variance);
  }
  const bool hidden = fit.slope <= kToldBySlope * fit.slope_error;  // false where the error is not known
  const bool grows = !hidden && fit.slope * (sizes.back() - sizes.front()) > kRounding * largest;
  fit.conductivity = grows ? 1.0 / fit.slope : kInfinity;
  fit.conductivity_error = grows ? fit.slope_error / (fit.slope * fit.slope) : kUnknown;
  return fit;
}

bool conductivities_agree(const std::vector<ContactFit>& fits, double tolerance) {
  for (std::size_t r = 0; r < fits.size(); ++r)
    for (std::size_t q = 0; q < r; ++q)
      if (!agree(fits[q], fits[r], tolerance)) return false;
  return true;
}

std::string TransportVerdict::text() const {
  const std::string name = kind == Kind::diffusive   ? "diffusive at these sizes"
                           : kind == Kind::ballistic ? "ballistic at these sizes"
                                                     : "undecided";
  return name + ": " + reason;
}

TransportVerdict judge_resistance(std::span<const double> sizes,
                                  const std::vector<std::vector<double>>& resistance,
                                  const std::vector<ContactFit>& fits) {
  using Kind = TransportVerdict::Kind;
  if (!std::all_of(resistance.begin(), resistance.end(), known))
    return {Kind::undecided, "a resistance is not known"};
  const bool span = sizes.size() >= kFewestFlat && sizes.back() >= kLeastSpan * sizes.front();
  const bool flat = std::all_of(resistance.begin(), resistance.end(), [](const auto& y) {
    const auto [low, high] = std::minmax_element(y.begin(), y.end());
    return *high - *low <= kFlat * std::abs(*high);
  });
  if (span && flat) return {Kind::ballistic, "the resistance does not grow with the length"};
  if (!span || sizes.size() < kFewest)
    return {Kind::undecided, "at least four sizes that span a factor of 2 are needed"};
  if (resistance.size() < 2)
    return {Kind::undecided,
            "one reservoir rate cannot tell bulk from contacts; compare several in steady.rates"};
  for (std::size_t r = 0; r < fits.size(); ++r) {
    const std::string why = doubt(sizes, resistance[r], fits[r]);
    if (!why.empty()) return {Kind::undecided, why};
  }
  const double spread = spread_of(fits);
  if (!conductivities_agree(fits, kStraight))
    return {
        Kind::undecided,
        fmt::format("the conductivity depends on the reservoirs' rate (by up to {:.1g} of its mean): longer "
                    "chains are needed",
                    spread)};
  return {
      Kind::diffusive,
      fmt::format("J N tends to a constant, and the conductivities at all rates of the reservoirs are within "
                  "{:.1g} of their mean",
                  spread)};
}

}  // namespace qheat
