#pragma once

#include <span>
#include <vector>

#include "qheat/model/lattice.hpp"

namespace qheat {

/// The site equation du_i/dt = sum over the bonds b of i of w(b,t) (u_j - u_i), [T][N], from u(0), with rates
/// known at equally spaced times, [T][B], and interpolated between them by polynomials of degree 5. NaN from
/// the first time on at which a rate is not known, at which every other rate alone leads elsewhere by 2 % of
/// the excess, and beyond where the equation grows without bound.
std::vector<double> solve_sites(const Lattice& lattice, const std::vector<double>& times,
                                std::span<const double> bond_rates, std::span<const double> start);

}  // namespace qheat
