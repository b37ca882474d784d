#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/evolution/observations.hpp"
#include "qheat/operators/block_engine.hpp"

namespace qheat {

/// Measures populations, energies, outflows, currents, norm and total energy of state vectors of one sector.
/// All of them are sums over the elements of the local terms of H, <psi| |to><from| |psi>, which one pass
/// over the state gives; of two Hermitian partners one is enough.
class Observer {
 public:
  Observer(const Model& model, std::shared_ptr<const DistributedSector> space);

  const ObservationLayout& layout() const { return layout_; }
  /// Expectation values <psi| . |psi> for each column, [columns][layout().size()], the same on all ranks.
  /// Collective.
  std::vector<double> observe(ColumnBlock<const Complex> psi) const;
  /// Bytes on this rank.
  Index bytes() const { return engine_.bytes(); }

 private:
  /// An observable as the real part of a sum over elements of H.
  struct WeightedElement {
    Complex weight;
    std::uint32_t observable;  ///< place in the layout
    std::uint32_t element;
  };
  Observer(const Model& model, std::shared_ptr<const DistributedSector> space,
           const TermSum<double>& elements);
  void list_elements(const TermSum<double>& elements);
  void add_weighted_elements(std::span<const Complex> psi, std::span<double> values) const;

  const Model& model_;
  ObservationLayout layout_;
  std::shared_ptr<const DistributedSector> space_;
  std::vector<WeightedElement> weighted_;
  std::size_t element_count_ = 0;
  BlockEngine<double> engine_;
};

}  // namespace qheat
