// Sums over the elements of a block engine: <x|A|y> of each of them.

#include <algorithm>

#include "operators/block_tables.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

template <class T>
void BlockTables<T>::element_sums(std::span<const Complex> x, std::span<const Complex> y,
                                  std::span<Complex> sums) const {
  std::fill(sums.begin(), sums.end(), Complex{});
  QHEAT_ASSERT(transposition_->states_sent() == 0);  // it moves sums, not what they are made of
  const Complex* right = y.data();
  exchange_->run(
      std::span<const Complex* const>(&right, 1), buffers_.data(),
      [&] { add_local_sums(x.data(), right, sums); },
      [&](int chunk, std::size_t, const Complex* data) { add_remote_sums(chunk, data, x.data(), sums); });
}

template <class T>
void BlockTables<T>::add_local_sums(const Complex* x, const Complex* y, std::span<Complex> sums) const {
  add_diagonal_sums(x, y, sums);
  add_inner_sums(x, y, sums);
  for (std::size_t row = 0; row < as_size(rows_); ++row) {
    const Complex* own = x + offset_[row];
    for (std::uint32_t a = action_begin_[row]; a < action_begin_[row + 1]; ++a)
      sums[actions_[a].what] += kernels::inner_product(row_length(row), own, y + source_offset(actions_[a]));
    for (std::uint32_t a = map_begin_[row]; a < map_begin_[row + 1]; ++a)
      maps_[map_actions_[a].what].add_element_sums(own, y + source_offset(map_actions_[a]), sums);
    if (row_length(row) == 0) continue;
    for (const std::uint32_t map : at(inner_diagonals_, inner_diagonal_[row]).maps)
      maps_[map].add_element_sums(own, y + offset_[row], sums);
  }
}

template <class T>
void BlockTables<T>::add_diagonal_sums(const Complex* x, const Complex* y, std::span<Complex> sums) const {
  std::vector<std::vector<Complex>> column_weights(classes_.size());
  for (std::size_t k = 0; k < classes_.size(); ++k)
    column_weights[k].resize(classes_[k].diagonal_ids.with_common.size());
  const auto add = [&](const Sums& lists, std::size_t i, Complex weight, Complex& common_weight) {
    lists.visit(i, [&](std::uint32_t id, double sign) { sums[id] += sign * weight; });
    if (lists.with_common[i] != 0) common_weight += weight;
  };
  const auto add_common = [&](const Sums& lists, Complex weight) {
    for (const std::uint32_t id : lists.common) sums[id] += weight;
  };
  Complex common_weight = 0.0;
  for (std::size_t row = 0; row < as_size(rows_); ++row) {
    if (row_length(row) == 0) continue;
    auto& weights = at(column_weights, class_[row]);
    const Complex* left = x + offset_[row];
    const Complex* right = y + offset_[row];
    Complex total = 0.0;
    for (std::size_t j = 0; j < weights.size(); ++j) {
      const Complex weight = kernels::overlap(left[j], right[j]);
      weights[j] += weight;
      total += weight;
    }
    add(row_diagonal_ids_, row, total, common_weight);
  }
  add_common(row_diagonal_ids_, common_weight);
  for (std::size_t k = 0; k < classes_.size(); ++k) {
    common_weight = 0.0;
    for (std::size_t j = 0; j < column_weights[k].size(); ++j)
      add(classes_[k].diagonal_ids, j, column_weights[k][j], common_weight);
    add_common(classes_[k].diagonal_ids, common_weight);
  }
}

template <class T>
void BlockTables<T>::add_inner_sums(const Complex* x, const Complex* y, std::span<Complex> sums) const {
  constexpr std::size_t kRows = kernels::kLanes<Complex>;
  for (std::size_t row = 0; row < as_size(rows_);) {
    if (row_length(row) == 0) {
      ++row;
      continue;
    }
    const Class& c = at(classes_, class_[row]);
    const bool together = row + kRows <= as_size(rows_) && class_[row + kRows - 1] == class_[row];
    std::array<const Complex*, kRows> left;
    std::array<const Complex*, kRows> right;
    for (std::size_t r = 0; r < (together ? kRows : 1); ++r) {
      left[r] = x + offset_[row + r];
      right[r] = y + offset_[row + r];
    }
    if (together) {
      kernels::add_element_sums<kRows>(c.begin, c.column.data(), c.ids.data(), left.data(), right.data(),
                                       sums);
    } else {
      kernels::add_element_sums<1>(c.begin, c.column.data(), c.ids.data(), left.data(), right.data(), sums);
    }
    row += together ? kRows : 1;
  }
}

template <class T>
void BlockTables<T>::add_remote_sums(int chunk, const Complex* data, const Complex* x,
                                     std::span<Complex> sums) const {
  for (const Remote& remote : at(remote_, chunk)) {
    const auto row = as_size(remote.row);
    const Complex* own = x + offset_[row];
    const Complex* source = data + remote.offset;
    if (remote.through_map) {
      maps_[remote.what].add_element_sums(own, source, sums);
    } else {
      sums[remote.what] += kernels::inner_product(row_length(row), own, source);
    }
  }
}

template void BlockTables<double>::element_sums(std::span<const Complex>, std::span<const Complex>,
                                                std::span<Complex>) const;
template void BlockTables<Complex>::element_sums(std::span<const Complex>, std::span<const Complex>,
                                                 std::span<Complex>) const;

}  // namespace qheat
