#pragma once

#include "qheat/steady/steady.hpp"

namespace qheat {

/// The steady state between reservoirs from its two-point functions C_ik = <c_k^+ c_i>, for models in which
/// they close (two_point_obstacles). C solves
///     0 = -i[h, C] - {Gamma, C}/2 - 2 gamma (C - diag C) + Gamma_up   (Znidaric, J. Stat. Mech. L05002
///     (2010))
/// with the one-particle Hamiltonian h, Gamma = up + down and Gamma_up the jump rates of the reservoirs.
/// Coherences |i - k| > w are left out and w is doubled until two things hold: the residual of the full
/// equation, with what the cut leaves outside the band, is below `tolerance` relative to r |C| (r: of the
/// fastest reservoir and the strongest hopping the lesser), and the wider band changes no population by more
/// than `tolerance` and no current by more than that part of the largest (with all coherences the residual
/// alone decides). A uniform chain needs w = 1. Solutions are corrected with residuals of 32 digits, so that
/// reservoirs may be faster or slower than the chain by 12 orders of magnitude.
///
/// Rank 0 solves by sparse LU (MUMPS) and the others get populations and currents: N (2 w + 1) unknowns,
/// memory about that of two_point_bytes. Same fields as find_steady_state; `elements` are those of C within
/// the band, `iterations` 0, `method` "two-point". Collective. Throws InputError if the equations do
/// not close or as require_possible_steady_state does, Error if the state is not unique, the tolerance is not
/// met, or the widest band that fits `free_bytes` (0: no limit) on rank 0 does not do.
SteadyState two_point_steady_state(const Model& model, double tolerance, const Communicator& comm,
                                   double free_bytes, Timings& timings);

/// Bytes rank 0 needs with coherences up to `width` sites apart, an estimate.
double two_point_bytes(int sites, int width);
/// How far coherences will have to reach: a guess, good for uniform chains.
int two_point_width(const Model& model);
/// The same for the bands that are always tried and, without dephasing, one more, which uniform chains take.
double two_point_bytes(const Model& model);

}  // namespace qheat
