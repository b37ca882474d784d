#include "qheat/steady/two_point.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "qheat/model/counter_random.hpp"
#include "qheat/model/two_point_closure.hpp"
#include "steady/steady_levels.hpp"
#include "steady/two_point_band.hpp"

namespace qheat {
namespace {

constexpr int kCorrections = 3;           // solves for what a solve has left
constexpr int kFirstWidths = 2;           // tried for every model: 1, then 3 for comparison
constexpr double kRoundingGrowth = 1e12;  // of a solution over its source: beyond, too few digits are left

using Elements = std::vector<Complex>;

double norm(const Elements& x) {
  return std::sqrt(std::transform_reduce(x.begin(), x.end(), 0.0, std::plus<>(),
                                         [](const Complex& v) { return std::norm(v); }));
}

/// What of C is looked at: occupations [N] and particle flow i -> i+1 [N - 1].
struct Profile {
  std::vector<double> occupation;
  std::vector<double> flow;
};

/// Largest change of an occupation, or of a flow relative to the largest one (or to 1e-4 of the rate: where
/// next to nothing flows, what does is rounding).
double change(const Profile& a, const Profile& b, double rate) {
  double largest = 0.0;
  double strongest = 1e-4 * rate;
  for (std::size_t i = 0; i < a.occupation.size(); ++i)
    largest = std::max(largest, std::abs(a.occupation[i] - b.occupation[i]));
  for (const double flow : b.flow) strongest = std::max(strongest, std::abs(flow));
  for (std::size_t i = 0; i < a.flow.size(); ++i)
    largest = std::max(largest, std::abs(a.flow[i] - b.flow[i]) / strongest);
  return largest;
}

/// The solution within a band, and how far it is from solving the whole equation.
class BandSolution {
 public:
  BandSolution(const TwoPointEquation& equation, Index width, double rate)
      : equation_(equation), band_(equation.sites(), width), rate_(rate) {
    const BandSolver solver(equation, band_);
    c_.resize(static_cast<std::size_t>(band_.size()));
    Elements correction(c_.size());
    for (int k = 0; k <= kCorrections; ++k) {
      Elements left = inside(true);
      for (Complex& v : left) v = -v;
      if (!solver.solve(left, correction)) return;
      for (std::size_t e = 0; e < c_.size(); ++e) c_[e] += correction[e];
    }
    determined_ = growth(solver) < kRoundingGrowth;
  }

  /// False if the equations within the band have no solution with enough digits. A cut band can have none
  /// where all elements have one: without dephasing, coherences of neighbours decay only by way of farther
  /// ones.
  bool determined() const { return determined_; }
  Index elements() const { return band_.size(); }
  Index width() const { return band_.width(); }
  bool whole() const { return width() >= band_.sites() - 1; }
  /// |A C + Gamma_up| / (rate |C|) over all elements, inside the band and out.
  double residual() const {
    double square = 0.0;
    for (const Complex& v : inside(false)) square += std::norm(v);
    for (Index i = 0; i + width() + 1 < band_.sites(); ++i) {
      for (const auto& [row, column] : {std::pair(i, i + width() + 1), std::pair(i + width() + 1, i)})
        square += std::norm(motion(row, column));
    }
    return std::sqrt(square) / (rate_ * norm(c_));
  }

  double hermiticity_error() const {
    double square = 0.0;
    for (Index i = 0; i < band_.sites(); ++i)
      for (Index k = i; band_.holds(i, k); ++k)
        square += (i == k ? 1.0 : 2.0) * std::norm(0.5 * (element(i, k) - std::conj(element(k, i))));
    return std::sqrt(square) / norm(c_);
  }

  Profile profile() const {
    Profile profile;
    for (Index i = 0; i < band_.sites(); ++i) profile.occupation.push_back(element(i, i).real());
    for (Index i = 0; i + 1 < band_.sites(); ++i)
      profile.flow.push_back(-2.0 *
                             (equation_.hopping()[static_cast<std::size_t>(i)] * element(i + 1, i)).imag());
    return profile;
  }

