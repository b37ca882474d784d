#pragma once

#include <vector>

#include "qheat/basis/cell_space.hpp"
#include "qheat/model/model.hpp"
#include "qheat/propagator/cell_columns.hpp"

namespace qheat {

/// K_0 = P L_0 P of the bath alone on the cells of a sector, as a sparse matrix that every rank holds: for
/// dissipators on two sites, with which it is no sum over sites.
class CellRelaxation {
 public:
  CellRelaxation(const Model& model, const Sector& cells);

  /// Largest sum of absolute values over a column, inverse time.
  double norm() const { return norm_; }
  /// This rank's columns of K_0.
  CellColumns generator(const CellColumnLayout& layout) const;
  /// And of e^{K_0 t}, t of either sign, to rounding relative to `size`, its largest column sum; infinite,
  /// and no columns, beyond the range of doubles. Collective.
  struct Exponential {
    CellColumns columns;
    double size;
  };
  Exponential exponential(const CellColumnLayout& layout, double t) const;

 private:
  struct Entry {
    std::size_t to, from;
    double rate;
  };

  /// y += factor K_0 x
  void add(double factor, const std::vector<double>& x, std::vector<double>& y) const;

  std::size_t cells_;
  std::vector<Entry> entries_;
  double norm_ = 0.0;
};

}  // namespace qheat
