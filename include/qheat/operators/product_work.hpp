#pragma once

#include <vector>

#include "qheat/model/model.hpp"
#include "qheat/parallel/work.hpp"

namespace qheat {

/// Elements of all V in a row of H, on average over a sector (empty counts: the full space).
double elements_a_state(const Model& model, const std::vector<int>& counts);

/// Half the width of the spectrum of H in a sector, to some tens of percent: for plans, not a bound.
double typical_radius(const Model& model, const std::vector<int>& counts);

/// Work of one product with the matrix-free H on a vector of `states` elements of a sector.
Work hamiltonian_work(const Model& model, const std::vector<int>& counts, double states);
/// The same with the Liouvillian on a density matrix of `elements` elements in blocks of these counts.
Work liouvillian_work(const Model& model, const std::vector<std::vector<int>>& counts, double elements);
/// Reading or writing `vectors` vectors of so many complex numbers, `different` of them in turn.
Work pass_work(double elements, double vectors, double different = 1.0);
/// Multiplications and additions of dense matrices, two of them a pair.
Work dense_work(double operations);
/// All eigenvalues and eigenvectors of a Hermitian matrix.
Work diagonalization_work(double dimension, bool real);

/// Bytes on every rank of the tables by which jumps cross from ket to bra, for so many kets.
double jump_table_bytes(const Model& model, double kets);

}  // namespace qheat
