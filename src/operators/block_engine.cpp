#include "qheat/operators/block_engine.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <type_traits>

#include "operators/row_exchange.hpp"
#include "operators/suffix_map.hpp"

namespace qheat {
namespace {

using Sites = std::vector<int>;

/// Part of a local element on one half of the lattice; `id`: number of the value, or of a group.
struct HalfElement {
  LocalCode to, from;
  std::uint32_t id;
};
using HalfElements = std::map<Sites, std::vector<HalfElement>>;

void sort_by_destination(HalfElements& elements) {
  for (auto& [sites, list] : elements) {
    std::stable_sort(list.begin(), list.end(), [](const auto& l, const auto& r) { return l.to < r.to; });
  }
}

/// Calls visit(element, source configuration) for each element that leads to `configuration`.
template <class Visit>
void visit_sources(const HalfElements& elements, std::span<const Level> configuration, int levels,
                   std::vector<Level>& source, const Visit& visit) {
  source.assign(configuration.begin(), configuration.end());
  for (const auto& [sites, list] : elements) {
    const LocalCode to = code_on(configuration, sites, levels);
    auto e = std::lower_bound(list.begin(), list.end(), to,
                              [](const HalfElement& element, LocalCode code) { return element.to < code; });
    for (; e != list.end() && e->to == to; ++e) {
      write_code(e->from, sites, levels, source);
      visit(*e, source);
    }
    write_code(to, sites, levels, source);
  }
}

/// The terms cut at the middle of the lattice.
struct CutTerms {
  HalfElements prefix;               ///< ids: values
  HalfElements suffix;               ///< ids: values
  HalfElements crossing;             ///< prefix parts; ids: groups
  std::vector<HalfElements> groups;  ///< suffix parts that share a prefix part; ids: values
};

template <class T>
CutTerms cut(const TermSum<T>& terms, int prefix_sites) {
  CutTerms result;
  std::map<std::tuple<Sites, LocalCode, LocalCode>, std::uint32_t> group_number;
  std::uint32_t id = 0;
  for (const auto& term : terms.terms) {
    Sites head;
    Sites tail;
    for (const int site : term.sites) {
      if (site < prefix_sites) {
        head.push_back(site);
      } else {
        tail.push_back(site - prefix_sites);
      }
    }
    LocalCode tail_base = 1;
    for (std::size_t i = 0; i < tail.size(); ++i) tail_base *= static_cast<LocalCode>(terms.levels);
    for (const auto& e : term.elements) {
      const HalfElement tail_part{e.to % tail_base, e.from % tail_base, id++};
      const LocalCode head_to = e.to / tail_base;
      const LocalCode head_from = e.from / tail_base;
      if (head.empty()) {
        result.suffix[tail].push_back(tail_part);
      } else if (tail.empty()) {
        result.prefix[head].push_back({head_to, head_from, tail_part.id});
      } else {
        const auto next = static_cast<std::uint32_t>(result.groups.size());
        const auto [place, added] = group_number.try_emplace({head, head_to, head_from}, next);
        if (added) {
          result.groups.emplace_back();
          result.crossing[head].push_back({head_to, head_from, next});
        }
        result.groups[place->second][tail].push_back(tail_part);
      }
    }
  }
  sort_by_destination(result.prefix);
  sort_by_destination(result.suffix);
  sort_by_destination(result.crossing);
  for (auto& group : result.groups) sort_by_destination(group);
  return result;
}

/// y += value * x, real or complex alike.
template <class T, class V>
inline void axpy(Index n, T value, const V* __restrict x, V* __restrict y) {
  if constexpr (std::is_same_v<T, double> && std::is_same_v<V, Complex>) {
    axpy(2 * n, value, reinterpret_cast<const double*>(x), reinterpret_cast<double*>(y));
  } else {
    for (Index j = 0; j < n; ++j) y[j] += value * x[j];
  }
}

}  // namespace

template <class T>
struct BlockEngine<T>::Tables {
  /// y[row, :] += B x[source row, :], B a number (map < 0) or maps[map].
  struct Action {
    Index source;  ///< offset of the source row's data, in states
    std::int32_t map;
    std::uint32_t id;  ///< of the number
  };
  struct RemoteAction {
    Index row;  ///< local
    Action action;
  };
  struct Ids {  ///< lists of value numbers, one a configuration; their sum is a diagonal element
    std::vector<std::uint32_t> begin{0};
    std::vector<std::uint32_t> ids;
  };

  Tables(const DistributedSector& space, const TermSum<T>& terms);

  void build_suffix_maps(const CutTerms& cut_terms);
  void build_rows(const CutTerms& cut_terms);
  int crossing_map(const CutTerms& cut_terms, std::uint32_t group, int block, int source_block);
  std::vector<MapEntry> suffix_entries(const HalfElements& elements, int destination_class,
                                       int source_class) const;
  void set_values(std::span<const T> new_values);

