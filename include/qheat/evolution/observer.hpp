#pragma once

#include <memory>
#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/evolution/observations.hpp"
#include "qheat/operators/overlaps.hpp"

namespace qheat {

/// Measures populations, energies, outflows, currents, norm and total energy of state vectors of one sector,
/// and whatever else is asked for: sums of local terms, all in one pass over the state.
class Observer {
 public:
  /// `others`: Hermitian.
  Observer(const Model& model, std::shared_ptr<const DistributedSector> space,
           std::span<const TermSum<Complex>> others = {});

  const ObservationLayout& layout() const { return layout_; }
  /// Expectation values <psi| . |psi> for each column, [columns][layout().size()], the same on all ranks.
  /// Collective.
  std::vector<double> observe(ColumnBlock<const Complex> psi) const;
  /// Bytes on this rank.
  Index bytes() const { return overlaps_.bytes(); }

 private:
  const Model& model_;
  ObservationLayout layout_;
  std::shared_ptr<const DistributedSector> space_;
  Overlaps overlaps_;  ///< of total energy, outflows and others
};

}  // namespace qheat
