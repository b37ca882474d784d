#include "qheat/rates/many_body_equation.hpp"

#include <limits>

namespace qheat {

ManyBodyEquation::ManyBodyEquation(std::shared_ptr<const DistributedSector> cells,
                                   const SecondOrderKernel& kernel)
    : cells_(std::move(cells)),
      kernel_(kernel),
      engine_(*cells_, kernel.pattern()),
      values_(kernel.value_count()),
      time_(std::numeric_limits<double>::quiet_NaN()) {}

void ManyBodyEquation::go_to(double t) {
  if (t == time_) return;
  kernel_.values(t, values_);
  engine_.set_values(values_);
  time_ = t;
}

void ManyBodyEquation::apply(double t, std::span<const double> p, std::span<double> dp) {
  go_to(t);
  engine_.apply(p, dp);
}

void ManyBodyEquation::diagonal(double t, std::span<double> diagonal) {
  go_to(t);
  engine_.diagonal(diagonal);
}

std::vector<double> cell_probabilities(const Model& model, const InitialState& initial,
                                       const DistributedSector& cells) {
  const auto sites = static_cast<std::size_t>(model.sites());
  const auto levels = static_cast<std::size_t>(model.levels());
  const auto bands = static_cast<std::size_t>(model.site.bands());
  std::vector<double> band_probabilities(sites * bands, 0.0);
  for (std::size_t e = 0; e < initial.probabilities.size(); ++e) {
    band_probabilities[e / levels * bands + model.site.band_of_level()[e % levels]] +=
        initial.probabilities[e];
  }
  std::vector<double> p;
  std::vector<Level> configuration(sites);
  for (Index cell = cells.first_state(); cell < cells.first_state() + cells.local_size(); ++cell) {
    cells.sector().configuration(cell, configuration);
    double product = 1.0;
    for (std::size_t i = 0; i < sites; ++i) product *= band_probabilities[i * bands + configuration[i]];
    p.push_back(product);
  }
  return p;
}

}  // namespace qheat
