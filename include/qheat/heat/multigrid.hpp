#pragma once

#include <memory>
#include <span>
#include <vector>

#include "qheat/heat/conduction.hpp"

namespace qheat {

/// Geometric multigrid for Conduction: pairs of cells become one along every axis, conductances in series
/// across pairs and in parallel beside each other, linear interpolation and its transpose, chequered
/// Gauss-Seidel. Where ranks have no pairs left, all of them hold the whole of what remains.
class Multigrid {
 public:
  /// `finest` must outlive this object.
  explicit Multigrid(const Conduction& finest);
  ~Multigrid();
  Multigrid(const Multigrid&) = delete;
  Multigrid& operator=(const Multigrid&) = delete;

  /// After the conductances have changed. Collective.
  void update();
  /// x = M b, one V-cycle from zero: about A^{-1} b, symmetric and positive. Collective.
  void apply(std::span<const double> b, std::span<double> x);
  std::size_t levels() const;
  /// Numbers that a cell needs beside the finest Conduction, about.
  static constexpr double kNumbersACell = 1.2;

 private:
  struct Level;
  void cycle(std::size_t level, std::span<const double> b, std::span<double> x);

  const Conduction& finest_;
  std::vector<std::unique_ptr<Level>> levels_;
};

/// Solves A x = b by conjugate gradients with multigrid, from x as it is, until |b - A x| <= tolerance |b|.
/// Returns the number of iterations. Throws Error if it does not get there. Collective.
int solve(const Conduction& a, Multigrid& multigrid, std::span<const double> b, std::span<double> x,
          double tolerance);

}  // namespace qheat
