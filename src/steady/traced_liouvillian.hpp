#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "qheat/evolution/density_observer.hpp"
#include "qheat/operators/liouvillian.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// L - rate |mixed><1|, with <1|rho> = tr rho and `mixed` the even mixture: as L keeps the trace, A rho =
/// -rate mixed has the steady state of unit trace as its solution, and no other if the state is unique.
class TracedLiouvillian final : public Operator {
 public:
  TracedLiouvillian(std::shared_ptr<const DistributedSector> space, const Model& model, double rate)
      : Operator(std::move(space)),
        l_(make_liouvillian(shared_space(), model)),
        rate_(rate),
        trace_(diagonal_places(this->space())),
        kets_(static_cast<double>(this->space().sector().rows())) {}

  const Operator& liouvillian() const { return *l_; }
  bool is_real() const override { return false; }
  Index bytes() const override { return l_->bytes(); }
  void diagonal(std::span<Complex> diagonal) const override {
    l_->diagonal(diagonal);
    for (const Index place : trace_) at(diagonal, place) -= rate_ / kets_;
  }
  /// -rate mixed.
  void right_hand_side(std::span<Complex> b) const {
    std::fill(b.begin(), b.end(), Complex{});
    for (const Index place : trace_) at(b, place) = -rate_ / kets_;
  }
  Complex trace(std::span<const Complex> rho) const {
    Complex sum = 0.0;
    for (const Index place : trace_) sum += at(rho, place);
    return space().comm().sum(sum);
  }

 private:
  Index apply_impl(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const override {
    l_->apply(x, y);
    for (Index k = 0; k < x.columns(); ++k) {
      const Complex all = trace(x.column_span(k)) * rate_ / kets_;
      for (const Index place : trace_) y.column(k)[place] -= all;
    }
    return 0;  // counted by L
  }
  Index apply_impl(ColumnBlock<const double>, ColumnBlock<double>) const override {
    throw Error("a Liouvillian does not act on real vectors");
  }

  std::unique_ptr<Operator> l_;
  double rate_;
  std::vector<Index> trace_;
  double kets_;
};

}  // namespace qheat
