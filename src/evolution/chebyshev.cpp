#include "qheat/evolution/chebyshev.hpp"

#include <fmt/format.h>
#include <slepceps.h>
#undef I

#include <algorithm>
#include <cmath>

#include "operators/block_kernels.hpp"
#include "parallel/petsc.hpp"
#include "qheat/model/counter_random.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr std::size_t kLanczosSteps = 40;
constexpr double kMargin = 0.01;      // of the width of the Ritz values
constexpr double kNormDefect = 1e-8;  // a norm this far off means that the bounds were missed

/// Re <x|y>.
double real_product(const Communicator& comm, std::span<const Complex> x, std::span<const Complex> y) {
  return comm.sum(kernels::inner_product(static_cast<Index>(x.size()), x.data(), y.data()).real());
}

double square_norm(const Communicator& comm, std::span<const Complex> x) {
  return real_product(comm, x, x);
}

/// Eigenvalues of a symmetric tridiagonal matrix and the last components of its eigenvectors.
struct RitzValues {
  std::vector<double> values, last_components;
};
RitzValues ritz_values(const std::vector<double>& diagonal, const std::vector<double>& off_diagonal) {
  const auto n = static_cast<PetscInt>(diagonal.size());
  petsc::Matrix matrix;
  QHEAT_PETSC(MatCreateSeqDense(PETSC_COMM_SELF, n, n, nullptr, matrix.out()));
  for (PetscInt k = 0; k < n; ++k) {
    QHEAT_PETSC(MatSetValue(matrix.get(), k, k, at(diagonal, k), INSERT_VALUES));
    if (k + 1 == n) break;
    const double beta = at(off_diagonal, k);
    QHEAT_PETSC(MatSetValue(matrix.get(), k, k + 1, beta, INSERT_VALUES));
    QHEAT_PETSC(MatSetValue(matrix.get(), k + 1, k, beta, INSERT_VALUES));
  }
  QHEAT_PETSC(MatAssemblyBegin(matrix.get(), MAT_FINAL_ASSEMBLY));
  QHEAT_PETSC(MatAssemblyEnd(matrix.get(), MAT_FINAL_ASSEMBLY));
  petsc::Handle<EPS, EPSDestroy> solver;
  QHEAT_PETSC(EPSCreate(PETSC_COMM_SELF, solver.out()));
  QHEAT_PETSC(EPSSetOperators(solver.get(), matrix.get(), nullptr));
  QHEAT_PETSC(EPSSetProblemType(solver.get(), EPS_HEP));
  QHEAT_PETSC(EPSSetType(solver.get(), EPSLAPACK));
  QHEAT_PETSC(EPSSolve(solver.get()));
  petsc::Vector vector;
  QHEAT_PETSC(MatCreateVecs(matrix.get(), vector.out(), nullptr));
  RitzValues result;
  for (PetscInt k = 0; k < n; ++k) {
    PetscScalar value = 0.0;
    PetscScalar last = 0.0;
    const PetscInt end = n - 1;
    QHEAT_PETSC(EPSGetEigenpair(solver.get(), k, &value, nullptr, vector.get(), nullptr));
    QHEAT_PETSC(VecGetValues(vector.get(), 1, &end, &last));
    result.values.push_back(PetscRealPart(value));
    result.last_components.push_back(std::abs(last));
  }
  return result;
}

}  // namespace

