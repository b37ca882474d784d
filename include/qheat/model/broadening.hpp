#pragma once

namespace qheat {

/// A normalised density of the energy mismatch of two states, named by the job where the model has none of
/// its own (Gamma of Eqs. 16 to 18 of Wu and Segal).
struct Broadening {
  enum class Shape { lorentzian, gaussian, uniform };

  Shape shape = Shape::lorentzian;
  double width = 0.0;  ///< > 0: half width (lorentzian), standard deviation (gaussian), full width (uniform)

  /// Inverse energy.
  double density(double mismatch) const;
};

}  // namespace qheat
