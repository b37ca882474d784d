#include "qheat/rates/dense_many_body_equation.hpp"

#include <algorithm>

#include "qheat/parallel/index.hpp"

namespace qheat {

DenseManyBodyEquation::DenseManyBodyEquation(const CellSpace& cells, KernelInterpolant& kernel,
                                             double fastest, const Communicator& comm)
    : cells_(cells),
      kernel_(kernel),
      fastest_(fastest),
      comm_(comm),
      share_(cells.dimension(), comm.size()) {}

std::vector<double> DenseManyBodyEquation::gather(std::span<const double> p) const {
  std::vector<double> all(as_size(global_size()), 0.0);
  std::copy(p.begin(), p.end(), all.begin() + first());
  comm_.sum(all);  // each element comes from one rank: the sum is exact
  return all;
}

void DenseManyBodyEquation::apply(double t, std::span<const double> p, std::span<double> dp) {
  const auto& panel = kernel_.panel_of(t);
  const auto weights = panel.points.weights(t);
  const auto all = gather(p);
  std::vector<double> change(all.size(), 0.0);
  for (std::size_t j = 0; j < weights.size(); ++j) {
    if (weights[j] == 0.0) continue;
    for (std::size_t s = 0; s < cells_.sectors().size(); ++s) {
      const auto& sector = panel.values[j].sectors[s];
      const auto first = as_size(cells_.sectors()[s].first);
      const auto block = sector.values.block();
      for (std::size_t c = 0; c < sector.cells.size(); ++c) {
        const double scale = weights[j] * all[first + as_size(sector.cells[c])];
        const double* column = block.column(static_cast<Index>(c));
        double* sum = change.data() + first;
        for (Index i = 0; i < block.rows(); ++i) sum[i] += scale * column[i];
      }
    }
  }
  comm_.sum(change);
  std::copy_n(change.begin() + first(), dp.size(), dp.begin());
}

void DenseManyBodyEquation::diagonal(double t, std::span<double> diagonal) {
  const auto& panel = kernel_.panel_of(t);
  const auto weights = panel.points.weights(t);
  std::vector<double> all(as_size(global_size()), 0.0);
  for (std::size_t j = 0; j < weights.size(); ++j) {
    for (std::size_t s = 0; s < cells_.sectors().size(); ++s) {
      const auto& sector = panel.values[j].sectors[s];
      for (std::size_t c = 0; c < sector.cells.size(); ++c) {
        const Index cell = sector.cells[c];
        at(all, cells_.sectors()[s].first + cell) +=
            weights[j] * sector.values.block().column(static_cast<Index>(c))[cell];
      }
    }
  }
  comm_.sum(all);
  std::copy_n(all.begin() + first(), diagonal.size(), diagonal.begin());
}

}  // namespace qheat
