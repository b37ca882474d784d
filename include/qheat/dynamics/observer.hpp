#pragma once

#include <memory>
#include <vector>

#include "qheat/dynamics/observations.hpp"
#include "qheat/operators/operator.hpp"

namespace qheat {

/// Measures populations, energies, outflows, currents, norm and total energy of state vectors of one sector.
class Observer {
 public:
  /// `hamiltonian` acts on the sector and must outlive this object.
  Observer(const Model& model, const Operator& hamiltonian);

  const ObservationLayout& layout() const { return layout_; }
  /// Expectation values <psi| . |psi> for each column, [columns][layout().size()], the same on all ranks.
  /// Collective.
  std::vector<double> observe(ColumnBlock<const Complex> psi);
  /// Bytes on this rank.
  Index bytes() const;

 private:
  const Model& model_;
  ObservationLayout layout_;
  const Operator& hamiltonian_;
  std::vector<std::unique_ptr<Operator>> outflows_;  ///< [B][2]
  std::vector<Complex> work_;
};

}  // namespace qheat
