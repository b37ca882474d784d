#include "qheat/heat/multigrid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

/// Linear interpolation along one axis, and its transpose.
class AxisTransfer {
 public:
  AxisTransfer(const CellBox& fine, const CellBox& coarse, int axis)
      : halved_(at(coarse.cells(), axis) < at(fine.cells(), axis)) {
    const auto a = as_size(axis);
    const Index n = fine.cells()[a];
    const Index cells = coarse.cells()[a];
    // weights of the coarse cells for a fine one, by numbers in the whole block, not wrapped round
    const auto of_fine = [&](Index i) {
      using Weights = std::vector<std::pair<Index, double>>;
      if (!halved_) return Weights{{i, 1.0}};
      const Index wrapped = ((i % n) + n) % n;
      const Index shift = (i - wrapped) / n * cells;
      const Index own = wrapped / 2;
      const bool alone = wrapped % 2 == 0 && wrapped == n - 1;
      const Index other = wrapped % 2 == 0 ? own - 1 : own + 1;
      const bool exists = (other >= 0 && other < cells) || (fine.periodic(axis) && cells > 1);
      if (alone || !exists) return Weights{{own + shift, 1.0}};
      return Weights{{own + shift, 0.75}, {other + shift, 0.25}};
    };
    for (Index i = 0; i < fine.size(axis); ++i) {
      auto& weights = from_coarse_.emplace_back();
      for (const auto& [cell, weight] : of_fine(fine.begin(axis) + i))
        weights.emplace_back(cell - coarse.begin(axis), weight);
    }
    for (Index c = 0; c < coarse.size(axis); ++c) {
      auto& weights = from_fine_.emplace_back();
      const Index first = halved_ ? 2 * (coarse.begin(axis) + c) - 1 : coarse.begin(axis) + c;
      for (Index i = first; i < first + (halved_ ? 4 : 1); ++i) {
        const bool exists = (i >= 0 && i < n) || (fine.periodic(axis) && halved_);
        if (!exists) continue;
        for (const auto& [cell, weight] : of_fine(i)) {
          if (cell == coarse.begin(axis) + c) weights.emplace_back(i - fine.begin(axis), weight);
        }
      }
    }
  }

  bool halved() const { return halved_; }
  /// (cell, weight), numbers on this rank, -1 and size() in the layer around.
  const std::vector<std::pair<Index, double>>& from_coarse(Index fine) const {
    return at(from_coarse_, fine);
  }
  const std::vector<std::pair<Index, double>>& from_fine(Index coarse) const {
    return at(from_fine_, coarse);
  }

 private:
  bool halved_;
  std::vector<std::vector<std::pair<Index, double>>> from_coarse_, from_fine_;
};

}  // namespace

/// A coarser level, and how it is reached from the one above: by pairing cells, or by gathering all of them.
struct Multigrid::Level {
  Level(const Conduction& finer, const CellBox& box, bool gathers)
      : above(finer),
        gathered(gathers),
        conduction(box),
        b(box.storage(), 0.0),
        x(box.storage(), 0.0),
        residual(finer.box().storage(), 0.0) {
    for (int axis = 0; axis < 3 && !gathers; ++axis) transfers.emplace_back(finer.box(), box, axis);
  }

  void update() {
    if (gathered) {
      const CellBox& whole = conduction.box();
      for (int axis = 0; axis < 3; ++axis) {
        if (whole.stride(axis) > 0) above.box().gather(above.face(axis), whole, conduction.face(axis));
      }
      above.box().gather(above.own(), whole, conduction.own());
    } else {
      pair_cells();
    }
    conduction.update();
  }

  /// Sums own, and joins faces: in series along their axis, in parallel across it.
  void pair_cells() {
    const CellBox& fine = above.box();
    const CellBox& coarse = conduction.box();
    const auto count = [&](int axis, Index cell) {  // fine cells of a coarse one
      if (!transfers[as_size(axis)].halved()) return Index{1};
      return std::min<Index>(2, at(fine.cells(), axis) - 2 * cell);
    };
    const auto first = [&](int axis, Index cell) {
      return transfers[as_size(axis)].halved() ? 2 * cell - fine.begin(axis) : cell - fine.begin(axis);
    };
    coarse.for_each([&](std::size_t place, Index i, Index j, Index k) {
      const std::array<Index, 3> cell = {i, j, k};
      std::array<Index, 3> begin{}, cells{};
      for (int axis = 0; axis < 3; ++axis) {
        at(begin, axis) = first(axis, at(cell, axis));
        at(cells, axis) = count(axis, at(cell, axis));
      }
      double own = 0.0;
      for (Index c = 0; c < cells[2]; ++c)
        for (Index b_ = 0; b_ < cells[1]; ++b_)
          for (Index a = 0; a < cells[0]; ++a)
            own += above.own()[as_size(fine.place(begin[0] + a, begin[1] + b_, begin[2] + c))];
      conduction.own()[place] = own;
      for (int axis = 0; axis < 3; ++axis) {
        if (coarse.stride(axis) == 0) continue;
        const bool halved = transfers[as_size(axis)].halved();
        const Index next = (at(cell, axis) + 1) % at(coarse.cells(), axis);
        const bool pair = halved && at(cells, axis) == 2;
        const bool next_pair = halved && count(axis, next) == 2;
        const auto& faces = above.face(axis);
        auto from = begin;
        auto to = begin;
        for (std::size_t a = 0; a < 3; ++a) to[a] += cells[a];
        at(from, axis) = at(begin, axis) + at(cells, axis) - 1;  // the last cell before the face
        at(to, axis) = at(from, axis) + 1;
        double sum = 0.0;
        for (Index c = from[2]; c < to[2]; ++c) {
          for (Index b_ = from[1]; b_ < to[1]; ++b_) {
            for (Index a = from[0]; a < to[0]; ++a) {
              const auto middle = as_size(fine.place(a, b_, c));
              const auto stride = as_size(fine.stride(axis));
              if (faces[middle] <= 0.0) continue;
              double resistance = 1.0 / faces[middle];
              if (pair) resistance += 0.5 / faces[middle - stride];
              if (next_pair) resistance += 0.5 / faces[middle + stride];
              sum += 1.0 / resistance;
            }
          }
        }
        conduction.face(axis)[place] = sum;
      }
    });
  }

