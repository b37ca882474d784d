#include "qheat/steady/steady.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/density_observer.hpp"
#include "qheat/evolution/density_spectrum.hpp"
#include "qheat/model/two_point_closure.hpp"
#include "qheat/steady/two_point.hpp"
#include "steady/steady_levels.hpp"
#include "steady/steady_solver.hpp"

namespace qheat {
namespace {

constexpr Index kSmall = 1000;         // solved directly without a second thought
constexpr Index kMostDirect = 100000;  // beyond, factors grow past any memory

double factor_bytes(Index elements, int ranks) {
  // Measured for chains: 386 MB for 12870 elements, with an exponent that fill-in in two dimensions explains;
  // on two ranks each takes 0.8 of it.
  constexpr double kShared = 0.55;  // what more ranks do not lessen
  return 3.9e8 * std::pow(static_cast<double>(elements) / 12870.0, 1.8) * (kShared + (1.0 - kShared) / ranks);
}

std::vector<std::vector<int>> blocks_of(const Model& model) {
  const std::vector<int> ground(static_cast<std::size_t>(model.sites()), 0);
  return density_counts(model, InitialState::product(model, ground));
}

[[noreturn]] void not_unique() {
  throw Error(
      "the steady state is not unique, or so slow to reach that rounding hides it: something keeps states "
      "from the reservoirs, such as a symmetry of the lattice, sites that hardly a bond joins to them, or "
      "reservoirs much faster than the chain; couple all sites, add dephasing or a reservoir, or lower "
      "rates");
}

/// The steady state from the even mixture, and once more from a random start, whose part of a second steady
/// state would stay.
class TwoStarts {
 public:
  TwoStarts(SteadySolver& solver, const TracedLiouvillian& a, double tolerance, RunControl& control)
      : solver_(solver), a_(a), tolerance_(tolerance), control_(control) {}

  enum class Outcome { found, not_converged, different };

  Outcome solve(std::vector<Complex>& rho) {
    if (!control_.restore_partial([&](StateReader& reader) { load(reader, rho); })) {
      a_.right_hand_side(rho);
      for (Complex& v : rho) v = -v;
    }
    // Slow motion makes much of a small residual: then the second start has to come as far as the first, and
    // both farther.
    const double finer = std::max(kFiner * tolerance_, kFinest);
    for (; leg_ < kLegs; ++leg_) {
      if (leg_ == kSecondStart && !has_other_) start_elsewhere(rho);
      const double tolerances[kLegs] = {tolerance_, std::max(tolerance_, kOtherTolerance), tolerance_, finer,
                                        finer};
      const bool refines_first = leg_ == kLegs - 2;
      const double before = difference_;
      if (!iterate(tolerances[leg_], on_second() && !refines_first ? other_ : rho, rho))
        return leg_ < kLegs - 2 ? Outcome::not_converged : Outcome::different;
      if (!on_second() || refines_first) continue;
      difference_ = distance(rho);
      // What only is slow comes closer with the residual, what is another state does not.
      const bool last = leg_ == kLegs - 1;
      if (difference_ < (last ? std::max(kSame, kCloser * before) : kSame)) return Outcome::found;
    }
    return Outcome::different;
  }
  /// The residual of the start that was iterated last.
  double residual(const std::vector<Complex>& rho) const {
    return solver_.residual(on_second() ? other_ : rho);
  }
  /// Between the two states found, over the norm of one.
  double difference() const { return difference_; }

 private:
  /// First start; second, roughly and as far as the first; both farther.
  static constexpr std::size_t kLegs = 5;
  static constexpr std::size_t kSecondStart = 1;
  static constexpr double kFiner = 0.01;
  static constexpr double kFinest = 1e-14;
  static constexpr double kCloser = 0.3;
  static constexpr double kOtherTolerance = 1e-8;
  static constexpr double kStart = 10.0;  // in norms of rho
  static constexpr double kSame =
      1e-4;  // a second state would differ by kStart over the root of the elements

