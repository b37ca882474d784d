#pragma once

namespace qheat::petsc {

/// From now on PETSc errors are collected silently and become exceptions in QHEAT_PETSC.
void install_error_collector();

}  // namespace qheat::petsc
