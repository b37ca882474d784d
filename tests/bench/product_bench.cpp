// One product H x: block engine, scaled copy of the same vector, PETSc's assembled matrix, on any number of
// ranks.

#include <memory>
#include <vector>

#include "bench/bench_main.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/observer.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/operator.hpp"

using namespace qheat;

namespace {

struct Case {
  std::string name;
  Model model;
  std::vector<int> counts;
  bool assembled = true;
};

std::vector<Case> cases() {
  const auto spins = [](const Lattice& lattice) {
    return uniform_model(lattice, Site({0.0, 1.0}), PairInteraction::exchange(2), 0.5);
  };
  const auto half = [](int sites) { return std::vector<int>{sites - sites / 2, sites / 2}; };
  const auto open = [](std::vector<int> shape) {
    const std::vector<bool> periodic(shape.size(), false);
    return Lattice(shape, periodic);
  };
  std::vector<Case> all;
  for (const int sites : {16, 20, 24}) {
    all.push_back({"chain-" + std::to_string(sites), spins(Lattice::chain(sites)), half(sites)});
  }
  const auto ring = [](int sites, double anisotropy) {
    return uniform_model(Lattice::ring(sites), Site({0.0, 1.0}), PairInteraction::exchange(2, anisotropy),
                         0.5);
  };
  all.push_back({"ring-20", ring(20, 1.0), half(20)});
  all.push_back({"ring-20-xy", ring(20, 0.0), half(20)});
  all.push_back({"lattice-4x5", spins(open({4, 5})), half(20)});
  all.push_back({"lattice-2x2x5", spins(open({2, 2, 5})), half(20)});
  all.push_back({"chain-12-M3",
                 uniform_model(Lattice::chain(12), Site({0.0, 1.0, 2.5}), PairInteraction::exchange(3), 0.5),
                 {4, 4, 4}});
  all.push_back({"chain-28", spins(Lattice::chain(28)), half(28), false});
  return all;
}

/// Vectors and operators of one case, made when its first benchmark runs, dropped when another case begins.
class Workspace {
 public:
  explicit Workspace(Case c) : case_(std::move(c)) {}

  void scaled_copy() {
    prepare();
    const auto* x = reinterpret_cast<const double*>(x_.data());
    auto* y = reinterpret_cast<double*>(y_.data());
    for (std::size_t i = 0; i < 2 * x_.size(); ++i) y[i] = 1.1 * x[i];
  }
  void product(Backend backend) {
    prepare();
    auto& a = backend == Backend::assembled ? assembled_ : engine_;
    if (!a) a = make_operator(space_, hamiltonian(case_.model), backend);
    a->apply(std::span<const Complex>(x_), std::span(y_));
    const std::string name = (backend == Backend::assembled ? "assembled/" : "engine/") + case_.name;
    const auto& comm = qheat_bench::world();
    qheat_bench::note(name, "states", static_cast<double>(space_->dimension()));
    qheat_bench::note(name, "operator_bytes", comm.max(static_cast<double>(a->bytes())));
    qheat_bench::note(name, "vector_bytes", comm.max(16.0 * static_cast<double>(space_->local_size())));
    qheat_bench::note(
        name, "sent_bytes",
        static_cast<double>(comm.sum(a->timing().bytes_sent)) / static_cast<double>(a->timing().calls));
  }
  /// One step of a Chebyshev recursion among `vectors` of them: y = 2 (H - c) x / r - before.
  void recursion(std::size_t vectors) {
    prepare();
    if (!engine_) engine_ = make_operator(space_, hamiltonian(case_.model));
    if (ring_.size() != vectors) ring_.assign(vectors, x_);
    const AffineMap step{.scale = 0.1, .shift = -0.3, .keep = -0.5};
    const auto place = [&](std::size_t order) -> std::vector<Complex>& { return ring_[order % vectors]; };
    engine_->apply(step, std::span<const Complex>(place(order_ + 1)), std::span<const Complex>(place(order_)),
                   std::span(place(order_ + 2)));
    ++order_;
  }
  /// Several columns, together or one after the other.
  void many(Index columns, bool together) {
    prepare();
    if (!engine_) engine_ = make_operator(space_, hamiltonian(case_.model));
    if (!many_x_) {
      many_x_ = std::make_unique<ColumnStorage<Complex>>(space_->local_size(), columns);
      many_y_ = std::make_unique<ColumnStorage<Complex>>(space_->local_size(), columns);
      for (Index k = 0; k < columns; ++k) std::copy(x_.begin(), x_.end(), many_x_->block().column(k));
    }
    if (together) {
      engine_->apply(many_x_->block(), many_y_->block());
    } else {
      for (Index k = 0; k < columns; ++k)
        engine_->apply(many_x_->block().some_columns(k, 1), many_y_->block().some_columns(k, 1));
    }
  }

 private:
  void prepare() {
    static Workspace* owner = nullptr;
    if (owner == this) return;
    if (owner != nullptr) owner->drop();
    owner = this;
    space_ =
        std::make_shared<DistributedSector>(level_sector(case_.model, case_.counts), qheat_bench::world());
    x_.resize(static_cast<std::size_t>(space_->local_size()));
    y_.resize(x_.size());
    for (std::size_t i = 0; i < x_.size(); ++i) x_[i] = {1.0 / (1.0 + static_cast<double>(i % 17)), 0.3};
  }
  void drop() {
    engine_.reset();
    assembled_.reset();
    many_x_.reset();
    many_y_.reset();
    ring_ = {};
    x_ = {};
    y_ = {};
    space_.reset();
  }

  Case case_;
  std::shared_ptr<const DistributedSector> space_;
  std::vector<Complex> x_, y_;
  std::vector<std::vector<Complex>> ring_;
  std::size_t order_ = 0;
  std::unique_ptr<Operator> engine_, assembled_;
  std::unique_ptr<ColumnStorage<Complex>> many_x_, many_y_;
};

/// Tables of the states, of H and of the observer for one excitation on many sites.
void add_setup(const std::string& name, const Lattice& lattice) {
  const auto model =
      std::make_shared<Model>(uniform_model(lattice, Site({0.0, 1.0}), PairInteraction::exchange(2), 0.5));
  qheat_bench::add(
      "setup/" + name,
      [model] {
        const auto space = std::make_shared<DistributedSector>(level_sector(*model, {model->sites() - 1, 1}),
                                                               qheat_bench::world());
        const auto h = make_operator(space, hamiltonian(*model));
        const Observer observer(*model, space);
      },
      1);
}

}  // namespace

void qheat_bench::register_all() {
  for (const int sites : {800, 1600, 3200, 6400})
    add_setup("chain-" + std::to_string(sites) + "-one", Lattice::chain(sites));
  add_setup("torus-60x30-one", Lattice({60, 30}, {true, true}));
  for (const auto& c : cases()) {
    const auto workspace = std::make_shared<Workspace>(c);
    add("copy/" + c.name, [workspace] { workspace->scaled_copy(); });
    add("engine/" + c.name, [workspace] { workspace->product(Backend::matrix_free); });
    add("recursion/" + c.name, [workspace] { workspace->recursion(8); });
    if (c.assembled) add("assembled/" + c.name, [workspace] { workspace->product(Backend::assembled); });
    if (c.name == "chain-28") continue;
    constexpr Index kColumns = 8;
    add("columns-together/" + c.name, [workspace] { workspace->many(kColumns, true); });
    add("columns-apart/" + c.name, [workspace] { workspace->many(kColumns, false); });
  }
}
