#pragma once

#include <span>
#include <vector>

#include "qheat/fluctuations/correlations.hpp"
#include "qheat/model/model.hpp"

namespace qheat {

/// True if every site of the lattice is like every other: all axes are periodic (or of one site, or of two
/// with an interaction that is the same from both ends), levels, couplings and interactions are the same
/// everywhere. Then C_ij depends on r_i - r_j alone, and one source is enough.
bool is_homogeneous_torus(const Model& model);

/// The sites that are taken as sources unless a job names others: one, or all.
std::vector<int> default_sources(const Model& model);

/// C_ij(t) and its derivative as matrices of the sites, as far as they are known.
struct SiteCorrelations {
  std::vector<double> times;
  std::size_t sites = 0;
  std::vector<int> sources;       ///< columns j that are known: all, or those that were computed
  std::vector<double> energy;     ///< C_ij, [T][N][N], row i; zero in columns that are not known
  std::vector<double> change;     ///< dC_ij/dt, [T][N][N]
  std::vector<double> curvature;  ///< d2C_ij/dt2, [T][N][N]; empty: not asked for
  std::vector<double> current;    ///< mean over the axes of Re<J_a(t) J_a>/N, [T]; empty: not asked for
  /// C_ij at t = 0 between different sites: of a sector, whose energy is fixed, the same for all of them; an
  /// excess is counted from there.
  double background = 0.0;
  bool even = true;  ///< in time, smooth at 0: a closed system

  bool complete() const { return sources.size() == sites; }
  std::span<const double> energy_at(std::size_t time) const;
  std::span<const double> change_at(std::size_t time) const;
};

/// Fills in what translations give.
SiteCorrelations site_correlations(const Model& model, const Correlations& found,
                                   const CorrelationSeries& series, double background = 0.0);

/// C_ij at t = 0 between two sites of a sector, 0 in the full space.
double sector_background(const Model& model, const Equilibrium& equilibrium, SiteEnergy energy);

/// chi = Var(sum_i h_i)/N, exactly, energy^2; of a sector what an excess counted from its background sums up
/// to.
double susceptibility(const Model& model, const Equilibrium& equilibrium, SiteEnergy energy);

}  // namespace qheat
