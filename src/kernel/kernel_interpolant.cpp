#include "qheat/kernel/kernel_interpolant.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr int kDegree = 10;

/// sum_j weights[j] values[j], element by element, squared and added up over this rank.
double combination_squared(const std::vector<KernelValue>& values, const std::vector<double>& weights) {
  double sum = 0.0;
  for (std::size_t s = 0; s < values.front().sectors.size(); ++s) {
    const auto first = values.front().sectors[s].values.block();
    for (Index e = 0; e < first.rows() * first.columns(); ++e) {
      double value = 0.0;
      for (std::size_t j = 0; j < values.size(); ++j) {
        value += weights[j] * values[j].sectors[s].values.block().data()[e];
      }
      sum += value * value;
    }
  }
  return sum;
}

}  // namespace

ChebyshevPanel::ChebyshevPanel(double begin, double end, int degree) : begin_(begin), end_(end) {
  for (int j = 0; j <= degree; ++j) {
    const double x = std::cos(std::numbers::pi * j / degree);
    points_.push_back(j == 0 ? end : (j == degree ? begin : (begin + end) / 2.0 + (end - begin) / 2.0 * x));
  }
}

std::vector<double> ChebyshevPanel::weights(double t) const {
  // Barycentric formula (Berrut and Trefethen, SIAM Rev. 46, 501 (2004)).
  std::vector<double> weights(points_.size(), 0.0);
  double sum = 0.0;
  for (std::size_t j = 0; j < points_.size(); ++j) {
    if (t == points_[j]) {
      std::fill(weights.begin(), weights.end(), 0.0);
      weights[j] = 1.0;
      return weights;
    }
    const bool is_end = j == 0 || j + 1 == points_.size();
    weights[j] = (j % 2 == 0 ? 1.0 : -1.0) * (is_end ? 0.5 : 1.0) / (t - points_[j]);
    sum += weights[j];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

std::vector<double> ChebyshevPanel::coefficient_weights(int k) const {
  const auto degree = static_cast<int>(points_.size()) - 1;
  std::vector<double> weights;
  for (int j = 0; j <= degree; ++j) {
    const bool is_end = j == 0 || j == degree;
    weights.push_back(std::cos(std::numbers::pi * j * k / degree) * (is_end ? 1.0 : 2.0) / degree /
                      (k == degree || k == 0 ? 2.0 : 1.0));
  }
  return weights;
}

KernelInterpolant::KernelInterpolant(TimeLocalKernel& kernel, std::vector<double> times, double tolerance,
                                     const Communicator& comm, Observe observe)
    : kernel_(kernel),
      times_(std::move(times)),
      tolerance_(tolerance / (times_.back() - times_.front())),
      comm_(comm),
      observe_(std::move(observe)) {
  QHEAT_ASSERT(times_.size() > 1);
}

const KernelInterpolant::Panel& KernelInterpolant::panel_of(double t) {
  if (panels_.empty() || t < panels_.front().points.begin() || t > panels_.back().points.end()) {
    const auto end = std::lower_bound(times_.begin() + 1, times_.end() - 1, t);
    panels_.clear();
    constexpr double kShortest = 1e-5;  // of the interval
    make_interval(*(end - 1), *end, kShortest * (*end - *(end - 1)));
  }
  return *std::lower_bound(panels_.begin(), panels_.end() - 1, t,
                           [](const Panel& panel, double time) { return panel.points.end() < time; });
}

void KernelInterpolant::make_interval(double begin, double end, double shortest) {
  Panel panel = make_panel(begin, end);
  if (tail_is_small(panel)) {
    observe_(panel);
    panels_.push_back(std::move(panel));
    return;
  }
  if (end - begin < shortest) throw KernelUnknown(begin);
  const double middle = (begin + end) / 2.0;
  make_interval(begin, middle, shortest);
  make_interval(middle, end, shortest);
}

KernelInterpolant::Panel KernelInterpolant::make_panel(double begin, double end) const {
  Panel panel{ChebyshevPanel(begin, end, kDegree), {}};
  const auto& points = panel.points.points();
  for (std::size_t j = points.size(); j-- > 0;) {  // ascending times: cheapest
    while (kernel_.approach(points[j]) < 1.0) pause_();
    panel.values.push_back(kernel_.at(points[j]));
    if (!(panel.values.back().total_error() < 1.0)) throw KernelUnknown(points[j]);
  }
  std::reverse(panel.values.begin(), panel.values.end());
  return panel;
}

bool KernelInterpolant::tail_is_small(const Panel& panel) const {
  double tail = 0.0;
  for (const int k : {kDegree - 1, kDegree}) {
    const double square = combination_squared(panel.values, panel.points.coefficient_weights(k));
    tail = std::max(tail, std::sqrt(comm_.sum(square)));
  }
  double noise = 0.0;
  for (const auto& value : panel.values) {
    noise = std::max(noise, value.error * largest_element(value, comm_));
  }
  constexpr double kNoiseMargin = 10.0;  // coefficients below the noise of the values tell nothing
  return tail <= std::max(tolerance_, kNoiseMargin * noise);
}

void BondRateSeries::add(const ChebyshevPanel& panel, const std::vector<std::vector<double>>& rates) {
  if (!panels_.empty() && panel.begin() < panels_.back().panel.end()) return;  // seen before
  panels_.push_back({panel, rates});
}

void BondRateSeries::at(double t, std::span<double> rates) const {
  std::fill(rates.begin(), rates.end(), 0.0);
  if (panels_.empty()) return;
  const auto after = std::lower_bound(panels_.begin(), panels_.end() - 1, t,
                                      [](const Panel& p, double time) { return p.panel.end() < time; });
  const auto weights = after->panel.weights(t);
  for (std::size_t j = 0; j < weights.size(); ++j) {
    for (std::size_t b = 0; b < rates.size(); ++b) rates[b] += weights[j] * after->rates[j][b];
  }
}

std::vector<double> BondRateSeries::flat() const {
  std::vector<double> values;
  for (const auto& [panel, rates] : panels_) {
    values.insert(values.end(), {panel.begin(), panel.end(), static_cast<double>(rates.size()),
                                 static_cast<double>(rates.front().size())});
    for (const auto& at_point : rates) values.insert(values.end(), at_point.begin(), at_point.end());
  }
  return values;
}

BondRateSeries BondRateSeries::from_flat(std::span<const double> values) {
  BondRateSeries series;
  for (std::size_t next = 0; next < values.size();) {
    const auto points = static_cast<std::size_t>(values[next + 2]);
    const auto bonds = static_cast<std::size_t>(values[next + 3]);
    Panel panel{ChebyshevPanel(values[next], values[next + 1], static_cast<int>(points) - 1), {}};
    next += 4;
    for (std::size_t j = 0; j < points; ++j, next += bonds) {
      const auto rates = values.subspan(next, bonds);
      panel.rates.emplace_back(rates.begin(), rates.end());
    }
    series.panels_.push_back(std::move(panel));
  }
  return series;
}

std::vector<KernelColumns> kernel_columns(const KernelValue& kernel) {
  std::vector<KernelColumns> columns;
  for (std::size_t s = 0; s < kernel.sectors.size(); ++s) {
    const auto& sector = kernel.sectors[s];
    for (std::size_t j = 0; j < sector.cells.size(); ++j) {
      columns.push_back({s, sector.cells[j], 1, sector.values.block().column_span(static_cast<Index>(j))});
    }
  }
  return columns;
}

Assumptions evaluate_assumptions(const AssumptionScores& scores, double t, const KernelValue& kernel,
                                 const Communicator& comm) {
  const bool known = kernel.total_error() <= kLargestKernelError;
  const double asymmetry = known ? kernel.asymmetry_squared : std::numeric_limits<double>::quiet_NaN();
  auto result = scores.evaluate(t, kernel_columns(kernel), comm.is_root() ? asymmetry : 0.0, comm);
  return known ? result : unknown_assumptions(static_cast<int>(result.bond_rate.size()));
}

Assumptions unknown_assumptions(int bonds) {
  Assumptions unknown;
  unknown.bond_rate.assign(as_size(bonds), Assumptions::kUntested);
  return unknown;
}

}  // namespace qheat
