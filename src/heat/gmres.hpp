#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "qheat/heat/cell_box.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {

/// Solves A x = b from x = 0 by GMRES, restarted after 40 vectors, with M about A^{-1} from the right, until
/// |b - A x| <= tolerance |b|. Returns the number of products. Throws Error if it does not get there. The
/// Jacobians of the heat equation are not symmetric, and PETSc's vectors here are complex.
template <class Apply, class Precondition>
int gmres(const CellBox& box, const Apply& apply, const Precondition& precondition, std::span<const double> b,
          std::span<double> x, double tolerance) {
  constexpr std::size_t kVectors = 40;
  constexpr int kMostProducts = 400;
  const std::size_t size = box.storage();
  std::vector<std::vector<double>> basis(1, std::vector<double>(b.begin(), b.end()));
  std::vector<double> z(size, 0.0), w(size, 0.0);
  const double whole = std::sqrt(box.product(b, b));
  int products = 0;
  double norm = whole;
  while (norm > tolerance * whole) {
    for (double& v : basis[0]) v /= norm;
    std::vector<std::vector<double>> columns;  // of the triangle that the Hessenberg matrix becomes
    std::vector<double> cosines, sines, right = {norm};
    std::vector<std::vector<double>> corrections;
    while (columns.size() < kVectors && std::abs(right.back()) > tolerance * whole) {
      const std::size_t k = columns.size();
      precondition(basis[k], z);
      corrections.push_back(z);
      apply(z, w);
      ++products;
      std::vector<double> column;
      for (std::size_t j = 0; j <= k; ++j) {
        column.push_back(box.product(basis[j], w));
        for (std::size_t p = 0; p < size; ++p) w[p] -= column[j] * basis[j][p];
      }
      const double rest = std::sqrt(box.product(w, w));
      for (std::size_t j = 0; j < k; ++j) {
        const double upper = cosines[j] * column[j] + sines[j] * column[j + 1];
        column[j + 1] = -sines[j] * column[j] + cosines[j] * column[j + 1];
        column[j] = upper;
      }
      const double length = std::hypot(column[k], rest);
      if (!(length > 0.0)) throw Error("a linear system of the heat equation is singular");
      cosines.push_back(column[k] / length);
      sines.push_back(rest / length);
      column[k] = length;
      columns.push_back(std::move(column));
      right.push_back(-sines[k] * right[k]);
      right[k] *= cosines[k];
      if (basis.size() < k + 2) basis.emplace_back(size, 0.0);
      for (std::size_t p = 0; p < size && rest > 0.0; ++p) basis[k + 1][p] = w[p] / rest;
    }
    std::vector<double> y(columns.size());
    for (std::size_t j = columns.size(); j-- > 0;) {
      y[j] = right[j];
      for (std::size_t l = j + 1; l < columns.size(); ++l) y[j] -= columns[l][j] * y[l];
      y[j] /= columns[j][j];
    }
    for (std::size_t j = 0; j < y.size(); ++j) {
      for (std::size_t p = 0; p < size; ++p) x[p] += y[j] * corrections[j][p];
    }
    z.assign(x.begin(), x.end());
    apply(z, w);
    for (std::size_t p = 0; p < size; ++p) basis[0][p] = b[p] - w[p];
    norm = std::sqrt(box.product(basis[0], basis[0]));
    if (products >= kMostProducts || !std::isfinite(norm))
      throw Error("a linear system of the heat equation was not solved: the conductivity changes too fast");
  }
  return products;
}

}  // namespace qheat
