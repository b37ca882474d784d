#include "qheat/transport/spread_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "transport/unknown.hpp"

namespace qheat {
namespace {

using Kind = SpreadVerdict::Kind;

constexpr double kEdge = 1e-3;
constexpr double kConserved = 1e-6;  // of the excess, that may get lost
constexpr double kBallistic = 0.05;  // below 2
constexpr double kDiffusive = 0.05;  // about 1
constexpr double kSteady = 0.05;     // drift of an exponent that is one
constexpr double kLocalised = 0.05;  // exponent of what has stopped
constexpr double kKurtosis = 0.3;
constexpr double kDecade = 10.0;

/// Outputs in [begin, end].
std::vector<std::size_t> between(std::span<const double> times, double begin, double end) {
  std::vector<std::size_t> inside;
  for (std::size_t t = 0; t < times.size(); ++t) {
    if (times[t] >= begin && times[t] <= end) inside.push_back(t);
  }
  return inside;
}

double error_at(std::span<const double> errors, std::size_t t) {
  return errors.empty() || !std::isfinite(errors[t]) ? 0.0 : errors[t];
}

/// A stretch of the local exponent.
struct Exponent {
  double mean = kNaN, drift = 0.0, error = 0.0;
};
Exponent exponent_in(const SpreadEvidence& evidence, double begin, double end) {
  Exponent result;
  const auto inside = between(evidence.times, begin, end);
  double sum = 0.0;
  for (const std::size_t t : inside) {
    sum += evidence.spread->exponent[t];
    result.error = std::max(result.error, error_at(evidence.exponent_error, t));
  }
  constexpr std::size_t kLeast = 4;
  if (inside.size() < kLeast || !std::isfinite(sum)) return result;
  result.mean = sum / static_cast<double>(inside.size());
  for (const std::size_t t : inside)
    result.drift = std::max(result.drift, std::abs(evidence.spread->exponent[t] - result.mean));
  return result;
}

/// How long before the end the exponent has been within 0.05 of `value`: the factor of time.
double factor_of_time(const SpreadEvidence& evidence, double end, double value) {
  double first = end;
  for (std::size_t t = evidence.times.size(); t-- > 0;) {
    if (evidence.times[t] > end) continue;
    const double distance = std::abs(evidence.spread->exponent[t] - value);
    if (!(distance + error_at(evidence.exponent_error, t) <= kDiffusive)) break;
    first = evidence.times[t];
  }
  return first > 0.0 ? end / first : 1.0;
}

/// Largest distance of the kurtosis from that of a random walk on a lattice, 3 + a^2/variance.
double kurtosis_distance(const SpreadEvidence& evidence, double begin, double end) {
  double largest = 0.0;
  for (const std::size_t t : between(evidence.times, begin, end)) {
    const double walk = 3.0 + evidence.spacing * evidence.spacing / evidence.spread->variance[t];
    largest = std::max(largest, std::abs(evidence.spread->kurtosis[t] - walk));
  }
  return largest;
}

/// Two routes that agree, for the text; empty if no two do.
std::string agreement(const SpreadEvidence& evidence) {
  for (std::size_t a = 0; a < evidence.routes.size(); ++a) {
    for (std::size_t b = a + 1; b < evidence.routes.size(); ++b) {
      const auto& left = *evidence.routes[a];
      const auto& right = *evidence.routes[b];
      if (!left.window || !right.window) continue;
      const double distance = std::abs(left.window->value - right.window->value);
      if (distance <= left.window_error + right.window_error)
        return fmt::format("{} and {}", route_name(left.route), route_name(right.route));
    }
  }
  return "";
}

SpreadVerdict judge_diffusive(const SpreadEvidence& evidence, double end, SpreadVerdict verdict) {
  const double factor = factor_of_time(evidence, end, 1.0);
  if (factor < kDecade) {
    verdict.reason = fmt::format(
        "the exponent has been 1 within {:g} over a factor of {:.2g} in time only, not a "
        "decade, before {}; a longer lattice shows more",
        kDiffusive, factor, std::isfinite(evidence.end) ? "the excess reaches its end" : "the last output");
    return verdict;
  }
  const double kurtosis = kurtosis_distance(evidence, end / 2.0, end);
  if (!(kurtosis <= kKurtosis)) {
    verdict.reason =
        fmt::format("the profile is not that of a random walk: its kurtosis is {:.2g} away", kurtosis);
    return verdict;
  }
  const std::string agreed = agreement(evidence);
  if (agreed.empty()) {
    verdict.reason =
        "no two routes to D agree; a longer lattice, a later time.end or more routes may settle it";
    return verdict;
  }
  const auto first = std::find_if(evidence.routes.begin(), evidence.routes.end(),
                                  [](const DiffusionRoute* route) { return route->window.has_value(); });
  if (std::isnan(evidence.smaller)) {
    verdict.reason =
        "all signs are of diffusion, at this length; compare with a shorter one: transport.smaller = 2";
    return verdict;
  }
  const double distance = std::abs(evidence.smaller - (*first)->window->value);
  if (distance > (*first)->window_error + evidence.smaller_error) {
    verdict.reason = fmt::format("D changes with the length, by {:.2g} from the shorter lattice", distance);
    return verdict;
  }
  verdict.kind = Kind::diffusive;
  verdict.reason = fmt::format(
      "exponent 1 within {:g} over a factor of {:.2g} in time, kurtosis that of a random "
      "walk within {:.1g}, D the same by {} and on the shorter lattice",
      kDiffusive, factor, kurtosis, agreed);
  return verdict;
}

}  // namespace

const char* name_of(SpreadVerdict::Kind kind) {
  constexpr std::array<const char*, 6> kNames = {"ballistic",    "superdiffusive", "diffusive",
                                                 "subdiffusive", "localised",      "undecided"};
  return kNames[static_cast<std::size_t>(kind)];
}

double end_of_spreading(std::span<const double> times, std::span<const double> edge,
                        std::span<const double> edge_error) {
  for (std::size_t t = 0; t < times.size(); ++t) {
    const double noise = edge_error.empty() ? 0.0 : 3.0 * edge_error[t];
    if (edge[t] > std::max(kEdge, noise)) return times[t];
  }
  return std::numeric_limits<double>::infinity();
}

SpreadVerdict judge_spreading(const SpreadEvidence& evidence) {
  SpreadVerdict verdict;
  const auto& total = evidence.spread->total;
  const double lost = std::abs(*std::max_element(total.begin(), total.end(), [](double a, double b) {
    return std::abs(a - 1.0) < std::abs(b - 1.0);
  }) - 1.0);
  double loss_allowed = kConserved;
  for (const double error : evidence.exponent_error)
    if (std::isfinite(error)) loss_allowed = std::max(loss_allowed, 3.0 * error);
  if (lost > loss_allowed) {
    verdict.reason = fmt::format(
        "the interaction does not keep the energy of the levels ({:.1g} of the excess is "
        "lost): there is nothing to diffuse; use energy = \"full\"",
        lost);
    return verdict;
  }
  const double end = std::min(evidence.end, evidence.times.back());
  const Exponent late = exponent_in(evidence, end / 2.0, end);
  verdict.exponent = late.mean;
  verdict.exponent_drift = late.drift;
  if (std::isnan(late.mean)) {
    verdict.reason =
        std::isfinite(evidence.end)
            ? "the excess reaches the end of the lattice within a few outputs; use more outputs, or a "
              "longer lattice"
            : "nothing has spread yet, or there are fewer than four outputs; use a later time.end";
    return verdict;
  }
  if (late.error > kSteady) {
    verdict.reason =
        fmt::format("the exponent is known to {:.2g} only; use more transport.samples", late.error);
    return verdict;
  }
  // Everything moves ballistically at first: an exponent tells something once it stands still.
  const Exponent before = exponent_in(evidence, end / 4.0, end / 2.0);
  const bool steady = late.drift <= kSteady && std::abs(late.mean - before.mean) <= 2.0 * kSteady;
  if (late.mean > 2.0 - kBallistic && steady) {
    const double factor = end / evidence.times[1];
    verdict.kind = factor >= kDecade ? Kind::ballistic : Kind::undecided;
    verdict.reason =
        factor >= kDecade
            ? fmt::format("the variance grows as t^{:.3g} until t = {:.4g}", late.mean, end)
            : "every excess starts ballistically; a later time.end or more outputs show what follows";
    return verdict;
  }
  if (std::abs(late.mean) <= kLocalised && late.drift <= kSteady) {
    verdict.kind = std::isfinite(evidence.end) ? Kind::undecided : Kind::localised;
    verdict.reason =
        std::isfinite(evidence.end)
            ? "the variance has stopped where the lattice ends; use a longer one"
            : fmt::format("the variance stands still at {:.4g} from t = {:.4g} on, away from the edge",
                          evidence.spread->variance.back(), end / 2.0);
    return verdict;
  }
  if (std::abs(late.mean - 1.0) <= kDiffusive && late.drift <= kDiffusive)
    return judge_diffusive(evidence, end, std::move(verdict));
  if (steady && late.mean > 1.0 && late.drift <= kSteady) {
    verdict.kind = Kind::superdiffusive;
    verdict.reason = fmt::format(
        "the variance grows as t^{:.3g}, z = {:.3g}, steadily within {:.2g} from t = {:.4g} "
        "to {:.4g}",
        late.mean, 2.0 / late.mean, std::max(late.drift, std::abs(late.mean - before.mean)), end / 4.0, end);
    return verdict;
  }
  if (steady && late.mean < 1.0) {
    verdict.kind = Kind::subdiffusive;
    verdict.reason = fmt::format("the variance grows as t^{:.3g}, steadily from t = {:.4g} to {:.4g}",
                                 late.mean, end / 4.0, end);
    return verdict;
  }
  verdict.reason = fmt::format(
      "at these sizes: the exponent still moves, from {:.3g} to {:.3g} between t = {:.4g} "
      "and {:.4g}, {}; a longer lattice shows more",
      before.mean, late.mean, end / 4.0, end,
      std::isfinite(evidence.end) ? "when the excess reaches the end of the lattice" : "the last output");
  return verdict;
}

}  // namespace qheat
