#pragma once

#include <petscksp.h>
#undef I

#include <algorithm>
#include <span>
#include <vector>

#include "parallel/petsc.hpp"
#include "qheat/model/model.hpp"
#include "qheat/parallel/index.hpp"
#include "steady/double_double.hpp"
#include "steady/refinement.hpp"

namespace qheat {

/// Real numbers that a Hermitian N x N matrix C has within |i - k| <= width: Re C_ik for i <= k and Im C_ik
/// for i < k, numbered by their lesser index.
class BandLayout {
 public:
  enum class Part { real, imaginary };

  BandLayout(Index sites, Index width);

  Index sites() const { return sites_; }
  Index width() const { return width_; }
  Index size() const { return first_.back(); }
  bool holds(Index i, Index k) const {
    return i >= 0 && k >= 0 && i < sites_ && k < sites_ && std::abs(i - k) <= width_;
  }
  /// Of a part of C_ik, i <= k.
  Index number(Index i, Index k, Part part) const {
    const Index first = at(first_, i);
    return i == k ? first : first + 2 * (k - i) - (part == Part::real ? 1 : 0);
  }
  /// Calls visit(i, k, part) for all.
  template <class Visit>
  void visit(const Visit& visit) const {
    for (Index i = 0; i < sites_; ++i) {
      for (Index k = i; holds(i, k); ++k) {
        visit(i, k, Part::real);
        if (k > i) visit(i, k, Part::imaginary);
      }
    }
  }

 private:
  Index sites_;
  Index width_;
  std::vector<Index> first_;
};

/// The equation of motion of C_ik = <c_k^+ c_i>: dC/dt = A C + Gamma_up (two_point.hpp), with the phases of
/// the hopping absorbed into c_i: along an open chain none is left in any population or flow. Real and
/// imaginary parts then only mix where levels differ, and the small imaginary parts, which are the flows,
/// keep their own digits.
class TwoPointEquation {
 public:
  using Part = BandLayout::Part;

  explicit TwoPointEquation(const Model& model);

  Index sites() const { return static_cast<Index>(level_.size()); }
  /// |h_{i,i+1}|, [N - 1].
  const std::vector<double>& hopping() const { return hopping_; }
  /// Rates up of the reservoirs at site i.
  const std::vector<double>& up(Index i) const { return at(up_, i); }
  /// Calls visit(i', k', part', value) for each element of the row (i, k, part) of A, i <= k, i' <= k'. The
  /// same one may come more than once; of an occupation each rate of a reservoir by itself.
  template <class Visit>
  void row(Index i, Index k, Part part, const Visit& visit) const;
  /// That residuals compare to: of the fastest reservoir or the strongest hopping, whichever is less. Slow
  /// flows are what widening the band is watched for.
  double rate() const;
  /// Additional decay in the outer half of a cut band without dephasing, which stands for what coherences
  /// lose outwards: at a hard edge all are reflected and some never decay. 0 where it is not needed.
  double damping(Index i, Index k, const BandLayout& band) const;

 private:
  /// value Re C_ik or value Im C_ik as an element of the upper triangle.
  template <class Visit>
  static void visit_element(Index i, Index k, Part part, double value, const Visit& visit) {
    if (part == Part::imaginary && i == k) return;
    const bool below = i > k;
    visit(std::min(i, k), std::max(i, k), part, below && part == Part::imaginary ? -value : value);
  }
  double hop(Index i, Index k) const { return at(hopping_, std::min(i, k)); }

  std::vector<double> hopping_;
  std::vector<double> level_;              ///< h_ii
  std::vector<std::vector<double>> up_;    ///< rates of jumps up at each site
  std::vector<std::vector<double>> down_;  ///< and down
  std::vector<double> loss_;               ///< up + down
  std::vector<DoubleDouble> loss_before_;  ///< sum of loss over the sites before, [N + 1]
  double dephasing_;
  double strongest_ = 0.0;  ///< largest |h_{i,i+1}|
};

template <class Visit>
void TwoPointEquation::row(Index i, Index k, Part part, const Visit& visit) const {
  const bool real = part == Part::real;
  const Part other = real ? Part::imaginary : Part::real;
  if (i == k) {
    for (const auto* rates : {&up_, &down_})
      for (const double rate : at(*rates, i)) visit(i, i, part, -rate);
  } else {
    // sites between carry a string, which dies at the rate of their jumps (even ones, or the equations end)
    DoubleDouble between = at(loss_before_, k);
    between += -at(loss_before_, i + 1);
    visit(i, k, part, -(0.5 * (at(loss_, i) + at(loss_, k)) + 2.0 * dephasing_ + between.value()));
    const double detuning = at(level_, k) - at(level_, i);
    visit(i, k, other, real ? -detuning : detuning);
  }
  // -i [h, C]: real parts from imaginary ones with +h, imaginary from real ones with -h
  const double sign = real ? 1.0 : -1.0;
  for (const Index step : {Index{-1}, Index{1}}) {
    if (i + step >= 0 && i + step < sites())
      visit_element(i + step, k, other, sign * hop(i, i + step), visit);
    if (k + step >= 0 && k + step < sites())
      visit_element(i, k + step, other, -sign * hop(k, k + step), visit);
  }
}

/// A C = -Gamma_up of the elements within a band, factorized. On one rank.
class BandEquation final : public FactoredEquation {
 public:
  BandEquation(const TwoPointEquation& equation, const BandLayout& band);

  void residual(const std::vector<PreciseComplex>& x, std::vector<Complex>& left) const override;
  bool is_real() const override { return true; }
  bool solve(std::vector<Complex>& b, std::vector<Complex>& x) const override;

 private:
  const TwoPointEquation& equation_;
  const BandLayout& band_;
  petsc::Matrix matrix_;
  petsc::Handle<KSP, KSPDestroy> solver_;
};

}  // namespace qheat
