#pragma once

#include <cmath>

#include "qheat/model/model.hpp"

namespace qheat_test {

/// An xy chain between reservoirs of temperatures 2 and 0.5.
inline qheat::Model between_reservoirs(int sites, double lambda, double gamma, double rate) {
  auto model = qheat::uniform_model(qheat::Lattice::chain(sites), qheat::Site({0.0, 1.0}),
                                    qheat::PairInteraction::xy(2), lambda);
  model.bath = {.dephasing = gamma,
                .reservoirs = {{.site = 0, .temperature = 2.0, .rate = rate},
                               {.site = sites - 1, .temperature = 0.5, .rate = rate}},
                .correlation = {}};
  return model;
}

inline double occupation(double temperature) {
  return 1.0 / (1.0 + std::exp(1.0 / temperature));
}

/// physics.md 13.1, which at gamma = 0 is 2 lambda^2 g (f_L - f_R)/(4 lambda^2 + g^2) for any number of
/// sites.
inline double known_current(int sites, double lambda, double gamma, double rate) {
  return (occupation(2.0) - occupation(0.5)) /
         (2.0 / rate + ((sites - 1) * 2.0 * gamma + rate) / (2.0 * lambda * lambda));
}

}  // namespace qheat_test
