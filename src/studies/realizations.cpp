#include "studies/realizations.hpp"

#include <utility>

namespace qheat {

Realization realization_of(const Job& job, int number) {
  Model model = model_of_realization(*job.model, job.detuning, number);
  InitialState initial = job.initial_temperatures.empty()
                             ? *job.initial
                             : InitialState::thermal(model, job.initial_temperatures);
  return {std::move(model), std::move(initial)};
}

}  // namespace qheat
