#include "operators/block_tables.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "operators/exchange_choice.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr Index kNearBytes = Index{400} << 10;  // what the second cache still holds from rows before
constexpr std::size_t kMostAhead = 32;          // rows to fetch ahead
// Of all diagonals inside the rows of a class: more would drive out of the caches what they save.
constexpr Index kInnerDiagonalBytes = Index{128} << 10;

}  // namespace

template <class T>
BlockTables<T>::BlockTables(const DistributedBlocks& blocks, std::unique_ptr<const RowDiagonal> row_function)
    : blocks_(blocks),
      row_function_(std::move(row_function)),
      first_row_(blocks.first_row()),
      rows_(blocks.local_rows()) {
  const BlockLayout& layout = blocks.layout();
  for (Index row = 0; row <= rows_; ++row)
    offset_.push_back(layout.first_state(first_row_ + row) - blocks.first_state());
  for (Index row = 0; row < rows_; ++row) {
    const auto block = as_size(layout.block_of_row(first_row_ + row));
    class_.push_back(layout.blocks()[block].suffix_class);
  }
  remote_.resize(1);  // not yet by chunk
}

template <class T>
bool BlockTables<T>::has_class(int suffix_class) const {
  const auto k = as_size(suffix_class);
  return k < classes_.size() && !classes_[k].begin.empty();
}

template <class T>
void BlockTables<T>::set_class(int suffix_class, Index length, const std::vector<MapEntry>& elements) {
  std::vector<MapEntry> others;
  std::vector<MapEntry> diagonal;
  for (const MapEntry& e : elements) (e.source == e.destination ? diagonal : others).push_back(e);
  std::stable_sort(diagonal.begin(), diagonal.end(),
                   [](const MapEntry& l, const MapEntry& r) { return l.destination < r.destination; });
  Sums sums;
  auto e = diagonal.begin();
  for (Index j = 0; j < length; ++j) {
    for (; e != diagonal.end() && e->destination == j; ++e) sums.ids.push_back(e->id);
    sums.close();
  }
  set_class(suffix_class, length, others, std::move(sums));
}

template <class T>
void BlockTables<T>::set_class(int suffix_class, Index length, const std::vector<MapEntry>& elements,
                               Sums diagonal) {
  const auto k = as_size(suffix_class);
  if (classes_.size() <= k) classes_.resize(k + 1);
  Class& c = classes_[k];
  c = {};
  std::vector<MapEntry> sorted = elements;
  std::stable_sort(sorted.begin(), sorted.end(), [](const MapEntry& l, const MapEntry& r) {
    return std::pair(l.destination, l.source) < std::pair(r.destination, r.source);
  });
  auto e = sorted.begin();
  c.begin.push_back(0);
  for (Index j = 0; j < length; ++j) {
    for (; e != sorted.end() && e->destination == j; ++e) {
      c.column.push_back(e->source);
      c.ids.push_back(e->id);
    }
    c.begin.push_back(static_cast<std::uint32_t>(c.column.size()));
  }
  c.diagonal_ids = std::move(diagonal);
  c.value.resize(c.ids.size());
}

template <class T>
int BlockTables<T>::add_map(std::vector<MapEntry> elements) {
  maps_.emplace_back(std::move(elements));
  return static_cast<int>(maps_.size()) - 1;
}

template <class T>
void BlockTables<T>::add_action(Index source_row, std::uint32_t id) {
  const auto row = static_cast<std::int32_t>(action_begin_.size()) - 1;
  if (row_length(as_size(row)) == 0) return;
  if (source_row == first_row_ + row) {
    row_diagonal_ids_.ids.push_back(id);
  } else if (is_local(source_row)) {
    actions_.push_back({static_cast<std::int32_t>(source_row - first_row_), id});
  } else {
    remote_[0].push_back({row, false, id, source_row});
  }
}

template <class T>
void BlockTables<T>::add_map_action(Index source_row, int map) {
  const auto row = static_cast<std::int32_t>(action_begin_.size()) - 1;
  const auto number = static_cast<std::uint32_t>(map);
  if (maps_[number].empty()) return;
  if (is_local(source_row)) {
    map_actions_.push_back({static_cast<std::int32_t>(source_row - first_row_), number});
  } else {
    remote_[0].push_back({row, true, number, source_row});
  }
}

