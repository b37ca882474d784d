#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "qheat/evolution/faber.hpp"
#include "qheat/evolution/krylov.hpp"
#include "qheat/model/model.hpp"
#include "qheat/operators/operator.hpp"

namespace qheat {

/// Overwrites `values` with numbers that depend on this rank's elements of a density matrix, linearly (over
/// the reals).
using LinearMeasurement = std::function<void(std::span<const Complex> rho, std::span<double> values)>;

/// rho <- e^{L t} rho in equal steps.
class DensityEvolution {
 public:
  DensityEvolution() = default;
  virtual ~DensityEvolution() = default;
  DensityEvolution(const DensityEvolution&) = delete;
  DensityEvolution& operator=(const DensityEvolution&) = delete;

  virtual Index steps() const = 0;
  /// Bound of the error of a step by truncation, relative to the Frobenius norm of rho before it.
  virtual double step_error() const = 0;
  /// One step. `measured` [dts][count], overwritten, gets what `measure` says of rho after each of the
  /// ascending intervals `dts`, 0 to the step's length. Collective.
  virtual void step(std::span<const double> dts, std::vector<Complex>& rho, const LinearMeasurement& measure,
                    std::size_t count, std::span<double> measured) = 0;

  /// How often a step is halved inside; what a resumed run must begin with to repeat the uninterrupted one.
  virtual int halvings() const { return 0; }
  virtual void begin_with(int /*halvings*/) {}
};

/// By Faber polynomials of an ellipse around the numerical range of L (Chebyshev polynomials for a closed
/// system, Taylor's series on a circle). Every output in a step costs measurements alone: they are linear, so
/// those of the polynomials suffice. Two vectors beside rho.
class FaberEvolution final : public DensityEvolution {
 public:
  /// `generator` must outlive this object; the plan's ellipse must hold its numerical range.
  FaberEvolution(const Operator& generator, const FaberPlan& plan, double end);

  Index steps() const override { return plan_.steps; }
  double step_error() const override { return series_.tail; }
  void step(std::span<const double> dts, std::vector<Complex>& rho, const LinearMeasurement& measure,
            std::size_t count, std::span<double> measured) override;

  /// Vectors of the size of rho that it holds beside rho.
  static constexpr int kWorkVectors = 2;

 private:
  const Operator& generator_;
  FaberPlan plan_;
  FaberSeries series_;  ///< of a whole step
  std::vector<Complex> other_, sum_;
};

/// By Krylov subspaces (SLEPc MFN).
class KrylovDensityEvolution final : public DensityEvolution {
 public:
  /// `generator` must outlive this object. Takes steps and tolerance from the plan.
  KrylovDensityEvolution(const Operator& generator, const FaberPlan& plan, double end);

  Index steps() const override { return plan_.steps; }
  double step_error() const override { return plan_.step_tolerance; }
  void step(std::span<const double> dts, std::vector<Complex>& rho, const LinearMeasurement& measure,
            std::size_t count, std::span<double> measured) override;

 private:
  KrylovEvolution krylov_;
  FaberPlan plan_;
  double dt_;
};

/// The numerical range of L on blocks with these counts (density_counts): the widths of H's spectra by a few
/// Lanczos steps in each block, and bounds for the dissipators. Collective.
GeneratorRange generator_range(const Model& model, const std::vector<std::vector<int>>& counts,
                               const Communicator& comm);

}  // namespace qheat