  template <class V>
  void apply_column(const V* x, V* y, V* buffers) const;
  template <class V>
  void act(const Action& action, Index n, const V* source, V* y) const {
    const V* from = source + action.source;
    if (action.map < 0) {
      axpy(n, values[action.id], from, y);
    } else {
      maps[static_cast<std::size_t>(action.map)].accumulate(from, y);
    }
  }

  const Sector& sector;
  const Partition& partition;
  int rank;
  int levels;
  Index first_row;
  Index rows;
  std::vector<T> values;
  std::vector<Index> offset;               ///< [rows + 1] first state of each local row
  std::vector<std::int32_t> suffix_class;  ///< [rows]
  Ids prefix_diagonal_ids;                 ///< [rows]
  std::vector<T> prefix_diagonal;
  std::vector<Ids> suffix_diagonal_ids;  ///< [suffix classes]
  std::vector<std::vector<T>> suffix_diagonal;
  std::vector<SuffixMap<T>> maps;
  std::vector<std::int32_t> inner_map;  ///< [suffix classes] hops inside the suffix, -1: none
  std::map<std::pair<std::uint32_t, int>, std::int32_t> crossing_maps;  ///< (group, block) while building
  std::vector<std::uint32_t> action_begin{0};
  std::vector<Action> actions;
  std::unique_ptr<RowExchange> exchange;
  std::vector<std::vector<RemoteAction>> remote_actions;  ///< by chunk
  mutable std::vector<Complex> buffers;
};

template <class T>
BlockEngine<T>::Tables::Tables(const DistributedSector& space, const TermSum<T>& terms)
    : sector(space.sector()),
      partition(space.partition()),
      rank(space.comm().rank()),
      levels(terms.levels),
      first_row(space.first_row()),
      rows(space.local_rows()) {
  for (Index row = 0; row <= rows; ++row)
    offset.push_back(sector.first_state(first_row + row) - space.first_state());
  const CutTerms cut_terms = cut(terms, sector.prefix().sites());
  build_suffix_maps(cut_terms);
  build_rows(cut_terms);

  std::set<Index> needed;
  for (const auto& list : remote_actions) {
    for (const auto& remote : list) needed.insert(remote.action.source);
  }
  exchange = std::make_unique<RowExchange>(space, std::vector<Index>(needed.begin(), needed.end()));
  std::vector<std::vector<RemoteAction>> by_chunk(static_cast<std::size_t>(exchange->chunks()));
  for (const auto& list : remote_actions) {
    for (RemoteAction remote : list) {
      const auto place = exchange->place_of(remote.action.source);
      remote.action.source = place.offset;
      by_chunk[static_cast<std::size_t>(place.chunk)].push_back(remote);
    }
  }
  for (auto& list : by_chunk) {
    std::stable_sort(list.begin(), list.end(), [](const auto& l, const auto& r) { return l.row < r.row; });
    list.shrink_to_fit();
  }
  remote_actions = std::move(by_chunk);
  exchange->forget_places();
  crossing_maps.clear();
  actions.shrink_to_fit();
  buffers.resize(static_cast<std::size_t>(2 * exchange->chunk_capacity()));

  std::vector<T> all_values;
  for (const auto& term : terms.terms) {
    for (const auto& e : term.elements) all_values.push_back(e.value);
  }
  set_values(all_values);
}

template <class T>
std::vector<MapEntry> BlockEngine<T>::Tables::suffix_entries(const HalfElements& elements,
                                                             int destination_class, int source_class) const {
  const HalfSpace& suffix = sector.suffix();
  const auto& to = suffix.classes()[static_cast<std::size_t>(destination_class)];
  std::vector<MapEntry> entries;
  std::vector<Level> source;
  for (Index j = 0; j < to.size; ++j) {
    visit_sources(
        elements, suffix.configuration(to.first + j), levels, source, [&](const HalfElement& e, auto& from) {
          QHEAT_ASSERT(suffix.class_of(from) == source_class);
          entries.push_back(
              {static_cast<std::int32_t>(j), static_cast<std::int32_t>(suffix.rank_in_class(from)), e.id});
        });
  }
  static_cast<void>(source_class);
  return entries;
}

template <class T>
void BlockEngine<T>::Tables::build_suffix_maps(const CutTerms& cut_terms) {
  const auto& classes = sector.suffix().classes();
  suffix_diagonal_ids.resize(classes.size());
  suffix_diagonal.resize(classes.size());
  inner_map.assign(classes.size(), -1);
  for (Index row = 0; row < rows; ++row) {
    const auto& block = sector.blocks()[static_cast<std::size_t>(sector.block_of_row(first_row + row))];
    suffix_class.push_back(block.suffix_class);
    const auto k = static_cast<std::size_t>(block.suffix_class);
    if (suffix_diagonal_ids[k].begin.size() > 1 || classes[k].size == 0) continue;  // made for an earlier row
    std::vector<MapEntry> hops;
    Ids& diagonal = suffix_diagonal_ids[k];
    Index done = 0;
    const auto finish_until = [&](Index j) {
      for (; done < j; ++done) diagonal.begin.push_back(static_cast<std::uint32_t>(diagonal.ids.size()));
    };
    for (const MapEntry& e : suffix_entries(cut_terms.suffix, block.suffix_class, block.suffix_class)) {
      finish_until(e.destination);
      if (e.destination == e.source) {
        diagonal.ids.push_back(e.id);
      } else {
        hops.push_back(e);
      }
    }
    finish_until(classes[k].size);
    suffix_diagonal[k].resize(static_cast<std::size_t>(classes[k].size));
    if (hops.empty()) continue;
    inner_map[k] = static_cast<std::int32_t>(maps.size());
    maps.emplace_back(std::move(hops));
  }
}

template <class T>
int BlockEngine<T>::Tables::crossing_map(const CutTerms& cut_terms, std::uint32_t group, int block,
                                         int source_block) {
  const auto [place, added] =
      crossing_maps.try_emplace({group, block}, static_cast<std::int32_t>(maps.size()));
  if (added) {
    const auto& blocks = sector.blocks();
    maps.emplace_back(suffix_entries(cut_terms.groups[group],
                                     blocks[static_cast<std::size_t>(block)].suffix_class,
                                     blocks[static_cast<std::size_t>(source_block)].suffix_class));
  }
  return place->second;
}

template <class T>
void BlockEngine<T>::Tables::build_rows(const CutTerms& cut_terms) {
  const HalfSpace& prefix = sector.prefix();
  remote_actions.resize(1);  // not yet by chunk; `source` holds the global row
  std::vector<Level> source;
  for (Index row = 0; row < rows; ++row) {
    const Index global_row = first_row + row;
    const int block = sector.block_of_row(global_row);
    const auto add = [&](Index source_row, std::int32_t map, std::uint32_t id) {
      if (map >= 0 && maps[static_cast<std::size_t>(map)].empty()) return;
      const bool local = source_row >= first_row && source_row < first_row + rows;
      if (local) {
        actions.push_back({offset[static_cast<std::size_t>(source_row - first_row)], map, id});
      } else {
        remote_actions[0].push_back({row, {source_row, map, id}});
      }
    };
    const auto row_of = [&](const std::vector<Level>& from) {
      const int source_class = prefix.class_of(from);
      if (source_class < 0) return std::pair(-1, Index{-1});
      return std::pair(source_class,
                       sector.block_of_class(source_class).first_row + prefix.rank_in_class(from));
    };
    const auto configuration = prefix.configuration(global_row);
    visit_sources(cut_terms.prefix, configuration, levels, source,
                  [&](const HalfElement& e, const auto& from) {
                    if (e.to == e.from) {
                      prefix_diagonal_ids.ids.push_back(e.id);
                      return;
                    }
                    const Index source_row = row_of(from).second;
                    QHEAT_ASSERT(source_row >= 0);  // otherwise the operator leaves the sector
                    add(source_row, -1, e.id);
                  });
    prefix_diagonal_ids.begin.push_back(static_cast<std::uint32_t>(prefix_diagonal_ids.ids.size()));
    if (const auto inner = inner_map[static_cast<std::size_t>(suffix_class[static_cast<std::size_t>(row)])];
        inner >= 0) {
      add(global_row, inner, 0);
    }
    visit_sources(cut_terms.crossing, configuration, levels, source,
                  [&](const HalfElement& e, const auto& from) {
                    const auto [source_block, source_row] = row_of(from);
                    if (source_block < 0) return;  // the suffix cannot make up for this prefix: no such state
                    add(source_row, crossing_map(cut_terms, e.id, block, source_block), 0);
                  });
    action_begin.push_back(static_cast<std::uint32_t>(actions.size()));
  }
  prefix_diagonal.resize(static_cast<std::size_t>(rows));
}

template <class T>
void BlockEngine<T>::Tables::set_values(std::span<const T> new_values) {
  values.assign(new_values.begin(), new_values.end());
  for (auto& map : maps) map.set_values(values);
  const auto sum_ids = [&](const Ids& lists, std::vector<T>& sums) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      T sum{};
      for (std::uint32_t e = lists.begin[i]; e < lists.begin[i + 1]; ++e) sum += values[lists.ids[e]];
      sums[i] = sum;
    }
  };
  sum_ids(prefix_diagonal_ids, prefix_diagonal);
  for (std::size_t k = 0; k < suffix_diagonal.size(); ++k)
    sum_ids(suffix_diagonal_ids[k], suffix_diagonal[k]);
}

