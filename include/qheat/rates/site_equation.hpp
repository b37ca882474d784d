#pragma once

#include <functional>
#include <span>
#include <vector>

#include "qheat/model/lattice.hpp"
#include "qheat/rates/rate_equation.hpp"

namespace qheat {

/// Eq. 9 of Wu and Segal with reservoirs: dP_n(i)/dt = sum over the bonds b of i of w(b,t) [P_n(j) - P_n(i)]
/// + sum_m k_nm(i) P_m(i), where k(i) is the part of K_0 that acts on the site; small, so one rank holds the
/// whole of it.
class SiteEquation final : public RateEquation {
 public:
  /// Writes w(b, t), [B], inverse time.
  using BondRates = std::function<void(double t, std::span<double> rates)>;

  /// `columns`: number L of bands (or levels), each of which diffuses alone; `jumps`: k of each site,
  /// [N][L][L] (band_jumps), or empty.
  SiteEquation(const Lattice& lattice, int columns, BondRates rates, std::vector<double> jumps = {});

  const Communicator& comm() const override { return self_; }
  Index local_size() const override { return lattice_.sites() * columns_; }
  Index first() const override { return 0; }
  Index global_size() const override { return local_size(); }
  /// p: P_n(i), [N][columns].
  void apply(double t, std::span<const double> p, std::span<double> dp) override;
  void diagonal(double t, std::span<double> diagonal) override;

 private:
  Communicator self_;
  const Lattice& lattice_;
  Index columns_;
  BondRates bond_rates_;
  std::vector<double> jumps_, rates_;
};

}  // namespace qheat
