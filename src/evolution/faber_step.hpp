#pragma once

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "operators/block_kernels.hpp"
#include "qheat/evolution/faber.hpp"
#include "qheat/operators/block_engine.hpp"

namespace qheat {

/// rho <- sum_k coefficients[k] F_k(L) rho with the Faber polynomials of an ellipse. `apply(map, x, y)` is y
/// = map(L, x); `observe(k, x)` sees F_k(L) rho. `other` and `sum` are of the size of rho; what they held is
/// lost.
template <class Apply, class Observe>
void faber_step(const Ellipse& ellipse, std::span<const double> coefficients, const Apply& apply,
                const Observe& observe, std::vector<Complex>& rho, std::vector<Complex>& other,
                std::vector<Complex>& sum) {
  // F_1 = u F_0, then F_{k+1} = u F_k - q F_{k-1} in the place of F_{k-1}; u = (L - centre)/r. Two terms at a
  // time go to the sum: that is what moves most through the memory.
  std::fill(sum.begin(), sum.end(), Complex{});
  AffineMap map{.scale = 1.0 / ellipse.radius(), .shift = -ellipse.centre, .keep = 0.0};
  const double q = ellipse.ratio();
  const std::size_t terms = coefficients.size();
  for (std::size_t order = 0; order < terms; order += 2) {
    if (order > 0) {
      map.keep = order == 2 ? -2.0 * q : -q;
      apply(map, other, rho);
    }
    observe(order, rho);
    const bool last = order + 1 == terms;
    if (!last) {
      map.keep = order == 0 ? 0.0 : -q;
      apply(map, rho, other);
      observe(order + 1, other);
    }
    const kernels::Source<double, Complex> sources[2] = {
        {rho.data(), coefficients[order]}, {other.data(), last ? 0.0 : coefficients[order + 1]}};
    kernels::add_rows<double, Complex>(static_cast<Index>(rho.size()), std::span(sources, last ? 1 : 2),
                                       sum.data());
  }
  std::swap(rho, sum);
}

}  // namespace qheat
