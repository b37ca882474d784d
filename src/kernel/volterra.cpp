#include "kernel/volterra.hpp"

#include <mpi.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "qheat/parallel/index.hpp"

extern "C" void dgemm_(const char* transposed_a, const char* transposed_b, const int* m, const int* n,
                       const int* k, const double* alpha, const double* a, const int* a_rows, const double* b,
                       const int* b_rows, const double* beta, double* c, const int* c_rows);

namespace qheat {
namespace {

ColumnShare share_of(const CellColumnLayout& layout, bool even) {
  return even ? layout.share() : layout.share().truncated(layout.mirror().odd_size());
}

}  // namespace

Volterra::Volterra(const CellColumnLayout& layout, bool even, bool moves_at_once)
    : even_(even),
      moves_at_once_(moves_at_once),
      algebra_(layout, even),
      share_(share_of(layout, even)),
      comm_(layout.comm()),
      size_(algebra_.size()),
      local_(share_.count(comm_.rank())) {}

void Volterra::append(const std::vector<CellColumns>& g) {
  const auto of = [&](const CellColumns& columns) {
    return even_ ? columns.even.block() : columns.odd.block();
  };
  const auto derivative = algebra_.to_grid(of(g[1]));
  if (first_.empty() && moves_at_once_) at_once_ = std::make_unique<CellAlgebra::Matrix>(derivative);
  first_.emplace_back(size_, local_);
  algebra_.from_grid(scalapack::transposed(algebra_.grid(), derivative), first_.back().block());
  const double* second = of(g[2]).data();
  kernel_.insert(kernel_.end(), second, second + block());
  if (!at_once_) return;
  ColumnStorage<double> part(size_, local_);
  algebra_.from_grid(scalapack::product(algebra_.grid(), scalapack::Transposed::no, *at_once_, derivative),
                     part.block());
  const auto now = kernel(times() - 1);
  for (std::size_t e = 0; e < now.size(); ++e) now[e] -= part.block().data()[e];
}

void Volterra::solve(double step, const std::function<void(double)>& report) {
  const ConvolutionQuadrature quadrature(times());
  solve_start(quadrature, step);
  for (std::size_t n = quadrature.start_points(); n < times(); ++n) {
    const auto weights = quadrature.weights(n);
    std::vector<Term> terms;  // without the last one, which has the factor G'(0)
    for (std::size_t j = 0; j < n; ++j) terms.push_back({j, n - j, -step * weights[j]});
    add_products(0, n, terms, kernel(n));
    if (moves_at_once_) solve_last(n, -step * weights[n]);
    const double share = static_cast<double>(n) / static_cast<double>(times());
    report(share * share);
  }
  first_.clear();
}

void Volterra::write(std::size_t n, CellColumns& columns) const {
  auto target = even_ ? columns.even.block() : columns.odd.block();
  std::copy_n(kernel_.begin() + static_cast<std::ptrdiff_t>(n * block()), block(), target.data());
}

/// The first points depend on each other; iterates until nothing changes. Steps that are too long for that
/// leave values that a finer grid does not confirm.
void Volterra::solve_start(const ConvolutionQuadrature& quadrature, double step) {
  constexpr int kMostIterations = 30;
  constexpr double kDivergence = 1e6;
  const std::size_t points = quadrature.start_points();
  const std::size_t all = points * block();
  const std::vector<double> second(kernel_.begin(), kernel_.begin() + static_cast<std::ptrdiff_t>(all));
  const std::vector<double> zero(block(), 0.0);
  scale_ = comm_.max(largest_difference(kernel(0), zero));
  for (int iteration = 0; iteration < kMostIterations; ++iteration) {
    std::vector<double> next = second;
    for (std::size_t n = 1; n < points; ++n) {
      std::vector<Term> terms;
      for (std::size_t j = 0; j < points; ++j) {
        for (std::size_t i = 0; i < points; ++i) {
          terms.push_back({j, i, -step * quadrature.start_weight(n, i, j)});
        }
      }
      add_products(0, points, terms, std::span(next).subspan(n * block(), block()));
    }
    const double change = comm_.max(largest_difference(next, std::span(kernel_).first(all)));
    std::copy(next.begin(), next.end(), kernel_.begin());
    if (change <= std::numeric_limits<double>::epsilon() * scale_ || change > kDivergence * scale_) return;
  }
}

/// N_n = (what is there) + scale N_n K_0, by iteration: the step is a part of the shortest time in G.
void Volterra::solve_last(std::size_t n, double scale) {
  constexpr int kMostIterations = 60;
  const std::vector<double> known(kernel(n).begin(), kernel(n).end());
  for (int iteration = 0; iteration < kMostIterations; ++iteration) {
    std::vector<double> next = known;
    add_products(n, n + 1, {{n, 0, scale}}, next);
    const double change = comm_.max(largest_difference(next, kernel(n)));
    std::copy(next.begin(), next.end(), kernel(n).begin());
    if (change <= std::numeric_limits<double>::epsilon() * scale_ || std::isinf(change)) return;
  }
}

/// sum += this rank's columns of the sum of `terms`, whose j are in [begin, end).
void Volterra::add_products(std::size_t begin, std::size_t end, const std::vector<Term>& terms,
                            std::span<double> sum) const {
  constexpr Index kWidth = 64;  // columns at a time: bounds the copies of G'
  for (int owner = 0; owner < comm_.size(); ++owner) {
    for (Index first = 0; first < share_.count(owner); first += kWidth) {
      const Index width = std::min(kWidth, share_.count(owner) - first);
      double* target = owner == comm_.rank() ? sum.data() + first * size_ : nullptr;
      add_columns(begin, end, terms, owner, first, width, target);
    }
  }
}

/// The same for `width` columns of the rank `owner` from its `first` on; `sum` there only.
void Volterra::add_columns(std::size_t begin, std::size_t end, const std::vector<Term>& terms, int owner,
                           Index first, Index width, double* sum) const {
  const std::size_t count = end - begin;
  const auto local = as_size(local_);
  const auto columns = as_size(width);
  const Index place = share_.first(owner) + first;
  std::vector<double> right(count * local * columns, 0.0);  // rows of the weighted G', [j][local][width]
  for (const Term& term : terms) {
    for (std::size_t row = 0; row < local; ++row) {
      const double* from = first_[term.i].block().column(static_cast<Index>(row)) + place;
      double* to = right.data() + ((term.j - begin) * local + row) * columns;
      for (std::size_t c = 0; c < columns; ++c) to[c] += term.scale * from[c];
    }
  }
  std::vector<double> part(as_size(size_) * columns, 0.0);
  const int m = scalapack::to_int(size_, "the number of cells");
  const int n = static_cast<int>(width);
  const int k = scalapack::to_int(static_cast<Index>(count) * local_, "the history of a memory kernel");
  const double one = 1.0;
  if (k > 0) {
    dgemm_("N", "T", &m, &n, &k, &one, kernel_.data() + begin * block(), &m, right.data(), &n, &one,
           part.data(), &m);
  }
  const int values = scalapack::to_int(size_ * width, "a part of a memory kernel");
  const bool mine = sum != nullptr;
  MPI_Reduce(mine ? MPI_IN_PLACE : part.data(), mine ? part.data() : nullptr, values, MPI_DOUBLE, MPI_SUM,
             owner, comm_.get());
  if (!mine) return;
  for (std::size_t e = 0; e < part.size(); ++e) sum[e] += part[e];
}

}  // namespace qheat
