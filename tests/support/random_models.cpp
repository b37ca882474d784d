#include "support/random_models.hpp"

#include <cmath>
#include <utility>

namespace qheat_test {
namespace {

std::vector<std::pair<int, int>> pairs_of(const qheat::Lattice& lattice) {
  std::vector<std::pair<int, int>> pairs;
  for (const auto& bond : lattice.bonds()) pairs.emplace_back(bond.first, bond.second);
  return pairs;
}

}  // namespace

qheat::Model model_of(const brute::System& reference, qheat::Lattice lattice, std::uint64_t seed) {
  brute::Generator random(seed);
  const int m = reference.levels;
  qheat::Model model{
      .lattice = std::move(lattice),
      .site = qheat::Site(std::vector<double>(static_cast<std::size_t>(m), 0.0), reference.band_of_level),
      .energies = {},
      .strength = 0.5 + 0.25 * random.symmetric(),
      .couplings = {},
      .interactions = {},
      .interaction_of_bond = {},
      .onsite = {},
      .bath = {}};
  for (const auto& row : reference.energies)
    model.energies.insert(model.energies.end(), row.begin(), row.end());
  for (const auto& bond : reference.bonds) {
    const double coupling = 1.0 + 0.5 * random.symmetric();
    std::vector<qheat::PairElement> elements;
    for (int to = 0; to < m * m; ++to) {
      for (int from = 0; from < m * m; ++from) {
        const auto value = bond.v[static_cast<std::size_t>(to * m * m + from)] / (model.strength * coupling);
        if (value == brute::Complex{}) continue;
        elements.push_back({static_cast<qheat::Level>(to / m), static_cast<qheat::Level>(to % m),
                            static_cast<qheat::Level>(from / m), static_cast<qheat::Level>(from % m), value});
      }
    }
    model.interaction_of_bond.push_back(static_cast<int>(model.interactions.size()));
    model.interactions.push_back(qheat::PairInteraction::matrix(m, elements, true));
    model.couplings.push_back(coupling);
  }
  if (!reference.onsite.empty() && !reference.onsite.front().empty()) {
    for (int a = 0; a < m; ++a) {
      for (int b = 0; b < m; ++b) {
        const auto value = reference.onsite.front()[static_cast<std::size_t>(a * m + b)];
        if (value == brute::Complex{}) continue;
        model.onsite.push_back(
            {static_cast<qheat::Level>(a), static_cast<qheat::Level>(b), value / model.strength});
      }
    }
  }
  copy_bath(reference, model);
  return model;
}

brute::System reference_of(const qheat::Model& model) {
  const auto m = static_cast<std::size_t>(model.levels());
  brute::System system{.sites = model.sites(), .levels = model.levels()};
  for (int i = 0; i < model.sites(); ++i) {
    const auto energies = model.energies_of(i);
    system.energies.emplace_back(energies.begin(), energies.end());
  }
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const auto& bond = model.lattice.bonds()[static_cast<std::size_t>(b)];
    system.bonds.push_back({bond.first, bond.second, std::vector<brute::Complex>(m * m * m * m)});
    for (const auto& e : model.interaction(b).elements()) {
      system.bonds.back().v[(e.a * m + e.b) * m * m + e.c * m + e.d] =
          model.strength * model.couplings[static_cast<std::size_t>(b)] * e.value;
    }
  }
  if (!model.onsite.empty()) {
    std::vector<brute::Complex> u(m * m);
    for (const auto& e : model.onsite) u[e.a * m + e.b] = model.strength * e.value;
    system.onsite.assign(static_cast<std::size_t>(model.sites()), u);
  }
  system.dephasing = model.bath.dephasing;
  system.band_of_level.assign(model.site.band_of_level().begin(), model.site.band_of_level().end());
  return system;
}

void copy_bath(const brute::System& reference, qheat::Model& model) {
  const auto m = static_cast<std::size_t>(reference.levels);
  model.bath.dephasing = reference.dephasing;
  model.bath.reservoirs.clear();
  for (const auto& r : reference.reservoirs) {
    using Statistics = qheat::Reservoir::Statistics;
    model.bath.reservoirs.push_back(
        {r.site, r.temperature, r.rate, r.bose ? Statistics::bose : Statistics::fermi});
  }
  model.bath.jumps.clear();
  for (const auto& jump : reference.jumps) {
    auto& copy = model.bath.jumps.emplace_back(qheat::Jump{jump.sites, {}, jump.rate});
    const std::size_t size = jump.sites.size() == 1 ? m : m * m;
    for (std::size_t to = 0; to < size; ++to)
      for (std::size_t from = 0; from < size; ++from)
        if (jump.a[to * size + from] != brute::Complex{})
          copy.elements.push_back({to, from, jump.a[to * size + from]});
  }
}