template <class T>
void BlockTables<T>::close_row(bool with_common_diagonal) {
  with_common_diagonal ? row_diagonal_ids_.close_with_common() : row_diagonal_ids_.close();
  action_begin_.push_back(static_cast<std::uint32_t>(actions_.size()));
  map_begin_.push_back(static_cast<std::uint32_t>(map_actions_.size()));
}

template <class T>
void BlockTables<T>::finish(std::span<const T> values, ExchangeRoute route) {
  QHEAT_ASSERT(static_cast<Index>(action_begin_.size()) == rows_ + 1);
  row_diagonal_.resize(as_size(rows_));
  actions_.shrink_to_fit();
  collect_inner_diagonals();
  plan_exchange(route);
  values_.resize(values.size());
  set_values(values);
}

template <class T>
void BlockTables<T>::collect_inner_diagonals() {
  std::map<std::pair<std::int32_t, std::vector<std::uint32_t>>, std::int32_t> numbers;
  std::vector<Index> bytes(classes_.size());
  const auto number_of = [&](std::int32_t suffix_class, const std::vector<std::uint32_t>& maps,
                             Index length) {
    const auto found = numbers.find({suffix_class, maps});
    if (found != numbers.end()) return found->second;
    const Index more = length * static_cast<Index>(sizeof(T));
    if (!maps.empty() && at(bytes, suffix_class) + more > kInnerDiagonalBytes) return std::int32_t{-1};
    at(bytes, suffix_class) += more;
    const auto number = static_cast<std::int32_t>(inner_diagonals_.size());
    inner_diagonals_.push_back({suffix_class, maps, std::vector<T>(as_size(length))});
    numbers[{suffix_class, maps}] = number;
    return number;
  };
  std::vector<bool> is_diagonal;
  for (const auto& map : maps_) is_diagonal.push_back(map.is_diagonal());
  std::vector<Action> others;
  std::vector<std::uint32_t> begin{0};
  inner_diagonal_.assign(as_size(rows_), -1);
  for (std::size_t row = 0; row < as_size(rows_); ++row) {
    const auto actions =
        std::span(map_actions_).subspan(map_begin_[row], map_begin_[row + 1] - map_begin_[row]);
    const auto is_inside = [&](const Action& action) {
      return action.source == static_cast<std::int32_t>(row) && is_diagonal[action.what];
    };
    std::vector<std::uint32_t> maps;
    for (const Action& action : actions) {
      if (is_inside(action)) maps.push_back(action.what);
    }
    if (row_length(row) > 0) {
      inner_diagonal_[row] = number_of(class_[row], maps, row_length(row));
      if (inner_diagonal_[row] < 0) {
        maps.clear();
        inner_diagonal_[row] = number_of(class_[row], maps, row_length(row));
      }
    }
    for (const Action& action : actions) {
      if (maps.empty() || !is_inside(action)) others.push_back(action);
    }
    begin.push_back(static_cast<std::uint32_t>(others.size()));
  }
  others.shrink_to_fit();
  map_actions_ = std::move(others);
  map_begin_ = std::move(begin);
}

template <class T>
void BlockTables<T>::plan_exchange(ExchangeRoute route) {
  take_transposed_actions(route);
  std::map<Index, Stretch> needed;
  for (const Remote& remote : remote_[0]) unite(needed, remote.offset, columns_needed(remote));
  exchange_ = std::make_unique<RowExchange>(blocks_, needed);
  std::vector<std::vector<Remote>> by_chunk(as_size(exchange_->chunks()));
  for (Remote remote : remote_[0]) {
    const auto place = exchange_->place_of(remote.offset);
    remote.offset = place.offset;
    at(by_chunk, place.chunk).push_back(remote);
  }
  for (auto& list : by_chunk) {
    std::stable_sort(list.begin(), list.end(), [](const Remote& l, const Remote& r) {
      return std::pair(l.row, l.through_map) < std::pair(r.row, r.through_map);
    });
    list.shrink_to_fit();
  }
  remote_ = std::move(by_chunk);
  exchange_->forget_places();
  buffers_.resize(as_size(2 * exchange_->chunk_capacity() + transposition_->buffer_size()));
}

