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
  double rounding;       ///< of the mismatch: level energies are known to that of doubles
};

/// A number with a bound of its error by truncation and rounding, both in its units.
struct LineValue {
  double value = 0.0;
  double error = 0.0;
};

struct SecondOrderTerms;

/// Second-order gain-loss kernel of a system that is closed, dephased, or in a bath with a given correlation
/// function, on cells (band configurations).
///
/// The rate m -> n of two states is 2 lambda^2 |B_nm|^2 f_nm(t), B = H_I (Eq. 5 of Wu and Segal carried out),
/// with a line f: for TCL2 Re[(1 - e^{-zt})/z], z = Gamma_nm - i(E_n - E_m), or with a correlation function C
/// Re int_0^t C(tau)^s e^{-i(E_n - E_m)tau} dtau, s sites that change. Cells: summed over n in c,
/// averaged over m in c'. A matrix element of H_I changes two sites of one bond, or one site with the
/// neighbours looking on, so the kernel is a sum of terms on at most three sites whose elements are sums of
/// few transitions: nothing of the size of the cells' number squared exists.
///
/// Over realisations of the detunings it is the mean of theirs, element by element: TCL2 of the averaged
/// propagator, or the mean Markov rates.
class SecondOrderKernel {
 public:
  /// TCL2 of the model with its bath. Throws InputError for dephasing beside a correlation function.
  explicit SecondOrderKernel(const Model& model);
  /// The mean over realisations 0 ... realizations - 1, whose models differ in their level energies alone.
  SecondOrderKernel(int realizations, const std::function<Model(int)>& draw);
  /// The same terms with a line that does not depend on time.
  SecondOrderKernel(int realizations, const std::function<Model(int)>& draw,
                    const std::function<LineValue(const Transition&)>& line);

  /// Places of gains and losses; base of the codes: the number of bands. Values are zero: see values().
  const TermSum<double>& pattern() const;
  std::size_t value_count() const;
  /// Values of pattern()'s elements, in their order, at time t, whatever their errors.
  void values(double t, std::span<double> values) const;
  /// pattern() with its values at time t, canonical. NaN if no element has a digit; elements that are nothing
  /// but rounding, and move no probability, are zero.
  TermSum<double> at(double t) const;
  /// w(b, t), [B]: mean over pairs of bands of the mean of the two swap rates; pairs that the cells do not
  /// hold do not count; 0 where there is none. Inverse time. `band_counts`: of the cells; empty: all cells.
  void bond_rates(double t, const std::vector<int>& band_counts, std::span<double> rates) const;

  /// Errors of an element at time t over the largest element, or over 2e-9/t, below which no rate moves a
  /// probability.
  struct Accuracy {
    double rounding;  ///< by rounding, that of e^{-i(E_n - E_m)t} included, and truncation; estimate
    double sampling;  ///< largest standard error of a mean over realisations; 0 without
  };
  Accuracy accuracy(double t) const;
  int realizations() const;

 private:
  class CorrelationLines;

  std::vector<LineValue> lines(double t, bool with_errors) const;
  LineValue channel(std::size_t number, const std::vector<LineValue>& lines) const;
  double standard_error(std::size_t channel, const std::vector<LineValue>& lines) const;

  std::shared_ptr<const SecondOrderTerms> terms_;
  std::vector<LineValue> constant_;                      ///< lines at all times, if they are the same
  std::shared_ptr<const CorrelationLines> correlation_;  ///< if the lines have no closed form
};

/// Re[(1 - e^{-zt})/z], z = decay - i mismatch; t where z = 0. Accurate for all arguments.
double second_order_integral(double decay, double mismatch, double t);

/// Estimate of its error: the mismatch is known to `rounding`, products and functions to that of doubles.
double second_order_error(double decay, double mismatch, double rounding, double t);

/// The generator as a dense matrix, element (n, m) at n * C + m: rate m -> n; losses on the diagonal.
std::vector<double> dense_generator(const Sector& cells, const TermSum<double>& terms);

}  // namespace qheat
