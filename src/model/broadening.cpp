#include "qheat/model/broadening.hpp"

#include <cmath>
#include <numbers>

namespace qheat {

double Broadening::density(double mismatch) const {
  const double x = mismatch / width;
  switch (shape) {
    case Shape::gaussian:
      return std::exp(-x * x / 2.0) * std::numbers::inv_sqrtpi / (std::numbers::sqrt2 * width);
    case Shape::uniform:
      return std::abs(x) <= 0.5 + 1e-12 ? 1.0 / width : 0.0;  // the edges belong to it, whatever the rounding
    case Shape::lorentzian:
      break;
  }
  return std::numbers::inv_pi / (width * (1.0 + x * x));
}

}  // namespace qheat
