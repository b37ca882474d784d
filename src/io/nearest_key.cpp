#include "io/nearest_key.hpp"

#include <algorithm>
#include <cstddef>

namespace qheat::jobfile {
namespace {

/// Case is no slip, and neither is "_" for "-".
std::string folded(std::string_view word) {
  std::string result(word);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = '-';
  }
  return result;
}

/// Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours.
std::size_t slips(const std::string& from, const std::string& to) {
  const std::size_t columns = to.size() + 1;
  std::vector<std::size_t> before_last(columns);
  std::vector<std::size_t> last(columns);
  std::vector<std::size_t> row(columns);
  for (std::size_t j = 0; j < columns; ++j) row[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j < columns; ++j) {
      const std::size_t replace = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[to.size()];
}

std::size_t allowed_slips(std::size_t length) {
  return std::max<std::size_t>(1, length / 3);
}

}  // namespace

std::optional<std::string> nearest_key(std::string_view word, const std::vector<std::string>& candidates) {
  std::optional<std::string> nearest;
  std::size_t fewest = 0;
  for (const auto& candidate : candidates) {
    const std::size_t allowed = allowed_slips(candidate.size());
    if (word.size() > candidate.size() + allowed || candidate.size() > word.size() + allowed) continue;
    const std::size_t count = slips(folded(word), folded(candidate));
    if (count > allowed || (nearest && count >= fewest)) continue;
    nearest = candidate;
    fewest = count;
  }
  return nearest;
}

}  // namespace qheat::jobfile
