#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "qheat/evolution/state_evolution.hpp"
#include "qheat/operators/operator.hpp"

namespace qheat {

/// An interval that holds the spectrum of a Hermitian operator.
struct SpectralBounds {
  double low, high;  ///< energy

  double centre() const { return (low + high) / 2; }
  double radius() const { return (high - low) / 2; }
};

/// From a few Lanczos steps: the extreme Ritz values, moved outwards by their residuals and by 1 % of the
/// width.
SpectralBounds spectral_bounds(const Operator& hamiltonian);

/// Evolution by Chebyshev polynomials (Tal-Ezer and Kosloff, J. Chem. Phys. 81, 3967 (1984)):
///     e^{-iHt} = e^{-ict} sum_k (2 - delta_k0) (-i)^k J_k(rt) T_k((H - c)/r).
/// No orthogonalisation; two vectors of work, and for each further output of a recursion its sum and a term
/// of the recursion more that goes to all sums in one pass. The truncation error is known from the tail of
/// the Bessel functions.
class ChebyshevEvolution final : public StateEvolution {
 public:
  /// `hamiltonian` must outlive this object. `intervals_at_once`: states that one recursion gives; see
  /// work_vectors().
  explicit ChebyshevEvolution(const Operator& hamiltonian, int intervals_at_once = 1);

  using StateEvolution::advance;
  /// Throws Error if the norm changes: then the spectrum reaches beyond the bounds.
  std::vector<double> advance(std::span<const double> dts, double tolerance, ColumnBlock<Complex> x,
                              const Observe& observe) override;
  int intervals_at_once() const override { return static_cast<int>(sums_.size()); }

  const SpectralBounds& bounds() const { return bounds_; }
  /// Vectors of the sector's size that it holds beside the state.
  static int work_vectors(int intervals_at_once) {
    constexpr int kLanczos = 3;  // while it looks for the bounds
    return std::max(kLanczos, terms_at_once(intervals_at_once) - 1 + intervals_at_once);
  }

 private:
  struct Series;
  std::vector<double> advance_some(std::span<const double> dts, double tolerance, ColumnBlock<Complex> x,
                                   std::size_t first_interval, const Observe& observe);
  /// Terms that are held at a time: what moves most through the memory are the sums, once for all of them.
  static int terms_at_once(int intervals_at_once) { return std::clamp(intervals_at_once, 2, 8); }
  void expand(const std::vector<Series>& series, std::span<Complex> x);
  void add_terms(const std::vector<Series>& series, std::size_t first, std::size_t count);

  const Operator& hamiltonian_;
  SpectralBounds bounds_;
  std::vector<std::vector<Complex>> terms_;  ///< the recursion needs them beside the state itself
  std::vector<std::span<Complex>> ring_;     ///< T_k is in place k modulo their number: the state, terms_
  std::vector<std::vector<Complex>> sums_;   ///< one an interval
};

/// J_0(z) ... J_K(z), z >= 0, with K such that tail = 2 sum_{k > K} |J_k(z)| < tolerance.
struct BesselSeries {
  std::vector<double> values;
  double tail;
};
BesselSeries bessel_series(double z, double tolerance);

}  // namespace qheat
