#pragma once

#include <map>
#include <memory>
#include <vector>

#include "qheat/evolution/density_evolution.hpp"

namespace qheat {

class Factors;

/// By resolvents of L: e^{hL} rho is the contour integral of e^z (z - hL)^{-1} rho / (2 pi i), by the
/// trapezoidal rule on a hyperbola (Weideman and Trefethen, Math. Comp. 76, 1341 (2007)). The cost does not
/// depend on how fast the motions are that have decayed: for times that no polynomial reaches. Ranks share
/// the nodes; each holds rho, L and the sparse factors of its nodes. rho must be on blocks (density_counts),
/// so that it is a Hermitian matrix.
///
/// The hyperbola holds what decays, and what oscillates no faster than its own extent. So steps begin small
/// and are doubled as long as one of twice the length gives what two give; oscillations that do not decay
/// keep them small.
class ResolventEvolution final : public DensityEvolution {
 public:
  /// `steps` equal steps to `end`, each with a relative error of at most `step_tolerance`; the fastest motion
  /// goes through `phase` until `end`. Throws Error if memory is short.
  ResolventEvolution(const Model& model, std::shared_ptr<const DistributedSector> space, Index steps,
                     double step_tolerance, double end, double phase);
  ~ResolventEvolution() override;

  Index steps() const override { return steps_; }
  /// Of the last step: differences between each part of it and its two halves.
  double step_error() const override { return step_error_; }
  /// The intervals are 0 or whole steps. Throws Error if oscillations keep the steps small.
  void step(std::span<const double> dts, std::vector<Complex>& rho, const LinearMeasurement& measure,
            std::size_t count, std::span<double> measured) override;
  int halvings() const override { return halvings_; }
  void begin_with(int halvings) override { halvings_ = halvings; }

  /// Bytes that each of `ranks` ranks takes for rho of so many elements.
  static double bytes_per_rank(Index elements, int ranks);
  /// Nodes of the rule, those of positive imaginary part.
  static constexpr int kNodes = 16;

 private:
  struct Generator;
  using FactorsOfNodes = std::vector<std::unique_ptr<Factors>>;

  const FactorsOfNodes& factors(int halvings);
  std::vector<Complex> propagated(const std::vector<Complex>& rho, int halvings);
  void advance(std::vector<Complex>& rho);

  std::shared_ptr<const DistributedSector> space_;
  std::unique_ptr<Generator> generator_;  ///< L on this rank alone
  bool blocks_keep_trace_;                ///< each its own
  Index steps_;
  double step_tolerance_, length_;
  int halvings_;                           ///< a part of a step is its length / 2^halvings
  std::map<int, FactorsOfNodes> factors_;  ///< of this rank's nodes, by halvings
  double step_error_ = 0.0;
};

}  // namespace qheat