std::vector<RandomCase> random_cases() {
  struct Geometry {
    std::string name;
    qheat::Lattice lattice;
    int levels;
  };
  const std::vector<Geometry> geometries = {
      {"one site", qheat::Lattice::chain(1), 3},
      {"pair", qheat::Lattice::chain(2), 2},
      {"chain 5, M = 2", qheat::Lattice::chain(5), 2},
      {"chain 3, M = 4", qheat::Lattice::chain(3), 4},
      {"ring 4, M = 3", qheat::Lattice::ring(4), 3},
      {"ring 6, M = 2", qheat::Lattice::ring(6), 2},
      {"2 x 3, M = 2", qheat::Lattice({2, 3}, std::vector<bool>{false, true}), 2},
      {"2 x 2 x 2, M = 2", qheat::Lattice({2, 2, 2}, std::vector<bool>{false, false, false}), 2},
      {"graph, M = 3", qheat::Lattice({4}, std::vector<qheat::Bond>{{3, 0}, {1, 3}, {2, 1}, {0, 2}}), 3},
  };
  std::vector<RandomCase> cases;
  std::uint64_t seed = 1;
  for (const auto& [name, lattice, levels] : geometries) {
    for (const bool complex_v : {false, true}) {
      for (const bool conserving : {true, false}) {
        ++seed;
        auto reference = brute::random_system(seed, pairs_of(lattice), lattice.sites(), levels,
                                              {.complex_v = complex_v,
                                               .conserving = conserving,
                                               .onsite = seed % 2 == 0,
                                               .detuned = seed % 3 != 0});
        for (auto& onsite : reference.onsite) onsite = reference.onsite.front();  // a job has one U
        auto model = model_of(reference, lattice, seed);
        cases.push_back(
            {name + (complex_v ? ", complex" : ", real") + (conserving ? ", conserving" : ", mixing"),
             std::move(model), std::move(reference)});
      }
    }
  }
  return cases;
}

std::vector<RandomCase> random_open_cases(int largest_dimension) {
  std::vector<RandomCase> cases;
  std::uint64_t seed = 100;
  for (auto& random : random_cases()) {
    ++seed;
    if (brute::dimension(random.reference) > static_cast<std::size_t>(largest_dimension)) continue;
    const int n = random.reference.sites;
    random.reference.dephasing = seed % 3 == 0 ? 0.0 : 0.3;
    random.model.bath = {};
    if (seed % 4 != 1) {  // cold, hot, and one in the middle; bosons need ascending levels
      random.reference.reservoirs = {{.site = 0, .temperature = 0.7, .rate = 0.8},
                                     {.site = n / 2, .temperature = 1.9, .rate = 0.3, .bose = true},
                                     {.site = n - 1, .temperature = INFINITY, .rate = 0.5}};
    }
    if (random.reference.dephasing == 0.0 && random.reference.reservoirs.empty())
      random.reference.dephasing = 0.2;
    copy_bath(random.reference, random.model);
    cases.push_back(std::move(random));
  }
  return cases;
}

namespace {

/// A jump operator: M x M, or M^2 x M^2 with the first site most significant.
class LocalOperator {
 public:
  LocalOperator(int levels, int sites)
      : levels_(static_cast<std::size_t>(levels)),
        size_(sites == 1 ? levels_ : levels_ * levels_),
        elements(size_ * size_) {}

  brute::Complex& at(std::size_t to, std::size_t from) { return elements[to * size_ + from]; }
  brute::Complex& at(std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
    return at(a * levels_ + b, c * levels_ + d);
  }
  std::size_t size() const { return size_; }

 private:
  std::size_t levels_, size_;

