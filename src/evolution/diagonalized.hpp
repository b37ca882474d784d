#pragma once

#include <memory>
#include <span>

#include "qheat/basis/sector.hpp"
#include "qheat/operators/local_terms.hpp"
#include "qheat/parallel/column_block.hpp"

namespace qheat {

/// What stands behind a Spectrum, which documents the calls: one implementation for real, one for complex
/// matrices.
class Diagonalized {
 public:
  virtual ~Diagonalized() = default;
  virtual std::span<const double> local_energies() const = 0;
  virtual void coefficients(ColumnBlock<const Complex> x, ColumnBlock<Complex> coefficients) const = 0;
  virtual void state(double t, ColumnBlock<const Complex> coefficients, ColumnBlock<Complex> x) const = 0;
};

/// Collective, with canonical terms.
std::unique_ptr<const Diagonalized> diagonalize_complex(std::shared_ptr<const DistributedSector> space,
                                                        const TermSum<Complex>& terms);
std::unique_ptr<const Diagonalized> diagonalize_real(const DistributedSector& space,
                                                     const TermSum<double>& terms);

/// turned = e^{-iEt} coefficients; `turned` may have more columns, which stay as they are.
void turn_phases(double t, std::span<const double> energies, ColumnBlock<const Complex> coefficients,
                 ColumnBlock<Complex> turned);

}  // namespace qheat