SpectralBounds spectral_bounds(const Operator& hamiltonian) {
  const DistributedSector& space = hamiltonian.space();
  const Communicator& comm = space.comm();
  const auto size = as_size(space.local_size());
  std::vector<Complex> before(size), now(size), next(size);
  const CounterRandom random(1);
  for (std::size_t i = 0; i < size; ++i) {
    const auto state = static_cast<std::uint64_t>(space.first_state()) + i;
    const auto low = static_cast<std::uint32_t>(state);
    const auto high = static_cast<std::uint32_t>(state >> 32);
    now[i] = {random.uniform({low, high, 0, 0}) - 0.5, random.uniform({low, high, 1, 0}) - 0.5};
  }
  double norm = std::sqrt(square_norm(comm, now));
  for (Complex& v : now) v /= norm;
  std::vector<double> alpha, beta;
  const std::size_t steps = std::min(kLanczosSteps, as_size(space.dimension()));
  double scale = 0.0;
  for (std::size_t step = 0; step < steps; ++step) {
    hamiltonian.apply(std::span<const Complex>(now), std::span(next));
    alpha.push_back(real_product(comm, now, next));
    const double back = beta.empty() ? 0.0 : beta.back();
    for (std::size_t i = 0; i < size; ++i) next[i] -= alpha.back() * now[i] + back * before[i];
    norm = std::sqrt(square_norm(comm, next));
    beta.push_back(norm);
    scale = std::max({scale, std::abs(alpha.back()), norm});
    if (norm <= 1e-12 * scale)
      break;  // an invariant subspace: what a random vector does not see is not there
    for (Complex& v : next) v /= norm;
    std::swap(before, now);
    std::swap(now, next);
  }
  const double residual = beta.back();
  beta.pop_back();
  const RitzValues ritz = ritz_values(alpha, beta);
  const auto [low, high] = std::minmax_element(ritz.values.begin(), ritz.values.end());
  const auto error_of = [&](auto place) {
    return residual * (at(ritz.last_components, place - ritz.values.begin()));
  };
  const double margin = kMargin * (*high - *low) + 1e-12 * scale;
  return {*low - error_of(low) - margin, *high + error_of(high) + margin};
}

BesselSeries bessel_series(double z, double tolerance) {
  // Miller's downward recurrence from where J_k has long vanished; normalised by J_0 + 2 (J_2 + J_4 + ...)
  // = 1.
  const auto start = static_cast<std::size_t>(z + 20.0 * std::cbrt(z + 1.0) + 60.0);
  std::vector<double> j(start + 2, 0.0);
  j[start] = 1e-280;
  constexpr double kLarge = 1e250;
  for (std::size_t k = start; k > 0; --k) {
    j[k - 1] = z == 0.0 ? (k == 1 ? 1.0 : 0.0) : 2.0 * static_cast<double>(k) / z * j[k] - j[k + 1];
    if (std::abs(j[k - 1]) > kLarge) {
      for (std::size_t later = k - 1; later < j.size(); ++later) j[later] /= kLarge;
    }
  }
  double sum = j[0];
  for (std::size_t k = 2; k < j.size(); k += 2) sum += 2.0 * j[k];
  for (double& value : j) value /= sum;
  double tail = 0.0;
  std::size_t order = j.size() - 1;
  while (order > 0 && tail + 2.0 * std::abs(j[order]) < tolerance) tail += 2.0 * std::abs(j[order--]);
  j.resize(order + 1);
  return {std::move(j), tail};
}

/// One output of a recursion.
struct ChebyshevEvolution::Series {
  BesselSeries bessel;
  Complex phase;   ///< e^{-ic dt}
  bool backwards;  ///< J_k(-z) = (-1)^k J_k(z)

  /// (2 - delta_k0) J_k times (-i)^k (or i^k backwards), of which odd orders give the factor of i.
  double weight(std::size_t order) const {
    const double power = order % 4 == 0 || order % 4 == (backwards ? 1 : 3) ? 1.0 : -1.0;
    return power * bessel.values[order] * (order == 0 ? 1.0 : 2.0);
  }
};

ChebyshevEvolution::ChebyshevEvolution(const Operator& hamiltonian, int intervals_at_once)
    : hamiltonian_(hamiltonian),
      bounds_(spectral_bounds(hamiltonian)),
      terms_(as_size(terms_at_once(intervals_at_once) - 1),
             std::vector<Complex>(as_size(hamiltonian.space().local_size()))),
      sums_(as_size(intervals_at_once), std::vector<Complex>(terms_.front().size())) {}

std::vector<double> ChebyshevEvolution::advance(std::span<const double> dts, double tolerance,
                                                ColumnBlock<Complex> x, const Observe& observe) {
  std::vector<double> errors;
  double start = 0.0;
  for (std::size_t first = 0; first < dts.size(); first += sums_.size()) {
    std::vector<double> some(
        dts.begin() + static_cast<std::ptrdiff_t>(first),
        dts.begin() + static_cast<std::ptrdiff_t>(std::min(dts.size(), first + sums_.size())));
    const double end = some.back();
    for (double& dt : some) dt -= start;
    const double share = dts.back() == 0.0 ? 1.0 : some.back() / dts.back();
    const double before = errors.empty() ? 0.0 : errors.back();
    for (const double error : advance_some(some, tolerance * share, x, first, observe))
      errors.push_back(before + error);
    start = end;
  }
  return errors;
}

