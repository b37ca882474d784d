#pragma once

#include <span>
#include <vector>

#include "qheat/model/bath.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// C(tau)^s of a bath, tau >= 0, for s sites that change. Bosons, J(w) = 2 alpha w e^{-w/w_c}:
/// C = exp(-int_0^inf dw J(w)/w^2 [(1 - cos w tau) coth(w/2T) + i sin w tau])
///   = (1 + i w_c tau)^{-2 alpha} |Gamma(1 + k + i T tau) / Gamma(1 + k)|^{4 alpha}, k = T/w_c.
Complex correlation_power(const BathCorrelation& bath, int changed_sites, double tau);

/// ln |Gamma(x + iy) / Gamma(x)| for x >= 1, by Stirling's series.
double log_gamma_ratio(double x, double y);

/// Width of the line of a change of so many sites: 1 / int_0^inf |C|^s, inverse time. s gamma for an
/// exponential; 0 where the integral diverges (bosons at T = 0 with 2 alpha s <= 1).
double line_width(const BathCorrelation& bath, int changed_sites);

/// Re int_0^t C(tau)^s e^{-i Delta tau} dtau for any Delta and t.
///
/// C^s is slow. It is expanded once in Legendre polynomials on panels, which are cut until the last
/// coefficients vanish; the product with e^{-i Delta tau} is then integrated exactly, by spherical Bessel
/// functions, so neither cost nor error grows with Delta or t. For gaussian and bosons.
class CorrelationIntegral {
 public:
  CorrelationIntegral(const BathCorrelation& bath, int changed_sites);

  std::size_t panels() const { return panels_.size(); }
  /// Integrals up to the begin of each panel and the end of the last, [panels() + 1].
  void whole_panels(double mismatch, std::span<double> integrals) const;

  struct Panel {
    double begin = 0.0, end = 0.0;
    std::vector<Complex> coefficients;  ///< of the Legendre polynomials, times 2 (-i)^j and half the length
    double error = 0.0;                 ///< of an integral over it, any Delta
    double magnitude = 0.0;             ///< int |C|^s
  };
  /// The number of the panel that t lies in, and its part up to t. Past the last panel: panels(), nothing.
  /// Throws Error if memory lasts longer than the panels reach.
  std::pair<std::size_t, Panel> up_to(double t) const;
  static double integral(const Panel& panel, double mismatch);

  /// Bound of the error of an integral up to t, any Delta that is known to `uncertainty` (energy); units of
  /// time.
  double error(double t, double uncertainty = 0.0) const;
  /// int_0^inf |C|^s; infinite where it diverges.
  double magnitude() const;
  /// t -> infinity; for a memory that ends.
  double limit(double mismatch) const;

 private:
  Panel make_panel(double begin, double end) const;

  BathCorrelation bath_;
  int changed_sites_;
  bool ends_ = false;  ///< |C|^s is negligible after the last panel
  std::vector<Panel> panels_;
};

}  // namespace qheat
