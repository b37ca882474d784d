#pragma once

#include <memory>
#include <vector>

#include "qheat/basis/cell_space.hpp"
#include "qheat/model/model.hpp"
#include "qheat/propagator/cell_columns.hpp"

namespace qheat {

/// G_{cc'}(t) = tr(Pi_c e^{Lt} Pi_{c'})/d_{c'} on the cells of one sector, and its time derivatives (physics:
/// Population propagator).
class PopulationPropagator {
 public:
  explicit PopulationPropagator(CellColumnLayout layout) : layout_(std::move(layout)) {}
  virtual ~PopulationPropagator() = default;
  PopulationPropagator(const PopulationPropagator&) = delete;
  PopulationPropagator& operator=(const PopulationPropagator&) = delete;

  const CellColumnLayout& layout() const { return layout_; }
  /// G and its first `derivatives` (0 to 2) time derivatives, [1 + derivatives]. A pure function of t.
  /// Collective.
  virtual std::vector<CellColumns> evaluate(double t, int derivatives) const = 0;
  /// True if G, and so G', is symmetric: for a real H and one level a band.
  virtual bool symmetric() const { return false; }
  /// Estimate of the error of an element of G(t), that by sampling included.
  virtual double error(double t) const = 0;
  /// The part of it that a finite number of realisations leaves.
  virtual double sampling_error(double t) const {
    static_cast<void>(t);
    return 0.0;
  }
  /// True for the average over realisations.
  virtual bool averaged() const { return false; }
  /// Upper bound of the angular frequencies in G.
  virtual double largest_frequency() const = 0;

 private:
  CellColumnLayout layout_;
};

/// For a closed system, by diagonalisation of H on the states of the sector; one level a band: G_nm =
/// |<n|e^{-iHt}|m>|^2. Collective. Throws Error if the dense matrices do not fit.
std::unique_ptr<const PopulationPropagator> closed_population_propagator(
    const Model& model, const CellSector& sector, const Communicator& comm,
    MirrorUse mirror = MirrorUse::where_the_model_has_it);

/// Bytes a rank needs at most for the closed propagator of a sector of so many states, and a kernel of it.
/// `mirrored`: in even and odd blocks.
double closed_propagator_bytes_per_rank(Index states, bool real, int ranks, bool mirrored = false);

}  // namespace qheat
