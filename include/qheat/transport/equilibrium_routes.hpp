#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "qheat/fluctuations/site_correlations.hpp"
#include "qheat/kernel/site_kernel.hpp"
#include "qheat/kernel/site_memory.hpp"
#include "qheat/model/lattice.hpp"
#include "qheat/transport/lattice_modes.hpp"
#include "qheat/transport/spreading.hpp"

namespace qheat {

/// Which routes from equilibrium fluctuations to D(t) are taken.
struct EquilibriumRoutes {
  bool spreading = false, green_kubo = false, modes = false, site_kernel = false;
  bool memory = false;  ///< of the site energies
};

/// D(t) = (1/(N chi)) int_0^t Re<J(s) J> ds of a periodic lattice.
struct GreenKubo {
  std::vector<double> correlation;  ///< Re<J(t) J>/N, [T]
  std::vector<double> diffusion;    ///< [T], length^2/time
  std::vector<double> quadrature;   ///< error of the integral, [T]
  std::vector<double> exponent;     ///< 1 + d ln D/d ln t, to which that of the variance goes, [T]; NaN at 0
};

/// Decay of the waves of the lattice: C(q,t) = v^dagger C v.
struct ModeDecay {
  std::vector<double> amplitude;  ///< C(q,t)/C(q,0), [T][Q]
  std::vector<double> rate;       ///< -(dC(q,t)/dt)/C(q,t), [T][Q], 1/time; NaN where C(q,t) is nothing
  std::vector<double> diffusion;  ///< a^2 rate over the eigenvalue of the longest waves, [T]
  /// How far that is from the limit q -> 0, by the two longest waves of each axis, [T]; NaN where the second
  /// is nothing.
  std::vector<double> finite_wave;
};

/// The exact time-local kernel of the sites, at all times.
struct SiteKernelSeries {
  std::vector<SiteKernel> kernels;       ///< [T]
  std::vector<double> dispersion;        ///< w(q,t) = -(v^dagger K v)/eigenvalue, [T][Q], 1/time
  std::vector<double> distances;         ///< |r| of pairs, ascending, [R], length
  std::vector<double> rate_by_distance;  ///< mean of K_ij over the pairs at a distance, [T][R], 1/time
  std::vector<double> diffusion;    ///< a^2 w(q,t) for q -> 0, by the two longest waves of each axis, [T]
  std::vector<double> finite_wave;  ///< how far the longest waves are from that, [T]
};

/// All that one set of correlations says.
struct EquilibriumAnalysis {
  std::optional<Spreading> spread;
  std::optional<GreenKubo> green_kubo;
  std::optional<ModeDecay> modes;
  std::optional<SiteKernelSeries> site_kernel;
  std::optional<SiteMemory> memory;
};

/// What a route lacks, with the remedy; empty if nothing. `axes_periodic`: for the total current.
std::string spreading_obstacle(const Lattice& lattice);
std::string green_kubo_obstacle(const Lattice& lattice, SiteEnergy energy);
std::string matrix_obstacle(const Lattice& lattice, bool complete);
/// Some combination of site energies that does not fluctuate, for which a kernel between sites has no value.
std::string independence_obstacle(const Model& model, const Equilibrium& equilibrium, SiteEnergy energy);

EquilibriumAnalysis analyse(const Lattice& lattice, const SiteCorrelations& found, double susceptibility,
                            std::span<const LatticeMode> modes, const EquilibriumRoutes& routes);

/// Between the output times where an eigenvalue of C passes zero, of those at which C^{-1} is known: the
/// condition number times `relative_error` of C, [T], is below 1.
std::vector<double> singular_times(std::span<const double> times, std::span<const SiteKernel> kernels,
                                   std::span<const double> relative_error);

/// Frobenius norm of the jackknife error of K(t) over that of K(t), [T], from the kernels of all samples and
/// of all but one each; NaN where K is 0 or not known.
std::vector<double> kernel_errors(const SiteKernelSeries& all,
                                  std::span<const SiteKernelSeries* const> without_one);

/// Standard errors of values from those of all samples but one (jackknife), each pooled with its neighbours
/// in time, as few samples leave each alone uncertain; NaN without samples.
std::vector<double> jackknife_errors(std::span<const std::vector<double>> without_one);
/// The same of the values, in time, that get(analysis) takes from each.
template <class Get>
std::vector<double> jackknife_errors(const std::vector<EquilibriumAnalysis>& without_one, const Get& get) {
  std::vector<std::vector<double>> values;
  for (const auto& one : without_one) values.push_back(get(one));
  return jackknife_errors(values);
}

/// Output times at which the waves that give D are known well enough to divide by them, [T]: a jackknife
/// takes what it looks at for linear in the errors, here of C(q,t).
std::vector<bool> known_waves(const Lattice& lattice, std::span<const LatticeMode> modes,
                              const ModeDecay& decay, const std::vector<EquilibriumAnalysis>& without_one);
/// The same of C^{-1}, by which the site kernel is found; `relative_error` of C, [T].
std::vector<bool> known_inverses(const SiteKernelSeries& series, std::span<const double> relative_error);

}  // namespace qheat
