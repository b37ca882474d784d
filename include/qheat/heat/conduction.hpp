#pragma once

#include <array>
#include <span>
#include <vector>

#include "qheat/heat/cell_box.hpp"

namespace qheat {

/// A x = sum over the faces of a cell of face (x - x_neighbour) + own x: what leaves a cell through its
/// faces, and by itself (through faces of the block, into the time derivative). Symmetric, not negative.
class Conduction {
 public:
  explicit Conduction(const CellBox& box);

  const CellBox& box() const { return box_; }
  /// Of the face between a cell and the next one along the axis, not negative, field; where there is no next
  /// cell 0.
  std::vector<double>& face(int axis) { return at(faces_, axis); }
  const std::vector<double>& face(int axis) const { return at(faces_, axis); }
  /// Field, not negative.
  std::vector<double>& own() { return own_; }
  const std::vector<double>& own() const { return own_; }
  /// To be called after faces or own have changed. Collective.
  void update();
  const std::vector<double>& diagonal() const { return diagonal_; }

  /// y = A x; fills the layer of x. Collective.
  void apply(std::span<double> x, std::span<double> y) const;
  /// r = b - A x; fills the layer of x. Collective.
  void residual(std::span<const double> b, std::span<double> x, std::span<double> r) const;
  /// Gauss-Seidel on all cells of one colour of a chequered block, 0 or 1. Collective.
  void relax(int colour, std::span<const double> b, std::span<double> x) const;

 private:
  template <class Each>
  void visit_rows(const Each& each) const;

  CellBox box_;
  std::array<std::vector<double>, 3> faces_;
  std::vector<double> own_, diagonal_;
};

}  // namespace qheat
