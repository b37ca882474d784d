#pragma once

#include <limits>
#include <vector>

#include "qheat/basis/cell_space.hpp"
#include "qheat/propagator/cell_columns.hpp"

namespace qheat {

/// A gain-loss kernel K on the cells at one time, sector by sector; unknown (NaN) where it diverges.
struct KernelValue {
  std::vector<FullColumns> sectors;  ///< this rank's columns: rates m -> n at row n, losses on the diagonal
  /// sum over n != m of (W_nm - W_mn)^2, all ranks.
  double asymmetry_squared = 0.0;
  /// Estimate of the error of an element by rounding and truncation, over the largest element.
  double error = 0.0;
  /// The same by a finite number of realisations, for the kernel of an average.
  double sampling = 0.0;
  bool averaged = false;
  /// Both.
  double total_error() const { return error + sampling; }
  /// 1-norm estimate of cond(G), for kernels that divide by G.
  double condition = std::numeric_limits<double>::quiet_NaN();
};

/// A kernel of a time-local equation dP/dt = K(t) P, held as dense columns.
class TimeLocalKernel {
 public:
  TimeLocalKernel() = default;
  virtual ~TimeLocalKernel() = default;
  TimeLocalKernel(const TimeLocalKernel&) = delete;
  TimeLocalKernel& operator=(const TimeLocalKernel&) = delete;

  /// K(t), a pure function of t; cheapest with times in ascending order. Collective.
  virtual KernelValue at(double t) = 0;
  /// One piece of the work that at(t) needs first, for safe points between; the share of it that is done, 1
  /// where nothing is left. Collective.
  virtual double approach(double t) {
    static_cast<void>(t);
    return 1.0;
  }
};

/// Makes the losses on the diagonal what leaves for other cells, K_cc = -sum_{c'} W_{c'c}: the division by G
/// amplifies rounding in all elements, but no probability may get lost.
void balance_losses(FullColumns& kernel);

/// Sets a kernel to zero, and its error, if it is nothing but rounding that means nothing: no element has a
/// digit, and over a time t their errors change no probability by more than 1e-10. Collective.
void drop_noise(KernelValue& kernel, double t, const Communicator& comm);

/// Largest |element| over all ranks.
double largest_element(const KernelValue& kernel, const Communicator& comm);

}  // namespace qheat
