#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/operators/block_engine.hpp"
#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// <x|A_k|y> of many sums of local terms in one pass over two vectors: each element that any A_k has is
/// summed once (BlockEngine::element_sums), and every A_k is a weighted sum of these.
class Overlaps {
 public:
  /// Which elements are summed: all, or, for the real parts of <x|A_k|x> of Hermitian A_k, one of each pair
  /// of Hermitian partners.
  enum class Elements { all, one_of_partners };

  Overlaps(std::shared_ptr<const DistributedSector> space, std::span<const TermSum<Complex>> observables,
           Elements elements = Elements::all);

  std::size_t count() const { return count_; }
  /// <x|A_k|y> for each k, the same on all ranks. Collective.
  std::vector<Complex> between(std::span<const Complex> x, std::span<const Complex> y) const;
  /// This rank's part of them.
  std::vector<Complex> between_here(std::span<const Complex> x, std::span<const Complex> y) const;
  /// Bytes on this rank.
  Index bytes() const { return engine_.bytes(); }

 private:
  struct WeightedElement {
    Complex weight;
    std::uint32_t observable, element;
  };
  /// Each element once, with the value 1.
  struct Catalog {
    TermSum<double> elements;
    std::vector<WeightedElement> weighted;
    std::size_t count = 0;
  };
  static Catalog list(std::span<const TermSum<Complex>> observables, Elements elements);
  Overlaps(std::shared_ptr<const DistributedSector> space, Catalog catalog, std::size_t count);

  std::shared_ptr<const DistributedSector> space_;
  std::size_t count_;
  std::size_t element_count_;
  std::vector<WeightedElement> weighted_;
  BlockEngine<double> engine_;
};

}  // namespace qheat
