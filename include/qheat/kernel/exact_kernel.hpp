#pragma once

#include <memory>
#include <vector>

#include "qheat/kernel/time_local_kernel.hpp"
#include "qheat/propagator/population_propagator.hpp"

namespace qheat {

/// The exact gain-loss kernel K(t) = G'(t) G(t)^{-1} (Eqs. 2 to 4 of Wu and Segal). It diverges at singular
/// times, where det G vanishes; populations stay finite there.
class ExactKernel final : public TimeLocalKernel {
 public:
  /// `propagators`: one a sector, in the order of the cells.
  ExactKernel(std::vector<std::unique_ptr<const PopulationPropagator>> propagators, const Communicator& comm);
  ~ExactKernel() override;

  const std::vector<std::unique_ptr<const PopulationPropagator>>& propagators() const { return propagators_; }
  /// An unknown kernel at a singular time, and where no element has a digit (total error >= 1).
  KernelValue at(double t) override;
  /// d/dt ln |det G| and the sign of det G for each block of G (sector and mirror parity) at the time of the
  /// last at().
  const std::vector<double>& traces() const { return traces_; }
  const std::vector<int>& signs() const { return signs_; }
  /// Whether these are more than rounding.
  const std::vector<bool>& meaningful() const { return meaningful_; }

  /// The singular times of a block between two times that a sign of det G, or a change of the trace from
  /// falling to rising, brackets, ascending: one, or two where the sign changes there and back; none if the
  /// trace has another reason.
  struct Bracket {
    double t;
    int sign;
    double trace;
  };
  std::vector<double> singular_times(std::size_t block, Bracket low, Bracket high) const;

 private:
  struct Block;
  struct Determinant {
    int sign;
    double log;
  };
  Determinant determinant(std::size_t block, double t) const;
  Bracket bracket(std::size_t block, double t) const;
  double crossing(std::size_t block, double low, double high) const;
  std::vector<double> even_zeros(std::size_t block, Bracket low, Bracket high) const;

  Communicator comm_;
  std::vector<std::unique_ptr<const PopulationPropagator>> propagators_;
  std::vector<std::unique_ptr<const Block>> blocks_;
  std::vector<double> traces_;
  std::vector<int> signs_;
  std::vector<bool> meaningful_;
};

/// Collects the singular times of an exact kernel evaluated at ascending times; they are found if a block's
/// det G has at most one zero between two of them, and means something at both: not at the last time itself.
class SingularTimes {
 public:
  /// Looks back from the time of the kernel's last at(). Collective.
  void advance(const ExactKernel& kernel, double t);
  /// Ascending.
  const std::vector<double>& found() const { return found_; }

  /// State between two calls, for checkpoints: [blocks][3], empty before the first.
  std::vector<double> state() const;
  void restore(const std::vector<double>& state, std::vector<double> found);

 private:
  std::vector<ExactKernel::Bracket> last_;
  std::vector<double> found_;
};

}  // namespace qheat
