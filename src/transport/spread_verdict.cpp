#include "qheat/transport/spread_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "parallel/unknown.hpp"
#include "transport/student.hpp"

namespace qheat {
namespace {

using Kind = SpreadVerdict::Kind;

constexpr double kEdge = 1e-3;
constexpr double kConserved = 1e-6;  // of the excess, that may get lost
constexpr double kSame = 0.05;       // distance of an exponent from 1, or 2, that is told from it
constexpr double kSteady = 0.03;     // deviation of an exponent that stands still
constexpr double kFactor = 1.4;      // of time, in which it must
constexpr double kBetween = 0.2;     // distance from 1, and 0.4 from 2: slow changes of regime pass by
constexpr double kNearBallistic = 0.4;
constexpr double kLocalised = 0.1;  // of its growth, that a variance that has stopped may still move by
constexpr double kSubdiffusive = 0.2;
constexpr double kKurtosis = 0.3;
constexpr double kDecade = 10.0;
constexpr std::size_t kLeastOutputs = 5;

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

/// A stretch of time in which the local exponent stands still.
struct Stretch {
  double begin = 0.0, end = 0.0, mean = kUnknown, deviation = 0.0;

  double factor() const { return begin > 0.0 ? end / begin : 1.0; }
};

/// The one of the largest factor of time, before `end`, in which the exponent with its error stays within
/// `tolerance` of its mean.
Stretch longest_stretch(const SpreadEvidence& evidence, double end, double tolerance) {
  Stretch longest;
  const auto& x = evidence.exponent;
  for (std::size_t first = 1; first < x.size() && evidence.times[first] <= end; ++first) {
    double low = x[first];
    double high = x[first];
    double sum = 0.0;
    double error = 0.0;
    for (std::size_t last = first; last < x.size() && evidence.times[last] <= end && std::isfinite(x[last]);
         ++last) {
      low = std::min(low, x[last]);
      high = std::max(high, x[last]);
      error = std::max(error, error_at(evidence.exponent_error, last));
      sum += x[last];
      const auto count = last - first + 1;
      const double mean = sum / static_cast<double>(count);
      if (high - low > 2.0 * tolerance || error > tolerance) break;
      const double deviation = std::max(high - mean, mean - low);
      const double factor = evidence.times[last] / evidence.times[first];
      if (count < kLeastOutputs || deviation > tolerance || factor <= longest.factor()) continue;
      longest = {evidence.times[first], evidence.times[last], mean, deviation};
    }
  }
  return longest;
}

/// Whether the exponent falls below that of a stretch later on: what slows down is on the way to another
/// regime.
bool falls_after(const SpreadEvidence& evidence, const Stretch& stretch, double end) {
  for (std::size_t t = 0; t < evidence.times.size() && evidence.times[t] <= end; ++t) {
    if (evidence.times[t] < stretch.begin) continue;
    if (evidence.exponent[t] < stretch.mean - kSteady - error_at(evidence.exponent_error, t)) return true;
  }
  return false;
}

/// How long before the end the exponent has been that of diffusion: the factor of time.
double diffusive_factor(const SpreadEvidence& evidence, double end) {
  double first = end;
  for (std::size_t t = evidence.times.size(); t-- > 1;) {
    if (evidence.times[t] > end) continue;
    const double distance = std::abs(evidence.exponent[t] - 1.0);
    if (!(distance + error_at(evidence.exponent_error, t) <= kSame)) break;
    first = evidence.times[t];
  }
  return end / first;
}

/// The factor of time of a stretch from where the excess has moved on: before, everything grows as t^2.
double moved_factor(const SpreadEvidence& evidence, const Stretch& stretch) {
  constexpr double kMoved = 0.02;  // of a^2
  const auto& variance = evidence.spread->variance;
  const double area = evidence.spacing * evidence.spacing;
  for (std::size_t t = 0; t < evidence.times.size() && evidence.times[t] <= stretch.end; ++t) {
    if (evidence.times[t] >= stretch.begin && variance[t] - variance[0] >= kMoved * area)
      return stretch.end / evidence.times[t];
  }
  return 1.0;
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

/// What still stands against diffusion; empty if nothing.
std::string against_diffusion(const SpreadEvidence& evidence, double end) {
  const double factor = diffusive_factor(evidence, end);
  if (factor < kDecade)
    return fmt::format(
        "the exponent has been 1 within {:g} over a factor of {:.2g} in time, not a decade, before {}; a "
        "longer lattice shows more",
        kSame, factor, std::isfinite(evidence.end) ? "the excess reaches its end" : "the last output");
  const double kurtosis = kurtosis_distance(evidence, end / 2.0, end);
  if (!(kurtosis <= kKurtosis))
    return fmt::format("the profile is not that of a random walk: its kurtosis is {:.2g} away", kurtosis);
  if (agreement(evidence).empty())
    return "no two routes to D agree; a longer lattice, a later time.end or more routes may settle it";
  if (evidence.smaller.empty())
    return "all signs are of diffusion at this length; compare with a shorter lattice: transport.smaller = 2";
  for (std::size_t r = 0; r < evidence.routes.size(); ++r) {
    const auto& here = *evidence.routes[r];
    const auto& there = *evidence.smaller[r];
    if (!here.window || !there.window) continue;
    const double distance = std::abs(here.window->value - there.window->value);
    if (distance <= here.window_error + there.window_error) return "";
    return fmt::format("D changes by {:.2g} with the length of the lattice; use a longer one", distance);
  }
  return "the shorter lattice has no D to compare with; use a longer lattice";
}

SpreadVerdict judge_diffusive(const SpreadEvidence& evidence, double end, SpreadVerdict verdict) {
  verdict.reason = against_diffusion(evidence, end);
  if (!verdict.reason.empty()) return verdict;
  verdict.kind = Kind::diffusive;
  verdict.reason = fmt::format(
      "exponent 1 within {:g} over a factor of {:.2g} in time, the kurtosis that of a random "
      "walk within {:.1g}, D the same by {} and on a shorter lattice",
      kSame, diffusive_factor(evidence, end), kurtosis_distance(evidence, end / 2.0, end),
      agreement(evidence));
  return verdict;
}

/// True if the variance, which may go to and fro, has the same mean in the last half of the time as in the
/// quarter before, within a tenth of what it has grown by: a power of time with an exponent above 0.2 has
/// not.
bool stands_still(const SpreadEvidence& evidence) {
  const auto& variance = evidence.spread->variance;
  const auto mean = [&](double begin, double end) {
    const auto inside = between(evidence.times, begin, end);
    double sum = 0.0;
    for (const std::size_t t : inside) sum += variance[t];
    return inside.size() < kLeastOutputs ? kUnknown : sum / static_cast<double>(inside.size());
  };
  const double last = evidence.times.back();
  const double late = mean(last / 2.0, last);
  const double before = mean(last / 4.0, last / 2.0);
  const double grown = late - variance.front();
  return std::abs(late - before) + evidence.variance_error <= kLocalised * grown;
}

}  // namespace

const char* name_of(SpreadVerdict::Kind kind) {
  constexpr std::array<const char*, 6> kNames = {"ballistic",    "superdiffusive", "diffusive",
                                                 "subdiffusive", "localised",      "undecided"};
  return kNames[static_cast<std::size_t>(kind)];
}

double end_of_spreading(std::span<const double> times, std::span<const double> edge,
                        std::span<const double> edge_error, std::size_t samples) {
  const double width = samples > 1 ? student(samples - 1) : 0.0;
  for (std::size_t t = 0; t < times.size(); ++t) {
    const double noise = edge_error.empty() ? 0.0 : width * edge_error[t];
    if (edge[t] > std::max(kEdge, noise)) return times[t];
  }
  return std::numeric_limits<double>::infinity();
}

SpreadVerdict judge_spreading(const SpreadEvidence& evidence) {
  SpreadVerdict verdict;
  double lost = 0.0;
  for (const double total : evidence.spread->total) lost = std::max(lost, std::abs(total - 1.0));
  if (lost > kConserved + 5.0 * evidence.total_error) {
    verdict.reason = fmt::format(
        "the interaction does not keep the energy of the levels ({:.1g} of the excess is "
        "lost): there is nothing to diffuse; use energy = \"full\"",
        lost);
    return verdict;
  }
  const double end = std::min(evidence.end, evidence.times.back());
  const bool meets = std::isfinite(evidence.end);
  if (between(evidence.times, 0.0, end).size() <= kLeastOutputs) {
    verdict.reason =
        "there are too few outputs before the excess reaches its end; use more time.outputs, or a "
        "longer lattice";
    return verdict;
  }
  const Stretch steady = longest_stretch(evidence, end, kSteady);
  verdict.exponent = steady.mean;
  verdict.begin = steady.begin;
  verdict.until = steady.end;
  if (!meets && stands_still(evidence)) {
    verdict.kind = Kind::localised;
    verdict.reason = fmt::format(
        "the variance has stopped growing by t = {}, away from the edge, as far as these times tell",
        time_text(evidence.units, evidence.times.back() / 4.0));
    return verdict;
  }
  if (diffusive_factor(evidence, end) >= 2.0) return judge_diffusive(evidence, end, std::move(verdict));
  const std::string stretch = fmt::format("from t = {} to {}", time_text(evidence.units, steady.begin),
                                          time_text(evidence.units, steady.end));
  const std::string seen = fmt::format("the variance grows as t^{:.3g} {}", steady.mean, stretch);
  const bool to_the_end = steady.end > 0.9 * end;
  if (steady.mean > 2.0 - kSame && to_the_end && moved_factor(evidence, steady) >= kDecade) {
    if (evidence.dephased) {
      verdict.reason = seen + ", but dephasing ends that; a later time.end, on a longer lattice, shows when";
      return verdict;
    }
    verdict.kind = Kind::ballistic;
    verdict.reason = seen + ", as far as these times tell";
    return verdict;
  }
  const bool falls = falls_after(evidence, steady, end);
  const bool between_regimes = !falls && steady.mean >= 1.0 + kBetween && steady.mean <= 2.0 - kNearBallistic;
  if (between_regimes && steady.factor() >= kFactor) {
    verdict.kind = Kind::superdiffusive;
    verdict.reason = seen + fmt::format(", z = {:.3g}, as far as these times tell", 2.0 / steady.mean);
    return verdict;
  }
  if (steady.mean <= 1.0 - kBetween && steady.mean > kSubdiffusive && to_the_end &&
      steady.factor() >= kFactor) {
    verdict.kind = Kind::subdiffusive;
    verdict.reason = seen + ", as far as these times tell";
    return verdict;
  }
  verdict.reason = fmt::format(
      "at these sizes and times the exponent is none of a regime{}, before {}; a longer lattice shows more",
      std::isnan(steady.mean) ? ", and nowhere stands still within its error (more transport.samples?)"
                              : fmt::format(" (longest {:.3g} {})", steady.mean, stretch),
      meets
          ? fmt::format("the excess reaches the end of the lattice at t = {}", time_text(evidence.units, end))
          : "the last output");
  return verdict;
}

}  // namespace qheat
