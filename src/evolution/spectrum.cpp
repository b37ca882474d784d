#include "qheat/evolution/spectrum.hpp"

#include <cmath>

#include "evolution/diagonalized.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

void turn_phases(double t, std::span<const double> energies, ColumnBlock<const Complex> coefficients,
                 ColumnBlock<Complex> turned) {
  for (Index i = 0; i < coefficients.rows(); ++i) {
    const Complex phase = std::polar(1.0, -at(energies, i) * t);
    for (Index k = 0; k < coefficients.columns(); ++k)
      turned.column(k)[i] = phase * coefficients.column(k)[i];
  }
}

Spectrum::Spectrum(std::shared_ptr<const DistributedSector> space, const TermSum<Complex>& hamiltonian) {
  TermSum<Complex> terms = hamiltonian;
  canonicalize(terms);
  if (is_real(terms)) {
    diagonalized_ = diagonalize_real(*space, real_part(terms));
  } else {
    diagonalized_ = diagonalize_complex(std::move(space), terms);
  }
}

Spectrum::~Spectrum() = default;

Index Spectrum::local_coefficients() const {
  return static_cast<Index>(local_energies().size());
}

std::span<const double> Spectrum::local_energies() const {
  return diagonalized_->local_energies();
}

void Spectrum::coefficients(ColumnBlock<const Complex> x, ColumnBlock<Complex> coefficients) const {
  diagonalized_->coefficients(x, coefficients);
}

void Spectrum::state(double t, ColumnBlock<const Complex> coefficients, ColumnBlock<Complex> x) const {
  diagonalized_->state(t, coefficients, x);
}

double Spectrum::bytes_per_rank(Index dimension, bool real, int ranks) {
  const auto d = static_cast<double>(dimension);
  // The solvers hold the matrix, the eigenvectors, and workspace of two (real) or three (complex) more; the
  // grid of the real one leaves out up to a fifth of the ranks.
  const double bytes = real ? 4.3 * sizeof(double) : 5.0 * sizeof(Complex);
  return bytes * d * d / ranks;
}

}  // namespace qheat
