#pragma once

#include <array>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "qheat/heat/conduction.hpp"
#include "qheat/heat/multigrid.hpp"

namespace qheat {

/// A property of the cells: one number, one a cell, or a function of temperature and place.
class CellProperty {
 public:
  /// Of temperature and middle of the cell (x, y, z).
  using Function = std::function<double(double temperature, const std::array<double, 3>& middle)>;

  static CellProperty constant(double value);
  /// One value a cell, first axis fastest, the same on all ranks.
  static CellProperty of_cells(std::vector<double> values);
  static CellProperty function(Function f, bool of_temperature, bool of_place);

  bool depends_on_temperature() const { return of_temperature_; }
  bool depends_on_place() const { return of_place_; }
  double at(const CellBox& box, double spacing, const std::array<Index, 3>& cell, double temperature) const;

 private:
  double value_ = 0.0;
  std::vector<double> values_;
  Function function_;
  bool of_temperature_ = false, of_place_ = false;
};

/// What happens at a face of the block.
struct FaceCondition {
  enum class Kind { insulated, temperature, flux, convection };
  Kind kind = Kind::insulated;
  double value = 0.0;     ///< temperature held, or of the surroundings; flux into the block, power/area
  double transfer = 0.0;  ///< h of convection, h (T_surroundings - T): power/(area temperature)

  /// True if it draws the temperature to its own: without one there is no steady state that is the only one.
  bool anchors() const { return kind == Kind::temperature || (kind == Kind::convection && transfer > 0.0); }
};

/// C(T, x) dT/dt = div(kappa(T, x) grad T) + source, in finite volumes on cells of the width a: faces between
/// cells conduct with the harmonic mean of both materials at the mean temperature, a face of the block lies
/// half a width from the middle of its cells. (physics: sections Rate equations, Heat equation; Wu and Segal,
/// Eqs. 11, 12.)
struct HeatProblem {
  CellBox::Axes cells{1, 1, 1};
  std::array<bool, 3> periodic{};
  double spacing = 1.0;
  CellProperty conductivity = CellProperty::constant(1.0);
  /// Instead, kappa of the face between each cell and the next one along an axis, first axis fastest, the
  /// same on all ranks; a face of the block has that of the first face inside. Empty: by `conductivity`.
  std::array<std::vector<double>, 3> face_conductivity{};
  CellProperty capacity = CellProperty::constant(1.0);  ///< of a volume
  CellProperty source = CellProperty::constant(0.0);    ///< power of a volume
  std::array<FaceCondition, 6> faces{};                 ///< x-, x+, y-, y+, z-, z+
};

/// The discrete equation; temperatures are fields of box().
class HeatEquation {
 public:
  HeatEquation(const HeatProblem& problem, const Communicator& comm);

  const CellBox& box() const { return box_; }
  const HeatProblem& problem() const { return problem_; }
  /// A field of a property at given temperatures.
  std::vector<double> field_of(const CellProperty& property, std::span<const double> temperature) const;

  /// What heats each cell, power of a volume: div(kappa grad T) + source. Throws Error where kappa is not
  /// positive, with place and temperature. Collective.
  void heating(std::span<double> temperature, std::span<double> heat);
  /// Power into the block through each of its faces, per a^(2 - axes) of its cross-section. Collective.
  std::array<double, 6> face_power(std::span<const double> temperature) const;
  /// Power of all sources. Collective.
  double source_power(std::span<const double> temperature) const;
  /// Heat in the block above that at temperature 0, for a capacity that does not depend on it. Collective.
  double content(std::span<const double> temperature) const;

  /// Solves (C/step) (T - before) = heating(T) for T, from T as it is; C at T. An infinite step: the steady
  /// state. `tolerance`: of the residual, over what it is made of. Returns the iterations of linear solvers.
  /// Throws Error if it does not get there. Collective.
  int solve(std::span<const double> before, double step, double tolerance, std::span<double> temperature);

  /// True if neither kappa nor source depends on the temperature.
  bool linear() const;

 private:
  using Cell = std::array<Index, 3>;
  double kappa_at(const Cell& cell, double temperature) const;
  double kappa_between(std::size_t axis, const Cell& cell, const Cell& next, double temperature) const;
  double kappa_of_end(std::size_t face, const Cell& cell, double temperature) const;
  double transfer(std::size_t face, const Cell& cell, double temperature) const;
  double inflow(std::size_t face, const Cell& cell, double temperature) const;
  /// Of a cell in the axes that there are, and of its faces in the others.
  double volume() const;
  double area() const;
  Index number_of(const Cell& cell) const;
  void set_conduction(std::span<double> temperature);
  void set_inner_faces(std::span<const double> temperature);
  void set_own(std::span<const double> temperature);
  void throw_on_all(const std::exception_ptr& failure) const;
  void apply_jacobian(std::span<const double> temperature, std::span<const double> own, std::span<double> v,
                      std::span<double> result) const;
  /// Calls visit(face, place, cell) for this rank's cells at the faces of the block.
  template <class Visit>
  void visit_faces(const Visit& visit) const;

  HeatProblem problem_;
  CellBox box_;
  Conduction conduction_;  ///< at the temperatures of the last set_conduction, over a^2
  std::unique_ptr<Multigrid> multigrid_;
  double inverse_of_multigrid_ = 0.0;  ///< of the step that it was made for
  std::vector<double> own_of_linear_;  ///< of a linear equation: does not change, nor do its faces; field
  /// Of the conductance of each face by the temperature of either side, fields; empty: none.
  std::array<std::vector<double>, 3> slopes_;
  std::vector<double> own_slope_;  ///< d/dT of source and what comes through faces of the block, field
  std::vector<double> supplied_;   ///< source, and what faces would bring at T = 0, field
};

}  // namespace qheat
