#include "qheat/basis/mirror_pairs.hpp"

#include <algorithm>
#include <numeric>

#include "qheat/parallel/index.hpp"

namespace qheat {

MirrorPairs::MirrorPairs(Index states) : representatives_(as_size(states)), place_(as_size(states)) {
  std::iota(representatives_.begin(), representatives_.end(), Index{0});
  partners_ = representatives_;
  place_ = representatives_;
}

MirrorPairs MirrorPairs::site_reversal(const Sector& sector) {
  MirrorPairs result;
  std::vector<Index> fixed;
  std::vector<Level> configuration(as_size(sector.sites()));
  for (Index state = 0; state < sector.dimension(); ++state) {
    sector.configuration(state, configuration);
    std::reverse(configuration.begin(), configuration.end());
    const Index partner = sector.index(configuration);
    if (partner == state) fixed.push_back(state);
    if (partner <= state) continue;
    result.representatives_.push_back(state);
    result.partners_.push_back(partner);
  }
  result.pairs_ = static_cast<Index>(result.representatives_.size());
  result.representatives_.insert(result.representatives_.end(), fixed.begin(), fixed.end());
  result.partners_.insert(result.partners_.end(), fixed.begin(), fixed.end());
  result.place_.resize(as_size(sector.dimension()));
  for (Index k = 0; k < result.even_size(); ++k) {
    at(result.place_, result.representative(k)) = k;
    at(result.place_, result.partner(k)) = k;
  }
  return result;
}

ColumnShare::ColumnShare(Index size, int ranks)
    : size_(size), block_(std::max<Index>(1, (size + ranks - 1) / ranks)) {}

Index ColumnShare::first(int rank) const {
  return std::min(size_, rank * block_);
}

}  // namespace qheat
