#pragma once

#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// P_n(i) = sum over the states with level n on site i of their weights, [N][M], this rank's states only (sum
/// over the ranks gives the whole). `weight(k)`: weight of this rank's k-th state, such as |psi_k|^2 or a
/// cell's probability. One pass over the weights: sums over rows and over columns of each block carry
/// everything.
template <class Weight>
void add_site_populations(const DistributedSector& space, const Weight& weight,
                          std::span<double> populations) {
  const Sector& sector = space.sector();
  const auto levels = as_size(sector.levels());
  const auto prefix_sites = as_size(sector.prefix().sites());
  const auto add = [&](std::span<const Level> configuration, std::size_t first_site, double value) {
    for (std::size_t i = 0; i < configuration.size(); ++i) {
      populations[(first_site + i) * levels + configuration[i]] += value;
    }
  };
  Index state = 0;
  std::vector<double> columns;
  int block_number = -1;
  const auto flush = [&] {  // the suffix sums of the rows of one block
    if (block_number < 0) return;
    const auto& block = at(sector.blocks(), block_number);
    if (block.row_length == 0) return;
    const Index first = at(sector.suffix().classes(), block.suffix_class).first;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      add(sector.suffix().configuration(first + static_cast<Index>(j)), prefix_sites, columns[j]);
    }
  };
  for (Index row = space.first_row(); row < space.first_row() + space.local_rows(); ++row) {
    if (const int number = sector.block_of_row(row); number != block_number) {
      flush();
      block_number = number;
      columns.assign(as_size(at(sector.blocks(), number).row_length), 0.0);
    }
    double sum = 0.0;
    for (double& column : columns) {
      const double value = weight(state++);
      column += value;
      sum += value;
    }
    add(sector.prefix().configuration(row), 0, sum);
  }
  flush();
}

}  // namespace qheat
