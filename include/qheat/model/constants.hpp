#pragma once

#include <numbers>

/// CODATA 2018, in SI units; exact ones are so by definition. Nothing else in the program holds such numbers.
namespace qheat::constants {

inline constexpr double boltzmann = 1.380649e-23;                ///< J/K, exact
inline constexpr double planck = 6.62607015e-34;                 ///< J s, exact
inline constexpr double hbar = planck / (2 * std::numbers::pi);  ///< J s
inline constexpr double elementary_charge = 1.602176634e-19;     ///< C, exact; an electronvolt in J
inline constexpr double light_speed = 299792458.0;               ///< m/s, exact
inline constexpr double hartree = 4.3597447222071e-18;           ///< J
inline constexpr double bohr_radius = 5.29177210903e-11;         ///< m

}  // namespace qheat::constants
