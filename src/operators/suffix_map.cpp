#include "operators/suffix_map.hpp"

#include <algorithm>
#include <tuple>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr std::ptrdiff_t kShortestRun = 8;  // below this a gather is cheaper than a loop of its own

}  // namespace

template <class T>
SuffixMap<T>::SuffixMap(std::vector<MapEntry> entries) {
  if (!entries.empty()) {
    const auto [first, last] =
        std::minmax_element(entries.begin(), entries.end(),
                            [](const MapEntry& l, const MapEntry& r) { return l.source < r.source; });
    sources_ = {first->source, Index{last->source} + 1};
  }
  const auto shift = [](const MapEntry& e) { return e.source - e.destination; };
  std::sort(entries.begin(), entries.end(), [&](const MapEntry& l, const MapEntry& r) {
    return std::tuple(shift(l), l.id, l.destination) < std::tuple(shift(r), r.id, r.destination);
  });
  std::vector<MapEntry> scattered;
  for (auto start = entries.begin(); start != entries.end();) {
    auto stop = start + 1;
    while (stop != entries.end() && shift(*stop) == shift(*start) && stop->id == start->id &&
           stop->destination == (stop - 1)->destination + 1) {
      ++stop;
    }
    if (stop - start >= kShortestRun) {
      runs_.push_back(
          {start->destination, start->source, static_cast<std::int32_t>(stop - start), start->id, T{}});
    } else {
      scattered.insert(scattered.end(), start, stop);
    }
    start = stop;
  }
  std::sort(scattered.begin(), scattered.end(), [](const MapEntry& l, const MapEntry& r) {
    return std::tuple(l.destination, l.source, l.id) < std::tuple(r.destination, r.source, r.id);
  });
  for (const auto& e : scattered) {
    if (rows_.empty() || rows_.back() != e.destination) {
      rows_.push_back(e.destination);
      begin_.push_back(static_cast<std::uint32_t>(columns_.size()));
    }
    columns_.push_back(e.source);
    ids_.push_back(e.id);
  }
  begin_.push_back(static_cast<std::uint32_t>(columns_.size()));
  values_.resize(columns_.size());
  runs_.shrink_to_fit();
}

template <class T>
void SuffixMap<T>::set_values(std::span<const T> values) {
  for (Run& run : runs_) run.value = values[run.id];
  for (std::size_t e = 0; e < ids_.size(); ++e) values_[e] = values[ids_[e]];
}

template <class T>
void SuffixMap<T>::add_diagonal(std::span<T> diagonal) const {
  for (const Run& run : runs_) {
    if (run.source != run.destination) continue;
    for (std::int32_t j = 0; j < run.length; ++j)
      diagonal[as_size(run.destination) + as_size(j)] += run.value;
  }
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    for (std::uint32_t e = begin_[row]; e < begin_[row + 1]; ++e) {
      if (columns_[e] == rows_[row]) at(diagonal, rows_[row]) += values_[e];
    }
  }
}

template <class T>
Index SuffixMap<T>::bytes() const {
  return static_cast<Index>(runs_.size() * sizeof(Run) + rows_.size() * 4 + begin_.size() * 4 +
                            columns_.size() * 8 + values_.size() * sizeof(T));
}

template class SuffixMap<double>;
template class SuffixMap<Complex>;

}  // namespace qheat