template <class T>
template <class V>
void BlockEngine<T>::Tables::apply_column(const V* x, V* y, V* buffer) const {
  const auto local = [&] {
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
      const Index n = offset[row + 1] - offset[row];
      const V* __restrict own = x + offset[row];
      V* __restrict destination = y + offset[row];
      const T head = prefix_diagonal[row];
      const T* __restrict tail = suffix_diagonal[static_cast<std::size_t>(suffix_class[row])].data();
      for (Index j = 0; j < n; ++j) destination[j] = (head + tail[j]) * own[j];
      for (std::uint32_t a = action_begin[row]; a < action_begin[row + 1]; ++a)
        act(actions[a], n, x, destination);
    }
  };
  const auto use = [&](int chunk, const V* data) {
    for (const auto& remote : remote_actions[static_cast<std::size_t>(chunk)]) {
      const auto row = static_cast<std::size_t>(remote.row);
      act(remote.action, offset[row + 1] - offset[row], data, y + offset[row]);
    }
  };
  exchange->run(x, buffer, local, use);
}

template <class T>
BlockEngine<T>::BlockEngine(const DistributedSector& space, const TermSum<T>& terms)
    : tables_(std::make_unique<Tables>(space, terms)) {}
template <class T>
BlockEngine<T>::~BlockEngine() = default;
template <class T>
BlockEngine<T>::BlockEngine(BlockEngine&&) noexcept = default;