 private:
  Complex element(Index i, Index k) const {
    return band_.holds(i, k) ? c_[static_cast<std::size_t>(band_.number(i, k))] : Complex{};
  }
  /// Element of A C + Gamma_up.
  Complex motion(Index i, Index k) const {
    Complex sum = i == k ? equation_.source(i) : 0.0;
    equation_.row(i, k, [&](Index to_i, Index to_k, Complex value) { sum += value * element(to_i, to_k); });
    return sum;
  }
  /// A C + Gamma_up within the band, with the damping that the solver has or without.
  Elements inside(bool damped) const {
    Elements image(c_.size());
    const auto set = [&](Index i, Index k) {
      const double damping = damped ? equation_.damping(i, k, band_) : 0.0;
      image[static_cast<std::size_t>(band_.number(i, k))] = motion(i, k) - damping * element(i, k);
    };
    for (Index low = 0; low < band_.sites(); ++low) {
      for (Index high = low; band_.holds(low, high); ++high) {
        set(low, high);
        if (high != low) set(high, low);
      }
    }
    return image;
  }
  /// |A^-1 b| rate/|b| for a random b: without bound if the state is not unique.
  double growth(const BandSolver& solver) const {
    Elements source(c_.size());
    Elements solution(c_.size());
    const CounterRandom random(1);
    for (std::size_t e = 0; e < source.size(); ++e) {
      const auto low = static_cast<std::uint32_t>(e);
      const auto high = static_cast<std::uint32_t>(static_cast<std::uint64_t>(e) >> 32);
      source[e] = {random.normal({low, high, 0, 0}), random.normal({low, high, 1, 0})};
    }
    if (!solver.solve(source, solution)) return INFINITY;
    const double ratio = norm(solution) * rate_ / norm(source);
    return std::isfinite(ratio) ? ratio : INFINITY;
  }

