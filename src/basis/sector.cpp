#include "qheat/basis/sector.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

std::vector<int> difference(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<int> result(a.size());
  std::transform(a.begin(), a.end(), b.begin(), result.begin(), std::minus<>());
  return result;
}

}  // namespace

Sector::Sector(int sites, const std::vector<Level>& label_of_level, const std::vector<int>& counts)
    : prefix_(sites / 2, sites - sites / 2, label_of_level, counts),
      suffix_(sites - sites / 2, sites / 2, label_of_level, counts) {
  for (const auto& prefix_class : prefix_.classes())
    add_block(prefix_class, difference(counts, prefix_class.counts));
}

void Sector::add_block(const HalfSpace::Class& prefix_class, const std::vector<int>& suffix_counts) {
  const int partner = suffix_.find_class(suffix_counts);
  const Index length = partner < 0 ? 0 : at(suffix_.classes(), partner).size;
  layout_.add_block(partner, prefix_class.size, length);
}

Sector Sector::full(int sites, int levels) {
  return {sites, std::vector<Level>(as_size(levels), 0), {sites}};
}

Sector Sector::pairs(int sites, const std::vector<Level>& label_of_level,
                     const std::vector<CountPair>& blocks) {
  std::vector<std::vector<int>> kets;
  std::vector<std::vector<int>> bras;
  for (const auto& block : blocks) {
    kets.push_back(block.ket);
    bras.push_back(block.bra);
  }
  Sector sector(HalfSpace(sites, label_of_level, kets), HalfSpace(sites, label_of_level, bras));
  std::map<std::vector<int>, std::vector<int>> bra_of_ket;
  for (const auto& block : blocks) bra_of_ket.emplace(block.ket, block.bra);
  QHEAT_ASSERT(bra_of_ket.size() == blocks.size());
  for (const auto& ket : sector.prefix_.classes()) sector.add_block(ket, bra_of_ket.at(ket.counts));
  return sector;
}

Index Sector::index(std::span<const Level> levels) const {
  const auto h = as_size(prefix_.sites());
  const int k = prefix_.class_of(levels.first(h));
  if (k < 0) return -1;
  const Block& block = block_of_class(k);
  if (suffix_.class_of(levels.subspan(h)) != block.suffix_class || block.suffix_class < 0) return -1;
  return block.first_state + prefix_.rank_in_class(levels.first(h)) * block.row_length +
         suffix_.rank_in_class(levels.subspan(h));
}

void Sector::configuration(Index state, std::span<Level> levels) const {
  QHEAT_ASSERT(state >= 0 && state < dimension());
  const auto after = std::upper_bound(blocks().begin(), blocks().end(), state,
                                      [](Index s, const Block& block) { return s < block.first_state; });
  // Blocks without states share their first_state with the next one; the last of them owns the state.
  const Block& block = *(after - 1);
  const Index inside = state - block.first_state;
  const auto& suffix_class = at(suffix_.classes(), block.suffix_class);
  const auto head = prefix_.configuration(block.first_row + inside / block.row_length);
  const auto tail = suffix_.configuration(suffix_class.first + inside % block.row_length);
  std::copy(tail.begin(), tail.end(), std::copy(head.begin(), head.end(), levels.begin()));
}

Index sector_dimension(const std::vector<Level>& label_of_level, const std::vector<int>& counts) {
  std::vector<int> levels_of_label(counts.size(), 0);
  for (const Level label : label_of_level) ++levels_of_label[label];
  return configurations(counts, levels_of_label);
}

}  // namespace qheat
