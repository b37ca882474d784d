// One product L rho: block engine against PETSc's assembled matrix; whole evolutions to t = 10; steady
// states. Any number of ranks.

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "bench/bench_main.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/open.hpp"
#include "qheat/operators/liouvillian.hpp"
#include "qheat/steady/steady.hpp"

using namespace qheat;

namespace {

struct Case {
  std::string name;
  Model model;
  bool assembled = true;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const int sites : {9, 10, 12, 14}) {
    auto model = uniform_model(Lattice::chain(sites), Site({0.0, 1.0}), PairInteraction::exchange(2), 1.0);
    model.bath.dephasing = 0.5;
    all.push_back({"dephased-" + std::to_string(sites), model, sites < 14});
    if (sites != 10) continue;
    model.bath.reservoirs = {{.site = 0, .temperature = 2.0}, {.site = sites - 1, .temperature = 0.5}};
    all.push_back({"reservoirs-" + std::to_string(sites), model});
  }
  return all;
}

InitialState neel(const Model& model) {
  std::vector<int> levels;
  for (int i = 0; i < model.sites(); ++i) levels.push_back(i % 2);
  return InitialState::product(model, levels);
}

/// From the job to the observables at the end, everything included.
void evolve(const Model& model) {
  UninterruptedRun control;
  Timings timings;
  propagate_open(model, neel(model), {0.0, 10.0}, {.tolerance = 1e-8}, qheat_bench::world(), control,
                 timings);
}

/// Chains of 8 and 10 sites between reservoirs, residual 1e-8, found from two starts.
void add_steady_states() {
  for (const int sites : {8, 10}) {
    for (const double dephasing : {1.0, 0.5, 0.2, 0.0}) {
      auto model = uniform_model(Lattice::chain(sites), Site({0.0, 1.0}), PairInteraction::exchange(2), 1.0);
      model.bath.dephasing = dephasing;
      model.bath.reservoirs = {{.site = 0, .temperature = 2.0}, {.site = sites - 1, .temperature = 0.5}};
      const std::string name = "steady/" + std::to_string(sites) + "-gamma-" + fmt::format("{:g}", dephasing);
      qheat_bench::add(
          name,
          [model, name] {
            Timings timings;
            UninterruptedRun control;
            const SteadyOptions options{.method = SteadyMethod::iterative, .tolerance = 1e-8};
            const auto state = find_steady_state(model, options, qheat_bench::world(), 0.0, control, timings);
            qheat_bench::note(name, "elements", static_cast<double>(state.elements));
            qheat_bench::note(name, "iterations", static_cast<double>(state.iterations));
          },
          1);
    }
  }
}

/// Vectors and operators of one case, made when its first benchmark runs.
class Workspace {
 public:
  explicit Workspace(Case c) : case_(std::move(c)) {}

  void product(Backend backend) {
    prepare();
    auto& l = backend == Backend::assembled ? assembled_ : engine_;
    if (!l) l = make_liouvillian(space_, case_.model, backend);
    l->apply(std::span<const Complex>(x_), std::span(y_));
    const std::string name = (backend == Backend::assembled ? "assembled/" : "engine/") + case_.name;
    qheat_bench::note(name, "elements", static_cast<double>(space_->dimension()));
    qheat_bench::note(name, "operator_bytes", qheat_bench::world().max(static_cast<double>(l->bytes())));
  }

 private:
  void prepare() {
    if (space_) return;
    const auto counts = density_counts(case_.model, neel(case_.model));
    space_ = std::make_shared<DistributedSector>(density_space(case_.model, counts), qheat_bench::world());
    x_.resize(static_cast<std::size_t>(space_->local_size()));
    y_.resize(x_.size());
    for (std::size_t i = 0; i < x_.size(); ++i) x_[i] = {1.0 / (1.0 + static_cast<double>(i % 17)), 0.3};
  }

  Case case_;
  std::shared_ptr<const DistributedSector> space_;
  std::vector<Complex> x_, y_;
  std::unique_ptr<Operator> engine_, assembled_;
};

}  // namespace

void qheat_bench::register_all() {
  for (const auto& c : cases()) {
    const auto workspace = std::make_shared<Workspace>(c);
    add("engine/" + c.name, [workspace] { workspace->product(Backend::matrix_free); });
    if (c.assembled) add("assembled/" + c.name, [workspace] { workspace->product(Backend::assembled); });
    if (c.name != "dephased-14")
      add(
          "evolution/" + c.name, [c] { evolve(c.model); }, 1);
  }
  add_steady_states();
}
