#pragma once

#include <vector>

#include "qheat/evolution/observations.hpp"
#include "qheat/model/initial_state.hpp"
#include "qheat/model/model.hpp"
#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/parallel/timings.hpp"
#include "qheat/parallel/work.hpp"

namespace qheat {

/// Which end of the spectrum of H.
enum class SpectrumEnd { lowest, highest };

struct EigenstateOptions {
  int states = 6;  ///< wanted, of all sectors together
  SpectrumEnd end = SpectrumEnd::lowest;
  double tolerance = 1e-10;  ///< of |H psi - E psi| over half the width of the spectrum
};

/// Eigenstates from one end of the spectrum, from there inwards; the same on all ranks. K is the number
/// wanted, or of all states if that is less.
struct Eigenstates {
  std::vector<double> energies;               ///< [K], energy
  std::vector<double> residuals;              ///< |H psi - E psi|, [K], energy
  std::vector<std::vector<int>> band_counts;  ///< sites in each band, [K][L]; empty: nothing is conserved
  /// [K] 0, 1, ...: states with the same number have the same energy, as far as the tolerance tells. Which
  /// states of their span these are is up to chance, and so are the observables of each.
  std::vector<int> energy_group;
  int partners_left_out = 0;  ///< states with the energy of the last one that are not among the K
  bool all_partners = true;   ///< false: that is as many as were looked for, and there may be more
  Observations observations;  ///< [K] in the place of times
};

/// By Krylov-Schur iteration (SLEPc EPS) on the matrix-free Hamiltonian, for real and complex H alike, in the
/// sectors of a diagonal initial state, and again orthogonal to all that were found, from other random
/// starts, until nothing below the last one is left: degenerate levels are complete but for the last, of
/// which `partners_left_out` tells. Collective. Throws Error if the vectors do not fit `free_bytes` a rank
/// (0: no limit), or without convergence.
Eigenstates extreme_eigenstates(const Model& model, const InitialState& initial,
                                const EigenstateOptions& options, const Communicator& comm, double free_bytes,
                                Timings& timings);

/// For checkpoints: all of it is the same on all ranks.
void save_eigenstates(const Model& model, const Eigenstates& found, StateWriter& writer);
Eigenstates load_eigenstates(const Model& model, StateReader& reader);

/// Throws Error if they do not fit `free_bytes` a rank (0: no limit).
void require_eigenstate_memory(const Model& model, const InitialState& initial, int states, int ranks,
                               double free_bytes);
/// About what it takes; iterations are not known beforehand.
Work eigenstate_work(const Model& model, const InitialState& initial, int states);
/// Bytes a rank needs for the largest sector.
double eigenstate_bytes_per_rank(const Model& model, const InitialState& initial, int states, int ranks);

}  // namespace qheat
