#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "qheat/basis/cell_space.hpp"
#include "qheat/evolution/faber.hpp"
#include "qheat/model/model.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/parallel/work.hpp"
#include "qheat/propagator/cell_columns.hpp"

namespace qheat {

/// Who propagates which columns (initial cells).
enum class ColumnWork {
  automatic,  ///< alone where a column fits a rank and there are enough of them
  alone,      ///< each rank its own columns, without talking
  together    ///< all ranks each column
};

struct CellMomentsOptions {
  /// None: L as a whole. n: the orders 0 ... n of e^{(L_0 + lambda L_1) t} in lambda, with its powers.
  std::optional<int> order;
  MirrorUse mirror = MirrorUse::where_the_model_has_it;
  ColumnWork work = ColumnWork::automatic;
};

/// tr(Pi_c e^{Lt} Pi_{c'})/d_{c'} between the cells of one sector of an open system, for all t in [0, end],
/// from one propagation of the evenly filled cells Pi_{c'}/d_{c'}.
///
/// e^{Lt} is a series of Faber polynomials of L in each step, with coefficients that depend on time alone, so
/// the populations of the cells in F_k(L) rho, the moments, say everything about all times of the step. What
/// is kept is [my columns][steps][orders][terms][cells] numbers. The orders in lambda are those of the
/// polynomials, F_k(L_0 + lambda L_1) = sum_j lambda^j F_k^(j): the recursion of F_k for each of them.
class CellMoments {
 public:
  /// Saves the columns done so far through `control`. Collective. Throws Error if it does not fit.
  CellMoments(const Model& model, const CellSector& sector, double end, const CellMomentsOptions& options,
              const Communicator& comm, RunControl& control);

  const CellColumnLayout& layout() const { return layout_; }
  int order() const { return orders_ - 1; }
  /// An order of the propagator (0 for L as a whole) and its first `derivatives` (0 to 2) time derivatives,
  /// [1 + derivatives]. A pure function of t in [0, end].
  std::vector<CellColumns> evaluate(int order, double t, int derivatives) const;
  /// Estimate of the error of an element at t by truncation and rounding.
  double error(int order, double t) const;
  /// Upper bound of the angular frequencies and the decay rates, inverse time.
  double largest_frequency() const;
  /// Initial cells propagated together, and whether each rank did its own.
  Index columns_at_once() const { return columns_at_once_; }
  bool alone() const { return alone_; }
  /// Products with L that each of them took.
  Index products() const { return plan_.steps * (static_cast<Index>(terms_) - 1); }

 private:
  class Propagation;

  double step_length() const { return end_ / static_cast<double>(plan_.steps); }
  /// The step that holds t.
  Index step_of(double t) const;
  /// Columns of the whole matrix, numbers kept of one, and the first number of this rank among all.
  Index columns() const { return layout_.mirror().even_size(); }
  std::size_t column_size() const;
  Index first_number() const { return layout_.first() * static_cast<Index>(column_size()); }
  bool works_alone(ColumnWork work, double elements, double column_bytes, double free) const;
  void take_range(const Model& model, const std::vector<std::vector<int>>& counts);
  void plan();
  void propagate(Propagation& propagation, std::vector<double>& done, RunControl& control);
  void take(const std::vector<Index>& columns, Index step, const std::vector<double>& moments,
            const std::vector<double>& growth);
  void save_plan(StateWriter& writer) const;
  void load_plan(StateReader& reader);
  void save(StateWriter& writer, const std::vector<double>& done) const;
  void load(StateReader& reader, std::vector<double>& done);
  void keep_all(RunControl& control) const;
  void load_all(StateReader& reader);

  CellColumnLayout layout_;
  double end_;
  int orders_;
  bool perturbative_;
  bool alone_ = true;
  Index columns_at_once_ = 1;
  double energy_ = 0.0;  ///< largest level energy of a state, which ket and bra have with opposite signs
  GeneratorRange range_;
  FaberPlan plan_;
  std::size_t terms_ = 0;
  double tail_ = 0.0;            ///< of the series of a step
  double growth_ = 0.0;          ///< sum of the coefficients of a step, by which rounding grows
  std::vector<double> moments_;  ///< [my columns][steps][orders][terms][cells]
  std::vector<double> sizes_;    ///< largest norm of rho so far, over that of the start, [steps + 1][orders]
};

struct MomentsNeed {
  double bytes_per_rank = 0.0;
  Work work{};
};
/// What the moments of a sector take (`order`: as of the options; `mirrored`: model and use allow half of the
/// columns), with vectors and the tables of the generator; typical widths in the place of spectra.
MomentsNeed cell_moments_need(const Model& model, const std::vector<int>& band_counts, Index cells,
                              double end, std::optional<int> order, int ranks, bool mirrored);

}  // namespace qheat
