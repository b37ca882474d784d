#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "qheat/model/model.hpp"
#include "steady/traced_liouvillian.hpp"

namespace qheat {

/// Solves L rho = 0, tr rho = 1 in units of `rate`, by GMRES or by a sparse factorisation.
///
/// GMRES is preconditioned from the right, so that the residual it watches is the true one, by two inverses
/// one after the other: what leaves coherences alone (PopulationInverse), with dephasing only, and what takes
/// the dissipators for an even damping (CoherentInverse). One is good for slow populations and strong
/// dephasing, the other for fast coherences.
class SteadySolver {
 public:
  /// Collective; `a` and `model` must outlive this object.
  SteadySolver(const TracedLiouvillian& a, const Model& model, double rate);
  ~SteadySolver();

  /// |L rho| / (rate |rho|), the true residual.
  double residual(std::span<const Complex> rho) const;
  /// By GMRES from a Hermitian `rho`; true if the true residual is below the tolerance at the end. Calls
  /// `after_cycle(residual)` between restarts, where all there is to be kept is rho.
  bool iterate(double tolerance, std::vector<Complex>& rho,
               const std::function<void(double residual)>& after_cycle);
  /// By MUMPS; false if it fails, which a state that is not unique can be the reason of.
  bool factorize(std::vector<Complex>& rho);
  /// Iterations of GMRES so far.
  Index iterations() const { return iterations_; }
  void add_iterations(Index earlier) { iterations_ += earlier; }

  /// Bytes a rank needs for `iterate`.
  static double iterative_bytes_per_rank(const Model& model, Index elements, int ranks);

 private:
  class Preconditioner;

  void normalize(std::span<Complex> rho) const;

  const TracedLiouvillian& a_;
  const Model& model_;
  double rate_;
  std::shared_ptr<const DistributedSector> space_;
  std::unique_ptr<Preconditioner> preconditioner_;
  Index iterations_ = 0;
};

/// Frobenius norm. Collective.
double frobenius_norm(const Communicator& comm, std::span<const Complex> x);

/// A random Hermitian matrix of about this Frobenius norm: this rank's elements, the same on any number of
/// ranks.
std::vector<Complex> random_hermitian(const DistributedSector& pairs, double norm);

}  // namespace qheat
