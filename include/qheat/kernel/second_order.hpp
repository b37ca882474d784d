#pragma once

#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/model/model.hpp"
#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// Second-order gain-loss kernel (TCL2) of a closed or dephased system, on cells (band configurations).
///
/// The rate m -> n of two states is 2 lambda^2 |B_nm|^2 Re[(1 - e^{-zt})/z], z = Gamma_nm - i(E_n - E_m), B =
/// H_I (Eq. 5 of Wu and Segal carried out); cells: summed over n in c, averaged over m in c'. A matrix
/// element of H_I changes two sites of one bond, or one site with the neighbours looking on, so the kernel is
/// a sum of terms on at most three sites whose elements are sums of few frequencies: nothing of the size of
/// the cells' number squared exists.
class SecondOrderKernel {
 public:
  explicit SecondOrderKernel(const Model& model);

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
  struct Frequency {
    double mismatch;  ///< E_n - E_m, energy
    double decay;     ///< Gamma_nm, inverse time
  };
  struct Part {
    std::uint32_t frequency;
    double weight;  ///< 2 lambda^2 |B_nm|^2, summed and averaged over the cell
  };
  class Builder;

  void integrals(double t, std::vector<double>& integrals) const;

  int bonds_;
  std::vector<Frequency> frequencies_;
  TermSum<double> pattern_;  ///< elements in pairs: gain, loss
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
