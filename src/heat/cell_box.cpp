#include "qheat/heat/cell_box.hpp"

#include <mpi.h>

#include <algorithm>
#include <numeric>

#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

using Axes = CellBox::Axes;

/// Bounds of the parts of an axis: equal to a unit that a few coarsenings leave whole.
std::vector<Index> bounds_of(Index cells, Index parts) {
  constexpr Index kLeast = 4;  // units a part
  Index unit = 1;
  while (parts > 1 && 2 * unit * kLeast * parts <= cells) unit *= 2;
  std::vector<Index> bounds;
  for (Index p = 0; p < parts; ++p) bounds.push_back(p * cells / parts / unit * unit);
  bounds.push_back(cells);
  return bounds;
}

/// How many parts along each axis: layers across the last one that has cells, so that what a rank holds is
/// one piece of the whole.
Axes parts_of(const Axes& cells, int ranks) {
  Axes parts = {1, 1, 1};
  std::size_t last = 2;
  while (last > 0 && cells[last] == 1) --last;
  parts[last] = std::min<Index>(ranks, cells[last]);
  return parts;
}

}  // namespace

CellBox::CellBox(const Axes& cells, const std::array<bool, 3>& periodic, const Communicator& comm)
    : comm_(comm), cells_(cells), periodic_(periodic) {
  checked_product(checked_product(cells[0], cells[1], "cells of the heat equation"), cells[2],
                  "cells of the heat equation");
  const Axes parts = parts_of(cells, comm.size());
  for (std::size_t a = 0; a < 3; ++a) bounds_[a] = bounds_of(cells[a], parts[a]);
  place_rank();
}

CellBox::CellBox(const Axes& cells, const std::array<bool, 3>& periodic, const Communicator& comm,
                 const std::array<std::vector<Index>, 3>& bounds)
    : comm_(comm), cells_(cells), periodic_(periodic), bounds_(bounds) {
  place_rank();
}

std::optional<Axes> CellBox::block_of(int rank) const {
  Axes block{};
  Index rest = rank;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto parts = static_cast<Index>(bounds_[a].size()) - 1;
    block[a] = rest % parts;
    rest /= parts;
  }
  if (rest > 0) return {};
  return block;
}

int CellBox::rank_of(const Axes& block) const {
  Index rank = 0;
  for (std::size_t a = 3; a-- > 0;) rank = rank * (static_cast<Index>(bounds_[a].size()) - 1) + block[a];
  return static_cast<int>(rank);
}

void CellBox::place_rank() {
  const auto block = block_of(comm_.rank());
  Index stride = 1;
  origin_ = 0;
  for (std::size_t a = 0; a < 3; ++a) {
    if (block) {
      block_[a] = (*block)[a];
      begin_[a] = bounds_[a][as_size(block_[a])];
      size_[a] = bounds_[a][as_size(block_[a]) + 1] - begin_[a];
    }
    const bool layer = cells_[a] > 1;
    stride_[a] = layer ? stride : 0;
    origin_ += stride_[a];
    stride *= size_[a] + (layer ? 2 : 0);
  }
  storage_ = block ? as_size(stride) : 0;
}

std::optional<int> CellBox::neighbour(int axis, int side) const {
  const auto a = as_size(axis);
  const auto parts = static_cast<Index>(bounds_[a].size()) - 1;
  Axes other = block_;
  other[a] += side;
  if (other[a] < 0 || other[a] >= parts) {
    if (!periodic_[a]) return {};
    other[a] = (other[a] + parts) % parts;
  }
  return rank_of(other);
}

/// Both layers across an axis; the planes reach into the layers of the axes that were filled before.
void CellBox::exchange_axis(int axis, std::span<double> field) const {
  const auto a = as_size(axis);
  const auto width = [&](std::size_t other) { return size_[other] + (stride_[other] > 0 ? 2 : 0); };
  const std::size_t u = a == 0 ? 1 : 0;
  const std::size_t v = a == 2 ? 1 : 2;
  const Index corner = origin_ - stride_[u] - stride_[v];
  const auto plane = as_size(width(u) * width(v));
  const auto visit = [&](Index number, const auto& each) {
    std::size_t n = 0;
    for (Index q = 0; q < width(v); ++q) {
      for (Index p = 0; p < width(u); ++p, ++n)
        each(field[as_size(corner + number * stride_[a] + p * stride_[u] + q * stride_[v])], n);
    }
  };
  std::vector<double> sent(plane), received(plane);
  for (const int side : {-1, 1}) {  // what the neighbour at this side gets, and what the other one sends
    const auto to = neighbour(axis, side);
    const auto from = neighbour(axis, -side);
    visit(side < 0 ? 0 : size_[a] - 1, [&](const double& value, std::size_t n) { sent[n] = value; });
    const bool alone = to && *to == comm_.rank();
    if (alone) {
      received = sent;
    } else {
      MPI_Sendrecv(sent.data(), static_cast<int>(plane), MPI_DOUBLE, to ? *to : MPI_PROC_NULL, 0,
                   received.data(), static_cast<int>(plane), MPI_DOUBLE, from ? *from : MPI_PROC_NULL, 0,
                   comm_.get(), MPI_STATUS_IGNORE);
    }
    if (from) visit(side < 0 ? size_[a] : -1, [&](double& value, std::size_t n) { value = received[n]; });
  }
}

