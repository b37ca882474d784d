#pragma once

#include <functional>
#include <memory>
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
  double decay;          ///< Gamma_nm by dephasing or an exponential correlation, inverse time; else 0
  double band_mismatch;  ///< E_n - E_m with the mean energies of the bands
  double final_width;    ///< largest minus smallest energy of n's band, summed over the changed sites
};

/// Second-order gain-loss kernel of a system that is closed, dephased, or in a bath with a given correlation
/// function, on cells (band configurations).
///
/// The rate m -> n of two states is 2 lambda^2 |B_nm|^2 f_nm(t), B = H_I (Eq. 5 of Wu and Segal carried out),
/// with a line f: for TCL2 Re[(1 - e^{-zt})/z], z = Gamma_nm - i(E_n - E_m), or with a correlation function C
/// Re int_0^t C(tau)^s e^{-i(E_n - E_m)tau} dtau, s sites that change. Cells: summed over n in c,
/// averaged over m in c'. A matrix element of H_I changes two sites of one bond, or one site with the
/// neighbours looking on, so the kernel is a sum of terms on at most three sites whose elements are sums of
/// few transitions: nothing of the size of the cells' number squared exists.
class SecondOrderKernel {
 public:
  /// TCL2 of the model with its bath. Throws InputError for dephasing beside a correlation function.
  explicit SecondOrderKernel(const Model& model);
  /// The same terms with a line that does not depend on time. `line_error`: bound of the error of a value.
  SecondOrderKernel(const Model& model, const std::function<double(const Transition&)>& line,
                    double line_error);

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
  /// True if the line is no closed form, so that error() tells something.
  bool has_error() const { return correlation_ != nullptr || line_error_ > 0.0; }
  /// Estimate of the error of an element at time t over the largest element, rounding of sums left out.
  double error(double t) const;

 private:
  struct Part {
    std::uint32_t transition;
    double weight;  ///< 2 lambda^2 |B_nm|^2, summed and averaged over the cell
  };
  class Builder;

  class CorrelationLines;

  void integrals(double t, std::vector<double>& integrals) const;

  std::vector<double> constant_;                         ///< integrals at all times, if they are the same
  double line_error_ = 0.0;                              ///< of constant_
  std::shared_ptr<const CorrelationLines> correlation_;  ///< if the lines have no closed form
  std::vector<Transition> transitions_;                  ///< the different ones
  TermSum<double> pattern_;                              ///< elements in pairs: gain, loss
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