std::vector<double> ChebyshevEvolution::advance_some(std::span<const double> dts, double tolerance,
                                                     ColumnBlock<Complex> x, std::size_t first_interval,
                                                     const Observe& observe) {
  std::vector<Series> series;
  std::vector<double> errors;
  for (const double dt : dts) {
    series.push_back({bessel_series(bounds_.radius() * std::abs(dt), tolerance),
                      std::polar(1.0, -bounds_.centre() * dt), dt < 0.0});
    errors.push_back(series.back().bessel.tail);
  }
  const Communicator& comm = hamiltonian_.space().comm();
  for (Index k = 0; k < x.columns(); ++k) {
    const auto column = x.column_span(k);
    const double norm = std::sqrt(square_norm(comm, column));
    expand(series, column);
    for (std::size_t i = 0; i < dts.size(); ++i)
      observe(first_interval + i, k, std::span<const Complex>(sums_[i]));
    const auto& last = sums_[dts.size() - 1];
    const double after = std::sqrt(square_norm(comm, last));
    if (!(std::abs(after - norm) <= std::max(kNormDefect, 10.0 * tolerance) * norm)) {
      throw Error(
          fmt::format("the Chebyshev propagation does not keep the norm ({:g} instead of {:g}); use "
                      "exact.method = \"krylov\"",
                      after, norm));
    }
    std::copy(last.begin(), last.end(), column.begin());
  }
  return errors;
}

void ChebyshevEvolution::expand(const std::vector<Series>& series, std::span<Complex> x) {
  ring_.assign(1, x);
  for (auto& term : terms_) ring_.emplace_back(term);
  std::size_t terms = 0;
  for (const Series& s : series) terms = std::max(terms, s.bessel.values.size());
  // T_1 = H' T_0, then T_{k+1} = 2 H' T_k - T_{k-1}, each in the place of what has gone to the sums;
  // H' = (H - c)/r.
  AffineMap step{.scale = 1.0 / bounds_.radius(), .shift = -bounds_.centre(), .keep = 0.0};
  const auto place = [&](std::size_t order) { return ring_[order % ring_.size()]; };
  for (std::size_t first = 0; first < terms; first += ring_.size()) {
    const std::size_t count = std::min(ring_.size(), terms - first);
    for (std::size_t order = std::max<std::size_t>(first, 1); order < first + count; ++order) {
      const auto before = place(order + ring_.size() - (order == 1 ? 0 : 2));
      hamiltonian_.apply(step, std::span<const Complex>(place(order - 1)), std::span<const Complex>(before),
                         place(order));
      step.scale = 2.0 / bounds_.radius();
      step.keep = -1.0;
    }
    add_terms(series, first, count);
  }
}

void ChebyshevEvolution::add_terms(const std::vector<Series>& series, std::size_t first, std::size_t count) {
  constexpr std::size_t kPiece = 256;  // with all terms stays in the first caches while the sums use it
  const std::size_t rows = sums_.front().size();
  std::vector<kernels::Source<double, Complex>> real, imaginary;
  for (std::size_t row = 0; row < rows; row += kPiece) {
    const std::size_t length = std::min(kPiece, rows - row);
    for (std::size_t s = 0; s < series.size(); ++s) {
      const std::size_t known = series[s].bessel.values.size();
      if (first >= known) continue;
      Complex* sum = sums_[s].data() + row;
      if (first == 0) std::fill(sum, sum + length, Complex{});
      real.clear();
      imaginary.clear();
      for (std::size_t order = first; order < std::min(known, first + count); ++order) {
        const Complex* term = ring_[order - first].data() + row;
        (order % 2 == 0 ? real : imaginary).push_back({term, series[s].weight(order)});
      }
      kernels::add_real_and_imaginary(static_cast<Index>(length), real, imaginary, sum);
      if (first + count < known) continue;
      for (std::size_t i = 0; i < length; ++i) sum[i] *= series[s].phase;
    }
  }
}

}  // namespace qheat
