#pragma once

#include <vector>

#include "qheat/dynamics/state_evolution.hpp"
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
/// No orthogonalisation and four vectors of work; the truncation error is known from the tail of the Bessel
/// functions.
class ChebyshevEvolution final : public StateEvolution {
 public:
  /// `hamiltonian` must outlive this object.
  explicit ChebyshevEvolution(const Operator& hamiltonian);

  void advance(double dt, double tolerance, ColumnBlock<Complex> x) override;

  const SpectralBounds& bounds() const { return bounds_; }
  /// Vectors of the sector's size that it holds beside the state.
  static constexpr int kWorkVectors = 4;

 private:
  /// sum_ <- e^{-iH dt} x. Returns the norm of the sum.
  double expand(const SpectralBounds& bounds, const std::vector<double>& bessel, double dt,
                std::span<const Complex> x);

  const Operator& hamiltonian_;
  SpectralBounds bounds_;
  std::vector<Complex> before_, now_, product_, sum_;
};

/// J_0(z) ... J_K(z), z >= 0, with K such that 2 sum_{k > K} |J_k(z)| < tolerance.
std::vector<double> bessel_series(double z, double tolerance);

}  // namespace qheat
