#include "qheat/basis/half_space.hpp"

#include <algorithm>
#include <numeric>

#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

__extension__ using Wide = __int128;  // products of two 63-bit numbers

/// All ways to give `sites` sites labels with at most `most` sites a label, leaving at most `other_sites`
/// over.
void feasible_counts(int sites, const std::vector<int>& most, std::vector<int>& counts,
                     std::vector<std::vector<int>>& found) {
  const std::size_t label = counts.size();
  if (label == most.size()) {
    if (sites == 0) found.push_back(counts);
    return;
  }
  for (int count = 0; count <= std::min(sites, most[label]); ++count) {
    counts.push_back(count);
    feasible_counts(sites - count, most, counts, found);
    counts.pop_back();
  }
}

std::vector<std::vector<int>> feasible_counts(int sites, const std::vector<int>& most) {
  std::vector<std::vector<int>> found;
  std::vector<int> partial;
  feasible_counts(sites, most, partial, found);
  return found;
}

}  // namespace

Index configurations(const std::vector<int>& counts, const std::vector<int>& levels_of_label) {
  Index total = 1;
  int sites = 0;
  for (const int count : counts) {
    for (int k = 1; k <= count; ++k) {
      // total * binomial stays integral after each step
      ++sites;
      const Wide next = static_cast<Wide>(total) * sites / k;
      if (next > INT64_MAX)
        throw Error("the basis has more than 2^63 states; take fewer sites or a smaller sector");
      total = static_cast<Index>(next);
    }
  }
  for (std::size_t label = 0; label < counts.size(); ++label) {
    for (int k = 0; k < counts[label]; ++k)
      total = checked_product(total, levels_of_label[label], "the basis");
  }
  return total;
}

HalfSpace::HalfSpace(int sites, int other_sites, std::vector<Level> label_of_level,
                     const std::vector<int>& counts)
    : HalfSpace(sites, std::move(label_of_level), feasible_counts(sites, counts)) {
  QHEAT_ASSERT(std::accumulate(counts.begin(), counts.end(), 0) == sites + other_sites);
  static_cast<void>(other_sites);
}

HalfSpace::HalfSpace(int sites, std::vector<Level> label_of_level, std::vector<std::vector<int>> classes)
    : sites_(sites), label_of_level_(std::move(label_of_level)), levels_of_label_(classes.at(0).size(), 0) {
  for (const Level label : label_of_level_) {
    lower_.push_back(levels_of_label_);
    ++levels_of_label_[label];
  }
  for (auto& class_counts : classes) {
    const Index size = configurations(class_counts, levels_of_label_);
    if (size == 0) continue;  // a label without levels
    if (!class_number_.emplace(class_counts, static_cast<int>(classes_.size())).second) continue;
    classes_.push_back({std::move(class_counts), size_, size});
    size_ = checked_sum(size_, size, "half of the lattice");
  }
  if (size_ > Index{1} << 31) {
    throw Error(
        "half of the lattice alone has more than 2^31 configurations; take fewer sites or a smaller sector");
  }
  table_.reserve(static_cast<std::size_t>(checked_product(size_, sites_, "half of the lattice")));
  for (const auto& c : classes_) enumerate(c);
}

void HalfSpace::enumerate(const Class& wanted) {
  // Lexicographic order: repeat "next configuration with the same counts", which is found by trying levels
  // upwards site by site while the remaining counts allow it.
  std::vector<Level> current(static_cast<std::size_t>(sites_));
  std::vector<int> left = wanted.counts;
  const auto descend = [&](const auto& self, std::size_t site) -> void {
    if (site == current.size()) {
      table_.insert(table_.end(), current.begin(), current.end());
      return;
    }
    for (std::size_t level = 0; level < label_of_level_.size(); ++level) {
      int& remaining = left[label_of_level_[level]];
      if (remaining == 0) continue;
      --remaining;
      current[site] = static_cast<Level>(level);
      self(self, site + 1);
      ++remaining;
    }
  };
  descend(descend, 0);
}

int HalfSpace::find_class(const std::vector<int>& counts) const {
  const auto place = class_number_.find(counts);
  return place == class_number_.end() ? -1 : place->second;
}

int HalfSpace::class_of(std::span<const Level> levels) const {
  std::vector<int> counts(levels_of_label_.size(), 0);
  for (const Level level : levels) ++counts[label_of_level_[level]];
  return find_class(counts);
}

Index HalfSpace::rank_in_class(std::span<const Level> levels) const {
  std::vector<int> left(levels_of_label_.size(), 0);
  for (const Level level : levels) ++left[label_of_level_[level]];
  Index completions = configurations(left, levels_of_label_);  // of the sites not yet fixed
  Index rank = 0;
  auto sites_left = static_cast<Index>(levels.size());
  // Fixing one site to a level of label b leaves completions * left[b] / (sites_left * levels_of_label[b]).
  const auto after_fixing = [&](std::size_t label) {
    return static_cast<Index>(static_cast<Wide>(completions) * left[label] / sites_left /
                              levels_of_label_[label]);
  };
  for (const Level level : levels) {
    const auto& lower = lower_[level];
    for (std::size_t label = 0; label < lower.size(); ++label) {
      if (lower[label] != 0 && left[label] != 0) rank += lower[label] * after_fixing(label);
    }
    const std::size_t label = label_of_level_[level];
    completions = after_fixing(label);
    --left[label];
    --sites_left;
  }
  return rank;
}

}  // namespace qheat
