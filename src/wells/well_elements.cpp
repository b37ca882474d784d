#include "qheat/wells/well_elements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "wells/quadrature.hpp"

namespace qheat {

using wells::Real;
using wells::Rule;
using wells::TwoRules;

namespace {

constexpr double kDouble = std::numeric_limits<double>::epsilon();

/// A sum and that of its terms' sizes, which bounds what rounding does to it.
struct Sum {
  Real value = 0;
  Real size = 0;

  void add(const Real& term) {
    value += term;
    size += abs(term);
  }
};

}  // namespace

/// What elements are sums of, and how.
class WellElements::Moments {
 public:
  Moments() = default;
  virtual ~Moments() = default;
  Moments(const Moments&) = delete;
  Moments& operator=(const Moments&) = delete;

  WellElement element(int a, int b, int c, int d) const {
    const Sum fine = sum(a, b, c, d, false);
    const Sum coarse = sum(a, b, c, d, true);
    const Real roundings = 64 * fine.size * std::numeric_limits<Real>::epsilon();
    const auto value = static_cast<double>(fine.value);
    const auto error = static_cast<double>(abs(fine.value - coarse.value) + roundings);
    return {value, error + of_potential_ + kDouble * std::abs(value)};
  }

 protected:
  /// Of TwoRules.
  void set_potential_error(double error) { of_potential_ = error; }
  virtual Sum sum(int a, int b, int c, int d, bool coarse) const = 0;

 private:
  double of_potential_ = 0.0;
};

namespace {

/// phi_a phi_c = cos((a-c) pi x) - cos((a+c) pi x), and the overlap of cos(p pi x) with cos(q pi y) at the
/// distance s = x - y is (1-s) cos(p pi s)/2 - sin(p pi s)/(2 p pi) for p = q, and a combination of sin(p pi
/// s) and sin(q pi s) otherwise.
class SquareMoments final : public WellElements::Moments {
 public:
  SquareMoments(const Well& well, const PairPotential& potential, int levels) {
    const TwoRules rules = wells::make_rules(well, potential, 1.0, 2.0 * levels);
    frequencies_ = 2 * levels + 1;
    fine_ = overlaps(sides(rules.fine));
    coarse_ = overlaps(sides(rules.coarse));
    set_potential_error(rules.potential_error);
  }

 protected:
  Sum sum(int a, int b, int c, int d, bool coarse) const override {
    const auto& overlap = coarse ? coarse_ : fine_;
    const int p[2] = {std::abs(a - c), a + c + 2};  // levels are counted from 0 here
    const int q[2] = {std::abs(b - d), b + d + 2};
    Sum result;
    for (const int i : {0, 1}) {
      for (const int j : {0, 1}) {
        const Real& term = at(overlap, p[i] * frequencies_ + q[j]);
        result.add(i == j ? term : -term);
      }
    }
    return result;
  }

 private:
  /// Integrals over one sign of s, by frequency.
  struct Side {
    std::vector<Real> sine;    ///< of V sin(p pi |s|)
    std::vector<Real> cosine;  ///< of V (1 - |s|) cos(p pi |s|)
  };
  struct Sides {
    Side right;
    Side left;
  };

  Sides sides(const Rule& rule) const {
    Sides result;
    for (Side* side : {&result.right, &result.left}) {
      side->sine.assign(as_size(frequencies_), Real(0));
      side->cosine.assign(as_size(frequencies_), Real(0));
    }
    for (const auto& node : rule.nodes) {
      Side& side = node.s < 0 ? result.left : result.right;
      const Real s = abs(node.s);
      const Real angle = boost::math::constants::pi<Real>() * s;
      const Real cos1 = cos(angle);
      Real cosine = 1;
      Real sine = 0;
      const Real sin1 = sin(angle);
      const Real reduced = node.weight * (1 - s);
      for (int p = 0; p < frequencies_; ++p) {
        at(side.sine, p) += node.weight * sine;
        at(side.cosine, p) += reduced * cosine;
        const Real next = cosine * cos1 - sine * sin1;
        sine = sine * cos1 + cosine * sin1;
        cosine = next;
      }
    }
    return result;
  }

  /// Integral over s > 0 of V and the overlap of cos(p pi (y + s)) with cos(q pi y), y from 0 to 1 - s.
  static Real overlap(const Side& side, int p, int q) {
    static const Real pi = boost::math::constants::pi<Real>();
    if (p == 0 && q == 0) return side.cosine.front();
    if (p == q) return (at(side.cosine, p) - at(side.sine, p) / (p * pi)) / 2;
    const int sign = (p + q) % 2 == 0 ? 1 : -1;
    return (sign * q * at(side.sine, q) - p * at(side.sine, p)) / (pi * (p * p - q * q));
  }

  /// Of all pairs of frequencies, both signs of s.
  std::vector<Real> overlaps(const Sides& moments) const {
    std::vector<Real> all;
    for (int p = 0; p < frequencies_; ++p) {
      for (int q = 0; q < frequencies_; ++q)
        all.push_back(overlap(moments.right, p, q) + overlap(moments.left, q, p));
    }
    return all;
  }

  int frequencies_ = 0;
  std::vector<Real> fine_;
  std::vector<Real> coarse_;
};

/// phi_a phi_c is a sum of exp(-x^2) H_m(x), m = a + c - 2k, and two of these overlap at the distance s as
/// He_{m+n}(s) exp(-s^2/2).
class HarmonicMoments final : public WellElements::Moments {
 public:
  HarmonicMoments(const Well& well, const PairPotential& potential, int levels) : levels_(levels) {
    const double size = std::sqrt(2.0 * levels) + 6.0;  // of the highest state
    const double wave_number = 2.0 * std::sqrt(2.0 * levels);
    const double reach = 2.0 * size;
    const TwoRules rules =
        wells::make_rules(well, potential, reach, reach * wave_number / (2.0 * std::numbers::pi));
    fine_ = moments(rules.fine);
    coarse_ = moments(rules.coarse);
    make_products();
    set_potential_error(rules.potential_error);
  }

