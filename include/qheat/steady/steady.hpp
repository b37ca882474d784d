#pragma once

#include <limits>
#include <string>
#include <vector>

#include "qheat/model/model.hpp"
#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/parallel/timings.hpp"
#include "qheat/parallel/work.hpp"

namespace qheat {

/// How the steady state is solved for.
enum class SteadyMethod {
  automatic,  ///< direct if small, otherwise iterative; direct if that does not converge and the factors fit;
              ///< two_point where the equations close and the density matrix does not fit or is not found
  direct,     ///< sparse LU (MUMPS, on rank 0) of the assembled Liouvillian with the condition of unit trace
  iterative,  ///< GMRES on the matrix-free Liouvillian, preconditioned by the coherent motion
  two_point   ///< the equations of the two-point functions alone (two_point.hpp)
};

struct SteadyOptions {
  SteadyMethod method = SteadyMethod::automatic;
  /// Of the residual; populations, and currents relative to what flows at their sites, may be off by 1000
  /// times as much.
  double tolerance = 1e-10;
  /// The energy with the interaction is measured, too; this takes the density matrix.
  bool full_energy = false;
};

/// L rho = 0, tr rho = 1, and what is measured of it; the same on all ranks.
struct SteadyState {
  std::vector<double> populations;  ///< P_n(i), [N][M]
  std::vector<double> energy;       ///< u(i), [N], energy
  std::vector<double> outflow;      ///< J_p, J_q, [B][2], power
  std::vector<double> current;      ///< (J_p - J_q)/2, [B], power
  std::vector<double> temperature;  ///< from u(i), [N], energy; NaN where u exceeds the mean level
  std::vector<double> heat;         ///< tr(h D_r rho): from each reservoir into the levels of its site, power
  /// From each jump into the levels of its first and its second site (0 if it has one), [J][2], power.
  std::vector<double> jump_heat;
  /// Spohn's, -sum heat/T, not negative; NaN where a jump moves levels or a reservoir has no temperature, or
  /// 0.
  double entropy_production = 0.0;
  /// Density matrix: the correction that the solver would still make, over the norm of rho. Two-point
  /// functions: |A C + Gamma_up| / (r |C|), two_point.hpp.
  double residual = 0.0;
  /// How far the currents are from balancing the heats, d<h_x>/dt = 0: the largest over the sites of |heat -
  /// sum of outflows| over the sum of their absolute values.
  double balance = 0.0;
  /// Between what iterations found from two starts: the largest difference of populations, and of outflows
  /// and heats relative to what flows at their sites. NaN for other methods.
  double difference_of_starts = std::numeric_limits<double>::quiet_NaN();
  // With SteadyOptions::full_energy alone (full_energy_observables):
  std::vector<double> full_energy;   ///< <h_x> with the interaction, [N], energy
  std::vector<double> full_current;  ///< along each bond, [B], power
  std::vector<double> full_heat;     ///< what the bath does to it, [N], power
  double full_balance = 0.0;         ///< as `balance`, of these currents
  double smallest_population = 0.0;
  /// NaN where a block of rho is too large to be diagonalised, and without rho.
  double smallest_eigenvalue = std::numeric_limits<double>::quiet_NaN();
  double hermiticity_error = 0.0;
  Index elements = 0;    ///< of rho
  Index iterations = 0;  ///< of GMRES, 0 for the direct solver
  std::string method;    ///< "direct", "iterative" or "two-point"
};

/// Calls visit(site, heat) for what each reservoir and each jump brings into the levels of a site.
template <class Visit>
void visit_heats(const Model& model, const SteadyState& state, const Visit& visit) {
  for (std::size_t r = 0; r < state.heat.size(); ++r) visit(model.bath.reservoirs[r].site, state.heat[r]);
  for (std::size_t j = 0; 2 * j < state.jump_heat.size(); ++j) {
    const auto& sites = model.bath.jumps[j].sites;
    for (std::size_t k = 0; k < sites.size(); ++k) visit(sites[k], state.jump_heat[2 * j + k]);
  }
}

/// Throws InputError, with every reason, if a model can have no steady state that is unique and has digits in
/// double precision: no reservoir or jump that changes the numbers of sites in the bands, sites that no bond
/// joins to one, or rates too far apart (more than 1e14 between bath and bonds) or out of range.
void require_possible_steady_state(const Model& model, const SteadyOptions& options);

/// The steady state between reservoirs. Collective. Throws InputError as require_possible_steady_state does,
/// Error if the state is not unique, if no method converges or fits `free_bytes` a rank (0: no limit), if
/// currents do not balance heats, or if what came out is no density matrix. Iterations offer their state to
/// `control` after every cycle. Direct and two-point states are found by rank 0 and do not depend on the
/// number of ranks.
SteadyState find_steady_state(const Model& model, const SteadyOptions& options, const Communicator& comm,
                              double free_bytes, RunControl& control, Timings& timings);

/// True if the two-point functions are solved for and no density matrix: because `options` says so, or by
/// `automatic` if they obey equations of their own and the density matrix does not fit `free_bytes` on each
/// of `ranks` (0: only if it has more than 2^63 elements).
bool takes_two_point(const Model& model, const SteadyOptions& options, int ranks, double free_bytes);
/// Throws Error if the steady state does not fit `free_bytes` a rank (0: no limit) on `ranks` ranks.
void require_steady_memory(const Model& model, const SteadyOptions& options, int ranks, double free_bytes);

/// True if the factors of the density matrix's equation are what is tried first.
bool steady_takes_factors(const SteadyOptions& options, Index elements);
/// Bytes a rank needs for the method that is tried first, on `ranks` ranks.
double steady_bytes_per_rank(const Model& model, const SteadyOptions& options, int ranks);
/// About what it takes; iterations are not known beforehand. `two_point`: as takes_two_point says.
Work steady_work(const Model& model, const SteadyOptions& options, bool two_point);
/// Number of elements of the density matrix.
Index steady_elements(const Model& model);

}  // namespace qheat
