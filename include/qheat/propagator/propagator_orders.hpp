#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qheat/basis/cell_space.hpp"
#include "qheat/model/model.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/propagator/cell_columns.hpp"

namespace qheat {

/// The population propagator order by order in the interaction, G = sum_k lambda^k G_k, on the cells of one
/// sector (physics: Perturbative kernels, any order).
class PropagatorOrders {
 public:
  PropagatorOrders(CellColumnLayout layout, int order) : layout_(std::move(layout)), order_(order) {}
  virtual ~PropagatorOrders() = default;
  PropagatorOrders(const PropagatorOrders&) = delete;
  PropagatorOrders& operator=(const PropagatorOrders&) = delete;

  const CellColumnLayout& layout() const { return layout_; }
  int order() const { return order_; }

  struct Values {
    std::vector<CellColumns> g, derivative;       ///< lambda^k G_k, lambda^k G_k', [1 + order]
    std::vector<double> error, derivative_error;  ///< of their elements by rounding, [1 + order]
    /// With reservoirs, which move populations without any interaction: K_0(t) = G_0' G_0^{-1} and G_0^{-1}.
    /// Without them 0 and 1.
    struct Unperturbed {
      CellColumns kernel, inverse;
      double inverse_norm;   ///< |G_0^{-1}|_1, which grows with time and rounding with it
      double inverse_error;  ///< of the norm, relative
    };
    std::optional<Unperturbed> unperturbed;
  };
  /// A pure function of t. Cheapest with times in ascending order. Collective.
  virtual Values evaluate(double t) = 0;
  /// One piece of the work that evaluate(t) needs first, for safe points between; the share of it that is
  /// done, 1 where nothing is left. Collective.
  virtual double approach(double t) {
    static_cast<void>(t);
    return 1.0;
  }
  /// How far that work has come; nothing where it is done at once, or done anew after a resume.
  virtual void save(StateWriter& writer, const std::string& name) const;
  virtual void load(StateReader& reader, const std::string& name);

 private:
  CellColumnLayout layout_;
  int order_;
};

/// For a closed system: A_k' = -i H_0 A_k - i H_I A_{k-1}, G_k = sum_j conj(A_j) A_{k-j} summed over cells.
/// Orders travel from one of `anchors` (ascending times, the first 0) to the next by Taylor steps.
/// Collective.
std::unique_ptr<PropagatorOrders> closed_propagator_orders(
    const Model& model, const CellSector& sector, int order, std::vector<double> anchors,
    const Communicator& comm, MirrorUse mirror = MirrorUse::where_the_model_has_it);

/// Bytes a rank needs for the closed orders of a sector of so many states. `mirrored`: in even and odd
/// blocks.
double closed_orders_bytes_per_rank(Index states, int order, int ranks, bool mirrored = false);

}  // namespace qheat
