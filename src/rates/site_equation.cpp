#include "qheat/rates/site_equation.hpp"

#include <algorithm>

#include "qheat/parallel/index.hpp"

namespace qheat {

SiteEquation::SiteEquation(const Lattice& lattice, int columns, BondRates rates, std::vector<double> jumps)
    : self_(Communicator::self()),
      lattice_(lattice),
      columns_(columns),
      bond_rates_(std::move(rates)),
      jumps_(std::move(jumps)),
      rates_(as_size(lattice.bond_count())) {}

void SiteEquation::apply(double t, std::span<const double> p, std::span<double> dp) {
  bond_rates_(t, rates_);
  std::fill(dp.begin(), dp.end(), 0.0);
  const auto columns = as_size(columns_);
  for (std::size_t b = 0; b < rates_.size(); ++b) {
    const std::size_t i = as_size(lattice_.bonds()[b].first) * columns;
    const std::size_t j = as_size(lattice_.bonds()[b].second) * columns;
    for (std::size_t n = 0; n < columns; ++n) {
      const double flow = rates_[b] * (p[j + n] - p[i + n]);
      dp[i + n] += flow;
      dp[j + n] -= flow;
    }
  }
  auto jump = jumps_.begin();
  for (std::size_t site = 0; jump != jumps_.end(); site += columns) {
    for (std::size_t to = 0; to < columns; ++to) {
      for (std::size_t from = 0; from < columns; ++from) dp[site + to] += *jump++ * p[site + from];
    }
  }
}

void SiteEquation::diagonal(double t, std::span<double> diagonal) {
  bond_rates_(t, rates_);
  for (std::size_t e = 0; e < diagonal.size(); ++e) {
    const auto columns = as_size(columns_);
    diagonal[e] = jumps_.empty() ? 0.0 : jumps_[e * columns + e % columns];
    for (const int b : lattice_.bonds_of(static_cast<int>(e / columns))) {
      diagonal[e] -= at(rates_, b);
    }
  }
}

}  // namespace qheat
