#pragma once

#include "parallel/petsc.hpp"
#include "qheat/operators/operator.hpp"

namespace qheat {

/// An Operator as a PETSc matrix; the operator must outlive it.
petsc::Matrix shell_matrix(const Operator& a);

}  // namespace qheat
