#include "qheat/basis/product_weights.hpp"

#include "qheat/parallel/index.hpp"

namespace qheat {

std::vector<double> product_weights(const DistributedSector& space, std::span<const double> probabilities) {
  const Sector& sector = space.sector();
  const auto levels = as_size(sector.levels());
  const auto weight = [&](std::span<const Level> configuration, std::size_t first_site) {
    double product = 1.0;
    for (std::size_t i = 0; i < configuration.size() && product != 0.0; ++i) {
      product *= probabilities[(first_site + i) * levels + configuration[i]];
    }
    return product;
  };
  std::vector<double> weights;
  weights.reserve(as_size(space.local_size()));
  const auto prefix_sites = as_size(sector.prefix().sites());
  for (Index row = space.first_row(); row < space.first_row() + space.local_rows(); ++row) {
    const auto& block = at(sector.blocks(), sector.block_of_row(row));
    if (block.row_length == 0) continue;
    const double head = weight(sector.prefix().configuration(row), 0);
    const Index first = at(sector.suffix().classes(), block.suffix_class).first;
    for (Index j = 0; j < block.row_length; ++j) {
      weights.push_back(head == 0.0 ? 0.0
                                    : head * weight(sector.suffix().configuration(first + j), prefix_sites));
    }
  }
  return weights;
}

}  // namespace qheat
