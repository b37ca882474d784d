#pragma once

#include <memory>
#include <vector>

#include "qheat/kernel/time_local_kernel.hpp"
#include "qheat/propagator/propagator_orders.hpp"

namespace qheat {

/// Time-convolutionless kernels of any order, TCLn = K_0 + ... + K_n, by the recursion
/// K_k = (G_k' - sum_{j < k} K_j G_{k-j}) G_0^{-1} (physics: Perturbative kernels, any order). Without
/// reservoirs K_0 = 0 and G_0 = 1.
class TclKernels {
 public:
  /// `orders`: wanted, each at most that of the propagators; `propagators`: one a sector.
  TclKernels(std::vector<int> orders, std::vector<std::unique_ptr<PropagatorOrders>> propagators,
             const Communicator& comm);
  ~TclKernels();

  const std::vector<int>& orders() const { return orders_; }
  /// One for each of orders(). Their error is an estimate of the rounding of secular terms, relative to the
  /// largest element. Collective.
  std::vector<KernelValue> at(double t);
  /// As of TimeLocalKernel.
  double approach(double t);
  /// How far the work has come.
  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  struct Parity;

  Communicator comm_;
  std::vector<int> orders_;
  std::vector<std::unique_ptr<PropagatorOrders>> propagators_;
  std::vector<std::vector<std::unique_ptr<const Parity>>> parities_;  ///< [sectors]
};

/// One of them.
class TclKernel final : public TimeLocalKernel {
 public:
  TclKernel(int order, std::vector<std::unique_ptr<PropagatorOrders>> propagators, const Communicator& comm)
      : kernels_({order}, std::move(propagators), comm) {}

  KernelValue at(double t) override { return std::move(kernels_.at(t).front()); }
  double approach(double t) override { return kernels_.approach(t); }

 private:
  TclKernels kernels_;
};

}  // namespace qheat