  bool on_second() const { return leg_ >= kSecondStart; }

  bool iterate(double tolerance, std::vector<Complex>& solution, std::vector<Complex>& rho) {
    const double start = std::log(std::max(solver_.residual(solution), 2.0 * tolerance));
    const double goal = std::log(tolerance);
    const double half = on_second() ? 0.5 : 0.0;
    return solver_.iterate(tolerance, solution, [&](double residual) {
      const double part = std::clamp((start - std::log(residual)) / (start - goal), 0.0, 1.0);
      control_.offer(half + part / 2, [&](StateWriter& writer) { save(writer, rho); });
    });
  }

  double distance(const std::vector<Complex>& rho) const {
    double square = 0.0;
    for (std::size_t i = 0; i < rho.size(); ++i) square += std::norm(other_[i] - rho[i]);
    const Communicator& comm = a_.space().comm();
    return std::sqrt(comm.sum(square)) / frobenius_norm(comm, rho);
  }

  void start_elsewhere(const std::vector<Complex>& rho) {
    has_other_ = true;
    other_ = random_hermitian(a_.space(), kStart * frobenius_norm(a_.space().comm(), rho));
    for (std::size_t i = 0; i < other_.size(); ++i) other_[i] += rho[i];
  }

  static std::span<double> doubles(std::vector<Complex>& values) {
    return {reinterpret_cast<double*>(values.data()), 2 * values.size()};
  }

  void save(StateWriter& writer, std::vector<Complex>& rho) {
    const double place[3] = {static_cast<double>(solver_.iterations()), static_cast<double>(leg_),
                             difference_};
    writer.replicated("place", place);
    const auto& space = a_.space();
    writer.distributed("rho", doubles(rho), 2 * space.first_state(), 2 * space.dimension());
    if (on_second())
      writer.distributed("other", doubles(other_), 2 * space.first_state(), 2 * space.dimension());
  }

  void load(StateReader& reader, std::vector<Complex>& rho) {
    const auto place = reader.replicated("place");
    solver_.add_iterations(static_cast<Index>(place[0]));
    const auto& space = a_.space();
    reader.distributed("rho", doubles(rho), 2 * space.first_state(), 2 * space.dimension());
    leg_ = static_cast<std::size_t>(place[1]);
    difference_ = place[2];
    if (!on_second()) return;
    has_other_ = true;
    other_.resize(rho.size());
    reader.distributed("other", doubles(other_), 2 * space.first_state(), 2 * space.dimension());
  }

