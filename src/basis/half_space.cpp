#include "qheat/basis/half_space.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// From so many sites on a configuration is looked up, in few steps, instead of counting the smaller ones
/// site by site.
constexpr int kManySites = 33;

/// Lexicographic order of two configurations of the same length, which agree in most places.
bool comes_before(std::span<const Level> a, std::span<const Level> b) {
  constexpr std::size_t kBlock = 32;
  std::size_t same = 0;
  while (same + kBlock <= a.size() && std::memcmp(&a[same], &b[same], kBlock * sizeof(Level)) == 0)
    same += kBlock;
  while (same < a.size() && a[same] == b[same]) ++same;
  return same < a.size() && a[same] < b[same];
}

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
  table_.reserve(as_size(checked_product(size_, sites_, "half of the lattice")));
  for (const auto& c : classes_) enumerate(c);
}

void HalfSpace::enumerate(const Class& wanted) {
  // Lexicographic order: repeat "next configuration with the same counts", which is found by trying levels
  // upwards site by site while the remaining counts allow it. Where one level is left for all sites that
  // remain, there is nothing to try: few excitations on many sites have little else.
  std::vector<Level> current(as_size(sites_));
  std::vector<int> left = wanted.counts;
  const auto only_level_left = [&](std::size_t site) -> std::optional<Level> {
    const int sites_left = sites_ - static_cast<int>(site);
    const auto label = std::find(left.begin(), left.end(), sites_left) - left.begin();
    if (label == static_cast<std::ptrdiff_t>(left.size()) || at(levels_of_label_, label) > 1) return {};
    const auto level = std::find(label_of_level_.begin(), label_of_level_.end(), static_cast<Level>(label));
    return static_cast<Level>(level - label_of_level_.begin());
  };
  const auto descend = [&](const auto& self, std::size_t site) -> void {
    const auto level_left = site == current.size() ? std::optional<Level>(Level{0}) : only_level_left(site);
    if (level_left) {
      std::fill(current.begin() + static_cast<std::ptrdiff_t>(site), current.end(), *level_left);
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

Level HalfSpace::commonest_level() const {
  std::vector<double> sites_of_label(levels_of_label_.size(), 0.0);
  for (const Class& c : classes_) {
    for (std::size_t label = 0; label < c.counts.size(); ++label) {
      if (c.counts[label] == 0) continue;
      sites_of_label[label] += static_cast<double>(c.size) * c.counts[label] / levels_of_label_[label];
    }
  }
  const auto most = std::max_element(sites_of_label.begin(), sites_of_label.end()) - sites_of_label.begin();
  const auto level = std::find(label_of_level_.begin(), label_of_level_.end(), static_cast<Level>(most));
  return static_cast<Level>(level - label_of_level_.begin());
}

Index HalfSpace::rank_in_class(std::span<const Level> levels) const {
  std::vector<int> counts(levels_of_label_.size(), 0);
  for (const Level level : levels) ++counts[label_of_level_[level]];
  if (sites_ < kManySites) return rank_by_counting(levels, std::move(counts));
  return rank_by_search(at(classes_, find_class(counts)), levels);
}

Index HalfSpace::rank_in_class(int class_number, std::span<const Level> levels) const {
  const Class& c = at(classes_, class_number);
  return sites_ < kManySites ? rank_by_counting(levels, c.counts) : rank_by_search(c, levels);
}

Index HalfSpace::rank_by_search(const Class& in, std::span<const Level> levels) const {
  Index low = 0;
  Index high = in.size - 1;
  while (low < high) {
    const Index middle = low + (high - low) / 2;
    if (comes_before(configuration(in.first + middle), levels)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Index HalfSpace::rank_by_counting(std::span<const Level> levels, std::vector<int> left) const {
  Index completions = configurations(left, levels_of_label_);  // of the sites not yet fixed
  Index rank = 0;
  auto sites_left = static_cast<Index>(levels.size());
  // Fixing one site to a level of label b leaves completions * left[b] / (sites_left * levels_of_label[b]).
  const auto after_fixing = [&](std::size_t label) {
    return completions * left[label] / sites_left / levels_of_label_[label];  // both factors are below 2^31
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