template <class T>
Stretch BlockTables<T>::columns_needed(const Remote& remote) const {
  if (remote.through_map) return maps_[remote.what].sources();
  return {0, row_length(as_size(remote.row))};
}

template <class T>
void BlockTables<T>::take_transposed_actions(ExchangeRoute route) {
  const auto need_of = [&](const Remote& remote) {
    return RemoteNeed{first_row_ + remote.row, remote.offset, remote.through_map, columns_needed(remote)};
  };
  std::vector<RemoteNeed> needs;
  for (const Remote& remote : remote_[0]) needs.push_back(need_of(remote));
  const ExchangeChoice choice(blocks_, needs, route);
  exchange_counts_ = choice.counts();
  std::vector<Transposition::Action> transposed;
  std::vector<Remote> others;
  for (const Remote& remote : remote_[0]) {
    const RemoteNeed need = need_of(remote);
    if (choice.is_transposed(need)) {
      transposed.push_back({need.destination, need.source, remote.what});
    } else {
      others.push_back(remote);
    }
  }
  remote_[0] = std::move(others);
  transposition_ = std::make_unique<Transposition>(blocks_, transposed);
}

template <class T>
void BlockTables<T>::set_values(std::span<const T> values) {
  QHEAT_ASSERT(values.size() == values_.size());
  std::copy(values.begin(), values.end(), values_.begin());
  for (auto& map : maps_) map.set_values(values_);
  const auto add_up = [&](const Sums& lists, std::vector<T>& sums) {
    T common{};
    for (const std::uint32_t id : lists.common) common += values_[id];
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] = lists.with_common[i] != 0 ? common : T{};
      lists.visit(i, [&](std::uint32_t id, double sign) { sums[i] += sign * values_[id]; });
    }
  };
  add_up(row_diagonal_ids_, row_diagonal_);
  for (Class& c : classes_) {
    for (std::size_t e = 0; e < c.ids.size(); ++e) c.value[e] = values_[c.ids[e]];
  }
  for (auto& diagonal : inner_diagonals_) {
    add_up(at(classes_, diagonal.suffix_class).diagonal_ids, diagonal.values);
    for (const std::uint32_t map : diagonal.maps) maps_[map].add_diagonal(diagonal.values);
  }
}

template <class T>
template <class V>
void BlockTables<T>::start(std::size_t first_row, int rows, const Batch<V>& batch) const {
  constexpr int kMost = kernels::kLanes<V>;
  const auto& c = at(classes_, class_[first_row]);
  const kernels::RowMatrix<T> matrix{c.begin, c.column, c.value};
  const Index n = row_length(first_row);
  std::array<const V*, kMost> x;
  std::array<const V*, kMost> before;
  std::array<V*, kMost> y;
  std::array<T, kMost> head;
  std::array<const T*, kMost> inner;
  // The rows that the next loops will read and that no cache holds yet: the next ones, and distant sources.
  std::array<const V*, kMost + kMostAhead> soon;
  std::size_t soon_count = 0;
  const auto bring = [&](const V* address) {
    if (soon_count < soon.size()) soon[soon_count++] = address;
  };
  const bool large = offset_.back() * static_cast<Index>(sizeof(V)) > kNearBytes;
  int lanes = 0;
  for (int r = 0; r < rows; ++r) {
    const std::size_t row = first_row + as_size(r);
    for (int k = 0; k < batch.columns; ++k, ++lanes) {
      const auto lane = as_size(lanes);
      const V* column = at(batch.x, k);
      x[lane] = column + offset_[row];
      before[lane] = at(batch.before, k) + offset_[row];
      y[lane] = at(batch.y, k) + offset_[row];
      head[lane] = row_diagonal_[row] + batch.map.shift;
      inner[lane] = at(inner_diagonals_, inner_diagonal_[row]).values.data();
      if (!large) continue;
      bring(x[lane] + rows * n);
      for (std::uint32_t a = action_begin_[row]; a < action_begin_[row + 1]; ++a) {
        const Index distance = std::abs(source_offset(actions_[a]) - offset_[row]);
        if (distance * static_cast<Index>(sizeof(V)) > kNearBytes) bring(column + source_offset(actions_[a]));
      }
      for (std::uint32_t a = map_begin_[row]; a < map_begin_[row + 1]; ++a)
        bring(column + source_offset(map_actions_[a]));
    }
  }
  std::span<const V* const> prefetch(soon.data(), soon_count);
  const auto run = [&]<int R>(int lane) {
    const auto [scale, shift, keep] = batch.map;
    const auto start_with =
        keep == 0.0 ? kernels::start_rows<R, false, T, V> : kernels::start_rows<R, true, T, V>;
    start_with(matrix, head.data() + lane, inner.data() + lane, scale, keep, x.data() + lane,
               before.data() + lane, y.data() + lane, prefetch);
    prefetch = {};
  };
  int lane = 0;
  if constexpr (kMost == 8) {
    for (; lane + 8 <= lanes; lane += 8) run.template operator()<8>(lane);
  }
  for (; lane + 4 <= lanes; lane += 4) run.template operator()<4>(lane);
  for (; lane + 2 <= lanes; lane += 2) run.template operator()<2>(lane);
  for (; lane < lanes; ++lane) run.template operator()<1>(lane);
}

