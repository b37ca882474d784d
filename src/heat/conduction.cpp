#include "qheat/heat/conduction.hpp"

#include "qheat/parallel/error.hpp"

namespace qheat {

Conduction::Conduction(const CellBox& box)
    : box_(box), own_(box.storage(), 0.0), diagonal_(box.storage(), 0.0) {
  for (int axis = 0; axis < 3; ++axis) {
    if (box.stride(axis) > 0) face(axis).assign(box.storage(), 0.0);
  }
}

/// Calls each(first place, length, parity of the first cell) for each row of cells.
template <class Each>
void Conduction::visit_rows(const Each& each) const {
  for (Index k = 0; k < box_.size(2); ++k) {
    for (Index j = 0; j < box_.size(1); ++j) {
      const Index parity = (box_.begin(0) + box_.begin(1) + j + box_.begin(2) + k) % 2;
      each(as_size(box_.place(0, j, k)), as_size(box_.size(0)), parity);
    }
  }
}

void Conduction::update() {
  for (int axis = 0; axis < 3; ++axis) {
    if (box_.stride(axis) > 0) box_.exchange(face(axis));
  }
  visit_rows([&](std::size_t row, std::size_t length, Index) {
    for (std::size_t p = row; p < row + length; ++p) diagonal_[p] = own_[p];
    for (int axis = 0; axis < 3; ++axis) {
      const auto stride = as_size(box_.stride(axis));
      if (stride == 0) continue;
      const auto& faces = face(axis);
      for (std::size_t p = row; p < row + length; ++p) diagonal_[p] += faces[p] + faces[p - stride];
    }
  });
}

void Conduction::apply(std::span<double> x, std::span<double> y) const {
  box_.exchange(x);
  visit_rows([&](std::size_t row, std::size_t length, Index) {
    for (std::size_t p = row; p < row + length; ++p) y[p] = diagonal_[p] * x[p];
    for (int axis = 0; axis < 3; ++axis) {
      const auto stride = as_size(box_.stride(axis));
      if (stride == 0) continue;
      const double* faces = face(axis).data();
      for (std::size_t p = row; p < row + length; ++p)
        y[p] -= faces[p] * x[p + stride] + faces[p - stride] * x[p - stride];
    }
  });
}

void Conduction::residual(std::span<const double> b, std::span<double> x, std::span<double> r) const {
  apply(x, r);
  visit_rows([&](std::size_t row, std::size_t length, Index) {
    for (std::size_t p = row; p < row + length; ++p) r[p] = b[p] - r[p];
  });
}

void Conduction::relax(int colour, std::span<const double> b, std::span<double> x) const {
  box_.exchange(x);
  std::array<const double*, 3> faces{};
  std::array<std::size_t, 3> strides{};
  std::size_t axes = 0;
  for (int axis = 0; axis < 3; ++axis) {
    if (box_.stride(axis) == 0) continue;
    faces[axes] = face(axis).data();
    strides[axes++] = as_size(box_.stride(axis));
  }
  visit_rows([&](std::size_t row, std::size_t length, Index parity) {
    const std::size_t first = parity == colour ? 0 : 1;
    for (std::size_t p = row + first; p < row + length; p += 2) {
      double sum = b[p];
      for (std::size_t a = 0; a < axes; ++a)
        sum += faces[a][p] * x[p + strides[a]] + faces[a][p - strides[a]] * x[p - strides[a]];
      if (diagonal_[p] > 0.0) x[p] = sum / diagonal_[p];
    }
  });
}

}  // namespace qheat