void CellBox::exchange(std::span<double> field) const {
  QHEAT_ASSERT(field.size() == storage_);
  if (storage_ == 0) return;
  for (int axis = 0; axis < 3; ++axis) {
    if (stride(axis) > 0) exchange_axis(axis, field);
  }
}

double CellBox::product(std::span<const double> a, std::span<const double> b) const {
  double sum = 0.0;
  for (Index k = 0; k < size_[2]; ++k) {
    for (Index j = 0; j < size_[1]; ++j) {
      const auto row = as_size(place(0, j, k));
      for (std::size_t p = row; p < row + as_size(size_[0]); ++p) sum += a[p] * b[p];
    }
  }
  return comm_.sum(sum);
}

Index CellBox::first_cell() const {
  if (storage_ == 0) return all_cells();
  return begin_[0] + cells_[0] * (begin_[1] + cells_[1] * begin_[2]);
}

std::optional<CellBox> CellBox::coarser() const {
  Axes cells = cells_;
  auto bounds = bounds_;
  bool any = false;
  for (std::size_t a = 0; a < 3; ++a) {
    const bool even =
        std::all_of(bounds[a].begin(), bounds[a].end() - 1, [](Index bound) { return bound % 2 == 0; });
    if (cells[a] == 1 || !even) continue;
    any = true;
    cells[a] = (cells[a] + 1) / 2;
    for (Index& bound : bounds[a]) bound = (bound + 1) / 2;
  }
  if (!any) return {};
  return CellBox(cells, periodic_, comm_, bounds);
}

std::vector<double> CellBox::collect(std::span<const double> field) const {
  std::vector<double> mine;
  for_each([&](std::size_t place, Index, Index, Index) { mine.push_back(field[place]); });
  const int count = static_cast<int>(mine.size());
  std::vector<int> counts(as_size(comm_.size()));
  MPI_Gather(&count, 1, MPI_INT, counts.data(), 1, MPI_INT, 0, comm_.get());
  std::vector<int> firsts(counts.size(), 0);
  std::partial_sum(counts.begin(), counts.end() - 1, firsts.begin() + 1);
  std::vector<double> all(comm_.is_root() ? as_size(all_cells()) : 0);
  MPI_Gatherv(mine.data(), count, MPI_DOUBLE, all.data(), counts.data(), firsts.data(), MPI_DOUBLE, 0,
              comm_.get());
  return all;
}

void CellBox::gather(std::span<const double> field, const CellBox& whole, std::span<double> all) const {
  std::vector<double> mine;
  for_each([&](std::size_t place, Index, Index, Index) { mine.push_back(field[place]); });
  std::vector<int> counts, firsts;
  int total = 0;
  for (int rank = 0; rank < comm_.size(); ++rank) {
    Index count = 0;
    if (const auto block = block_of(rank)) {
      count = 1;
      for (std::size_t a = 0; a < 3; ++a)
        count *= bounds_[a][as_size((*block)[a]) + 1] - bounds_[a][as_size((*block)[a])];
    }
    counts.push_back(static_cast<int>(count));
    firsts.push_back(total);
    total += counts.back();
  }
  std::vector<double> received(as_size(total));
  MPI_Allgatherv(mine.data(), static_cast<int>(mine.size()), MPI_DOUBLE, received.data(), counts.data(),
                 firsts.data(), MPI_DOUBLE, comm_.get());
  for (int rank = 0; rank < comm_.size(); ++rank) {
    const auto block = block_of(rank);
    if (!block) continue;
    auto next = received.begin() + at(firsts, rank);
    const auto bound = [&](std::size_t a, Index part) { return bounds_[a][as_size((*block)[a] + part)]; };
    for (Index k = bound(2, 0); k < bound(2, 1); ++k) {
      for (Index j = bound(1, 0); j < bound(1, 1); ++j) {
        for (Index i = bound(0, 0); i < bound(0, 1); ++i) all[as_size(whole.place(i, j, k))] = *next++;
      }
    }
  }
}

}  // namespace qheat