template <class T>
template <class V>
void BlockTables<T>::add_local_actions(std::size_t row, double scale, const V* x, V* y) const {
  kernels::RowSum<T, V> sum(row_length(row), y);
  for (std::uint32_t a = action_begin_[row]; a < action_begin_[row + 1]; ++a)
    sum.add(x + source_offset(actions_[a]), scale * values_[actions_[a].what]);
  sum.finish();
  for (std::uint32_t a = map_begin_[row]; a < map_begin_[row + 1]; ++a)
    maps_[map_actions_[a].what].accumulate(scale, x + source_offset(map_actions_[a]), y);
}

template <class T>
template <class V>
void BlockTables<T>::apply_local(const Batch<V>& batch) const {
  const auto most_rows = as_size(kernels::kLanes<V> / batch.columns);
  for (std::size_t row = 0; row < as_size(rows_);) {
    std::size_t stop = row + 1;
    while (stop < as_size(rows_) && stop - row < most_rows && class_[stop] == class_[row]) ++stop;
    if (row_length(row) > 0) {
      start(row, static_cast<int>(stop - row), batch);
      for (std::size_t r = row; r < stop; ++r) {
        for (std::size_t k = 0; k < as_size(batch.columns); ++k) {
          V* y = batch.y[k] + offset_[r];
          add_local_actions(r, batch.map.scale, batch.x[k], y);
          if (row_function_)
            row_function_->add(first_row_ + static_cast<Index>(r), batch.map.scale, batch.x[k] + offset_[r],
                               y);
        }
      }
    }
    row = stop;
  }
}

template <class T>
template <class V>
void BlockTables<T>::apply_remote(int chunk, double scale, const V* data, V* y) const {
  const auto& list = at(remote_, chunk);
  for (std::size_t a = 0; a < list.size();) {
    const std::int32_t number = list[a].row;
    const auto row = as_size(number);
    V* destination = y + offset_[row];
    kernels::RowSum<T, V> sum(row_length(row), destination);
    for (; a < list.size() && list[a].row == number && !list[a].through_map; ++a)
      sum.add(data + list[a].offset, scale * values_[list[a].what]);
    sum.finish();
    for (; a < list.size() && list[a].row == number; ++a)
      maps_[list[a].what].accumulate(scale, data + list[a].offset, destination);
  }
}

template <class T>
template <class V>
void BlockTables<T>::apply_batch(const Batch<V>& batch) const {
  // Small vectors share the reading of the tables; of large ones each would drive the others out of the
  // caches.
  const bool together = offset_.back() * static_cast<Index>(sizeof(V)) <= 2 * kNearBytes;
  const auto columns = as_size(batch.columns);
  const auto local = [&] {
    if (together) return apply_local(batch);
    for (std::size_t k = 0; k < columns; ++k)
      apply_local(Batch<V>{{batch.x[k]}, {batch.before[k]}, {batch.y[k]}, 1, batch.map});
  };
  const std::span x(batch.x.data(), columns);
  const std::span y(batch.y.data(), columns);
  V* buffers = reinterpret_cast<V*>(buffers_.data());
  const double scale = batch.map.scale;
  transposition_->run<T, V>(values_, scale, x, y, buffers + 2 * exchange_->chunk_capacity(), [&] {
    exchange_->run(x, buffers, local, [&](int chunk, std::size_t column, const V* data) {
      apply_remote(chunk, scale, data, y[column]);
    });
  });
}

