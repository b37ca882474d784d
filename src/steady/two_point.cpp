#include "qheat/steady/two_point.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "qheat/parallel/index.hpp"
#include "steady/measurement.hpp"
#include "steady/on_root.hpp"
#include "steady/rate_scales.hpp"
#include "steady/two_point_band.hpp"

namespace qheat {
namespace {

constexpr int kFirstWidths = 2;  // tried for every model: 1, then 3 for comparison

/// What of C is looked at: occupations [N] and particle flow i -> i+1 [N - 1].
struct Profile {
  std::vector<DoubleDouble> occupation;
  std::vector<double> flow;
};

/// Largest change of an occupation, or of a flow relative to the largest one (or to 1e-4 of the slowest rate:
/// where next to nothing flows, what does is rounding).
double change(const Profile& a, const Profile& b, double slowest) {
  double largest = 0.0;
  double strongest = 1e-4 * slowest;
  for (std::size_t i = 0; i < a.occupation.size(); ++i)
    largest = std::max(largest, std::abs(a.occupation[i].value() - b.occupation[i].value()));
  for (const double flow : b.flow) strongest = std::max(strongest, std::abs(flow));
  for (std::size_t i = 0; i < a.flow.size(); ++i)
    largest = std::max(largest, std::abs(a.flow[i] - b.flow[i]) / strongest);
  return largest;
}

/// The solution within a band, and how far it is from solving the whole equation.
class BandSolution {
 public:
  using Part = BandLayout::Part;

  BandSolution(const TwoPointEquation& equation, Index width)
      : equation_(equation), band_(equation.sites(), width) {
    const BandEquation within(equation, band_);
    c_.resize(as_size(band_.size()));
    determined_ = refine(within, c_).determined;
  }

  /// False if the equations within the band have no solution with enough digits. A cut band can have none
  /// where all elements have one: without dephasing, coherences of neighbours decay only by way of farther
  /// ones.
  bool determined() const { return determined_; }
  Index elements() const { return band_.size(); }
  Index width() const { return band_.width(); }
  bool whole() const { return width() >= band_.sites() - 1; }
  /// |A C + Gamma_up| / |C| over all elements, inside the band and out, inverse time.
  double residual() const {
    double square = 0.0;
    double norm = 0.0;
    band_.visit([&](Index i, Index k, Part part) {
      const double weight = i == k ? 1.0 : 2.0;
      square += weight * std::pow(motion(i, k, part), 2);
      norm += weight * std::pow(element(i, k, part).value(), 2);
    });
    for (Index i = 0; i + width() + 1 < band_.sites(); ++i)
      for (const Part part : {Part::real, Part::imaginary})
        square += 2.0 * std::pow(motion(i, i + width() + 1, part), 2);
    return std::sqrt(square / norm);
  }

  Profile profile() const {
    Profile profile;
    for (Index i = 0; i < band_.sites(); ++i) profile.occupation.push_back(element(i, i, Part::real));
    for (Index i = 0; i + 1 < band_.sites(); ++i)
      profile.flow.push_back(2.0 * at(equation_.hopping(), i) * element(i, i + 1, Part::imaginary).value());
    return profile;
  }

 private:
  DoubleDouble element(Index i, Index k, Part part) const {
    return band_.holds(i, k) ? at(c_, band_.number(i, k, part)).real : DoubleDouble{};
  }
  /// Element of A C + Gamma_up.
  double motion(Index i, Index k, Part part) const {
    DoubleDouble sum;
    if (i == k)
      for (const double rate : equation_.up(i)) sum += rate;
    equation_.row(i, k, part, [&](Index to_i, Index to_k, Part to_part, double value) {
      sum.add_product(value, element(to_i, to_k, to_part));
    });
    return sum.value();
  }

  const TwoPointEquation& equation_;
  BandLayout band_;
  std::vector<PreciseComplex> c_;
  bool determined_ = false;
};

/// What the equations give.
struct Solved {
  Profile profile;
  double residual = 0.0;
  Index elements = 0;
};

[[noreturn]] void functions_not_unique() {
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

/// `slowest`: rate that changes of flows compare to where next to nothing flows.
Solved solve_widening(const TwoPointEquation& equation, double tolerance, double slowest, double free_bytes) {
  const Index widest = equation.sites() - 1;
  std::optional<Profile> before;
  for (Index width = std::min<Index>(1, widest);; width = std::min(2 * width + 1, widest)) {
    const BandSolution solution(equation, width);
    std::string state = "the equations have no solution";
    if (solution.determined()) {
      Solved solved{solution.profile(), solution.residual() / equation.rate(), solution.elements()};
      const double changed = before ? change(*before, solved.profile, slowest) : INFINITY;
      const bool settled = solution.whole() || changed <= tolerance;
      if (solved.residual <= tolerance && settled) return solved;
      state = fmt::format(
          "the residual is {:.1e} and the last widening changed populations or currents by {:.1e}",
          solved.residual, changed);
      before = std::move(solved.profile);
    } else if (solution.whole()) {
      functions_not_unique();
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

/// Everything a steady state tells, from occupations and flows.
SteadyState state_of(const Model& model, const Solved& solved) {
  Measurement measured;
  measured.smallest_population = 1.0;
  for (const DoubleDouble& excited : solved.profile.occupation) {
    DoubleDouble ground = 1.0;
    ground += -excited;
    measured.populations.insert(measured.populations.end(), {ground, excited});
    measured.smallest_population = std::min({measured.smallest_population, ground.value(), excited.value()});
  }
  const auto gap = [&](int i) { return model.energy(i, 1) - model.energy(i, 0); };
  for (const Bond& bond : model.lattice.bonds()) {
    const double upward = at(solved.profile.flow, std::min(bond.first, bond.second));
    const double flow = bond.first < bond.second ? upward : -upward;
    measured.outflow.insert(measured.outflow.end(), {gap(bond.first) * flow, -gap(bond.second) * flow});
  }
  for (const Jump& jump : model.bath.jumps) {
    DoubleDouble heat;
    for (const Dissipator& d : dissipators(model, jump))
      heat += heat_by_populations(model, d, measured.populations);
    measured.jump_heat.insert(measured.jump_heat.end(), {heat.value(), 0.0});
  }
  SteadyState state;
  set_measured(model, measured, state);
  state.elements = solved.elements;
  state.residual = solved.residual;
  state.balance = Balance(model, kResolvedExactly).error(state, {});
  return state;
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
  require_possible_steady_state(model, {.method = SteadyMethod::two_point, .tolerance = tolerance});
  SteadyState state = state_on_root(comm, [&] {
    const Solved solved = solve_widening(TwoPointEquation(model), std::max(tolerance, 1e-12),
                                         rate_scales(model).slowest, free_bytes);
    SteadyState found = state_of(model, solved);
    require_state(found, tolerance);
    return found;
  });
  state.method = "two-point";
  return state;
}

}  // namespace qheat
