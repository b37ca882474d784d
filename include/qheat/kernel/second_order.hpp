#pragma once

#include <functional>
#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/model/model.hpp"
#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// What the time integral for a pair of states m -> n depends on.
struct Transition {
  double mismatch;       ///< E_n - E_m, energy
  int changed_sites;     ///< on which n and m differ
  double decay;          ///< Gamma_nm, inverse time
  double band_mismatch;  ///< E_n - E_m with the mean energies of the bands
  double final_width;    ///< largest minus smallest energy of n's band, summed over the changed sites
};

/// Re int_0^t of what memory leaves of a transition at later times, in units of time; what sets the kernels
/// of second order apart.
using Line = std::function<double(const Transition&, double t)>;

/// The line of TCL2: second_order_integral of decay and mismatch.
double tcl2_line(const Transition& transition, double t);

/// Second-order gain-loss kernel of a closed or dephased system, on cells (band configurations).
///
/// The rate m -> n of two states is 2 lambda^2 |B_nm|^2 f_nm(t), B = H_I (Eq. 5 of Wu and Segal carried out),
/// with a line f; for TCL2 Re[(1 - e^{-zt})/z], z = Gamma_nm - i(E_n - E_m). Cells: summed over n in c,
/// averaged over m in c'. A matrix element of H_I changes two sites of one bond, or one site with the
/// neighbours looking on, so the kernel is a sum of terms on at most three sites whose elements are sums of
/// few transitions: nothing of the size of the cells' number squared exists.
class SecondOrderKernel {
 public:
  explicit SecondOrderKernel(const Model& model, Line line = tcl2_line);

  /// Places of gains and losses; base of the codes: the number of bands. Values are zero: see values().
  const TermSum<double>& pattern() const { return pattern_; }
  std::size_t value_count() const { return 2 * channel_begin_.size() - 2; }
  /// Values of pattern()'s elements, in their order, at time t.
  void values(double t, std::span<double> values) const;
  /// pattern() with its values at time t, canonical.
  TermSum<double> at(double t) const;
  /// w(b, t), [B]: mean over pairs of bands of the mean of the two swap rates; pairs that the cells do not
  /// hold do not count; 0 where there is none. Inverse time. `band_counts`: of the cells; empty: all cells.
  void bond_rates(double t, const std::vector<int>& band_counts, std::span<double> rates) const;

 private:
  struct Part {
    std::uint32_t transition;
    double weight;  ///< 2 lambda^2 |B_nm|^2, summed and averaged over the cell
  };
  class Builder;

  void integrals(double t, std::vector<double>& integrals) const;

  Line line_;
  std::vector<Transition> transitions_;  ///< the different ones
  TermSum<double> pattern_;              ///< elements in pairs: gain, loss
  std::vector<std::uint32_t> channel_begin_{0};
  std::vector<Part> parts_;  ///< of all channels
  struct Swap {
    int bond;
    Level low, high;        ///< bands
    std::uint32_t channel;  ///< of one direction
  };
  std::vector<Swap> swaps_;
};

/// Re[(1 - e^{-zt})/z], z = decay - i mismatch; t where z = 0. Accurate for all arguments.
double second_order_integral(double decay, double mismatch, double t);

/// The generator as a dense matrix, element (n, m) at n * C + m: rate m -> n; losses on the diagonal.
std::vector<double> dense_generator(const Sector& cells, const TermSum<double>& terms);

}  // namespace qheat