 protected:
  Sum sum(int a, int b, int c, int d, bool coarse) const override {
    const auto second = product(b, d);
    const std::vector<Sum>* table = folded(a, c, coarse);
    Sum result;
    for (std::size_t l = 0; l < second.size(); ++l) {
      const std::size_t order = as_size(b + d) - 2 * l;
      const Sum one = table != nullptr ? (*table)[order] : folded_at(a, c, order, coarse);
      result.value += second[l] * one.value;
      result.size += second[l] * one.size;
    }
    if ((b + d) % 2 != 0) result.value = -result.value;
    return result;
  }

 private:
  /// The moments folded with phi_a phi_c of the first well, for one order of the second.
  Sum folded_at(int a, int c, std::size_t order, bool coarse) const {
    const auto& moment = coarse ? coarse_ : fine_;
    const auto first = product(a, c);
    Sum sum;
    for (std::size_t k = 0; k < first.size(); ++k) sum.add(first[k] * moment[order + as_size(a + c) - 2 * k]);
    return sum;
  }
  /// The same for all orders, once a and c have been asked for often; null before. Kept for one a.
  const std::vector<Sum>* folded(int a, int c, bool coarse) const {
    constexpr int kOften = 16;
    if (a != folded_row_) {
      folded_.assign(as_size(levels_), {});
      folded_row_ = a;
    }
    Folded& one = folded_[as_size(c)];
    if (one.uses < kOften && ++one.uses < kOften) return nullptr;
    if (one.fine.empty()) {
      for (std::size_t order = 0; order < as_size(2 * levels_ - 1); ++order) {
        one.fine.push_back(folded_at(a, c, order, false));
        one.coarse.push_back(folded_at(a, c, order, true));
      }
    }
    return coarse ? &one.coarse : &one.fine;
  }

  std::vector<Real> moments(const Rule& rule) const {
    std::vector<Real> result(as_size(4 * levels_ - 3), Real(0));
    const Real norm = 1 / sqrt(boost::math::constants::two_pi<Real>());
    for (const auto& node : rule.nodes) {
      Real before = 0;
      Real now = norm * node.weight * exp(-node.s * node.s / 2);  // He_m times this
      for (std::size_t m = 0; m < result.size(); ++m) {
        result[m] += now;
        const Real next = node.s * now - static_cast<int>(m) * before;
        before = now;
        now = next;
      }
    }
    return result;
  }

  /// 2^k k! binomial(a,k) binomial(c,k) / sqrt(2^(a+c) a! c!), k from 0 to min(a, c), a <= c.
  void make_products() {
    std::vector<Real> root = {Real(1)};  // of 2^n n!
    for (int n = 1; n < levels_; ++n) root.push_back(root.back() * sqrt(Real(2 * n)));
    for (int c = 0; c < levels_; ++c) {
      for (int a = 0; a <= c; ++a) {
        begin_.push_back(products_.size());
        Real term = 1 / (at(root, a) * at(root, c));
        for (int k = 0; k <= a; ++k) {
          products_.push_back(term);
          term *= Real(2 * (a - k) * (c - k)) / (k + 1);
        }
      }
    }
  }
  std::span<const Real> product(int a, int c) const {
    const int low = std::min(a, c);
    const int high = std::max(a, c);
    return std::span(products_).subspan(at(begin_, high * (high + 1) / 2 + low), as_size(low + 1));
  }

  int levels_;
  std::vector<Real> fine_;
  std::vector<Real> coarse_;
  std::vector<Real> products_;
  std::vector<std::size_t> begin_;
  struct Folded {
    int uses = 0;
    std::vector<Sum> fine, coarse;
  };
  mutable int folded_row_ = -1;
  mutable std::vector<Folded> folded_;  ///< by c
};

std::unique_ptr<const WellElements::Moments> moments_of(const Well& well, const PairPotential& potential,
                                                        int levels) {
  if (well.shape == Well::Shape::square) return std::make_unique<SquareMoments>(well, potential, levels);
  return std::make_unique<HarmonicMoments>(well, potential, levels);
}

void check(const Well& well, const PairPotential& potential, int levels) {
  std::vector<std::string> problems;
  if (!(well.width > 0.0)) problems.emplace_back("the width of a well is positive");
  if (!(well.separation >= 0.0)) problems.emplace_back("the separation of wells is not negative");
  if (!(potential.screening >= 0.0)) problems.emplace_back("the screening of a potential is not negative");
  if (levels < 1 || levels > WellElements::kMostLevels)
    problems.push_back(
        fmt::format("{} levels a well; 1 to {} are computed", levels, WellElements::kMostLevels));
  if (!problems.empty()) throw InputError(problems);
}

}  // namespace

WellElements::WellElements(const Well& well, const PairPotential& potential, int levels) : levels_(levels) {
  check(well, potential, levels);
  moments_ = moments_of(well, potential, levels);
}
WellElements::~WellElements() = default;
WellElements::WellElements(WellElements&&) noexcept = default;
WellElements& WellElements::operator=(WellElements&&) noexcept = default;

WellElement WellElements::operator()(int a, int b, int c, int d) const {
  return moments_->element(a, b, c, d);
}

}  // namespace qheat
