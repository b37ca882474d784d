#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "qheat/basis/cell_space.hpp"
#include "qheat/propagator/cell_columns.hpp"
#include "support/brute_force.hpp"

namespace qheat_test {

/// The dense reference's number of each cell of a sector.
inline std::vector<std::size_t> reference_cells(const qheat::Sector& cells) {
  std::vector<std::size_t> numbers;
  std::vector<qheat::Level> bands(static_cast<std::size_t>(cells.sites()));
  for (qheat::Index cell = 0; cell < cells.dimension(); ++cell) {
    cells.configuration(cell, bands);
    numbers.push_back(brute::number(std::vector<int>(bands.begin(), bands.end()), cells.levels()));
  }
  return numbers;
}

/// Largest difference of this rank's columns from a dense row-major matrix over the cells of the sector.
inline double largest_difference(const qheat::FullColumns& columns, const std::vector<double>& expected) {
  const auto size = static_cast<std::size_t>(columns.values.block().rows());
  double largest = 0.0;
  for (std::size_t j = 0; j < columns.cells.size(); ++j) {
    const double* column = columns.values.block().column(static_cast<qheat::Index>(j));
    for (std::size_t i = 0; i < size; ++i) {
      const double difference =
          std::abs(column[i] - expected[i * size + static_cast<std::size_t>(columns.cells[j])]);
      largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
    }
  }
  return largest;
}

/// The same model with several levels in a band: levels are given to bands in turn, b b' b' b'' b'' ...
inline std::vector<int> uneven_bands(int levels) {
  std::vector<int> bands;
  for (int n = 0; n < levels; ++n) bands.push_back((n + 1) / 2);
  return bands;
}

}  // namespace qheat_test
