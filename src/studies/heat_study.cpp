#include "studies/heat_study.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "qheat/operators/product_work.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/wells/expression.hpp"
#include "studies/sensible_ranks.hpp"

namespace qheat {
namespace {

constexpr std::array<const char*, 6> kFaces = {"x-", "x+", "y-", "y+", "z-", "z+"};  // as job files say

/// On straight lines between points, and as at the ends beyond them, where Newton's method may look.
double between_points(const std::vector<double>& x, const std::vector<double>& y, double at) {
  const auto after = std::ranges::upper_bound(x, at) - x.begin();
  if (after == 0) return y.front();
  if (as_size(after) == x.size()) return y.back();
  const std::size_t k = as_size(after);
  return y[k - 1] + (y[k] - y[k - 1]) * (at - x[k - 1]) / (x[k] - x[k - 1]);
}

CellProperty property_of(const HeatValue& value, bool of_temperature) {
  if (!value.list.empty()) return CellProperty::of_cells(value.list);
  if (!value.temperatures.empty()) {
    return CellProperty::function(
        [value](double t, const std::array<double, 3>&) {
          return between_points(value.temperatures, value.values, t);
        },
        true, false);
  }
  if (value.expression.empty()) return CellProperty::constant(value.number);
  const std::vector<std::string> variables =
      of_temperature ? std::vector<std::string>{"T", "x", "y", "z"} : std::vector<std::string>{"x", "y", "z"};
  const auto expression = std::make_shared<Expression>(value.expression, variables);
  const bool of_place = expression->uses("x") || expression->uses("y") || expression->uses("z");
  if (!of_temperature)
    return CellProperty::function(
        [expression](double, const std::array<double, 3>& middle) {
          return (*expression)({middle[0], middle[1], middle[2]});
        },
        false, of_place);
  return CellProperty::function(
      [expression](double t, const std::array<double, 3>& middle) {
        return (*expression)({t, middle[0], middle[1], middle[2]});
      },
      expression->uses("T"), of_place);
}

/// kappa of each bond by the cell before it, one list an axis.
std::array<std::vector<double>, 3> by_faces(const Lattice& lattice, const std::vector<double>& bonds) {
  std::array<std::vector<double>, 3> faces;
  for (std::size_t axis = 0; axis < lattice.shape().size(); ++axis)
    faces[axis].assign(as_size(lattice.sites()), 1.0);
  for (std::size_t b = 0; b < bonds.size(); ++b) {
    const Bond& bond = lattice.bonds()[b];
    for (std::size_t axis = 0; axis < lattice.shape().size(); ++axis) {
      if (lattice.displacement(bond.first, bond.second, static_cast<int>(axis)) != 0)
        faces[axis][as_size(bond.first)] = bonds[b];
    }
  }
  return faces;
}

std::string text_of(const HeatValue& value) {
  if (!value.temperatures.empty())
    return fmt::format("by a table from T = {:g} to {:g}", value.temperatures.front(),
                       value.temperatures.back());
  if (!value.expression.empty()) return value.expression;
  return value.list.empty() ? fmt::format("{:g}", value.number)
                            : fmt::format("{} numbers", value.list.size());
}

}  // namespace

HeatStudy::HeatStudy(const Job& job, const StudyContext& context)
    : job_(job), request_(*job.heat), context_(context) {
  times_ = request_.steady ? std::vector<double>{0.0} : job.time->times();
}

HeatProblem HeatStudy::problem() const {
  const Lattice& lattice = *job_.lattice;
  HeatProblem heat;
  for (std::size_t axis = 0; axis < lattice.shape().size(); ++axis) {
    heat.cells[axis] = lattice.shape()[axis];
    heat.periodic[axis] = lattice.periodic()[axis] && lattice.shape()[axis] > 2;  // as bonds are
  }
  heat.spacing = lattice.spacing();
  heat.conductivity = property_of(request_.conductivity, true);
  if (!request_.conductivity.list.empty()) {
    heat.conductivity = CellProperty::constant(1.0);
    heat.face_conductivity = by_faces(lattice, request_.conductivity.list);
  }
  heat.capacity = property_of(request_.capacity, true);
  heat.source = property_of(request_.source, true);
  heat.faces = request_.faces;
  return heat;
}

void HeatStudy::describe(Report& report) const {
  report.say("heat equation   {} cells, conductivity {}, capacity {}{}\n", job_.lattice->sites(),
             text_of(request_.conductivity), text_of(request_.capacity),
             request_.steady ? ", steady state" : "");
}

void HeatStudy::require_possible() const {
  if (!request_.conductivity.list.empty()) {
    for (const int length : job_.lattice->shape()) {
      if (length == 1)
        throw Error("heat.conductivity one a bond needs at least two cells along each axis of lattice.shape");
    }
  }
}

Need HeatStudy::need(int ranks, double) const {
  const auto cells = static_cast<double>(job_.lattice->sites());
  constexpr double kPasses = 400.0;  // of a solution, or a step: some iterations of multigrid
  // conductances, multigrid, stages and vectors of solvers; GMRES where an expression may name T
  const bool linear = !request_.conductivity.may_depend_on_temperature() &&
                      !request_.capacity.may_depend_on_temperature() &&
                      !request_.source.may_depend_on_temperature();
  const double fields = linear ? 30.0 : 110.0;
  Need need{
      .bytes_per_rank = 8.0 * fields * cells / ranks,
      .kept_bytes_per_rank = 8.0 * cells * (static_cast<double>(times_.size()) + 1.0),
      .work = pass_work(cells, kPasses * (request_.steady ? 1.0 : 4.0 * static_cast<double>(times_.size()))),
      .sensible_ranks = sensible_ranks(cells, kStatesARank)};
  need.least_bytes_per_rank = need.bytes_per_rank;
  need.what = fmt::format("the heat equation of {:.0f} cells", cells);
  need.remedy = "use fewer cells or outputs, or more nodes";
  return need;
}

std::vector<double> HeatStudy::start(const HeatEquation& equation) const {
  std::vector<double> zero(equation.box().storage(), 0.0);
  return equation.field_of(property_of(request_.initial, false), zero);
}

/// What a table does not tell is not made up.
void HeatStudy::require_inside_tables(const CellBox& box, const std::vector<double>& temperature) const {
  double highest = -std::numeric_limits<double>::infinity();
  double lowest = -highest;
  box.for_each([&](std::size_t place, Index, Index, Index) {
    highest = std::max(highest, temperature[place]);
    lowest = std::min(lowest, temperature[place]);
  });
  highest = context_.comm.max(highest);
  lowest = -context_.comm.max(-lowest);
  const auto require = [&](const HeatValue& value, const char* key) {
    if (value.temperatures.empty()) return;
    const double rounding = 1e-9 * std::max(std::abs(lowest), std::abs(highest));
    if (lowest >= value.temperatures.front() - rounding && highest <= value.temperatures.back() + rounding)
      return;
    throw Error(
        fmt::format("temperatures reach from {:g} to {:g}, and the table of {} from {:g} to {:g}; give it "
                    "more temperatures",
                    lowest, highest, key, value.temperatures.front(), value.temperatures.back()));
  };
  require(request_.conductivity, "heat.conductivity");
  require(request_.capacity, "heat.capacity");
  require(request_.source, "heat.source");
}

/// Energy that is there more is what came in, whatever the steps were.
void HeatStudy::require_balance(double gained, double in, double scale) const {
  constexpr double kAllowed = 1e-8;
  if (std::abs(gained - in) <= kAllowed * scale) return;
  throw Error(
      fmt::format("the heat equation does not keep its energy: {:g} more is there than the {:g} that came "
                  "in; lower heat.tolerance",
                  gained - in, in));
}

void HeatStudy::compute_steady(HeatEquation& equation) {
  auto temperature = start(equation);
  const HeatProblem& heat = equation.problem();
  if (request_.initial.list.empty() && request_.initial.expression.empty() &&
      request_.initial.number == 0.0) {
    double sum = 0.0;  // between what holds it, where conductivities have their meaning
    double count = 0.0;
    for (const FaceCondition& face : heat.faces) {
      if (!face.anchors()) continue;
      sum += face.value;
      count += 1.0;
    }
    std::fill(temperature.begin(), temperature.end(), sum / count);
  }
  iterations_ = {1.0 * equation.solve(temperature, std::numeric_limits<double>::infinity(),
                                      std::min(1e-10, request_.tolerance), temperature)};
  require_inside_tables(equation.box(), temperature);
  const auto power = equation.face_power(temperature);
  double scale = std::abs(equation.source_power(temperature));
  for (std::size_t f = 0; f < power.size(); ++f) {
    power_[f] = {power[f]};
    scale += std::abs(power[f]);
  }
  const double in = std::accumulate(power.begin(), power.end(), equation.source_power(temperature));
  balance_ = scale > 0.0 ? std::abs(in) / scale : 0.0;
  require_balance(0.0, in, std::max(scale, 1e-300));
  temperature_ = equation.box().collect(temperature);
  content_ = {equation.content(temperature)};
}

void HeatStudy::compute_in_time(HeatEquation& equation) {
  HeatState state{.temperature = start(equation)};
  const bool counts = !equation.problem().capacity.depends_on_temperature();
  const double first = equation.content(state.temperature);
  HeatEvolution evolution(equation, request_.tolerance);
  double largest = 0.0;
  const auto observe = [&](std::size_t, const HeatState& now) {
    require_inside_tables(equation.box(), now.temperature);
    const auto cells = equation.box().collect(now.temperature);
    temperature_.insert(temperature_.end(), cells.begin(), cells.end());
    const auto power = equation.face_power(now.temperature);
    for (std::size_t f = 0; f < power.size(); ++f) power_[f].push_back(power[f]);
    const double content = equation.content(now.temperature);
    content_.push_back(counts ? content : std::numeric_limits<double>::quiet_NaN());
    const double in = std::accumulate(now.through.begin(), now.through.end(), now.supplied);
    largest = std::max({largest, std::abs(content), std::abs(in)});
    if (counts && largest > 0.0) {
      balance_ = std::max(balance_, std::abs(content - first - in) / largest);
      require_balance(content - first, in, largest);
    }
    steps_ = now.steps;
    iterations_.push_back(static_cast<double>(now.iterations));
  };
  const auto save = [&](StateWriter& writer) {
    writer.replicated("heat-content", content_);
    writer.replicated("heat-iterations", iterations_);
    for (std::size_t f = 0; f < power_.size(); ++f)
      writer.replicated(fmt::format("heat-power-{}", f), power_[f]);
    // on rank 0 alone; its share of a list that is split over the ranks is all of it
    const auto size = static_cast<Index>(content_.size()) * equation.box().all_cells();
    writer.distributed("heat-outputs", temperature_, context_.comm.is_root() ? 0 : size, size);
    writer.replicated("heat-balance", std::array{balance_, largest});
  };
  const auto load = [&](StateReader& reader) {
    content_ = reader.replicated("heat-content");
    iterations_ = reader.replicated("heat-iterations");
    for (std::size_t f = 0; f < power_.size(); ++f)
      power_[f] = reader.replicated(fmt::format("heat-power-{}", f));
    const auto size = static_cast<Index>(content_.size()) * equation.box().all_cells();
    temperature_.resize(context_.comm.is_root() ? as_size(size) : 0);
    reader.distributed("heat-outputs", temperature_, context_.comm.is_root() ? 0 : size, size);
    const auto numbers = reader.replicated("heat-balance");
    balance_ = numbers[0];
    largest = numbers[1];
  };
  evolution.run(state, times_, context_.control, observe, save, load);
}

void HeatStudy::compute() {
  const Timings::Scope scope(context_.timings, "heat equation");
  const Stage stage(context_.control, "heat equation");
  context_.progress.log("heat equation");
  HeatEquation equation(problem(), context_.comm);
  if (request_.steady) {
    compute_steady(equation);
  } else {
    compute_in_time(equation);
  }
}

void HeatStudy::write(ResultsFile& file) {
  const std::string group = "/heat";
  const auto& shape = job_.lattice->shape();
  std::vector<Index> dimensions;
  if (!request_.steady) dimensions.push_back(static_cast<Index>(times_.size()));
  for (std::size_t axis = shape.size(); axis-- > 0;) dimensions.push_back(shape[axis]);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    std::vector<double> middles;
    for (int cell = 0; cell < shape[axis]; ++cell) middles.push_back((cell + 0.5) * job_.lattice->spacing());
    file.dataset(fmt::format("{}/{}", group, kFaces[2 * axis][0]), {shape[axis]}, middles);
  }
  file.dataset(group + "/temperature", dimensions, temperature_);
  const auto outputs = static_cast<Index>(times_.size());
  file.dataset(group + "/energy", {outputs}, content_);
  for (std::size_t face = 0; face < 2 * shape.size(); ++face) {
    if (job_.lattice->periodic()[face / 2]) continue;
    file.dataset(fmt::format("{}/flux_{}", group, kFaces[face]), {outputs}, power_[face]);
  }
  file.attribute(group, "balance", balance_);
  file.dataset(group + "/iterations", {outputs}, iterations_);
  if (!request_.steady) file.attribute(group, "steps", steps_);
}

void HeatStudy::summarize(Report& report) const {
  report.say("heat equation   {}{} iterations; energy balanced to {:.1e}\n",
             request_.steady ? "" : fmt::format("{} steps, ", steps_), iterations_.back(), balance_);
}

}  // namespace qheat
