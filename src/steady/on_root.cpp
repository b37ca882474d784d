#include "steady/on_root.hpp"

namespace qheat {
namespace {

/// What differs between ranks before; the method's name is the caller's.
template <class State, class Visit>
void visit_series(State& state, const Visit& visit) {
  visit(state.populations);
  visit(state.energy);
  visit(state.outflow);
  visit(state.current);
  visit(state.temperature);
  visit(state.heat);
  visit(state.jump_heat);
  visit(state.full_energy);
  visit(state.full_current);
  visit(state.full_heat);
}

}  // namespace

void broadcast(const Communicator& comm, SteadyState& state) {
  visit_series(state, [&](std::vector<double>& values) {
    double size = static_cast<double>(values.size());
    comm.broadcast(std::span(&size, 1));
    values.resize(static_cast<std::size_t>(size));
    comm.broadcast(std::span(values));
  });
  double numbers[] = {state.entropy_production,
                      state.residual,
                      state.balance,
                      state.difference_of_starts,
                      state.smallest_population,
                      state.smallest_eigenvalue,
                      state.hermiticity_error,
                      static_cast<double>(state.elements),
                      static_cast<double>(state.iterations),
                      state.full_balance};
  comm.broadcast(std::span(numbers));
  state.entropy_production = numbers[0];
  state.residual = numbers[1];
  state.balance = numbers[2];
  state.difference_of_starts = numbers[3];
  state.smallest_population = numbers[4];
  state.smallest_eigenvalue = numbers[5];
  state.hermiticity_error = numbers[6];
  state.elements = static_cast<Index>(numbers[7]);
  state.iterations = static_cast<Index>(numbers[8]);
  state.full_balance = numbers[9];
}

}  // namespace qheat
