// The exact kernel of open systems at 20 output times, from the model to the matrices K(t), and the orders of
// the propagator beside it. What propagates the columns is measured apart: nearly all of it is products with
// L.

#include <memory>
#include <vector>

#include "bench/bench_main.hpp"
#include "qheat/basis/cell_space.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/kernel/exact_kernel.hpp"
#include "qheat/propagator/open_propagator.hpp"

using namespace qheat;

namespace {

constexpr double kEnd = 40.0;
constexpr int kOutputs = 20;
constexpr int kOrder = 4;

struct Case {
  std::string name;
  int sites;
  bool reservoirs;
  bool mirrored;
};

Model chain(const Case& c) {
  auto model = uniform_model(Lattice::chain(c.sites), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.05);
  model.bath.dephasing = 0.25;
  if (!c.mirrored) model.energies[1] += 0.1;
  if (c.reservoirs) {
    model.bath.reservoirs = {{0, 2.0, 0.1, Reservoir::Statistics::fermi},
                             {c.sites - 1, 1.0, 0.1, Reservoir::Statistics::fermi}};
  }
  return model;
}

class Workspace {
 public:
  explicit Workspace(const Case& c) : case_(c), model_(chain(c)), cells_(model_, start()) {}

  void exact() {
    const auto& comm = qheat_bench::world();
    UninterruptedRun control;
    MPI_Barrier(comm.get());
    const double begin = MPI_Wtime();
    std::vector<std::unique_ptr<const PopulationPropagator>> propagators;
    propagators.push_back(open_population_propagator(model_, sector(), kEnd, comm, control));
    const double propagated = comm.max(MPI_Wtime() - begin);
    ExactKernel kernel(std::move(propagators), comm);
    for (int k = 0; k < kOutputs; ++k) kernel.at(kEnd * k / (kOutputs - 1));
    const std::string name = "exact/" + case_.name;
    qheat_bench::note(name, "propagation_ms", 1e3 * propagated);
    if (noted_) return;
    noted_ = true;
    qheat_bench::note(name, "cells", static_cast<double>(cells_.dimension()));
    qheat_bench::note(name, "elements", static_cast<double>(elements()));
    const CellMoments moments(model_, sector(), kEnd, {}, comm, control);
    qheat_bench::note(name, "at_once", static_cast<double>(moments.columns_at_once()));
    qheat_bench::note(name, "products",
                      static_cast<double>(moments.products() * moments.layout().mirror().even_size()));
  }

  void orders() const {
    UninterruptedRun control;
    const CellMoments moments(model_, sector(), kEnd, {.order = kOrder}, qheat_bench::world(), control);
  }

 private:
  InitialState start() const {
    std::vector<int> levels(static_cast<std::size_t>(case_.sites), 0);
    for (std::size_t i = 0; i < levels.size(); i += 2) levels[i] = 1;
    return InitialState::product(model_, levels);
  }
  const CellSector& sector() const { return cells_.sectors().front(); }
  Index elements() const { return density_dimension(model_, density_counts(model_, sector().band_counts)); }

  Case case_;
  Model model_;
  CellSpace cells_;
  bool noted_ = false;
};

}  // namespace

void qheat_bench::register_all() {
  for (const Case& c : {Case{"dephased-8", 8, false, true}, Case{"dephased-detuned-8", 8, false, false},
                        Case{"reservoirs-6", 6, true, false}, Case{"dephased-10", 10, false, true}}) {
    const auto workspace = std::make_shared<Workspace>(c);
    add(
        "exact/" + c.name, [workspace] { workspace->exact(); }, 1);
    if (c.sites < 10)
      add(
          "orders/" + c.name, [workspace] { workspace->orders(); }, 1);
  }
}
