#pragma once

#include <petscksp.h>
#undef I

#include <string>
#include <vector>

#include "parallel/petsc.hpp"
#include "qheat/basis/sector.hpp"

namespace qheat {

/// LU factors of a sparse matrix on a space, by MUMPS.
class Factors {
 public:
  /// `space` must outlive this object. `remedy` ends the message of the Error that is thrown if memory is
  /// short.
  Factors(const DistributedSector& space, Mat matrix, const std::string& remedy);

  bool singular() const { return !solver_; }
  /// A x = b, x overwritten; false if it failed. Not for singular ones.
  bool solve(std::vector<Complex>& b, std::vector<Complex>& x) const;

  /// About what factors of a Liouvillian of a chain take, in bytes on the rank that has them.
  static double bytes(Index elements);

 private:
  const DistributedSector* space_;
  petsc::Handle<KSP, KSPDestroy> solver_;
};

}  // namespace qheat
