#include "qheat/wells/element_table.hpp"

#include <algorithm>
#include <map>
#include <span>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

Index level_energy(Well::Shape shape, int level) {
  if (shape == Well::Shape::harmonic) return level;
  const Index n = level + 1;
  return n * n;
}

/// Each rank fills what is its own of tables that are zero elsewhere; sums put them together.
class SharedRows {
 public:
  explicit SharedRows(const Communicator& comm) : comm_(comm) {}
  bool mine(int row) const { return row % comm_.size() == comm_.rank(); }
  void put_together(std::vector<double>& values) const { comm_.sum(std::span(values)); }

 private:
  const Communicator& comm_;
};

void fill_pairs(const WellElements& elements, const SharedRows& rows, ElementTable& table) {
  const int levels = elements.levels();
  for (auto* values : {&table.direct, &table.direct_error, &table.exchange, &table.exchange_error})
    values->assign(as_size(levels) * as_size(levels), 0.0);
  for (int a = 0; a < levels; ++a) {
    if (!rows.mine(a)) continue;
    for (int b = 0; b < levels; ++b) {
      const WellElement direct = elements.direct(a, b);
      const WellElement exchange = elements.exchange(a, b);
      at(table.direct, a * levels + b) = direct.value;
      at(table.direct_error, a * levels + b) = direct.error;
      at(table.exchange, a * levels + b) = exchange.value;
      at(table.exchange_error, a * levels + b) = exchange.error;
    }
  }
  for (auto* values : {&table.direct, &table.direct_error, &table.exchange, &table.exchange_error})
    rows.put_together(*values);
}

/// phi are real: <ab|V|cd> is the same with a and c, or b and d, exchanged.
void fill_tensor(const WellElements& elements, const SharedRows& rows, const Communicator& comm,
                 ElementTable& table) {
  const auto levels = as_size(elements.levels());
  table.tensor.assign(levels * levels * levels * levels, 0.0);
  const auto place = [&](int a, int b, int c, int d) {
    return ((as_size(a) * levels + as_size(b)) * levels + as_size(c)) * levels + as_size(d);
  };
  double largest = 0.0;
  for (int a = 0; a < elements.levels(); ++a) {
    if (!rows.mine(a)) continue;
    for (int c = a; c < elements.levels(); ++c) {
      for (int b = 0; b < elements.levels(); ++b) {
        for (int d = b; d < elements.levels(); ++d) {
          const WellElement element = elements(a, b, c, d);
          largest = std::max(largest, element.error);
          for (const auto n : {place(a, b, c, d), place(a, d, c, b), place(c, b, a, d), place(c, d, a, b)})
            table.tensor[n] = element.value;
        }
      }
    }
  }
  rows.put_together(table.tensor);
  table.tensor_error = comm.max(largest);
}

void fill_resonances(const WellElements& elements, Well::Shape shape, const SharedRows& rows,
                     ElementTable& table) {
  const auto all = resonances(shape, elements.levels());
  table.resonance.assign(all.size(), 0.0);
  for (std::size_t k = 0; k < all.size(); ++k) {
    const auto& [a, b, c, d] = all[k];
    if (rows.mine(static_cast<int>(k))) table.resonance[k] = elements(a, b, c, d).value;
  }
  rows.put_together(table.resonance);
}

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

ElementTable element_table(const Well& well, const PairPotential& potential, int levels, bool tensor,
                           const Communicator& comm) {
  const WellElements elements(well, potential, levels);
  const SharedRows rows(comm);
  ElementTable table;
  table.levels = levels;
  fill_pairs(elements, rows, table);
  fill_resonances(elements, well.shape, rows, table);
  if (tensor) fill_tensor(elements, rows, comm, table);
  return table;
}

}  // namespace qheat
