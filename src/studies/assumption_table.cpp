#include "studies/assumption_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "qheat/kernel/kernel_interpolant.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr double kHolds = 0.95;

struct Row {
  const char* words;
  double Assumptions::*score;
};

constexpr std::array<Row, 7> kRows{{
    {"W symmetric", &Assumptions::symmetry},
    {"(1) local", &Assumptions::locality},
    {"(1) sum over bonds", &Assumptions::additivity},
    {"(1) spectators do not matter", &Assumptions::spectator_independence},
    {"(2) levels keep their energy", &Assumptions::energy_conservation},
    {"(2) neighbours swap", &Assumptions::swap_fraction},
    {"(3) the same for all levels", &Assumptions::level_independence},
}};

/// The stretches of output times at which the score is good enough, such as "0.5 to 12, 30 to 50"; of many
/// the first ones and the last.
std::string stretches(const std::vector<Assumptions>& scores, const std::vector<double>& times,
                      double Assumptions::*score) {
  constexpr std::size_t kMost = 3;
  std::vector<std::string> found;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    if (!(scores[k].*score >= kHolds)) continue;
    const std::size_t first = k;
    while (k + 1 < scores.size() && scores[k + 1].*score >= kHolds) ++k;
    found.push_back(first == k ? fmt::format("{:g}", times[k])
                               : fmt::format("{:g} to {:g}", times[first], times[k]));
  }
  if (found.size() > kMost) {
    found.erase(found.begin() + kMost - 1, found.end() - 1);
    found.insert(found.end() - 1, "...");
  }
  return fmt::format("{}", fmt::join(found, ", "));
}

/// `known`: the kernel is, at some time.
std::string row(const Row& words, const std::vector<Assumptions>& scores, const std::vector<double>& times,
                bool known) {
  double least = std::nan("");
  std::size_t tested = 0;
  std::size_t good = 0;
  for (const auto& now : scores) {
    const double score = now.*(words.score);
    if (std::isnan(score)) continue;
    least = std::fmin(least, score);
    ++tested;
    good += score >= kHolds ? 1 : 0;
  }
  std::string verdict;
  if (tested == 0) {
    verdict = known ? "not tested: nothing to compare" : "not tested: the kernel is unknown";
  } else if (good == tested) {
    verdict = fmt::format("holds wherever tested (least {:.4f})", least);
  } else if (good == 0) {
    verdict = fmt::format("does not hold (least {:.3f})", least);
  } else {
    verdict = fmt::format("holds at t = {} (least {:.3f})", stretches(scores, times, words.score), least);
  }
  return fmt::format("  {:<30}{}\n", words.words, verdict);
}

/// The first singular time; infinite for a kernel that does not diverge.
double first_singular_time(const KernelSeries& series) {
  return series.singular_times.empty() ? std::numeric_limits<double>::infinity()
                                       : series.singular_times.front();
}

/// True where a finite number of realisations, and not rounding, is what spoils a kernel.
bool needs_realizations(const KernelSeries& series, std::size_t k) {
  return !series.plain_mean && !series.sampling.empty() && series.error[k] <= kLargestKernelError;
}

/// How many of the judged times are not tested, and why.
std::string untested(const KernelSeries& series, std::size_t judged) {
  std::size_t worn_out = 0;
  std::size_t undersampled = 0;
  double sampling = 0.0;
  for (std::size_t k = 0; k < judged; ++k) {
    if (series.deciding_error(k) <= kLargestKernelError) continue;
    const bool by_sampling = needs_realizations(series, k);
    ++(by_sampling ? undersampled : worn_out);
    if (by_sampling) sampling = std::max(sampling, series.sampling[k]);
  }
  std::string text;
  if (worn_out > 0) {
    text += fmt::format("  {} of {} output times not tested: rounding leaves the kernel no digits there\n",
                        worn_out, judged);
  }
  if (undersampled > 0) {
    text += fmt::format(
        "  {} of {} output times not tested: more realizations are needed there (sampling error up to "
        "{:.2g}, "
        "which falls as one over the root of their number)\n",
        undersampled, judged, sampling);
  }
  return text;
}

/// The sampling error of a mean of kernels.
std::string sampling_of_mean(const KernelSeries& series) {
  if (!series.plain_mean) return "";
  return fmt::format("  mean over realizations: standard error of a rate up to {:.2g} of the largest one\n",
                     *std::max_element(series.sampling.begin(), series.sampling.end()));
}

}  // namespace

std::string assumption_table(const std::string& kernel, const KernelSeries& series,
                             const std::vector<double>& times) {
  std::string text = fmt::format(
      "\nassumptions, kernel {} (a score of {} or more holds; sufficient, not necessary)\n", kernel, kHolds);
  const double singular = first_singular_time(series);
  const auto judged = as_size(std::lower_bound(times.begin(), times.end(), singular) - times.begin());
  if (judged < times.size()) {
    text += fmt::format("  diverges at t_1 = {:g}: {} of {} output times lie before it and are judged\n",
                        singular, judged, times.size());
  }
  const std::vector<Assumptions> scores(series.scores.begin(),
                                        series.scores.begin() + static_cast<std::ptrdiff_t>(judged));
  bool known = false;
  for (std::size_t k = 0; k < judged; ++k)
    known = known || (times[k] > 0.0 && series.deciding_error(k) <= kLargestKernelError);
  for (const Row& words : kRows) text += row(words, scores, times, known);
  return text + untested(series, judged) + sampling_of_mean(series);
}

std::string end_of_rates(const KernelSeries& series, const std::vector<double>& times) {
  const std::size_t known = series.known(times);
  if (!series.singular_times.empty())
    return fmt::format("it diverges at t = {:g}", series.singular_times.front());
  if (known == times.size()) {
    return "it cannot be followed there: it grows or is stiff beyond measure, or singular times hide between "
           "two "
           "outputs (raise time.outputs)";
  }
  if (series.error.size() == times.size() && needs_realizations(series, known))
    return "its sampling error passes 5 %: more realizations are needed";
  return "its error by rounding passes 5 %";
}

}  // namespace qheat
