#include "qheat/wells/element_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

Index level_energy(Well::Shape shape, int level) {
  if (shape == Well::Shape::harmonic) return level;
  const Index n = level + 1;
  return n * n;
}

/// Each rank fills what is its own of tables that are zero elsewhere; sums put them together.
class TableBuilder {
 public:
  TableBuilder(const WellElements& elements, bool tensor, const Communicator& comm, RunControl& control)
      : elements_(elements), levels_(elements.levels()), tensor_(tensor), comm_(comm), control_(control) {
    const auto n = as_size(levels_);
    for (auto* pairs : {&table_.direct, &table_.direct_error, &table_.exchange, &table_.exchange_error})
      pairs->assign(n * n, 0.0);
    if (tensor) table_.tensor.assign(n * n * n * n, 0.0);
  }

  ElementTable build(Well::Shape shape) {
    int row = 0;
    control_.restore_partial([&](StateReader& reader) { row = load(reader); });
    while (row < levels_) {
      fill_pairs(row);
      if (tensor_) fill_tensor(row);
      ++row;
      const double left = 1.0 - static_cast<double>(row) / levels_;
      control_.offer(1.0 - left * left, [&](StateWriter& writer) { save(row, writer); });
    }
    fill_resonances(shape);
    for (const auto& part : parts()) comm_.sum(part);
    comm_.sum(std::span(table_.resonance_elements));
    table_.tensor_error = comm_.max(table_.tensor_error);
    return std::move(table_);
  }

 private:
  bool mine(int number) const { return number % comm_.size() == comm_.rank(); }

  /// All that is filled row by row; the tensor in slices, so that no second one is needed to save it.
  std::vector<std::span<double>> parts() {
    std::vector<std::span<double>> all = {table_.direct, table_.direct_error, table_.exchange,
                                          table_.exchange_error};
    const std::size_t slice = table_.tensor.size() / as_size(levels_);
    for (std::size_t n = 0; n < table_.tensor.size(); n += slice)
      all.push_back(std::span(table_.tensor).subspan(n, slice));
    return all;
  }

  void save(int row, StateWriter& writer) {
    const double place[2] = {static_cast<double>(row), comm_.max(table_.tensor_error)};
    writer.replicated("next", place);
    const auto all = parts();
    for (std::size_t n = 0; n < all.size(); ++n) {
      std::vector<double> whole(all[n].begin(), all[n].end());
      comm_.sum(std::span(whole));
      writer.replicated(fmt::format("part {}", n), whole);
    }
  }

  /// The next row. What was there counts once in the sums.
  int load(StateReader& reader) {
    const auto place = reader.replicated("next");
    const auto all = parts();
    for (std::size_t n = 0; n < all.size(); ++n) {
      const auto whole = reader.replicated(fmt::format("part {}", n));
      if (comm_.rank() == 0) std::copy(whole.begin(), whole.end(), all[n].begin());
    }
    table_.tensor_error = place[1];
    return static_cast<int>(place[0]);
  }

  void fill_pairs(int a) {
    for (int b = 0; b < levels_; ++b) {
      if (!mine(b)) continue;
      const WellElement direct = elements_.direct(a, b);
      const WellElement exchange = elements_.exchange(a, b);
      const int n = a * levels_ + b;
      at(table_.direct, n) = direct.value;
      at(table_.direct_error, n) = direct.error;
      at(table_.exchange, n) = exchange.value;
      at(table_.exchange_error, n) = exchange.error;
    }
  }

  void fill_tensor(int row) {
    visit_different_elements(
        elements_, row, [&](int b) { return mine(b); },
        [&](int a, int b, int c, int d, const WellElement& element) {
          table_.tensor_error = std::max(table_.tensor_error, element.error);
          for (const auto n : tensor_places(levels_, a, b, c, d)) table_.tensor[n] = element.value;
        });
  }

  void fill_resonances(Well::Shape shape) {
    table_.resonances = resonances(shape, levels_);
    table_.resonance_elements.assign(table_.resonances.size(), 0.0);
    for (std::size_t k = 0; k < table_.resonances.size(); ++k) {
      const auto& [a, b, c, d] = table_.resonances[k];
      if (mine(static_cast<int>(k))) table_.resonance_elements[k] = elements_(a, b, c, d).value;
    }
  }

  const WellElements& elements_;
  int levels_;
  bool tensor_;
  const Communicator& comm_;
  RunControl& control_;
  ElementTable table_;
};

}  // namespace

std::vector<Resonance> resonances(Well::Shape shape, int levels) {
  std::map<Index, std::vector<std::array<int, 2>>> pairs;  // of each sum
  for (int a = 0; a < levels; ++a) {
    for (int b = a; b < levels; ++b) pairs[level_energy(shape, a) + level_energy(shape, b)].push_back({a, b});
  }
  std::vector<Resonance> result;
  for (const auto& [sum, equal] : pairs) {
    for (std::size_t i = 0; i < equal.size(); ++i) {
      for (std::size_t j = i + 1; j < equal.size(); ++j)
        result.push_back({equal[i][0], equal[i][1], equal[j][0], equal[j][1]});
    }
  }
  return result;
}

std::array<std::size_t, 4> tensor_places(int levels, int a, int b, int c, int d) {
  const auto n = as_size(levels);
  const auto place = [n](int i, int j, int k, int l) {
    return ((as_size(i) * n + as_size(j)) * n + as_size(k)) * n + as_size(l);
  };
  return {place(a, b, c, d), place(a, d, c, b), place(c, b, a, d), place(c, d, a, b)};
}

ElementTable element_table(const Well& well, const PairPotential& potential, int levels, bool tensor,
                           const Communicator& comm, RunControl& control) {
  const WellElements elements(well, potential, levels);
  return TableBuilder(elements, tensor, comm, control).build(well.shape);
}

}  // namespace qheat
