#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "qheat/model/model.hpp"
#include "steady/traced_liouvillian.hpp"

namespace qheat {

/// Solves L rho = 0, tr rho = 1 in units of `rate`, by GMRES.
///
/// GMRES is preconditioned from the left by two inverses one after the other: what leaves coherences alone
/// (PopulationInverse), with dephasing only, and what takes the dissipators for an even damping
/// (CoherentInverse). One is good for slow populations and strong dephasing, the other for fast coherences.
/// What it watches is then the correction that the inverses would make: how far the state itself is off, be
/// the motion that brings it back slow or fast. Each cycle solves for what the state leaves of the
/// equations, so that small coherences get digits of their own.
class SteadySolver {
 public:
  /// Collective; `a` and `model` must outlive this object.
  SteadySolver(const TracedLiouvillian& a, const Model& model, double rate);
  ~SteadySolver();

  /// |P (b - A rho)| / |rho| with the preconditioner P, Frobenius norms.
  double correction(std::span<const Complex> rho) const;
  /// By GMRES from a Hermitian `rho`; true if the correction is below the tolerance at the end. `polish`: one
  /// more cycle then. Calls `after_cycle` with the first correction and that of now between cycles, where all
  /// there is to be kept is rho.
  bool iterate(double tolerance, bool polish, std::vector<Complex>& rho,
               const std::function<void(double first, double now)>& after_cycle);
  /// Iterations of GMRES so far.
  Index iterations() const { return iterations_; }
  void add_iterations(Index earlier) { iterations_ += earlier; }

  /// Bytes a rank needs for `iterate`.
  static double iterative_bytes_per_rank(const Model& model, Index elements, int ranks);

 private:
  class Preconditioner;

  Preconditioner& preconditioner() const;
  /// b - A rho, made Hermitian.
  std::vector<Complex> left_by(std::span<const Complex> rho) const;
  /// rho += the solution of one cycle for what rho leaves, to this part of it.
  void correct(double part, std::vector<Complex>& rho);
  void normalize(std::span<Complex> rho) const;

  const TracedLiouvillian& a_;
  const Model& model_;
  double rate_;
  std::shared_ptr<const DistributedSector> space_;
  mutable std::unique_ptr<Preconditioner> preconditioner_;
  Index iterations_ = 0;
};

/// Frobenius norm. Collective.
double frobenius_norm(const Communicator& comm, std::span<const Complex> x);

/// A random Hermitian matrix of about this Frobenius norm: this rank's elements, the same on any number of
/// ranks.
std::vector<Complex> random_hermitian(const DistributedSector& pairs, double norm);

}  // namespace qheat
