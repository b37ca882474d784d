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
    places_.push_back({e.destination, e.source});
    ids_.push_back(e.id);
  }
  values_.resize(places_.size());
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
  for (std::size_t e = 0; e < places_.size(); ++e) {
    if (places_[e].source == places_[e].destination) at(diagonal, places_[e].source) += values_[e];
  }
}

template <class T>
bool SuffixMap<T>::is_diagonal() const {
  const auto lies_on_it = [](const auto& part) { return part.source == part.destination; };
  return std::ranges::all_of(runs_, lies_on_it) && std::ranges::all_of(places_, lies_on_it);
}

template <class T>
Index SuffixMap<T>::bytes() const {
  return static_cast<Index>(runs_.size() * sizeof(Run) + places_.size() * sizeof(Place) +
                            ids_.size() * sizeof(std::uint32_t) + values_.size() * sizeof(T));
}

template class SuffixMap<double>;
template class SuffixMap<Complex>;

}  // namespace qheat
