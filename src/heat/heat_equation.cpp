#include "qheat/heat/heat_equation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "heat/gmres.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {

CellProperty CellProperty::constant(double value) {
  CellProperty property;
  property.value_ = value;
  return property;
}

CellProperty CellProperty::of_cells(std::vector<double> values) {
  CellProperty property;
  property.values_ = std::move(values);
  property.of_place_ = true;
  return property;
}

CellProperty CellProperty::function(Function f, bool of_temperature, bool of_place) {
  CellProperty property;
  property.function_ = std::move(f);
  property.of_temperature_ = of_temperature;
  property.of_place_ = of_place;
  return property;
}

double CellProperty::at(const CellBox& box, double spacing, const std::array<Index, 3>& cell,
                        double temperature) const {
  if (function_) {
    const auto middle = [&](std::size_t a) { return spacing * (static_cast<double>(cell[a]) + 0.5); };
    return function_(temperature, {middle(0), middle(1), middle(2)});
  }
  if (values_.empty()) return value_;
  return values_[as_size(cell[0] + box.cells()[0] * (cell[1] + box.cells()[1] * cell[2]))];
}

namespace {

/// d f/dT by a central difference; the value at the temperature is `value`.
template <class Function>
double slope_at(double temperature, double value, const Function& f) {
  const double step = 1e-6 * std::max(std::abs(temperature), 1e-6);
  const double above = f(temperature + step);
  const double below = f(temperature - step);
  const double slope = (above - below) / (2.0 * step);
  return std::isfinite(slope) ? slope : (above - value) / step;
}

double harmonic_mean(double a, double b) {
  return 2.0 * a * b / (a + b);
}

}  // namespace

HeatEquation::HeatEquation(const HeatProblem& problem, const Communicator& comm)
    : problem_(problem),
      box_(problem.cells, problem.periodic, comm),
      conduction_(box_),
      own_slope_(box_.storage(), 0.0),
      supplied_(box_.storage(), 0.0) {
  if (!problem_.conductivity.depends_on_temperature()) return;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (box_.stride(static_cast<int>(axis)) > 0) slopes_[axis].assign(box_.storage(), 0.0);
  }
}

bool HeatEquation::linear() const {
  return !problem_.conductivity.depends_on_temperature() && !problem_.source.depends_on_temperature() &&
         !problem_.capacity.depends_on_temperature();
}

std::vector<double> HeatEquation::field_of(const CellProperty& property,
                                           std::span<const double> temperature) const {
  std::vector<double> field(box_.storage(), 0.0);
  box_.for_each([&](std::size_t place, Index i, Index j, Index k) {
    field[place] = property.at(box_, problem_.spacing, {i, j, k}, temperature[place]);
  });
  return field;
}

double HeatEquation::kappa_at(const Cell& cell, double temperature) const {
  const double kappa = problem_.conductivity.at(box_, problem_.spacing, cell, temperature);
  if (kappa > 0.0 && std::isfinite(kappa)) return kappa;
  throw Error(
      fmt::format("the conductivity is {:g} at T = {:g} in cell ({}, {}, {}): it must be positive at all "
                  "temperatures that are met; change heat.conductivity, or the temperatures",
                  kappa, temperature, cell[0], cell[1], cell[2]));
}

template <class Visit>
void HeatEquation::visit_faces(const Visit& visit) const {
  box_.for_each([&](std::size_t place, Index i, Index j, Index k) {
    const Cell cell = {i, j, k};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (problem_.periodic[axis]) continue;
      if (cell[axis] == 0) visit(2 * axis, place, cell);
      if (cell[axis] == problem_.cells[axis] - 1) visit(2 * axis + 1, place, cell);
    }
  });
}

/// Between a cell and the next one, at the temperature between both: harmonic over materials, and a function
/// of one temperature where the material is one, so that heat also enters what does not conduct while cold.
double HeatEquation::kappa_between(std::size_t axis, const Cell& cell, const Cell& next,
                                   double temperature) const {
  if (const auto& listed = problem_.face_conductivity[axis]; !listed.empty())
    return listed[as_size(number_of(cell))];
  const double here = kappa_at(cell, temperature);
  if (!problem_.conductivity.depends_on_place()) return here;
  return harmonic_mean(here, kappa_at(next, temperature));
}

Index HeatEquation::number_of(const Cell& cell) const {
  return cell[0] + problem_.cells[0] * (cell[1] + problem_.cells[1] * cell[2]);
}

/// From the middle of a cell to a face of the block.
double HeatEquation::kappa_of_end(std::size_t face, const Cell& cell, double temperature) const {
  const std::size_t axis = face / 2;
  const auto& listed = problem_.face_conductivity[axis];
  if (listed.empty()) return kappa_at(cell, temperature);
  Cell before = cell;
  if (face % 2 == 1) --before[axis];
  return listed[as_size(number_of(before))];
}

