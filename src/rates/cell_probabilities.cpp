#include "qheat/rates/cell_probabilities.hpp"

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// Calls visit(cell, place of its band on site i in [N][L]) for all cells and sites.
template <class Visit>
void visit_sites(const CellSpace& cells, const Visit& visit) {
  const auto bands = as_size(cells.bands());
  std::vector<Level> configuration(as_size(cells.sites()));
  for (Index cell = 0; cell < cells.dimension(); ++cell) {
    cells.configuration(cell, configuration);
    for (std::size_t i = 0; i < configuration.size(); ++i) {
      visit(as_size(cell), i * bands + configuration[i]);
    }
  }
}

}  // namespace

std::vector<double> cell_probabilities(const CellSpace& cells, std::span<const double> band_probabilities) {
  std::vector<double> result(as_size(cells.dimension()), 1.0);
  visit_sites(cells, [&](std::size_t cell, std::size_t place) { result[cell] *= band_probabilities[place]; });
  return result;
}

std::vector<double> site_populations(const CellSpace& cells, std::span<const double> probabilities) {
  std::vector<double> result(as_size(cells.sites() * cells.bands()), 0.0);
  visit_sites(cells, [&](std::size_t cell, std::size_t place) { result[place] += probabilities[cell]; });
  return result;
}

}  // namespace qheat
