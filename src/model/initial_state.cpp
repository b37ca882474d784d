#include "qheat/model/initial_state.hpp"

#include <cmath>

#include "qheat/model/thermodynamics.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

InitialState InitialState::product(const Model& model, const std::vector<int>& levels) {
  InitialState state;
  for (const int level : levels) {
    for (int n = 0; n < model.levels(); ++n) state.probabilities.push_back(n == level ? 1.0 : 0.0);
  }
  return state;
}

InitialState InitialState::band_mixture(const Model& model, const std::vector<int>& levels) {
  InitialState state;
  const auto& band = model.site.band_of_level();
  for (const int level : levels) {
    const Level home = at(band, level);
    const double share = 1.0 / model.site.band_sizes()[home];
    for (const Level b : band) state.probabilities.push_back(b == home ? share : 0.0);
  }
  return state;
}

InitialState InitialState::thermal(const Model& model, const std::vector<double>& temperatures) {
  InitialState state;
  for (int i = 0; i < model.sites(); ++i) {
    const auto p = gibbs_probabilities(model.energies_of(i), at(temperatures, i));
    state.probabilities.insert(state.probabilities.end(), p.begin(), p.end());
  }
  return state;
}

bool even_in_bands(const Model& model, const InitialState& state) {
  const auto& band = model.site.band_of_level();
  const auto levels = as_size(model.levels());
  for (std::size_t e = 0; e < state.probabilities.size(); ++e) {
    const std::size_t level = e % levels;
    for (std::size_t other = 0; other < level; ++other) {
      const double difference = state.probabilities[e] - state.probabilities[e - level + other];
      constexpr double kRounding = 1e-14;
      if (band[level] == band[other] && std::abs(difference) > kRounding) return false;
    }
  }
  return true;
}

std::vector<int> sharp_band_counts(const Model& model, const InitialState& state) {
  const auto& band = model.site.band_of_level();
  std::vector<int> counts(as_size(model.site.bands()), 0);
  for (int i = 0; i < model.sites(); ++i) {
    int home = -1;
    for (int n = 0; n < model.levels(); ++n) {
      if (state.probabilities[as_size(i) * as_size(model.levels()) + as_size(n)] == 0.0) continue;
      const int b = at(band, n);
      if (home >= 0 && home != b) return {};
      home = b;
    }
    ++at(counts, home);
  }
  return counts;
}

}  // namespace qheat
