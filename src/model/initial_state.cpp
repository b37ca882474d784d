#include "qheat/model/initial_state.hpp"

#include "qheat/model/thermodynamics.hpp"

namespace qheat {

InitialState InitialState::product(const Model& model, const std::vector<int>& levels) {
  InitialState state;
  state.pure_in_band = !model.site.one_level_a_band();
  for (const int level : levels) {
    for (int n = 0; n < model.levels(); ++n) state.probabilities.push_back(n == level ? 1.0 : 0.0);
  }
  return state;
}

InitialState InitialState::band_mixture(const Model& model, const std::vector<int>& levels) {
  InitialState state;
  const auto& band = model.site.band_of_level();
  for (const int level : levels) {
    const Level home = band[static_cast<std::size_t>(level)];
    const double share = 1.0 / model.site.band_sizes()[home];
    for (const Level b : band) state.probabilities.push_back(b == home ? share : 0.0);
  }
  return state;
}

InitialState InitialState::thermal(const Model& model, const std::vector<double>& temperatures) {
  InitialState state;
  for (int i = 0; i < model.sites(); ++i) {
    const auto p = gibbs_probabilities(model.energies_of(i), temperatures[static_cast<std::size_t>(i)]);
    state.probabilities.insert(state.probabilities.end(), p.begin(), p.end());
  }
  return state;
}

std::vector<int> sharp_band_counts(const Model& model, const InitialState& state) {
  const auto& band = model.site.band_of_level();
  std::vector<int> counts(static_cast<std::size_t>(model.site.bands()), 0);
  for (int i = 0; i < model.sites(); ++i) {
    int home = -1;
    for (int n = 0; n < model.levels(); ++n) {
      if (state.probabilities[static_cast<std::size_t>(i * model.levels() + n)] == 0.0) continue;
      const int b = band[static_cast<std::size_t>(n)];
      if (home >= 0 && home != b) return {};
      home = b;
    }
    ++counts[static_cast<std::size_t>(home)];
  }
  return counts;
}

}  // namespace qheat