template <class T>
Index BlockEngine<T>::apply(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const {
  for (Index k = 0; k < x.columns(); ++k)
    tables_->apply_column(x.column(k), y.column(k), tables_->buffers.data());
  return tables_->exchange->states_sent() * x.columns() * static_cast<Index>(sizeof(Complex));
}

template <class T>
Index BlockEngine<T>::apply(ColumnBlock<const double> x, ColumnBlock<double> y) const {
  if constexpr (std::is_same_v<T, double>) {
    auto* buffers = reinterpret_cast<double*>(tables_->buffers.data());
    for (Index k = 0; k < x.columns(); ++k) tables_->apply_column(x.column(k), y.column(k), buffers);
    return tables_->exchange->states_sent() * x.columns() * static_cast<Index>(sizeof(double));
  } else {
    throw Error("a complex operator does not act on real vectors");
  }
}

template <class T>
void BlockEngine<T>::set_values(std::span<const T> values) {
  QHEAT_ASSERT(values.size() == tables_->values.size());
  tables_->set_values(values);
}

template <class T>
void BlockEngine<T>::diagonal(std::span<T> diagonal) const {
  const Tables& t = *tables_;
  for (std::size_t row = 0; row < static_cast<std::size_t>(t.rows); ++row) {
    const auto part = diagonal.subspan(static_cast<std::size_t>(t.offset[row]),
                                       static_cast<std::size_t>(t.offset[row + 1] - t.offset[row]));
    const auto& tail = t.suffix_diagonal[static_cast<std::size_t>(t.suffix_class[row])];
    for (std::size_t j = 0; j < part.size(); ++j) part[j] = t.prefix_diagonal[row] + tail[j];
    for (std::uint32_t a = t.action_begin[row]; a < t.action_begin[row + 1]; ++a) {
      const auto& action = t.actions[a];
      if (action.map >= 0 && action.source == t.offset[row]) {
        t.maps[static_cast<std::size_t>(action.map)].add_diagonal(part);
      }
    }
  }
}

template <class T>
Index BlockEngine<T>::bytes() const {
  const Tables& t = *tables_;
  const auto vector_bytes = [](const auto& v) { return static_cast<Index>(v.size() * sizeof(v[0])); };
  Index sum = vector_bytes(t.values) + vector_bytes(t.offset) + vector_bytes(t.suffix_class) +
              vector_bytes(t.prefix_diagonal_ids.begin) + vector_bytes(t.prefix_diagonal_ids.ids) +
              vector_bytes(t.prefix_diagonal) + vector_bytes(t.action_begin) + vector_bytes(t.actions) +
              t.exchange->bytes();
  for (const auto& lists : t.suffix_diagonal_ids) sum += vector_bytes(lists.begin) + vector_bytes(lists.ids);
  for (const auto& diagonal : t.suffix_diagonal) sum += vector_bytes(diagonal);
  for (const auto& map : t.maps) sum += map.bytes();
  for (const auto& list : t.remote_actions) sum += vector_bytes(list);
  return sum;
}

template class BlockEngine<double>;
template class BlockEngine<Complex>;

}  // namespace qheat
