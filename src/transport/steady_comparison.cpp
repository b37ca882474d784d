#include "qheat/transport/steady_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "parallel/unknown.hpp"
#include "qheat/parallel/error.hpp"
#include "transport/student.hpp"

namespace qheat {
namespace {

constexpr double kFinest = 1e-6;           // of D: no more is claimed
constexpr std::size_t kFewestOnALine = 3;  // sizes of a window

using Table = std::vector<std::vector<ChainMeasurement>>;

template <class Value>
std::vector<double> of_row(const std::vector<ChainMeasurement>& row, const Value& value) {
  std::vector<double> values;
  for (const ChainMeasurement& one : row) values.push_back(value(one));
  return values;
}

std::vector<double> resistances(const std::vector<ChainMeasurement>& row) {
  return of_row(row, [](const ChainMeasurement& one) { return one.chain.resistance; });
}

std::vector<double> resistance_errors(const std::vector<ChainMeasurement>& row) {
  return of_row(row, [](const ChainMeasurement& one) { return one.chain.error; });
}

/// The larger of two of which either may be unknown.
void widen(double& part, double other) {
  if (!std::isnan(other)) part = std::isnan(part) ? other : std::max(part, other);
}

/// Largest distance between the slopes of windows without the smallest sizes and that of all, as one of D.
double window_distance(const std::vector<double>& sizes, const std::vector<ChainMeasurement>& row,
                       const ContactFit& fit, double square) {
  const auto y = resistances(row);
  const auto errors = resistance_errors(row);
  double distance = kUnknown;
  for (std::size_t start = 1; start + kFewestOnALine <= sizes.size(); ++start) {
    const auto window = fit_contact_resistance(std::span(sizes).subspan(start), std::span(y).subspan(start),
                                               std::span(errors).subspan(start));
    widen(distance, square * std::abs(window.slope - fit.slope) / (fit.slope * fit.slope));
  }
  return distance;
}

/// How far the interval of the slope reaches as one of 1/slope, on its longer side; infinite if it reaches
/// zero.
double scatter_of(const ContactFit& fit, std::size_t degrees) {
  const double width = student(degrees) * fit.slope_error / fit.slope;
  return width < 1.0 ? fit.conductivity * width / (1.0 - width) : std::numeric_limits<double>::infinity();
}

double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

/// From the growth of the resistance.
DiffusionEstimate by_growth(const std::vector<double>& sizes, const Table& measured, double square,
                            const std::vector<ContactFit>& fits) {
  std::vector<double> values;
  for (const ContactFit& fit : fits) values.push_back(square * fit.conductivity);
  DiffusionEstimate found;
  found.value = mean(values);
  for (std::size_t r = 0; r < fits.size(); ++r) {
    if (sizes.size() >= kFewestOnALine) widen(found.scatter, square * scatter_of(fits[r], sizes.size() - 2));
    if (fits.size() > 1) widen(found.rates, std::abs(values[r] - found.value));
    widen(found.windows, window_distance(sizes, measured[r], fits[r], square));
    widen(found.routes, std::abs(measured[r].back().bulk.diffusion - found.value));
  }
  return found;
}

/// From the gradient inside the longest chain.
DiffusionEstimate by_gradient(const Table& measured) {
  std::vector<double> values;
  for (const auto& row : measured) values.push_back(row.back().bulk.diffusion);
  DiffusionEstimate found;
  found.value = mean(values);
  for (std::size_t r = 0; r < measured.size(); ++r) {
    if (measured.size() > 1) widen(found.rates, std::abs(values[r] - found.value));
    if (measured[r].size() > 1)
      widen(found.windows, std::abs(measured[r][measured[r].size() - 2].bulk.diffusion - found.value));
  }
  return found;
}

/// Adds what both routes share, and puts the parts together.
void complete(DiffusionEstimate& found, const Table& measured) {
  double numbers = kUnknown;
  for (const auto& row : measured) {
    widen(found.places, row.back().bulk.diffusion_spread);
    widen(numbers, row.back().bulk.diffusion_error);
  }
  if (std::isnan(found.value)) return;
  double largest = kUnknown;
  for (const double part : {found.rates, found.windows, found.routes, found.places}) widen(largest, part);
  if (std::isnan(largest) && std::isnan(found.scatter)) return;
  const auto or_none = [](double part) { return std::isnan(part) ? 0.0 : part; };
  const double known = or_none(largest) + or_none(found.scatter) + or_none(numbers);
  found.error = std::max(known, kFinest * std::abs(found.value));
}

DiffusionEstimate estimate(const std::vector<double>& sizes, const Table& measured, double spacing,
                           const std::vector<ContactFit>& fits) {
  const bool fitted =
      std::none_of(fits.begin(), fits.end(), [](const ContactFit& f) { return std::isnan(f.slope); });
  const bool grows = std::all_of(fits.begin(), fits.end(),
                                 [](const ContactFit& f) { return std::isfinite(f.conductivity); });
  DiffusionEstimate found;
  found.obstacle = "the resistance does not grow with the length at every rate of the reservoirs";
  if (fitted && !grows) return found;
  found = fitted ? by_growth(sizes, measured, spacing * spacing, fits) : by_gradient(measured);
  complete(found, measured);
  for (const auto& row : measured)
    if (std::isnan(found.value) && found.obstacle.empty()) found.obstacle = row.back().bulk.obstacle;
  return found;
}

}  // namespace

Model varied(Model model, const SteadyVariant& variant) {
  for (Reservoir& reservoir : model.bath.reservoirs) {
    reservoir.rate *= variant.rate;
    for (auto& [up, down] : reservoir.given) {
      up *= variant.rate;
      down *= variant.rate;
    }
  }
  model.bath.dephasing = variant.dephasing;
  return model;
}

SteadyComparison compare_steady_states(const std::vector<double>& sizes, const Table& measured,
                                       double spacing, const std::string& obstacle) {
  SteadyComparison found;
  std::vector<std::vector<double>> resistance;
  for (const auto& row : measured) {
    QHEAT_ASSERT(row.size() == sizes.size());
    resistance.push_back(resistances(row));
    found.fits.push_back(fit_contact_resistance(sizes, resistance.back(), resistance_errors(row)));
  }
  found.diffusion = estimate(sizes, measured, spacing, found.fits);
  found.verdict = obstacle.empty()
                      ? judge_resistance(sizes, resistance, found.fits)
                      : TransportVerdict{TransportVerdict::Kind::undecided, "no resistance: " + obstacle};
  return found;
}

std::string rounded(double value, double error) {
  constexpr int kMost = 6;
  if (!std::isfinite(value)) return "-";
  if (!(error > 0.0)) return fmt::format("{:.6g}", value);
  const double digits = std::floor(std::log10(std::abs(value))) - std::floor(std::log10(error)) + 2.0;
  return fmt::format("{:.{}g}", value, static_cast<int>(std::clamp(digits, 1.0, double{kMost})));
}

std::string with_error(double value, double error, const std::string& why_unknown) {
  if (std::isnan(error)) return fmt::format("{:.6g} (no error: {})", value, why_unknown);
  return fmt::format("{} +- {:.2g}", rounded(value, error), error);
}

}  // namespace qheat
