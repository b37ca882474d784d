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
  model.bath.dephasing = reference.dephasing;
  model.bath.reservoirs.clear();
  for (const auto& r : reference.reservoirs) {
    using Statistics = qheat::Reservoir::Statistics;
    model.bath.reservoirs.push_back(
        {r.site, r.temperature, r.rate, r.bose ? Statistics::bose : Statistics::fermi});
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
