#pragma once

#include <memory>
#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/evolution/observations.hpp"
#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// Measures density matrices on pairs of states (density_space): what Observer measures of state vectors, and
/// the diagonal. All of it is linear in rho and sees few of its elements: the diagonal, and those that one
/// bond joins.
class DensityObserver {
 public:
  /// `others`: further sums of local terms, Hermitian.
  DensityObserver(const Model& model, std::shared_ptr<const DistributedSector> pairs,
                  std::span<const TermSum<Complex>> others = {});

  const ObservationLayout& layout() const { return layout_; }
  /// Numbers that `measure` gives: this rank's diagonal elements, outflows [B][2], total energy, others.
  std::size_t measured() const { return kets_ + functionals_; }
  /// This rank's share, linear in rho.
  void measure(std::span<const Complex> rho, std::span<double> values) const;

  struct Report {
    std::vector<double> values;               ///< [T][layout().size()]; norm is the trace
    std::vector<double> smallest_population;  ///< smallest diagonal element, [T]
  };
  /// From the measured numbers of T times, [T][measured()], those of all ranks. Collective.
  Report report(std::span<const double> measured) const;

  /// Norm of the anti-Hermitian part of rho relative to the norm of rho (Frobenius), estimated with four
  /// random-phase vectors v: <v|rho|v> is real for a Hermitian rho. Collective.
  double hermiticity_error(std::span<const Complex> rho) const;
  /// Bytes on this rank.
  Index bytes() const;

 private:
  /// Adds Re(value rho[place]) to a functional.
  struct Entry {
    Index place;
    std::uint32_t functional;
    Complex value;
  };
  void list_entries(std::uint32_t functional, TermSum<Complex> observable);
  std::span<const Level> ket(std::size_t local) const;

  const Model& model_;
  ObservationLayout layout_;
  std::shared_ptr<const DistributedSector> space_;
  std::size_t kets_;             ///< of this rank
  std::size_t functionals_;      ///< outflows, total energy, others
  std::vector<Index> diagonal_;  ///< place of each ket's diagonal element
  std::vector<Entry> entries_;
};

/// Place of each local ket's diagonal element among this rank's elements.
std::vector<Index> diagonal_places(const DistributedSector& pairs);

/// rho(0): the diagonal product state, this rank's elements.
std::vector<Complex> initial_density(const DistributedSector& pairs, std::span<const double> probabilities);

}  // namespace qheat
