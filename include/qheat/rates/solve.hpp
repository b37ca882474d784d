#pragma once

#include <optional>
#include <span>
#include <vector>

#include "qheat/kernel/kernel_interpolant.hpp"
#include "qheat/kernel/second_order.hpp"
#include "qheat/model/initial_state.hpp"
#include "qheat/parallel/timings.hpp"
#include "qheat/rates/rate_equation.hpp"

namespace qheat {

/// Solution of a rate equation at the output times, the same on all ranks. L: bands (levels, for one level a
/// band).
struct RateSolution {
  std::vector<double> populations;  ///< P_n(i), [T][N][L]
  std::vector<double> energy;       ///< u(i), [T][N], energy; a band's energy is the mean of its levels
};

struct RateOptions {
  double tolerance = 1e-9;
  Integrator integrator = Integrator::automatic;
};

/// Bytes a rank needs for the many-body equation on so many cells.
double many_body_bytes_per_rank(Index cells, int ranks);

/// Bytes a rank needs for it with a kernel held as dense columns, which one interval between outputs needs so
/// many panels of Chebyshev points for.
double dense_many_body_bytes_per_rank(Index cells, double panels, int ranks);

/// Many-body gain-loss equation with a second-order kernel, on the cells of the job; NaN after the last
/// output before the kernel's error by rounding passes 5 %.
RateSolution solve_many_body(const Model& model, const InitialState& initial, const SecondOrderKernel& kernel,
                             const std::vector<double>& times, const RateOptions& options,
                             const Communicator& comm, RunControl& control, Timings& timings);

/// Site equation (Eqs. 9, 10) with the kernel's bond rates, as far; small, so rank 0 integrates it for all.
RateSolution solve_sites(const Model& model, const InitialState& initial, const SecondOrderKernel& kernel,
                         const std::vector<double>& times, const RateOptions& options,
                         const Communicator& comm, RunControl& control, Timings& timings);

/// The many-body equation with a kernel held as dense columns, and the bond rates that the site equation
/// needs.
struct DenseRates {
  RateSolution many_body;
  BondRateSeries bond_rates;
  double known_until = 0.0;  ///< last output time that the kernel reaches; NaN in the solution after it
};

/// Many-body gain-loss equation on all cells of the job. `known`: number of output times, from the first on,
/// at which the kernel is known and before which it does not diverge; `fastest`: largest |K_cc| at these.
DenseRates solve_many_body(const Model& model, const InitialState& initial, const CellSpace& cells,
                           TimeLocalKernel& kernel, const std::vector<double>& times, std::size_t known,
                           double fastest, const RateOptions& options, const Communicator& comm,
                           RunControl& control, Timings& timings);

/// Site equation with the bond rates of a dense kernel; NaN after `known_until`, and after the first time
/// where dissipators on two sites leave single sites no equation of their own (moves_pairs).
RateSolution solve_sites(const Model& model, const InitialState& initial, const DenseRates& rates,
                         const std::vector<double>& times, const RateOptions& options,
                         const Communicator& comm, RunControl& control, Timings& timings);

/// Largest difference of two sets of populations at each time, [T][..] each; NaN where one is.
std::vector<double> largest_deviation(const std::vector<double>& a, const std::vector<double>& b,
                                      std::size_t times);

/// Populations of bands from those of levels, [T][N][M] -> [T][N][L].
std::vector<double> band_populations(const Model& model, const std::vector<double>& level_populations);

/// u(i) from populations of bands, [T][N][L] -> [T][N].
std::vector<double> energies_from_bands(const Model& model, const std::vector<double>& populations);

/// |P_site - P_exact|_1 / |P_exact - mean over sites of P_exact|_1 at each time, both [T][N][L]; NaN where
/// the exact populations are uniform.
std::vector<double> closure_error(const Model& model, const std::vector<double>& site,
                                  const std::vector<double>& exact);
/// The same of any `columns` numbers a site, [T][N][columns].
std::vector<double> closure_error(std::size_t sites, std::size_t columns, std::span<const double> site,
                                  std::span<const double> exact);

}  // namespace qheat
