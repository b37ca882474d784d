#include "qheat/steady/steady.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "operators/factors.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/density_observer.hpp"
#include "qheat/evolution/density_spectrum.hpp"
#include "qheat/model/two_point_closure.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/steady/two_point.hpp"
#include "steady/direct_solution.hpp"
#include "steady/full_energy.hpp"
#include "steady/measurement.hpp"
#include "steady/on_root.hpp"
#include "steady/rate_scales.hpp"
#include "steady/steady_solver.hpp"
#include "steady/two_starts.hpp"

namespace qheat {
namespace {

constexpr Index kSmall = 1000;         // solved directly without a second thought
constexpr Index kMostDirect = 100000;  // beyond, factors grow past any memory

std::vector<std::vector<int>> blocks_of(const Model& model) {
  const std::vector<int> ground(as_size(model.sites()), 0);
  return density_counts(model, InitialState::product(model, ground));
}

/// Of the currents that a method resolves, in slowest rates: where less flows, what does is rounding.
constexpr double kResolvedByIteration = 1e-3;

[[noreturn]] void unbalanced(const SteadyState& state, double tolerance) {
  throw Error(fmt::format(
      "the currents of the steady state do not balance the heats: at one site by {:.1e} of what flows there, "
      "and {:.1e} is allowed at steady.tolerance = {:g}; lower steady.tolerance, or bring the rates of "
      "reservoirs and bonds closer together",
      state.balance, steady_accuracy(tolerance), tolerance));
}

[[noreturn]] void not_unique() {
  throw Error(
      "the steady state is not unique, or so slow to reach that rounding hides it: something keeps states "
      "from the reservoirs, such as a symmetry of the lattice, sites that hardly a bond joins to them, or "
      "reservoirs much faster than the chain; couple all sites, add dephasing or a reservoir, or lower "
      "rates");
}

/// What is common to the density matrices of all methods; checks that it is one.
template <class Number>
void describe(const Model& model, const std::shared_ptr<const DistributedSector>& space,
              std::span<const Number> rho, double resolution, const SteadyOptions& options,
              SteadyState& state) {
  const Measurement measured = measure(model, *space, rho);
  set_measured(model, measured, state);
  state.balance = Balance(model, resolution).error(state, measured.onsite_outflow);
  state.elements = space->dimension();
  std::vector<Complex> rounded;
  for (const Number& element : rho) rounded.push_back(PreciseComplex(element).value());
  state.hermiticity_error = DensityObserver(model, space).hermiticity_error(rounded);
  state.smallest_eigenvalue = smallest_eigenvalue(*space, rounded);
  require_state(state, options.tolerance);
  if (options.full_energy)
    measure_full_energy(model, space, rounded, resolution, steady_accuracy(options.tolerance), state);
}

SteadyState directly(const Model& model, const SteadyOptions& options, const Communicator& comm) {
  SteadyState state = state_on_root(comm, [&] {
    const auto space =
        std::make_shared<DistributedSector>(density_space(model, blocks_of(model)), Communicator::self());
    const DirectSolution solution = solve_directly(model, *space, rate_scales(model).fastest);
    if (!solution.determined) not_unique();
    SteadyState found;
    found.residual = solution.correction;
    describe(model, space, std::span<const PreciseComplex>(solution.rho), kResolvedExactly, options, found);
    return found;
  });
  state.method = "direct";
  return state;
}

/// By iterations; the outcome, and the state if there is one.
std::pair<TwoStarts::Outcome, SteadyState> by_iterations(const Model& model, const SteadyOptions& options,
                                                         const Communicator& comm, RunControl& control) {
  const double rate = rate_scales(model).fastest;
  const auto space = std::make_shared<DistributedSector>(density_space(model, blocks_of(model)), comm);
  const TracedLiouvillian a(space, model, rate);
  SteadySolver solver(a, model, rate);
  const Balance balance(model, kResolvedByIteration);
  const auto compare = [&](std::span<const Complex> one, std::span<const Complex> other) {
    SteadyState first, second;
    const Measurement measured = measure(model, *space, one);
    set_measured(model, measured, first);
    set_measured(model, measure(model, *space, other), second);
    return TwoStarts::Difference{.apart = balance.difference(first, second),
                                 .imbalance = balance.error(first, measured.onsite_outflow)};
  };
  TwoStarts starts(solver, a, options.tolerance, steady_accuracy(options.tolerance), compare, control);
  std::vector<Complex> rho(as_size(space->local_size()));
  const TwoStarts::Outcome outcome = starts.solve(rho);
  SteadyState state;
  state.method = "iterative";
  state.iterations = solver.iterations();
  state.difference_of_starts = starts.difference().apart;
  state.elements = space->dimension();
  if (outcome == TwoStarts::Outcome::found) {
    state.residual = solver.correction(rho);
    describe(model, space, std::span<const Complex>(rho), kResolvedByIteration, options, state);
  } else {
    state.residual = starts.correction(rho);
    state.balance = starts.difference().imbalance;
  }
  return {outcome, std::move(state)};
}

[[noreturn]] void not_found(TwoStarts::Outcome outcome, const SteadyState& state, double tolerance) {
  const char* remedy =
      "add dephasing, bring the rates of reservoirs and bonds closer together, take fewer sites, or "
      "steady.method = \"auto\"";
  if (outcome == TwoStarts::Outcome::unbalanced) unbalanced(state, tolerance);
  if (outcome == TwoStarts::Outcome::different) {
    throw Error(fmt::format(
        "the steady state of {} elements was not found: two starts end in populations or currents that "
        "differ by {:.1e}, and {:.1e} is allowed at steady.tolerance = {:g}; it is not unique, or its "
        "slowest motion is lost in rounding; {}",
        state.elements, state.difference_of_starts, steady_accuracy(tolerance), tolerance, remedy));
  }
  throw Error(fmt::format(
      "the steady state of {} elements did not converge: the last correction is {:.1e} after {} iterations, "
      "{:g} was asked for; {}, or raise steady.tolerance",
      state.elements, state.residual, state.iterations, tolerance, remedy));
}

SteadyState from_density_matrix(const Model& model, const SteadyOptions& options, const Communicator& comm,
                                double free_bytes, RunControl& control) {
  require_steady_memory(model, options, comm.size(), free_bytes);
  const Index elements = steady_elements(model);
  if (steady_takes_factors(options, elements)) return directly(model, options, comm);
  const bool direct_fits = options.method == SteadyMethod::automatic && elements <= kMostDirect &&
                           (free_bytes == 0.0 || Factors::bytes(elements) < 0.8 * free_bytes);
  auto [outcome, state] = by_iterations(model, options, comm, control);
  if (outcome == TwoStarts::Outcome::found) return std::move(state);
  if (direct_fits) return directly(model, options, comm);
  not_found(outcome, state, options.tolerance);
}

}  // namespace

double steady_accuracy(double tolerance) {
  constexpr double kMagnified = 1e3;  // a slow state makes this much of a small error
  constexpr double kCoarsest = 1e-3;
  constexpr double kRounding = 1e-9;
  return std::max({kRounding, tolerance, std::min(kMagnified * tolerance, kCoarsest)});
}

void require_state(const SteadyState& state, double tolerance) {
  const double accuracy = steady_accuracy(tolerance);
  if (!(state.residual <= std::max(tolerance, 1e-12))) {
    throw Error(
        fmt::format("the steady state has a residual of {:.1e}, {:g} was asked for; raise steady.tolerance",
                    state.residual, tolerance));
  }
  if (!(state.balance <= accuracy)) unbalanced(state, tolerance);
  const double negative = std::max(1e-8, accuracy);
  if (!(state.smallest_population >= -negative && state.hermiticity_error <= negative)) {
    throw Error(fmt::format(
        "the steady state found is no state (smallest population {:.1e}, anti-Hermitian part {:.1e}): too "
        "few digits are left; lower steady.tolerance, add dephasing, or couple the sites more strongly",
        state.smallest_population, state.hermiticity_error));
  }
}

Index steady_elements(const Model& model) {
  return density_dimension(model, blocks_of(model));
}

bool takes_two_point(const Model& model, const SteadyOptions& options, int ranks, double free_bytes) {
  if (options.method == SteadyMethod::two_point) return true;
  if (options.method != SteadyMethod::automatic || options.full_energy || model.bath.only_dephasing())
    return false;
  if (!two_point_obstacles(model).empty()) return false;
  try {
    const double needed = steady_bytes_per_rank(model, options, ranks);
    return free_bytes > 0.0 && needed > 0.8 * free_bytes;
  } catch (const Error&) {  // more elements than 63 bits count
    return true;
  }
}

bool steady_takes_factors(const SteadyOptions& options, Index elements) {
  return options.method == SteadyMethod::direct ||
         (options.method == SteadyMethod::automatic && elements <= kSmall);
}

double steady_bytes_per_rank(const Model& model, const SteadyOptions& options, int ranks) {
  if (options.method == SteadyMethod::two_point) return two_point_bytes(model);
  const Index elements = steady_elements(model);
  return steady_takes_factors(options, elements)
             ? Factors::bytes(elements)
             : SteadySolver::iterative_bytes_per_rank(model, elements, ranks);
}

void require_steady_memory(const Model& model, const SteadyOptions& options, int ranks, double free_bytes) {
  if (free_bytes == 0.0 || takes_two_point(model, options, ranks, free_bytes)) return;
  const double needed = steady_bytes_per_rank(model, options, ranks);
  if (needed <= 0.8 * free_bytes) return;
  throw Error(
      fmt::format("the steady state of {} elements needs {:.3g} GB on each of {} ranks, but {:.3g} GB are "
                  "free; use more nodes or fewer sites{}",
                  steady_elements(model), needed / 1e9, ranks, free_bytes / 1e9,
                  options.method == SteadyMethod::direct ? ", or steady.method = \"iterative\"" : ""));
}

SteadyState find_steady_state(const Model& model, const SteadyOptions& options, const Communicator& comm,
                              double free_bytes, RunControl& control, Timings& timings) {
  require_possible_steady_state(model, options);
  if (takes_two_point(model, options, comm.size(), free_bytes))
    return two_point_steady_state(model, options.tolerance, comm, free_bytes, timings);
  const bool two_point_remains =
      options.method == SteadyMethod::automatic && !options.full_energy && two_point_obstacles(model).empty();
  try {
    const Timings::Scope scope(timings, "steady state");
    return from_density_matrix(model, options, comm, free_bytes, control);
  } catch (const Error&) {
    if (!two_point_remains) throw;
  }
  return two_point_steady_state(model, options.tolerance, comm, free_bytes, timings);
}

}  // namespace qheat