 public:
  std::vector<brute::Complex> elements;
};

using Jumps = std::vector<brute::LocalJump>;

/// Random, with all elements.
Jumps dense_jump(const std::vector<int>& sites, int levels, std::uint64_t seed) {
  brute::Generator random(seed);
  LocalOperator a(levels, static_cast<int>(sites.size()));
  for (auto& element : a.elements) element = {random.symmetric(), random.symmetric()};
  return {{sites, a.elements, 0.3 / static_cast<double>(a.size())}};
}

/// The lowering of both sites with one amplitude, sqrt(n)-weighted.
Jumps collective_loss(const std::vector<int>& sites, int levels) {
  LocalOperator a(levels, 2);
  for (std::size_t n = 1; n < static_cast<std::size_t>(levels); ++n) {
    for (std::size_t other = 0; other < static_cast<std::size_t>(levels); ++other) {
      a.at(n - 1, other, n, other) += std::sqrt(static_cast<double>(n));
      a.at(other, n - 1, other, n) += std::sqrt(static_cast<double>(n));
    }
  }
  return {{sites, a.elements, 0.4}};
}

/// The raising and lowering of a site, weighted, each by itself.
Jumps weighted_ladder(int site, int levels) {
  LocalOperator down(levels, 1);
  LocalOperator up(levels, 1);
  for (std::size_t n = 1; n < static_cast<std::size_t>(levels); ++n) {
    down.at(n - 1, n) = std::sqrt(static_cast<double>(n));
    up.at(n, n - 1) = std::sqrt(static_cast<double>(n));
  }
  return {{{site}, down.elements, 0.5}, {{site}, up.elements, 0.2}};
}

/// Raising and lowering in one operator, which no number survives.
Jumps mixing_jump(int site, int levels) {
  LocalOperator a(levels, 1);
  for (std::size_t n = 1; n < static_cast<std::size_t>(levels); ++n) {
    a.at(n - 1, n) = {1.0, 0.3};
    a.at(n, n - 1) = 0.4;
  }
  return {{{site}, a.elements, 0.6}};
}

/// Both sites of a bond lose together, and change places.
Jumps correlated_jumps(const std::vector<int>& sites, int levels) {
  const auto top = static_cast<std::size_t>(levels) - 1;
  LocalOperator loss(levels, 2);
  LocalOperator hop(levels, 2);
  loss.at(0, 0, top, top) = 1.0;
  hop.at(top, 0, 0, top) = {0.6, 0.8};
  return {{sites, loss.elements, 0.7}, {sites, hop.elements, 0.3}};
}

Jumps jumps_of_kind(int kind, const brute::System& system, std::uint64_t seed) {
  const int last = system.sites - 1;
  const int m = system.levels;
  const std::vector<int> bond = {system.bonds.empty() ? 0 : system.bonds.back().first,
                                 system.bonds.empty() ? 0 : system.bonds.back().second};
  if (system.bonds.empty() && kind != 0 && kind != 3) return weighted_ladder(0, m);
  switch (kind) {
    case 0:
      return dense_jump({last}, m, seed);
    case 1:
      return dense_jump(bond, m, seed);
    case 2:
      return collective_loss(bond, m);
    case 3:
      return mixing_jump(last, m);
    case 4:
      return correlated_jumps(bond, m);
    default:
      return weighted_ladder(last, m);
  }
}

}  // namespace

std::vector<RandomCase> random_jump_cases(int largest_dimension) {
  constexpr int kKinds = 6;
  const char* names[kKinds] = {"dense", "dense on a bond", "collective", "mixing", "correlated", "weighted"};
  std::vector<RandomCase> cases;
  std::uint64_t seed = 200;
  auto systems = random_cases();
  for (const int sites :
       {2, 3}) {  // small ones of three levels, and of two with a bond beside that of the jump
    for (const bool conserving : {true, false}) {
      const auto lattice = qheat::Lattice::chain(sites);
      auto reference = brute::random_system(++seed, pairs_of(lattice), sites, sites == 2 ? 3 : 2,
                                            {.conserving = conserving, .detuned = true});
      auto model = model_of(reference, lattice, seed);
      systems.push_back({std::string(sites == 2 ? "pair, M = 3" : "chain 3, M = 2") +
                             (conserving ? ", conserving" : ", mixing"),
                         std::move(model), std::move(reference)});
    }
  }
  for (const auto& random : systems) {
    if (brute::dimension(random.reference) > static_cast<std::size_t>(largest_dimension)) continue;
    for (int kind = 0; kind < kKinds; ++kind) {
      ++seed;
      if ((seed + seed / kKinds) % 2 == 0) continue;
      auto& one = cases.emplace_back(random);
      one.name += std::string(", jumps: ") + names[kind];
      one.reference.dephasing = seed % 3 == 0 ? 0.2 : 0.0;
      one.reference.jumps = jumps_of_kind(kind, one.reference, seed);
      if (seed % 4 == 1) one.reference.reservoirs = {{.site = 0, .temperature = 0.7, .rate = 0.8}};
      copy_bath(one.reference, one.model);
    }
  }
  return cases;
}

std::vector<int> random_levels(const qheat::Model& model, std::uint64_t seed) {
  brute::Generator random(seed);
  std::vector<int> levels;
  for (int i = 0; i < model.sites(); ++i) {
    levels.push_back(static_cast<int>((random.symmetric() + 1.0) / 2.0 * 0.999999 * model.levels()));
  }
  return levels;
}

std::vector<std::vector<double>> local_probabilities(const qheat::Model& model,
                                                     const qheat::InitialState& state) {
  std::vector<std::vector<double>> rows;
  const auto m = static_cast<std::ptrdiff_t>(model.levels());
  for (auto row = state.probabilities.begin(); row != state.probabilities.end(); row += m)
    rows.emplace_back(row, row + m);
  return rows;
}

}  // namespace qheat_test
