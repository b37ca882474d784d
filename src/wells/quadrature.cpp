#include "wells/quadrature.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/legendre.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "qheat/parallel/error.hpp"

namespace qheat::wells {
namespace {

constexpr unsigned kFineNodes = 30;
constexpr unsigned kCoarseNodes = 20;
constexpr std::size_t kMostPanels = 2000;
constexpr double kResolved = 1e-14;   // of V on a panel, against its largest value there
constexpr double kNarrowest = 1e-12;  // panel, against reach: what a jump in there may change is an error
constexpr double kPeriodsAPanel = 2.0;

using Nodes = std::vector<std::pair<Real, Real>>;  // on [-1, 1], with weights

Nodes gauss_legendre(unsigned count) {
  Nodes nodes;
  for (const Real& x : boost::math::legendre_p_zeros<Real>(static_cast<int>(count))) {
    const Real slope = boost::math::legendre_p_prime(static_cast<int>(count), x);
    const Real weight = 2 / ((1 - x * x) * slope * slope);
    nodes.emplace_back(x, weight);
    if (x != 0) nodes.emplace_back(-x, weight);
  }
  return nodes;
}

struct Panel {
  double begin;
  double end;
};

class Potential {
 public:
  Potential(const Well& well, const PairPotential& potential) : well_(well), potential_(potential) {}

  /// With the digits of `Number`: Real, or double where few are wanted.
  template <class Number>
  Number operator()(const Number& s) const {
    using std::abs;
    using std::exp;
    const Number r = well_.width * s - well_.separation;
    const Number distance = abs(r);
    const Number v = bare(r, distance);
    return potential_.screening == 0.0 ? v : v * exp(-potential_.screening * distance);
  }

 private:
  template <class Number>
  Number bare(const Number& r, const Number& distance) const {
    switch (potential_.form) {
      case PairPotential::Form::delta:
        break;
      case PairPotential::Form::linear:
        return distance;
      case PairPotential::Form::quadratic:
        return r * r;
      case PairPotential::Form::inverse:
        return 1 / (1 + distance);
      case PairPotential::Form::given:
        return finite(static_cast<double>(r));
    }
    return 0;
  }
  double finite(double r) const {
    const double v = potential_.value(r);
    if (std::isfinite(v)) return v;
    throw InputError(fmt::format(
        "the potential is {} at r = {:g}, which is in reach of both wells; choose one that is finite there{}",
        v, r, std::abs(r) < 1e-3 * well_.width ? ", or a separation at which the wells do not overlap" : ""));
  }

  const Well& well_;
  const PairPotential& potential_;
};

double moment(const Potential& v, const Panel& panel, const std::vector<std::pair<double, double>>& nodes,
              int power, double& largest) {
  const double middle = 0.5 * (panel.begin + panel.end);
  const double half = 0.5 * (panel.end - panel.begin);
  double sum = 0.0;
  for (const auto& [x, weight] : nodes) {
    const double value = v(middle + half * x);
    largest = std::max(largest, std::abs(value));
    sum += weight * value * std::pow(x, power);
  }
  return sum;
}

std::vector<std::pair<double, double>> rounded(const Nodes& nodes) {
  std::vector<std::pair<double, double>> result;
  for (const auto& [x, weight] : nodes)
    result.emplace_back(static_cast<double>(x), static_cast<double>(weight));
  return result;
}

/// Panels on which V is a polynomial to rounding, no longer than `longest`.
class Panels {
 public:
  Panels(const Potential& v, const Nodes& fine, const Nodes& coarse, double reach, double longest)
      : v_(v), fine_(rounded(fine)), coarse_(rounded(coarse)), reach_(reach), longest_(longest) {}

  void add(const Panel& panel) {
    const double length = panel.end - panel.begin;
    if (length > longest_ || (length > kNarrowest * reach_ && !resolved(panel))) {
      const double middle = 0.5 * (panel.begin + panel.end);
      add({panel.begin, middle});
      add({middle, panel.end});
      return;
    }
    if (panels_.size() >= kMostPanels) {
      throw InputError(
          fmt::format("the potential, or the highest levels, change too fast for {} panels of a quadrature "
                      "(near a distance of {:g} "
                      "widths); ask for fewer levels or a smoother potential",
                      kMostPanels, panel.begin));
    }
    panels_.push_back(panel);
  }
  const std::vector<Panel>& all() const { return panels_; }

 private:
  bool resolved(const Panel& panel) const {
    double largest = 0.0;
    for (const int power : {0, 1, 2}) {
      const double difference =
          moment(v_, panel, fine_, power, largest) - moment(v_, panel, coarse_, power, largest);
      if (std::abs(difference) > kResolved * largest) return false;
    }
    return true;
  }

  const Potential& v_;
  std::vector<std::pair<double, double>> fine_;
  std::vector<std::pair<double, double>> coarse_;
  double reach_;
  double longest_;
  std::vector<Panel> panels_;
};

/// Where pieces of the integrand meet: at s = 0 those of a square well, at r = 0 and given kinks those of V.
std::vector<double> edges(const Well& well, const PairPotential& potential, double reach) {
  std::vector<double> all = {-reach, 0.0, reach};
  std::vector<double> kinks = potential.kinks;
  kinks.push_back(0.0);
  for (const double r : kinks) {
    const double s = (r + well.separation) / well.width;
    if (std::abs(s) < reach) all.push_back(s);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

Rule rule_of(const Potential& v, const std::vector<Panel>& panels, const Nodes& nodes, double& largest) {
  Rule rule;
  for (const Panel& panel : panels) {
    const Real middle = (Real(panel.begin) + Real(panel.end)) / 2;
    const Real half = (Real(panel.end) - Real(panel.begin)) / 2;
    for (const auto& [x, weight] : nodes) {
      const Real s = middle + half * x;
      const Real value = v(s);
      largest = std::max(largest, std::abs(static_cast<double>(value)));
      rule.nodes.push_back({s, half * weight * value});
    }
  }
  return rule;
}

}  // namespace

TwoRules make_rules(const Well& well, const PairPotential& potential, double reach, double waves) {
  if (potential.form == PairPotential::Form::delta) {
    const Real s = Real(well.separation) / well.width;
    Rule rule;
    if (s <= reach) rule.nodes.push_back({s, 1 / Real(well.width)});
    return {rule, rule, 0.0};
  }
  const Nodes fine = gauss_legendre(kFineNodes);
  const Nodes coarse = gauss_legendre(kCoarseNodes);
  const Potential v(well, potential);
  Panels panels(v, fine, coarse, reach, reach * kPeriodsAPanel / std::max(waves, kPeriodsAPanel));
  const auto all = edges(well, potential, reach);
  for (std::size_t k = 0; k + 1 < all.size(); ++k) panels.add({all[k], all[k + 1]});
  TwoRules rules;
  double largest = 0.0;
  rules.fine = rule_of(v, panels.all(), fine, largest);
  rules.coarse = rule_of(v, panels.all(), coarse, largest);
  if (potential.form == PairPotential::Form::given)
    rules.potential_error = potential.value_error + 4.0 * std::numeric_limits<double>::epsilon() * largest;
  return rules;
}

}  // namespace qheat::wells