  const TwoPointEquation& equation_;
  BandLayout band_;
  double rate_;
  Elements c_;
  bool determined_ = false;
};

/// What rank 0 finds for the others.
struct Solved {
  Profile profile;
  double residual = 0.0;
  double hermiticity_error = 0.0;
  Index elements = 0;
};

[[noreturn]] void not_unique() {
  throw Error(
      "the steady state is not unique, or so slow to reach that rounding hides it: something keeps parts of "
      "the chain from the reservoirs; couple all sites more strongly, add dephasing or a reservoir at an "
      "end");
}

[[noreturn]] void too_wide(Index width, const std::string& state, double bytes, double free_bytes) {
  throw Error(fmt::format(
      "the two-point functions reach too far: with coherences up to {} sites apart {}; the next band needs "
      "{:.3g} GB on one rank, but {:.3g} GB are free; use fewer ranks or sites, add dephasing, or raise "
      "steady.tolerance",
      width, state, bytes / 1e9, free_bytes / 1e9));
}

Solved solve_widening(const TwoPointEquation& equation, double tolerance, double rate, double free_bytes) {
  if (!equation.reaches_all_sites()) not_unique();
  const Index widest = equation.sites() - 1;
  std::optional<Profile> before;
  for (Index width = std::min<Index>(1, widest);; width = std::min(2 * width + 1, widest)) {
    const BandSolution solution(equation, width, rate);
    std::string state = "the equations have no solution";
    if (solution.determined()) {
      Solved solved{solution.profile(), solution.residual(), solution.hermiticity_error(),
                    solution.elements()};
      const double changed = before ? change(*before, solved.profile, rate) : INFINITY;
      const bool settled = solution.whole() || changed <= tolerance;
      if (solved.residual <= tolerance && settled) return solved;
      state = fmt::format(
          "the residual is {:.1e} and the last widening changed populations or currents by {:.1e}",
          solved.residual, changed);
      before = std::move(solved.profile);
    } else if (solution.whole()) {
      not_unique();
    }
    if (solution.whole()) {
      throw Error(fmt::format("the two-point functions do not reach {:g}: {}; raise steady.tolerance",
                              tolerance, state));
    }
    const Index next = std::min(2 * width + 1, widest);
    const double needed = two_point_bytes(static_cast<int>(equation.sites()), static_cast<int>(next));
    if (free_bytes > 0.0 && needed > 0.8 * free_bytes) too_wide(width, state, needed, free_bytes);
  }
}

/// Runs `solve` on rank 0 and gives what it found, or throws what it threw, on all ranks.
template <class Solve>
Solved on_root(const Communicator& comm, Index sites, const Solve& solve) {
  Solved solved;
  std::string failure;
  if (comm.is_root()) {
    try {
      solved = solve();
    } catch (const std::exception& error) {
      failure = *error.what() != '\0' ? error.what() : "the two-point equations failed";
    }
  }
  double length = static_cast<double>(failure.size());
  comm.broadcast(std::span(&length, 1));
  failure.resize(static_cast<std::size_t>(length));
  comm.broadcast(std::span(failure.data(), failure.size()));
  if (!failure.empty()) throw Error(failure);
  double numbers[] = {solved.residual, solved.hermiticity_error, static_cast<double>(solved.elements)};
  comm.broadcast(std::span(numbers));
  solved.residual = numbers[0];
  solved.hermiticity_error = numbers[1];
  solved.elements = static_cast<Index>(numbers[2]);
  solved.profile.occupation.resize(static_cast<std::size_t>(sites));
  solved.profile.flow.resize(static_cast<std::size_t>(sites - 1));
  comm.broadcast(std::span(solved.profile.occupation));
  comm.broadcast(std::span(solved.profile.flow));
  return solved;
}

/// Everything a steady state tells, from occupations and flows.
SteadyState state_of(const Model& model, const Solved& solved) {
  SteadyState state;
  state.method = "two-point";
  state.elements = solved.elements;
  state.residual = solved.residual;
  state.hermiticity_error = solved.hermiticity_error;
  state.smallest_population = 1.0;
  for (int i = 0; i < model.sites(); ++i) {
    const double excited = solved.profile.occupation[static_cast<std::size_t>(i)];
    state.populations.insert(state.populations.end(), {1.0 - excited, excited});
    state.energy.push_back((1.0 - excited) * model.energy(i, 0) + excited * model.energy(i, 1));
    state.smallest_population = std::min({state.smallest_population, excited, 1.0 - excited});
  }
  const auto gap = [&](int i) { return model.energy(i, 1) - model.energy(i, 0); };
  for (const Bond& bond : model.lattice.bonds()) {
    const double upward = solved.profile.flow[static_cast<std::size_t>(std::min(bond.first, bond.second))];
    const double flow = bond.first < bond.second ? upward : -upward;
    state.outflow.insert(state.outflow.end(), {gap(bond.first) * flow, -gap(bond.second) * flow});
    state.current.push_back(0.5 * (gap(bond.first) + gap(bond.second)) * flow);
  }
  add_temperatures(model, state);
  add_heat(model, state);
  return state;
}

void require_closed_equations(const Model& model) {
  if (model.bath.reservoirs.empty()) {
    throw InputError(
        "no reservoir: dephasing alone leaves every mixture of the sectors stationary, and the steady state "
        "is not unique; add a [[bath.reservoir]]");
  }
  auto obstacles = two_point_obstacles(model);
  for (auto& text : obstacles) text = "the two-point functions do not close: " + text;
  if (!obstacles.empty()) throw InputError(obstacles);
}

}  // namespace

double two_point_bytes(int sites, int width) {
  // Measured for detuned chains of 300 sites: factors of 5 (across 3) to 52 (across 300) numbers an element,
  // and MUMPS needs nearly twice that; matrix and vectors besides.
  const double across = std::min(2.0 * width + 1.0, 1.0 * sites);
  const double elements = sites * across;
  return elements * (250.0 + 16.0 * 1.9 * 7.0 * std::log2(std::max(2.0, across)));
}

int two_point_width(const Model& model) {
  const int widest = std::max(0, model.sites() - 1);
  const auto& levels = model.energies;
  bool uniform = true;
  for (std::size_t e = 2; e < levels.size(); ++e)
    uniform = uniform && std::abs(levels[e] - levels[e % 2]) <= 1e-12 * std::abs(levels[e]);
  const double dephasing = model.bath.dephasing;
  double reach = dephasing > 0.0 ? 3.0 : 7.0;
  if (!uniform) {
    constexpr double kMeanPaths = 20.0;  // that coherences reach where levels differ
    reach = dephasing > 0.0 ? std::max(3.0, kMeanPaths * std::abs(model.strength) / dephasing) : widest;
  }
  int width = 1;
  while (width < reach && width < widest) width = std::min(2 * width + 1, widest);
  return std::min(width, widest);
}

double two_point_bytes(const Model& model) {
  int width = 0;
  const int widths = model.bath.dephasing > 0.0 ? kFirstWidths : kFirstWidths + 1;
  for (int k = 0; k < widths; ++k) width = std::min(2 * width + 1, std::max(0, model.sites() - 1));
  return two_point_bytes(model.sites(), width);
}

SteadyState two_point_steady_state(const Model& model, double tolerance, const Communicator& comm,
                                   double free_bytes, Timings& timings) {
  const Timings::Scope scope(timings, "steady state");
  require_closed_equations(model);
  double rate = 0.0;
  for (const Reservoir& r : model.bath.reservoirs) rate = std::max(rate, r.rate);
  const Solved solved = on_root(comm, model.sites(), [&] {
    return solve_widening(TwoPointEquation(model), std::max(tolerance, 1e-12), rate, free_bytes);
  });
  SteadyState state = state_of(model, solved);
  const double allowed = std::max(1e-8, 1e3 * tolerance);
  if (state.smallest_population < -allowed || state.hermiticity_error > allowed) {
    throw Error(fmt::format(
        "the two-point functions found are those of no state (smallest population {:.1e}, anti-Hermitian "
        "part {:.1e}): too few digits are left; add dephasing, or couple the sites more strongly",
        state.smallest_population, state.hermiticity_error));
  }
  return state;
}

}  // namespace qheat
