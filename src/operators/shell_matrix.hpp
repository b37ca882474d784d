#pragma once

#include <span>

#include "parallel/petsc.hpp"
#include "qheat/operators/operator.hpp"

namespace qheat {

/// An Operator as a PETSc matrix; the operator must outlive it.
petsc::Matrix shell_matrix(const Operator& a);

/// This rank's part of a vector on a space as a PETSc vector, without a copy; `data` must outlive it.
petsc::Vector borrowed_vector(const DistributedSector& space, std::span<const Complex> data);

}  // namespace qheat
