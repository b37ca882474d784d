#pragma once

#include <functional>
#include <span>
#include <vector>

#include "qheat/kernel/assumptions.hpp"
#include "qheat/kernel/time_local_kernel.hpp"
#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// A kernel has no digits left at a time that an equation needs, or changes too fast there to be followed, as
/// at a singular time between two outputs.
class KernelUnknown : public std::exception {
 public:
  explicit KernelUnknown(double t) : t_(t) {}
  const char* what() const noexcept override { return "the kernel is unknown at a time that is needed"; }
  double time() const { return t_; }

 private:
  double t_;
};

/// A function of time on an interval as a polynomial through Chebyshev points, the ends included.
class ChebyshevPanel {
 public:
  /// `degree` + 1 points.
  ChebyshevPanel(double begin, double end, int degree);

  double begin() const { return begin_; }
  double end() const { return end_; }
  /// Descending.
  const std::vector<double>& points() const { return points_; }
  /// Weights of the values at the points for the value at t.
  std::vector<double> weights(double t) const;
  /// Weights of the values for the Chebyshev coefficient of order k.
  std::vector<double> coefficient_weights(int k) const;

 private:
  double begin_, end_;
  std::vector<double> points_;
};

/// K(t) between output times: polynomials on panels, which cut each interval of output times until what the
/// last coefficients tell is below the tolerance. Holds the panels of one interval.
class KernelInterpolant {
 public:
  struct Panel {
    ChebyshevPanel points;
    std::vector<KernelValue> values;  ///< [points]
  };
  /// Sees the panels of an interval in ascending order when they are made; an interval may come again.
  using Observe = std::function<void(const Panel&)>;

  /// `tolerance`: of a solution of dP/dt = K P over all of `times`, relative to P.
  KernelInterpolant(TimeLocalKernel& kernel, std::vector<double> times, double tolerance,
                    const Communicator& comm, Observe observe);

  /// The panel that holds t; t within `times`, best ascending. Throws KernelUnknown. Collective.
  const Panel& panel_of(double t);
  /// `pause`: called between pieces of a long evaluation of the kernel. May throw.
  void on_pause(std::function<void()> pause) { pause_ = std::move(pause); }

 private:
  void make_interval(double begin, double end, double shortest);
  Panel make_panel(double begin, double end) const;
  bool tail_is_small(const Panel& panel) const;

  TimeLocalKernel& kernel_;
  std::vector<double> times_;
  double tolerance_;  ///< of K, Frobenius norm
  Communicator comm_;
  Observe observe_;
  std::function<void()> pause_ = [] {};
  std::vector<Panel> panels_;
};

/// w(b, t) on the panels of an interpolant, for the site equation.
class BondRateSeries {
 public:
  void add(const ChebyshevPanel& panel, const std::vector<std::vector<double>>& rates);
  /// Writes w(b, t), [B]; t within the panels. Zero without panels: at the start alone no rate is needed.
  void at(double t, std::span<double> rates) const;

  /// As a flat list, and from it, for checkpoints.
  std::vector<double> flat() const;
  static BondRateSeries from_flat(std::span<const double> values);

 private:
  struct Panel {
    ChebyshevPanel panel;
    std::vector<std::vector<double>> rates;  ///< [points][B]
  };
  std::vector<Panel> panels_;  ///< ascending
};

/// A kernel's whole columns as the scores take them.
std::vector<KernelColumns> kernel_columns(const KernelValue& kernel);

/// Scores and bond rates of a dense kernel; unknown where its error is above 5 %. Collective.
Assumptions evaluate_assumptions(const AssumptionScores& scores, double t, const KernelValue& kernel,
                                 const Communicator& comm);

/// Of a kernel without digits, [B] bond rates included.
Assumptions unknown_assumptions(int bonds);

/// Error above which scores and rate equations do without a kernel.
constexpr double kLargestKernelError = 0.05;

}  // namespace qheat
