#include "steady/steady_levels.hpp"

#include "qheat/model/thermodynamics.hpp"

namespace qheat {

void add_heat(const Model& model, SteadyState& state) {
  for (const Reservoir& reservoir : model.bath.reservoirs) {
    const double* p = state.populations.data() + static_cast<std::ptrdiff_t>(reservoir.site) * model.levels();
    double heat = 0.0;
    for (int n = 0; n + 1 < model.levels(); ++n) {
      const double gap = model.energy(reservoir.site, n + 1) - model.energy(reservoir.site, n);
      const JumpRates rates = jump_rates(reservoir, gap);
      heat += gap * (rates.up * p[n] - rates.down * p[n + 1]);
    }
    state.heat.push_back(heat);
    state.entropy_production -= heat / reservoir.temperature;
  }
}

void add_temperatures(const Model& model, SteadyState& state) {
  for (int i = 0; i < model.sites(); ++i)
    state.temperature.push_back(
        temperature_of(model.energies_of(i), state.energy[static_cast<std::size_t>(i)]));
}

}  // namespace qheat
