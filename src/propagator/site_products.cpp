#include "propagator/site_products.hpp"

#include <algorithm>
#include <functional>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

using Column = std::vector<double>;

/// Whole columns of this rank's representatives, made by `fill(bands of the column's cell, column)`.
CellColumns columns_of(const CellColumnLayout& layout, const Sector& cells,
                       const std::function<void(std::vector<Level>&, Column&)>& fill) {
  CellColumns result = layout.zero();
  std::vector<Level> bands(as_size(cells.sites()));
  Column column(as_size(cells.dimension()));
  for (Index local = 0; local < layout.count(); ++local) {
    std::fill(column.begin(), column.end(), 0.0);
    cells.configuration(layout.mirror().representative(layout.first() + local), bands);
    fill(bands, column);
    set_column(layout, local, column, result);
  }
  return result;
}

/// Goes through all bands of the sites from `site` on that have a matrix.
void add_product(const Sector& cells, const SiteMatrices& sites, std::size_t site, double factor,
                 std::vector<Level>& bands, Column& column) {
  while (site < sites.size() && sites[site].empty()) ++site;
  if (site == sites.size()) {
    at(column, cells.index(bands)) += factor;
    return;
  }
  const auto count = as_size(cells.levels());
  const Level from = bands[site];
  for (std::size_t to = 0; to < count; ++to) {
    bands[site] = static_cast<Level>(to);
    add_product(cells, sites, site + 1, factor * sites[site][to * count + from], bands, column);
  }
  bands[site] = from;
}

}  // namespace

CellColumns product_of_sites(const CellColumnLayout& layout, const Sector& cells, const SiteMatrices& sites) {
  return columns_of(layout, cells, [&](std::vector<Level>& bands, Column& column) {
    add_product(cells, sites, 0, 1.0, bands, column);
  });
}

CellColumns sum_of_sites(const CellColumnLayout& layout, const Sector& cells, const SiteMatrices& sites) {
  return columns_of(layout, cells, [&](std::vector<Level>& bands, Column& column) {
    for (std::size_t i = 0; i < sites.size(); ++i) {
      if (sites[i].empty()) continue;
      SiteMatrices one(sites.size());
      one[i] = sites[i];
      add_product(cells, one, 0, 1.0, bands, column);
    }
  });
}

}  // namespace qheat
