#pragma once

#include <functional>
#include <optional>

#include "qheat/kernel/second_order.hpp"
#include "qheat/model/broadening.hpp"

namespace qheat {

/// The Markov limit of the second-order kernel (Eqs. 16 to 18 of Wu and Segal), the same at all times: the
/// rate m -> n of two states is 2 pi lambda^2 |B_nm|^2 Gamma(E_n - E_m), Gamma a normalised density of the
/// mismatch. It comes from
/// - dephasing: a Lorentzian of half width Gamma_nm, which is the limit t -> infinity of TCL2;
/// - the correlation function of the bath: the same limit (Lorentzian, Gaussian, or the line of the bosons,
///   which keeps detailed balance); or else from
/// - `broadening`; or else from
/// - bands of several energies: 1/delta-eps for each final state if the mean energies of the bands differ by
///   at most delta-eps/2, where delta-eps is the sum over the changed sites of the final bands' widths.
///
/// Throws InputError if there is no such source, if there are two (a bath and `broadening`), if bands
/// leave a resonant change between single energies, if bosons at T = 0 do (unless 2 alpha s >= 1 for s sites
/// that change), and for reservoirs.
SecondOrderKernel markov_kernel(const Model& model, const std::optional<Broadening>& broadening);
/// The mean of the rates over realisations 0 ... realizations - 1 of the detunings.
SecondOrderKernel markov_kernel(int realizations, const std::function<Model(int)>& draw,
                                const std::optional<Broadening>& broadening);

/// Eq. 18: the rate at which two sites of equal levels exchange them, 2 pi lambda^2 |V_{ab,ba}|^2 Gamma(0),
/// as the mean over bonds and pairs of different levels; a^2 C_V times it is the conductivity of a site.
struct PairRate {
  double value = 0.0;   ///< inverse time
  double lowest = 0.0;  ///< of a pair of levels and a bond: the rates are one number where assumption 3 holds
  double highest = 0.0;
};
/// None where the model has no Markov limit, or bands of several levels.
std::optional<PairRate> resonant_pair_rate(const Model& model, const std::optional<Broadening>& broadening);

}  // namespace qheat
