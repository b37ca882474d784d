#include "qheat/rates/cell_probabilities.hpp"

namespace qheat {
namespace {

/// Calls visit(cell, place of its band on site i in [N][L]) for all cells and sites.
template <class Visit>
void visit_sites(const CellSpace& cells, const Visit& visit) {
  const auto bands = static_cast<std::size_t>(cells.bands());
  std::vector<Level> configuration(static_cast<std::size_t>(cells.sites()));
  for (Index cell = 0; cell < cells.dimension(); ++cell) {
    cells.configuration(cell, configuration);
    for (std::size_t i = 0; i < configuration.size(); ++i) {
      visit(static_cast<std::size_t>(cell), i * bands + configuration[i]);
    }
  }
}

}  // namespace

std::vector<double> cell_probabilities(const CellSpace& cells, std::span<const double> band_probabilities) {
  std::vector<double> result(static_cast<std::size_t>(cells.dimension()), 1.0);
  visit_sites(cells, [&](std::size_t cell, std::size_t place) { result[cell] *= band_probabilities[place]; });
  return result;
}

std::vector<double> site_populations(const CellSpace& cells, std::span<const double> probabilities) {
  std::vector<double> result(static_cast<std::size_t>(cells.sites() * cells.bands()), 0.0);
  visit_sites(cells, [&](std::size_t cell, std::size_t place) { result[place] += probabilities[cell]; });
  return result;
}

}  // namespace qheat
