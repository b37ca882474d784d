#include "operators/shell_matrix.hpp"

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

PetscErrorCode multiply(Mat matrix, Vec x, Vec y) {
  return petsc::guarded([&] {
    const Operator* a = nullptr;
    QHEAT_PETSC(MatShellGetContext(matrix, &a));
    const auto size = as_size(a->space().local_size());
    const PetscScalar* source = nullptr;
    PetscScalar* target = nullptr;
    QHEAT_PETSC(VecGetArrayRead(x, &source));
    QHEAT_PETSC(VecGetArrayWrite(y, &target));
    a->apply(std::span<const Complex>(source, size), std::span<Complex>(target, size));
    QHEAT_PETSC(VecRestoreArrayWrite(y, &target));
    QHEAT_PETSC(VecRestoreArrayRead(x, &source));
  });
}

}  // namespace

petsc::Matrix shell_matrix(const Operator& a) {
  const auto local = static_cast<PetscInt>(a.space().local_size());
  const PetscInt global = petsc::to_int(a.space().dimension(), "the dimension of the operator");
  petsc::Matrix matrix;
  QHEAT_PETSC(MatCreateShell(a.space().comm().get(), local, local, global, global, const_cast<Operator*>(&a),
                             matrix.out()));
  QHEAT_PETSC(petsc::set_shell_operation(matrix.get(), MATOP_MULT, multiply));
  return matrix;
}

petsc::Vector borrowed_vector(const DistributedSector& space, std::span<const Complex> data) {
  petsc::Vector vector;
  QHEAT_PETSC(VecCreateMPIWithArray(space.comm().get(), 1, static_cast<PetscInt>(space.local_size()),
                                    petsc::to_int(space.dimension(), "the size of a vector"), data.data(),
                                    vector.out()));
  return vector;
}

}  // namespace qheat
