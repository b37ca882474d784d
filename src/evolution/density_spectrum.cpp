#include "qheat/evolution/density_spectrum.hpp"

#include <mpi.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "parallel/petsc.hpp"
#include "parallel/unknown.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

// needs PETSc's types before it
#include <petscblaslapack.h>

namespace qheat {
namespace {

/// Of the Hermitian part of a square matrix, which is overwritten.
double smallest_eigenvalue(std::vector<Complex>& matrix, Index size) {
  const auto n = as_size(size);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const Complex mean = 0.5 * (matrix[i * n + j] + std::conj(matrix[j * n + i]));
      matrix[i * n + j] = mean;
      matrix[j * n + i] = std::conj(mean);
    }
  }
  // The transpose that LAPACK takes it for has the same eigenvalues.
  const auto order = static_cast<PetscBLASInt>(size);
  const PetscBLASInt work_size = 64 * std::max<PetscBLASInt>(1, order);
  std::vector<double> eigenvalues(n);
  std::vector<double> real_work(3 * n);
  std::vector<Complex> work(as_size(work_size));
  PetscBLASInt info = 0;
  LAPACKsyev_("N", "U", &order, matrix.data(), &order, eigenvalues.data(), work.data(), &work_size,
              real_work.data(), &info);
  return info == 0 ? eigenvalues.front() : std::numeric_limits<double>::quiet_NaN();
}

/// One block, row after row, on rank `owner`; empty on the others. Collective.
std::vector<Complex> gather_block(const DistributedSector& pairs, std::span<const Complex> rho, int number,
                                  int owner) {
  const auto& block = at(pairs.sector().blocks(), number);
  const Communicator& comm = pairs.comm();
  const Index begin = std::max(block.first_row, pairs.first_row());
  const Index end = std::min(block.first_row + block.rows, pairs.first_row() + pairs.local_rows());
  const int mine = static_cast<int>(std::max<Index>(0, end - begin) * block.row_length);
  const Complex* first =
      mine == 0 ? nullptr : rho.data() + (pairs.sector().first_state(begin) - pairs.first_state());
  std::vector<int> counts(as_size(comm.size()));
  MPI_Gather(&mine, 1, MPI_INT, counts.data(), 1, MPI_INT, owner, comm.get());
  std::vector<int> places(counts.size());
  std::vector<Complex> whole;
  if (comm.rank() == owner) {
    for (std::size_t r = 1; r < counts.size(); ++r) places[r] = places[r - 1] + counts[r - 1];
    whole.resize(as_size(block.rows * block.row_length));
  }
  MPI_Gatherv(first, mine, MPI_C_DOUBLE_COMPLEX, whole.data(), counts.data(), places.data(),
              MPI_C_DOUBLE_COMPLEX, owner, comm.get());
  return whole;
}

}  // namespace

double smallest_eigenvalue(const DistributedSector& pairs, std::span<const Complex> rho, Index most_kets) {
  const auto& blocks = pairs.sector().blocks();
  if (std::any_of(blocks.begin(), blocks.end(), [&](const auto& b) { return b.rows > most_kets; }))
    return kUnknown;
  const Communicator& comm = pairs.comm();
  double smallest = std::numeric_limits<double>::infinity();
  bool failed = false;
  // a round of as many blocks as ranks, one for each
  const int count = static_cast<int>(blocks.size());
  for (int first = 0; first < count; first += comm.size()) {
    std::vector<Complex> mine;
    Index size = 0;
    for (int owner = 0; owner < std::min(comm.size(), count - first); ++owner) {
      const auto number = as_size(first) + as_size(owner);
      auto block = gather_block(pairs, rho, first + owner, owner);
      if (owner != comm.rank()) continue;
      size = blocks[number].rows;
      QHEAT_ASSERT(size == blocks[number].row_length);
      mine = std::move(block);
    }
    if (size == 0) continue;
    const double here = smallest_eigenvalue(mine, size);
    failed = failed || std::isnan(here);
    smallest = std::min(smallest, here);
  }
  return comm.any(failed) ? kUnknown : -comm.max(-smallest);
}

}  // namespace qheat
