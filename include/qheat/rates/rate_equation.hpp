#pragma once

#include <functional>
#include <span>
#include <vector>

#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/run_control.hpp"

namespace qheat {

/// dP/dt = K(t) P, P real and distributed contiguously over the ranks.
class RateEquation {
 public:
  virtual ~RateEquation() = default;
  virtual const Communicator& comm() const = 0;
  virtual Index local_size() const = 0;
  virtual Index first() const = 0;
  virtual Index global_size() const = 0;
  /// dp = K(t) p, this rank's part. Collective.
  virtual void apply(double t, std::span<const double> p, std::span<double> dp) = 0;
  /// This rank's diagonal of K(t).
  virtual void diagonal(double t, std::span<double> diagonal) = 0;
  /// Estimate of the largest |K_cc| between the first and the last of `times`. Collective.
  virtual double fastest_rate(const std::vector<double>& times);
  /// `pause`: to be called between pieces of a long evaluation of K(t); collective, and it may throw.
  virtual void on_pause(const std::function<void()>& pause) { static_cast<void>(pause); }
};

/// The equation could not be integrated beyond a time: it grows without bound, or is too stiff.
class IntegrationFailed : public Error {
 public:
  using Error::Error;
};

enum class Integrator {
  automatic,  ///< implicit where the fastest rate times the time span makes explicit steps the bottleneck
  explicit_,  ///< Runge-Kutta 8(7) of Verner
  implicit    ///< ARKIMEX(4), fully implicit, GMRES
};

/// Integrates by PETSc TS with adaptive steps and calls observe(k, P) with this rank's P at times[k], which
/// are hit exactly. `tolerance`: error of a step relative to the probabilities, and to their mean. On return
/// `p` holds the last state. Offers its state to `control` after every step, and the last one where the
/// equation pauses within a step; a resumed run on the same ranks takes the same steps. Throws
/// IntegrationFailed; the outputs before stay observed.
void integrate(RateEquation& equation, std::span<double> p, const std::vector<double>& times,
               double tolerance, Integrator integrator, RunControl& control,
               const std::function<void(std::size_t, std::span<const double>)>& observe,
               const RunControl::Save& save_more, const RunControl::Load& load_more);

}  // namespace qheat
