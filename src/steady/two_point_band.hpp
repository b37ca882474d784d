#pragma once

#include <petscksp.h>
#undef I

#include <algorithm>
#include <span>
#include <vector>

#include "parallel/petsc.hpp"
#include "qheat/model/model.hpp"

namespace qheat {

/// Elements (i, k) of an N x N matrix with |i - k| <= width, numbered by their lesser index.
class BandLayout {
 public:
  BandLayout(Index sites, Index width);

  Index sites() const { return sites_; }
  Index width() const { return width_; }
  Index size() const { return first_.back(); }
  bool holds(Index i, Index k) const {
    return i >= 0 && k >= 0 && i < sites_ && k < sites_ && std::abs(i - k) <= width_;
  }
  Index number(Index i, Index k) const {
    const Index first = first_[static_cast<std::size_t>(std::min(i, k))];
    return i == k ? first : first + 2 * std::abs(i - k) - (i < k ? 1 : 0);
  }

 private:
  Index sites_;
  Index width_;
  std::vector<Index> first_;
};

/// The equation of motion of C_ik = <c_k^+ c_i>: dC/dt = A C + Gamma_up (two_point.hpp).
class TwoPointEquation {
 public:
  explicit TwoPointEquation(const Model& model);

  Index sites() const { return static_cast<Index>(level_.size()); }
  /// h_{i,i+1}, [N - 1].
  const std::vector<Complex>& hopping() const { return hopping_; }
  double source(Index i) const { return up_[static_cast<std::size_t>(i)]; }
  /// Calls visit(i', k', value) for each element of the row (i, k) of A.
  template <class Visit>
  void row(Index i, Index k, const Visit& visit) const;
  /// Additional decay in the outer half of a cut band without dephasing, which stands for what coherences
  /// lose outwards: at a hard edge all are reflected and some never decay. 0 where it is not needed.
  double damping(Index i, Index k, const BandLayout& band) const;
  /// True if every piece of the chain that hopping holds together has a reservoir.
  bool reaches_all_sites() const;

 private:
  Complex hop(Index i, Index k) const {
    return i < k ? hopping_[static_cast<std::size_t>(i)] : std::conj(hopping_[static_cast<std::size_t>(k)]);
  }

  std::vector<Complex> hopping_;
  std::vector<double> level_;        ///< h_ii
  std::vector<double> up_;           ///< rate of jumps up at each site
  std::vector<double> loss_;         ///< up + down
  std::vector<double> loss_before_;  ///< sum of loss over the sites before, [N + 1]
  double dephasing_;
  double strongest_ = 0.0;  ///< largest |h_{i,i+1}|
};

template <class Visit>
void TwoPointEquation::row(Index i, Index k, const Visit& visit) const {
  constexpr Complex imaginary{0.0, 1.0};
  const auto at = [](const std::vector<double>& v, Index n) { return v[static_cast<std::size_t>(n)]; };
  const Index low = std::min(i, k);
  const Index high = std::max(i, k);
  double decay = 0.5 * (at(loss_, i) + at(loss_, k));
  // sites between carry a string, which dies at the rate of their jumps (even ones, or the equations end)
  if (low != high) decay += 2.0 * dephasing_ + at(loss_before_, high) - at(loss_before_, low + 1);
  visit(i, k, Complex(-decay, at(level_, k) - at(level_, i)));
  for (const Index step : {Index{-1}, Index{1}}) {
    if (i + step >= 0 && i + step < sites()) visit(i + step, k, -imaginary * hop(i, i + step));
    if (k + step >= 0 && k + step < sites()) visit(i, k + step, imaginary * hop(k + step, k));
  }
}

/// A of the elements within a band, factorized. On one rank.
class BandSolver {
 public:
  BandSolver(const TwoPointEquation& equation, const BandLayout& band);
  /// x = A^-1 b; false if A is singular or its factors do not fit.
  bool solve(std::vector<Complex>& b, std::vector<Complex>& x) const;

 private:
  petsc::Matrix matrix_;
  petsc::Handle<KSP, KSPDestroy> solver_;
};

}  // namespace qheat