template <class T>
template <class V>
Index BlockTables<T>::apply(const AffineMap& map, ColumnBlock<const V> x, ColumnBlock<const V> before,
                            ColumnBlock<V> y) const {
  for (Index first = 0; first < x.columns(); first += kernels::kLanes<V>) {
    Batch<V> batch{};
    batch.map = map;
    batch.columns = static_cast<int>(std::min<Index>(kernels::kLanes<V>, x.columns() - first));
    for (int k = 0; k < batch.columns; ++k) {
      at(batch.x, k) = x.column(first + k);
      at(batch.before, k) = before.column(first + k);
      at(batch.y, k) = y.column(first + k);
    }
    apply_batch(batch);
  }
  const Index states = exchange_->states_sent() + transposition_->states_sent();
  return states * x.columns() * static_cast<Index>(sizeof(V));
}

template <class T>
void BlockTables<T>::diagonal(std::span<T> diagonal) const {
  for (std::size_t row = 0; row < as_size(rows_); ++row) {
    if (row_length(row) == 0) continue;
    const auto part = diagonal.subspan(as_size(offset_[row]), as_size(row_length(row)));
    const auto& tail = at(inner_diagonals_, inner_diagonal_[row]).values;
    for (std::size_t j = 0; j < part.size(); ++j) part[j] = row_diagonal_[row] + tail[j];
    for (std::uint32_t a = map_begin_[row]; a < map_begin_[row + 1]; ++a) {
      if (map_actions_[a].source == static_cast<std::int32_t>(row))
        maps_[map_actions_[a].what].add_diagonal(part);
    }
    if (row_function_) {
      const std::vector<T> ones(part.size(), T(1.0));
      row_function_->add(first_row_ + static_cast<Index>(row), 1.0, ones.data(), part.data());
    }
  }
}

template <class T>
Index BlockTables<T>::bytes() const {
  const auto bytes_of = [](const auto&... vectors) {
    return (Index{0} + ... + static_cast<Index>(vectors.size() * sizeof(vectors[0])));
  };
  const auto bytes_of_sums = [&](const Sums& sums) {
    return bytes_of(sums.begin, sums.ids, sums.common, sums.left_out_begin, sums.left_out, sums.with_common);
  };
  Index sum =
      bytes_of_sums(row_diagonal_ids_) + bytes_of(offset_, class_, row_diagonal_, action_begin_, actions_,
                                                  map_begin_, map_actions_, inner_diagonal_, values_);
  if (row_function_) sum += row_function_->bytes();
  sum += exchange_->bytes() + transposition_->bytes() +
         transposition_->buffer_size() * static_cast<Index>(sizeof(Complex));
  for (const Class& c : classes_)
    sum += bytes_of_sums(c.diagonal_ids) + bytes_of(c.begin, c.column, c.ids, c.value);
  for (const auto& map : maps_) sum += map.bytes();
  for (const auto& diagonal : inner_diagonals_) sum += bytes_of(diagonal.maps, diagonal.values);
  for (const auto& list : remote_) sum += bytes_of(list);
  return sum;
}

template class BlockTables<double>;
template class BlockTables<Complex>;
template Index BlockTables<double>::apply(const AffineMap&, ColumnBlock<const double>,
                                          ColumnBlock<const double>, ColumnBlock<double>) const;
template Index BlockTables<double>::apply(const AffineMap&, ColumnBlock<const Complex>,
                                          ColumnBlock<const Complex>, ColumnBlock<Complex>) const;
template Index BlockTables<Complex>::apply(const AffineMap&, ColumnBlock<const Complex>,
                                           ColumnBlock<const Complex>, ColumnBlock<Complex>) const;

}  // namespace qheat