  SteadySolver& solver_;
  const TracedLiouvillian& a_;
  double tolerance_;
  RunControl& control_;
  std::size_t leg_ = 0;
  bool has_other_ = false;  ///< a rank may own nothing of it
  double difference_ = 0.0;
  std::vector<Complex> other_;
};

/// Solves by the method asked for; throws if that fails. Fills in method and difference_of_starts.
void solve(SteadySolver& solver, const TracedLiouvillian& a, const SteadyOptions& options, bool direct_fits,
           RunControl& control, std::vector<Complex>& rho, SteadyState& state) {
  using Outcome = TwoStarts::Outcome;
  const Index elements = a.space().dimension();
  const bool direct_first = steady_takes_factors(options, elements);
  if (!direct_first) {
    state.method = "iterative";
    TwoStarts starts(solver, a, options.tolerance, control);
    const Outcome outcome = starts.solve(rho);
    state.difference_of_starts = starts.difference();
    if (outcome == Outcome::found) return;
    if (options.method == SteadyMethod::iterative || !direct_fits) {
      if (outcome == Outcome::different) not_unique();
      throw Error(fmt::format(
          "the steady state of {} elements did not converge: residual {:.1e} after {} iterations "
          "from two starts, {:g} asked for; add dephasing, lower rates that outrun the chain, take "
          "fewer sites, or raise steady.tolerance",
          elements, starts.residual(rho), solver.iterations(), options.tolerance));
    }
  }
  state.method = "direct";
  state.difference_of_starts = std::numeric_limits<double>::quiet_NaN();
  if (!solver.factorize(rho)) not_unique();
}

void require_density_matrix(const SteadyState& state, double tolerance) {
  if (!(state.residual <= std::max(tolerance, 1e-12))) {
    throw Error(
        fmt::format("the steady state has a residual of {:.1e}, {:g} was asked for; raise steady.tolerance",
                    state.residual, tolerance));
  }
  const double allowed = std::max(1e-8, 1e3 * tolerance);
  if (state.smallest_population < -allowed || state.hermiticity_error > allowed) {
    throw Error(
        fmt::format("the steady state found is no density matrix (smallest population {:.1e}, anti-Hermitian "
                    "part {:.1e}); lower steady.tolerance",
                    state.smallest_population, state.hermiticity_error));
  }
}

}  // namespace

Index steady_elements(const Model& model) {
  return density_dimension(model, blocks_of(model));
}

bool takes_two_point(const Model& model, const SteadyOptions& options, int ranks, double free_bytes) {
  if (options.method == SteadyMethod::two_point) return true;
  if (options.method != SteadyMethod::automatic || model.bath.reservoirs.empty()) return false;
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
             ? factor_bytes(elements, ranks)
             : SteadySolver::iterative_bytes_per_rank(model, elements, ranks);
}

bool bonds_keep_level_energy(const Model& model) {
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const Bond& bond = model.lattice.bonds()[static_cast<std::size_t>(b)];
    const double scale =
        std::abs(model.energies_of(bond.first).back()) + std::abs(model.energies_of(bond.second).back());
    for (const PairElement& e : model.interaction(b).elements()) {
      const double change = model.energy(bond.first, e.a) + model.energy(bond.second, e.b) -
                            model.energy(bond.first, e.c) - model.energy(bond.second, e.d);
      if (std::abs(change) > 1e-12 * scale) return false;
    }
  }
  return true;
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
  if (takes_two_point(model, options, comm.size(), free_bytes))
    return two_point_steady_state(model, options.tolerance, comm, free_bytes, timings);
  const Timings::Scope scope(timings, "steady state");
  if (model.bath.reservoirs.empty()) {
    throw InputError(
        "no reservoir: dephasing alone leaves every mixture of the sectors stationary, and the steady state "
        "is not "
        "unique; add a [[bath.reservoir]]");
  }
  require_steady_memory(model, options, comm.size(), free_bytes);
  double rate = 0.0;
  for (const Reservoir& r : model.bath.reservoirs) rate = std::max(rate, r.rate);
  const auto space = std::make_shared<DistributedSector>(density_space(model, blocks_of(model)), comm);
  const TracedLiouvillian a(space, model, rate);
  SteadySolver solver(a, model, rate);
  std::vector<Complex> rho(static_cast<std::size_t>(space->local_size()));
  const Index elements = space->dimension();
  const bool direct_fits = elements <= kMostDirect &&
                           (free_bytes == 0.0 || factor_bytes(elements, comm.size()) < 0.8 * free_bytes);

  SteadyState state;
  solve(solver, a, options, direct_fits, control, rho, state);
  state.elements = elements;
  state.iterations = solver.iterations();
  state.residual = solver.residual(rho);
  const DensityObserver observer(model, space);
  std::vector<double> measured(observer.measured());
  observer.measure(rho, measured);
  auto report = observer.report(measured);
  auto observations = unpack(observer.layout(), report.values);
  state.populations = std::move(observations.populations);
  state.energy = std::move(observations.energy);
  state.outflow = std::move(observations.outflow);
  state.current = std::move(observations.current);
  state.smallest_population = report.smallest_population.front();
  state.hermiticity_error = observer.hermiticity_error(rho);
  state.smallest_eigenvalue = smallest_eigenvalue(*space, rho);
  add_temperatures(model, state);
  add_heat(model, state);
  require_density_matrix(state, options.tolerance);
  return state;
}

}  // namespace qheat