/// Conductance between the middle of a cell and what lies outside of a face, over the area.
double HeatEquation::transfer(std::size_t number, const Cell& cell, double temperature) const {
  const FaceCondition& face = problem_.faces[number];
  const double half = 2.0 / problem_.spacing;
  switch (face.kind) {
    case FaceCondition::Kind::temperature:
      return half * kappa_of_end(number, cell, (temperature + face.value) / 2.0);
    case FaceCondition::Kind::convection:
      return face.transfer == 0.0
                 ? 0.0
                 : 1.0 / (1.0 / face.transfer + 1.0 / (half * kappa_of_end(number, cell, temperature)));
    default:
      return 0.0;
  }
}

/// Power into a cell through a face of the block, over the area.
double HeatEquation::inflow(std::size_t number, const Cell& cell, double temperature) const {
  const FaceCondition& face = problem_.faces[number];
  if (face.kind == FaceCondition::Kind::insulated) return 0.0;
  if (face.kind == FaceCondition::Kind::flux) return face.value;
  return transfer(number, cell, temperature) * (face.value - temperature);
}

/// Conductances between cells and their slopes.
void HeatEquation::set_inner_faces(std::span<const double> temperature) {
  const double area = problem_.spacing * problem_.spacing;
  const bool varies = problem_.conductivity.depends_on_temperature();
  box_.for_each([&](std::size_t place, Index i, Index j, Index k) {
    const Cell cell = {i, j, k};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const auto stride = as_size(box_.stride(static_cast<int>(axis)));
      if (stride == 0) continue;
      const bool exists =
          box_.has_next(static_cast<int>(axis), cell[axis] - box_.begin(static_cast<int>(axis)));
      if (!exists) continue;
      Cell next = cell;
      next[axis] = (next[axis] + 1) % problem_.cells[axis];
      const double between = (temperature[place] + temperature[place + stride]) / 2.0;
      const auto kappa = [&](double t) { return kappa_between(axis, cell, next, t); };
      const double now = kappa(between);
      conduction_.face(static_cast<int>(axis))[place] = now / area;
      if (varies) slopes_[axis][place] = slope_at(between, now, kappa) / (2.0 * area);
    }
  });
}

/// Source, what comes through faces of the block, and their slopes.
void HeatEquation::set_own(std::span<const double> temperature) {
  const double a = problem_.spacing;
  box_.for_each([&](std::size_t place, Index i, Index j, Index k) {
    const double t = temperature[place];
    const auto source = [&](double other) { return problem_.source.at(box_, a, {i, j, k}, other); };
    supplied_[place] = source(t);
    conduction_.own()[place] = 0.0;
    own_slope_[place] =
        problem_.source.depends_on_temperature() ? slope_at(t, supplied_[place], source) : 0.0;
  });
  visit_faces([&](std::size_t number, std::size_t place, const Cell& cell) {
    const double t = temperature[place];
    const double conductance = transfer(number, cell, t) / a;
    conduction_.own()[place] += conductance;
    supplied_[place] += inflow(number, cell, t) / a + conductance * t;
    own_slope_[place] += problem_.conductivity.depends_on_temperature()
                             ? slope_at(t, inflow(number, cell, t) / a,
                                        [&](double other) { return inflow(number, cell, other) / a; })
                             : -conductance;
  });
}

/// Conductances, what is supplied, and derivatives, at given temperatures.
void HeatEquation::set_conduction(std::span<double> temperature) {
  if (!own_of_linear_.empty()) {  // nothing has changed but what solve() adds
    conduction_.own() = own_of_linear_;
    return;
  }
  box_.exchange(temperature);
  std::exception_ptr failure;
  try {
    set_inner_faces(temperature);
    set_own(temperature);
  } catch (const Error&) {
    failure = std::current_exception();
  }
  throw_on_all(failure);
  for (auto& slope : slopes_) {
    if (!slope.empty()) box_.exchange(slope);
  }
  if (linear()) own_of_linear_ = conduction_.own();
}

/// Of one rank on all. Collective.
void HeatEquation::throw_on_all(const std::exception_ptr& failure) const {
  std::string mine;
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const Error& error) {
    mine = error.what();
  }
  const int first = box_.comm().size() - 1 -
                    box_.comm().max(mine.empty() ? -1 : box_.comm().size() - 1 - box_.comm().rank());
  if (first >= box_.comm().size()) return;
  double length = static_cast<double>(mine.size());
  box_.comm().broadcast(std::span(&length, 1), first);
  std::vector<double> letters(mine.begin(), mine.end());
  letters.resize(static_cast<std::size_t>(length));
  box_.comm().broadcast(letters, first);
  throw Error(std::string(letters.begin(), letters.end()));
}

void HeatEquation::heating(std::span<double> temperature, std::span<double> heat) {
  set_conduction(temperature);
  conduction_.update();
  conduction_.residual(supplied_, temperature, heat);
}

std::array<double, 6> HeatEquation::face_power(std::span<const double> temperature) const {
  std::array<double, 6> power{};
  visit_faces([&](std::size_t number, std::size_t place, const Cell& cell) {
    power[number] += area() * inflow(number, cell, temperature[place]);
  });
  box_.comm().sum(power);
  return power;
}