  /// b of this level from a residual of the one above.
  void restrict_residual() {
    const CellBox& fine = above.box();
    const CellBox& coarse = conduction.box();
    if (gathered) return fine.gather(residual, coarse, b);
    fine.exchange(residual);
    coarse.for_each([&](std::size_t place, Index i, Index j, Index k) {
      double sum = 0.0;
      for (const auto& [z, wz] : transfers[2].from_fine(k - coarse.begin(2))) {
        for (const auto& [y, wy] : transfers[1].from_fine(j - coarse.begin(1))) {
          for (const auto& [x_, wx] : transfers[0].from_fine(i - coarse.begin(0)))
            sum += wz * wy * wx * residual[as_size(fine.place(x_, y, z))];
        }
      }
      b[place] = sum;
    });
  }

  /// Adds this level's x to that of the level above.
  void add_correction(std::span<double> to) {
    const CellBox& fine = above.box();
    const CellBox& coarse = conduction.box();
    if (gathered) {
      fine.for_each([&](std::size_t place, Index i, Index j, Index k) {
        to[place] += x[as_size(coarse.place(i, j, k))];
      });
      return;
    }
    coarse.exchange(x);
    fine.for_each([&](std::size_t place, Index i, Index j, Index k) {
      double sum = 0.0;
      for (const auto& [z, wz] : transfers[2].from_coarse(k - fine.begin(2))) {
        for (const auto& [y, wy] : transfers[1].from_coarse(j - fine.begin(1))) {
          for (const auto& [x_, wx] : transfers[0].from_coarse(i - fine.begin(0)))
            sum += wz * wy * wx * x[as_size(coarse.place(x_, y, z))];
        }
      }
      to[place] += sum;
    });
  }

  const Conduction& above;
  bool gathered;
  Conduction conduction;
  std::vector<double> b, x;
  std::vector<double> residual;  ///< of the level above
  std::vector<AxisTransfer> transfers;
};

Multigrid::Multigrid(const Conduction& finest) : finest_(finest) {
  const Conduction* above = &finest_;
  while (above->box().all_cells() > 1) {
    auto coarser = above->box().coarser();
    const bool gathers = !coarser;
    levels_.push_back(std::make_unique<Level>(*above, gathers ? above->box().gathered() : *coarser, gathers));
    above = &levels_.back()->conduction;
  }
  update();
}

Multigrid::~Multigrid() = default;

std::size_t Multigrid::levels() const {
  return levels_.size() + 1;
}

void Multigrid::update() {
  for (auto& level : levels_) level->update();
}

void Multigrid::apply(std::span<const double> b, std::span<double> x) {
  std::fill(x.begin(), x.end(), 0.0);
  cycle(0, b, x);
}

void Multigrid::cycle(std::size_t level, std::span<const double> b, std::span<double> x) {
  const Conduction& a = level == 0 ? finest_ : levels_[level - 1]->conduction;
  if (level < levels_.size() && levels_[level]->gathered) {
    Level& whole = *levels_[level];
    std::copy(b.begin(), b.end(), whole.residual.begin());
    whole.restrict_residual();
    std::fill(whole.x.begin(), whole.x.end(), 0.0);
    cycle(level + 1, whole.b, whole.x);
    return whole.add_correction(x);
  }
  for (const int colour : {0, 1}) a.relax(colour, b, x);
  if (level == levels_.size()) return;
  Level& next = *levels_[level];
  a.residual(b, x, next.residual);
  next.restrict_residual();
  std::fill(next.x.begin(), next.x.end(), 0.0);
  cycle(level + 1, next.b, next.x);
  next.add_correction(x);
  for (const int colour : {1, 0}) a.relax(colour, b, x);
}

int solve(const Conduction& a, Multigrid& multigrid, std::span<const double> b, std::span<double> x,
          double tolerance) {
  constexpr int kMostIterations = 500;
  const CellBox& box = a.box();
  std::vector<double> r(box.storage()), z(box.storage()), p(box.storage()), q(box.storage()),
      before(r.size());
  const double wanted = tolerance * std::sqrt(box.product(b, b));
  a.residual(b, x, r);
  double last = 0.0;
  for (int iteration = 0; iteration <= kMostIterations; ++iteration) {
    const double size = std::sqrt(box.product(r, r));
    if (size <= wanted) return iteration;
    if (!std::isfinite(size)) break;
    multigrid.apply(r, z);
    const double now = box.product(r, z);
    // the flexible form: relaxing is not quite symmetric where colours meet across ranks or odd periods
    const double beta = iteration == 0 ? 0.0 : (now - box.product(before, z)) / last;
    for (std::size_t e = 0; e < p.size(); ++e) p[e] = z[e] + beta * p[e];
    a.apply(p, q);
    const double alpha = now / box.product(p, q);
    before = r;
    for (std::size_t e = 0; e < p.size(); ++e) {
      x[e] += alpha * p[e];
      r[e] -= alpha * q[e];
    }
    last = now;
  }
  throw Error(
      fmt::format("the heat equation's linear system of {} cells was not solved within {} iterations; "
                  "conductivities may differ too much",
                  box.all_cells(), kMostIterations));
}

}  // namespace qheat
