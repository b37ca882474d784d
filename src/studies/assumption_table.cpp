#include "studies/assumption_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>

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

std::string row(const Row& words, const std::vector<Assumptions>& scores, const std::vector<double>& times) {
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
    verdict = "not tested: nothing to compare";
  } else if (good == tested) {
    verdict = fmt::format("holds wherever tested (least {:.4f})", least);
  } else if (good == 0) {
    verdict = fmt::format("does not hold (least {:.3f})", least);
  } else {
    verdict = fmt::format("holds at t = {} (least {:.3f})", stretches(scores, times, words.score), least);
  }
  return fmt::format("  {:<30}{}\n", words.words, verdict);
}

}  // namespace

std::string assumption_table(const std::string& kernel, const std::vector<Assumptions>& scores,
                             const std::vector<double>& times) {
  std::string text = fmt::format(
      "\nassumptions, kernel {} (a score of {} or more holds; sufficient, not necessary)\n", kernel, kHolds);
  std::size_t unknown = 0;
  for (const auto& now : scores) {
    for (const double rate : now.bond_rate) {
      if (std::isnan(rate)) {
        ++unknown;
        break;
      }
    }
  }
  for (const Row& words : kRows) text += row(words, scores, times);
  if (unknown > 0) {
    text += fmt::format("  {} of {} output times not tested: the kernel has no digits there\n", unknown,
                        scores.size());
  }
  return text;
}

}  // namespace qheat