double HeatEquation::area() const {
  const auto axes =
      std::count_if(problem_.cells.begin(), problem_.cells.end(), [](Index n) { return n > 1; });
  return axes > 1 ? std::pow(problem_.spacing, axes - 1) : 1.0;
}

double HeatEquation::volume() const {
  return problem_.spacing * area();
}

double HeatEquation::source_power(std::span<const double> temperature) const {
  const auto source = field_of(problem_.source, temperature);
  const std::vector<double> one(box_.storage(), 1.0);
  return volume() * box_.product(source, one);
}

double HeatEquation::content(std::span<const double> temperature) const {
  return volume() * box_.product(field_of(problem_.capacity, temperature), temperature);
}

/// own v - d(what conduction brings)/dT v.
void HeatEquation::apply_jacobian(std::span<const double> temperature, std::span<const double> own,
                                  std::span<double> v, std::span<double> result) const {
  box_.exchange(v);
  box_.for_each([&](std::size_t p, Index, Index, Index) {
    double sum = own[p] * v[p];
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const auto stride = as_size(box_.stride(static_cast<int>(axis)));
      if (stride == 0) continue;
      const auto& faces = conduction_.face(static_cast<int>(axis));
      const auto outflow = [&](std::size_t to, std::size_t face) {
        const double slope = slopes_[axis].empty() ? 0.0 : slopes_[axis][face];
        return faces[face] * (v[p] - v[to]) + (temperature[p] - temperature[to]) * slope * (v[p] + v[to]);
      };
      sum += outflow(p + stride, p) + outflow(p - stride, p - stride);
    }
    result[p] = sum;
  });
}

int HeatEquation::solve(std::span<const double> before, double step, double tolerance,
                        std::span<double> temperature) {
  constexpr int kMostSteps = 60;
  constexpr double kRounding = 1e-15;
  const double inverse = std::isinf(step) ? 0.0 : 1.0 / step;
  std::vector<double> residual(box_.storage(), 0.0), change(box_.storage(), 0.0), own(box_.storage(), 0.0);
  std::vector<double> kept(temperature.begin(), temperature.end());
  int iterations = 0;
  double last = std::numeric_limits<double>::infinity();
  double damping = 1.0;
  for (int newton = 0; newton < kMostSteps; ++newton) {
    heating(temperature, residual);
    const auto capacity = field_of(problem_.capacity, temperature);
    double scale = 0.0;
    box_.for_each([&](std::size_t p, Index i, Index j, Index k) {
      const double stored = inverse * capacity[p];
      residual[p] -= stored * (temperature[p] - before[p]);
      // kRounding: of what conduction moves to and fro no more can be known
      scale += std::pow(supplied_[p], 2) + std::pow(stored * before[p], 2) +
               std::pow(conduction_.own()[p] * temperature[p], 2) +
               std::pow(kRounding / tolerance * conduction_.diagonal()[p] * temperature[p], 2);
      own[p] = stored - own_slope_[p];
      if (problem_.capacity.depends_on_temperature())
        own[p] +=
            inverse * (temperature[p] - before[p]) * slope_at(temperature[p], capacity[p], [&](double other) {
              return problem_.capacity.at(box_, problem_.spacing, {i, j, k}, other);
            });
      conduction_.own()[p] = linear() ? conduction_.own()[p] + stored : std::max(own[p], stored);
    });
    scale = std::sqrt(box_.comm().sum(scale));
    const double size = std::sqrt(box_.product(residual, residual));
    if (size <= tolerance * scale || scale == 0.0) return iterations;
    if (!(size < 2.0 * last) && damping > 1e-4) {  // too far: half of the way
      damping /= 2.0;
      for (std::size_t p = 0; p < kept.size(); ++p) temperature[p] = kept[p] + damping * change[p];
      continue;
    }
    last = size;
    damping = 1.0;
    conduction_.update();
    if (!multigrid_) {
      multigrid_ = std::make_unique<Multigrid>(conduction_);
    } else if (!linear() || problem_.capacity.depends_on_temperature() || inverse != inverse_of_multigrid_) {
      multigrid_->update();
    }
    inverse_of_multigrid_ = inverse;
    std::fill(change.begin(), change.end(), 0.0);
    const double wanted = 0.1 * tolerance * scale / size;
    if (linear()) {
      iterations += qheat::solve(conduction_, *multigrid_, residual, change, std::min(wanted, 0.1));
    } else {
      iterations += gmres(
          box_, [&](std::span<double> v, std::span<double> av) { apply_jacobian(temperature, own, v, av); },
          [&](std::span<const double> b, std::span<double> x) { multigrid_->apply(b, x); }, residual, change,
          std::clamp(wanted, 1e-10, 1e-3));
    }
    std::copy(temperature.begin(), temperature.end(), kept.begin());
    for (std::size_t p = 0; p < kept.size(); ++p) temperature[p] += change[p];
  }
  throw Error(
      fmt::format("the heat equation was not solved within {} Newton steps (residual {:.1e} of what "
                  "flows); raise heat.tolerance, or start from temperatures that are nearer",
                  kMostSteps, last));
}

}  // namespace qheat
