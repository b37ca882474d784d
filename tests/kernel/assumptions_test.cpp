// The three assumptions as numbers: closed forms, a slow and obvious evaluation, and the agreement of whole
// columns with sums of terms.

#include "qheat/kernel/assumptions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>

#include "qheat/kernel/second_order.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

/// A kernel in full on every rank: for each sector of the cells a dense matrix, element (n, m) at n * C + m.
struct DenseKernel {
  CellSpace cells;
  std::vector<std::vector<double>> sectors;

  explicit DenseKernel(CellSpace space) : cells(std::move(space)) {
    for (const auto& sector : cells.sectors()) {
      const auto count = static_cast<std::size_t>(sector.cells.dimension());
      sectors.emplace_back(count * count, 0.0);
    }
  }
  std::size_t count(std::size_t sector) const {
    return static_cast<std::size_t>(cells.sectors()[sector].cells.dimension());
  }
  std::vector<Level> bands(std::size_t sector, std::size_t cell) const {
    std::vector<Level> bands(static_cast<std::size_t>(cells.sites()));
    cells.configuration(cells.sectors()[sector].first + static_cast<Index>(cell), bands);
    return bands;
  }
  /// Calls visit(n's bands, m's bands, W_nm) for all off-diagonal elements.
  template <class Visit>
  void for_each(const Visit& visit) {
    for (std::size_t s = 0; s < sectors.size(); ++s) {
      for (std::size_t n = 0; n < count(s); ++n) {
        for (std::size_t m = 0; m < count(s); ++m) {
          if (n != m) visit(bands(s, n), bands(s, m), sectors[s][n * count(s) + m]);
        }
      }
    }
  }
};

/// Scores of a dense kernel whose columns are dealt out in blocks to the ranks.
Assumptions score(const Model& model, const DenseKernel& kernel, double t) {
  const auto& comm = qheat_test::world();
  std::vector<std::vector<double>> storage;
  std::vector<KernelColumns> columns;
  double asymmetry = 0.0;
  Index block = 0;
  for (std::size_t s = 0; s < kernel.sectors.size(); ++s) {
    const std::size_t rows = kernel.count(s);
    for (std::size_t first = 0; first < rows; first += 3, ++block) {
      if (block % comm.size() != comm.rank()) continue;
      const std::size_t count = std::min<std::size_t>(3, rows - first);
      auto& values = storage.emplace_back();
      for (std::size_t m = first; m < first + count; ++m) {
        for (std::size_t n = 0; n < rows; ++n) {
          values.push_back(kernel.sectors[s][n * rows + m]);
          if (n != m) asymmetry += std::pow(values.back() - kernel.sectors[s][m * rows + n], 2);
        }
      }
      columns.push_back({s, static_cast<Index>(first), static_cast<Index>(count), values});
    }
  }
  return AssumptionScores(model, kernel.cells).evaluate(t, columns, asymmetry, comm);
}

// ---- The slow and obvious evaluation. ---------------------------------------------------------

/// What one element of a kernel is.
struct Relation {
  std::vector<int> sites;  ///< that differ
  int bond = -1;           ///< that holds both of two
  bool local = false;
  bool swap = false;
};

Relation relation(const Model& model, const std::vector<Level>& n, const std::vector<Level>& m) {
  Relation found;
  for (int i = 0; i < model.sites(); ++i) {
    if (n[static_cast<std::size_t>(i)] != m[static_cast<std::size_t>(i)]) found.sites.push_back(i);
  }
  found.local = found.sites.size() == 1;
  if (found.sites.size() != 2) return found;
  const auto& bonds = model.lattice.bonds();
  for (std::size_t b = 0; b < bonds.size(); ++b) {
    const Bond one{found.sites[0], found.sites[1]};
    const Bond other{found.sites[1], found.sites[0]};
    if (bonds[b] == one || bonds[b] == other) found.bond = static_cast<int>(b);
  }
  found.local = found.bond >= 0;
  const auto i = static_cast<std::size_t>(found.sites[0]);
  const auto j = static_cast<std::size_t>(found.sites[1]);
  found.swap = found.local && n[i] == m[j] && n[j] == m[i];
  return found;
}

/// |W - sum_b w_b|^2 at the least: what Gram and Schmidt leave of W, unknown after unknown, each local
/// element being an equation for the unknowns (bond, bands of its sites after and before).
double squares_left(const Model& model, DenseKernel& kernel) {
  using Unknown = std::array<int, 5>;
  std::map<Unknown, std::vector<std::size_t>> equations_with;
  std::vector<double> left;
  double nonlocal = 0.0;
  kernel.for_each([&](const auto& n, const auto& m, double w) {
    const Relation r = relation(model, n, m);
    if (!r.local) {
      nonlocal += w * w;
      return;
    }
    for (int b = 0; b < model.lattice.bond_count(); ++b) {
      const Bond& bond = model.lattice.bonds()[static_cast<std::size_t>(b)];
      const bool acts =
          r.bond == b || (r.bond < 0 && (bond.first == r.sites[0] || bond.second == r.sites[0]));
      const auto i = static_cast<std::size_t>(bond.first);
      const auto j = static_cast<std::size_t>(bond.second);
      if (acts) equations_with[{b, n[i], n[j], m[i], m[j]}].push_back(left.size());
    }
    left.push_back(w);
  });

  const auto dot = [](const auto& x, const auto& y) {
    double sum = 0.0;
    for (std::size_t e = 0; e < x.size(); ++e) sum += x[e] * y[e];
    return sum;
  };
  std::vector<std::vector<double>> basis;
  for (const auto& [unknown, equations] : equations_with) {
    std::vector<double> column(left.size(), 0.0);
    for (const std::size_t e : equations) column[e] = 1.0;
    const double length = std::sqrt(dot(column, column));
    for (int twice = 0; twice < 2; ++twice) {
      for (const auto& q : basis) {
        const double overlap = dot(q, column);
        if (overlap == 0.0) continue;
        for (std::size_t e = 0; e < column.size(); ++e) column[e] -= overlap * q[e];
      }
    }
    const double rest = std::sqrt(dot(column, column));
    if (rest < 1e-10 * length) continue;
    for (double& value : column) value /= rest;
    basis.push_back(column);
  }
  for (int twice = 0; twice < 2; ++twice) {
    for (const auto& q : basis) {
      const double overlap = dot(q, left);
      for (std::size_t e = 0; e < left.size(); ++e) left[e] -= overlap * q[e];
    }
  }
  return nonlocal + dot(left, left);
}

double ratio(double part, double whole) {
  return whole == 0.0 ? std::nan("") : part / whole;
}

Assumptions slow_scores(const Model& model, DenseKernel kernel, double t) {
  using Group = std::vector<int>;
  std::map<Group, std::vector<double>> groups;  // by bond and change
  std::map<Group, std::vector<double>> swaps;   // by bond and pair
  double all = 0, squares = 0, local = 0, swapped = 0, conserving = 0, negative = 0, asymmetry = 0;
  Index elements = 0, local_elements = 0;
  const auto of_band = band_energies(model);
  const auto energy = [&](const std::vector<Level>& bands) {
    double sum = 0;
    for (std::size_t i = 0; i < bands.size(); ++i) {
      sum += of_band[i * static_cast<std::size_t>(model.site.bands()) + bands[i]];
    }
    return sum;
  };
  kernel.for_each([&](const auto& n, const auto& m, double w) {
    const Relation r = relation(model, n, m);
    const double size = std::abs(w);
    ++elements;
    all += size;
    squares += w * w;
    negative -= std::min(w, 0.0);
    const double gamma = model.bath.dephasing * static_cast<double>(r.sites.size());
    if (std::abs(energy(n) - energy(m)) < std::max(gamma, 2.0 * std::numbers::pi / t)) conserving += size;
    if (!r.local) return;
    ++local_elements;
    local += size;
    if (r.bond < 0) return;
    const auto i = static_cast<std::size_t>(r.sites[0]);
    const auto j = static_cast<std::size_t>(r.sites[1]);
    groups[{r.bond, n[i], n[j], m[i], m[j]}].push_back(w);
    if (!r.swap) return;
    swapped += size;
    swaps[{r.bond, std::min(m[i], m[j]), std::max(m[i], m[j])}].push_back(w);
  });
  for (std::size_t s = 0; s < kernel.sectors.size(); ++s) {
    const std::size_t c = kernel.count(s);
    for (std::size_t e = 0; e < c * c; ++e) {
      asymmetry += std::pow(kernel.sectors[s][e] - kernel.sectors[s][e % c * c + e / c], 2);
    }
  }

  const auto mean = [](const std::vector<double>& values) {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / static_cast<double>(values.size());
  };
  double grouped = 0, spread = 0;
  Index grouped_elements = 0;
  for (const auto& [group, values] : groups) {
    if (values.size() < 2) continue;
    grouped_elements += static_cast<Index>(values.size());
    for (const double v : values) {
      grouped += v * v;
      spread += std::pow(v - mean(values), 2);
    }
  }
  std::vector<std::vector<double>> rates(static_cast<std::size_t>(model.lattice.bond_count()));
  for (const auto& [group, values] : swaps)
    rates[static_cast<std::size_t>(group.front())].push_back(mean(values));
  double rate_squares = 0, rate_spread = 0;
  Index rates_compared = 0;
  Assumptions result;
  for (const auto& of_bond : rates) {
    result.bond_rate.push_back(of_bond.empty() ? 0.0 : mean(of_bond));
    if (of_bond.size() < 2) continue;
    rates_compared += static_cast<Index>(of_bond.size());
    for (const double v : of_bond) {
      rate_squares += v * v;
      rate_spread += std::pow(v - mean(of_bond), 2);
    }
  }
  result.symmetry = 1 - ratio(std::sqrt(asymmetry), 2 * std::sqrt(squares));
  result.locality = ratio(local, all);
  if (model.lattice.bond_count() > 0) {
    result.additivity = 1 - ratio(std::sqrt(squares_left(model, kernel)), std::sqrt(squares));
  }
  result.spectator_independence = 1 - ratio(std::sqrt(spread), std::sqrt(grouped));
  result.energy_conservation = ratio(conserving, all);
  result.swap_fraction = ratio(swapped, local);
  result.level_independence = 1 - ratio(std::sqrt(rate_spread), std::sqrt(rate_squares));
  result.negativity = ratio(negative, all);
  result.compared = {elements, elements,       elements,       grouped_elements,
                     elements, local_elements, rates_compared, elements};
  return result;
}

std::array<double, 8> in_order(const Assumptions& a) {
  return {
      a.symmetry,      a.locality,           a.additivity, a.spectator_independence, a.energy_conservation,
      a.swap_fraction, a.level_independence, a.negativity};
}

const std::array<const char*, 8> kNames = {
    "symmetry",      "locality",           "additivity", "spectator_independence", "energy_conservation",
    "swap_fraction", "level_independence", "negativity"};

/// Scores equal within 1e-12, bond rates within 1e-12 of the largest.
void expect_equal(const Assumptions& found, const Assumptions& expected, const std::string& where) {
  const auto f = in_order(found);
  const auto e = in_order(expected);
  for (std::size_t s = 0; s < f.size(); ++s) {
    EXPECT_EQ(std::isnan(f[s]), std::isnan(e[s])) << where << ", " << kNames[s];
    if (!std::isnan(f[s])) {
      EXPECT_NEAR(f[s], e[s], 1e-12) << where << ", " << kNames[s];
    }
    EXPECT_EQ(found.compared[s], std::isnan(e[s]) ? 0 : expected.compared[s]) << where << ", " << kNames[s];
  }
  ASSERT_EQ(found.bond_rate.size(), expected.bond_rate.size()) << where;
  double largest = 0;
  for (const double w : expected.bond_rate) largest = std::max(largest, std::abs(w));
  for (std::size_t b = 0; b < found.bond_rate.size(); ++b) {
    EXPECT_NEAR(found.bond_rate[b], expected.bond_rate[b], 1e-12 * largest) << where << ", bond " << b;
  }
}

// ---- Random models. ---------------------------------------------------------------------------

/// The random models, with levels of their own or in bands of unequal size, and a cell space for each.
struct Case {
  std::string name;
  Model model;
  CellSpace cells;
};

InitialState mixture(const Model& model) {
  return InitialState::thermal(model, std::vector<double>(static_cast<std::size_t>(model.sites()), 1.0));
}

std::vector<Case> cases() {
  std::vector<Case> all;
  std::uint64_t seed = 11;
  for (auto& random : qheat_test::random_cases()) {
    Model& model = random.model;
    ++seed;
    model.bath.dephasing = seed % 2 == 0 ? 0.3 : 0.0;
    const auto levels = qheat_test::random_levels(model, seed);
    all.push_back({random.name + ", product", model, CellSpace(model, InitialState::product(model, levels))});
    all.push_back({random.name + ", mixture", model, CellSpace(model, mixture(model))});
    if (model.levels() < 3) continue;
    std::vector<int> bands(static_cast<std::size_t>(model.levels()), 1);
    bands[0] = 0;
    if (model.levels() == 4) bands[3] = 2;
    model.site = Site(std::vector<double>(bands.size(), 0.0), bands);
    all.push_back({random.name + ", bands", model, CellSpace(model, mixture(model))});
  }
  return all;
}

TEST(Assumptions, EqualTheirDefinitionsOnRandomKernels) {
  std::uint64_t seed = 1;
  for (const auto& [name, model, cells] : cases()) {
    if (cells.dimension() > 150) continue;
    DenseKernel kernel(cells);
    qheat_test::brute::Generator random(seed++);
    for (auto& sector : kernel.sectors) {
      for (double& w : sector) w = random.symmetric() < -0.8 ? 0.0 : random.symmetric() + 0.5;
    }
    const double t = seed % 2 == 0 ? 3.0 : 20.0;
    expect_equal(score(model, kernel, t), slow_scores(model, kernel, t), name);
  }
}

DenseKernel dense(const CellSpace& cells, const TermSum<double>& terms) {
  DenseKernel kernel(cells);
  for (std::size_t s = 0; s < kernel.sectors.size(); ++s) {
    kernel.sectors[s] = dense_generator(cells.sectors()[s].cells, terms);
  }
  return kernel;
}

TEST(Assumptions, OfTermsEqualThoseOfColumnsAtSecondOrder) {
  for (const auto& [name, model, cells] : cases()) {
    const SecondOrderKernel kernel(model);
    for (const double t : {0.0, 0.7, 30.0}) {
      const auto terms = kernel.at(t);
      const auto found = assumptions_of(model, cells, terms, t);
      expect_equal(found, score(model, dense(cells, terms), t), name);
      for (const auto& sector : cells.sectors()) {
        if (cells.sectors().size() > 1) continue;
        std::vector<double> rates(found.bond_rate.size());
        kernel.bond_rates(t, sector.band_counts, rates);
        for (std::size_t b = 0; b < rates.size(); ++b) EXPECT_NEAR(found.bond_rate[b], rates[b], 1e-13);
      }
    }
  }
}

/// Terms on two and three sites, neighbours or not, with values that no symmetry relates.
TermSum<double> random_terms(int bands, const std::vector<std::vector<int>>& sites) {
  qheat_test::brute::Generator random(5);
  TermSum<double> terms;
  terms.levels = bands;
  for (const auto& of_term : sites) {
    auto& term = terms.terms.emplace_back(LocalTerm<double>{.sites = of_term, .elements = {}});
    const auto codes = static_cast<LocalCode>(std::pow(bands, of_term.size()));
    for (LocalCode to = 0; to < codes; ++to) {
      for (LocalCode from = 0; from < codes; ++from) {
        if (random.symmetric() < 0.0) term.elements.push_back({to, from, random.symmetric()});
      }
    }
  }
  canonicalize(terms);
  return terms;
}

TEST(Assumptions, OfAnyTermsEqualThoseOfColumns) {
  const std::vector<std::vector<int>> sites = {{0, 1, 2}, {0, 2}, {1, 2}, {1, 3}, {3}};
  for (const auto& lattice : {Lattice::chain(4), Lattice({4}, std::vector<Bond>{{3, 1}, {0, 2}}),
                              Lattice({4}, std::vector<Bond>{})}) {
    auto model = uniform_model(lattice, Site({0.0, 0.4, 1.0}), PairInteraction::exchange(3), 0.1);
    model.onsite = hermitian_onsite(3, {{0, 1, 0.5}});  // mixes: all cells
    model.bath.dephasing = 0.17;
    const CellSpace cells(model, mixture(model));
    const auto terms = random_terms(3, sites);
    const auto found = assumptions_of(model, cells, terms, 12.0);
    const auto kernel = dense(cells, terms);
    expect_equal(found, score(model, kernel, 12.0), "columns");
    expect_equal(found, slow_scores(model, kernel, 12.0), "definitions");
  }
}

// ---- Closed forms. ----------------------------------------------------------------------------

Model chain_model(int sites, int levels) {
  std::vector<double> energies;
  for (int n = 0; n < levels; ++n) energies.push_back(n * n);
  return uniform_model(Lattice::chain(sites), Site(energies), PairInteraction::exchange(levels), 0.1);
}

/// Cells of the sector of one product state.
CellSpace sector_of(const Model& model, const std::vector<int>& levels) {
  return {model, InitialState::product(model, levels)};
}

/// Sets each element to rate(bands of n, bands of m).
template <class Rate>
DenseKernel kernel_of(const CellSpace& cells, const Rate& rate) {
  DenseKernel kernel(cells);
  for (std::size_t s = 0; s < kernel.sectors.size(); ++s) {
    for (std::size_t n = 0; n < kernel.count(s); ++n) {
      for (std::size_t m = 0; m < kernel.count(s); ++m) {
        if (n != m) {
          kernel.sectors[s][n * kernel.count(s) + m] = rate(kernel.bands(s, n), kernel.bands(s, m));
        }
      }
    }
  }
  return kernel;
}

using Bands = std::vector<Level>;

TEST(Assumptions, SwapsWithOneRateABondObeyAll) {
  const auto model = chain_model(5, 3);
  const auto cells = sector_of(model, {0, 0, 1, 1, 2});
  const auto kernel = kernel_of(cells, [&](const Bands& n, const Bands& m) {
    const Relation r = relation(model, n, m);
    return r.swap ? 0.1 + 0.07 * r.bond : 0.0;
  });
  const auto a = score(model, kernel, 1e3);
  for (std::size_t s = 0; s < 7; ++s) EXPECT_NEAR(in_order(a)[s], 1.0, 1e-15) << kNames[s];
  EXPECT_EQ(a.negativity, 0.0);
  for (std::size_t b = 0; b < 4; ++b) {
    EXPECT_NEAR(a.bond_rate[b], 0.1 + 0.07 * static_cast<double>(b), 1e-15);
  }
  // 30 cells; each of 4 bonds has bands that differ in 20 + 4 cells; 3 pairs a bond
  EXPECT_EQ(a.compared, (std::array<Index, 8>{870, 870, 870, 96, 870, 96, 12, 870}));
}

TEST(Assumptions, SymmetryComparesBothDirections) {
  const auto model = chain_model(2, 2);
  const auto cells = sector_of(model, {0, 1});
  const auto rates = [](double up, double down) {
    return [=](const Bands& n, const Bands&) { return n[0] == 1 ? up : down; };
  };
  EXPECT_NEAR(score(model, kernel_of(cells, rates(1, 0)), 1.0).symmetry, 1.0 - std::sqrt(0.5), 1e-15);
  EXPECT_NEAR(score(model, kernel_of(cells, rates(1, -1)), 1.0).symmetry, 0.0, 1e-15);
  EXPECT_NEAR(score(model, kernel_of(cells, rates(1, -1)), 1.0).negativity, 0.5, 1e-15);
}

TEST(Assumptions, LongRangeRatesAreNeitherLocalNorAdditive) {
  const auto model = chain_model(3, 2);
  const double w = 0.3;
  const double v = -0.1;
  const auto a =
      score(model,
            kernel_of(sector_of(model, {1, 0, 0}),
                      [&](const Bands& n, const Bands& m) { return relation(model, n, m).local ? w : v; }),
            1.0);
  EXPECT_NEAR(a.locality, 4 * w / (4 * w + 2 * -v), 1e-15);
  EXPECT_NEAR(a.additivity, 1 - std::sqrt(2 * v * v / (4 * w * w + 2 * v * v)), 1e-15);
  EXPECT_NEAR(a.negativity, -2 * v / (4 * w - 2 * v), 1e-15);
  EXPECT_EQ(a.symmetry, 1.0);
  EXPECT_EQ(a.swap_fraction, 1.0);  // of the local ones
}

TEST(Assumptions, SpectatorsSpreadAGroup) {
  const auto model = chain_model(3, 2);
  const double w = 0.4;
  const double d = 0.1;
  const auto a = score(model,
                       kernel_of(CellSpace(model, mixture(model)),
                                 [&](const Bands& n, const Bands& m) {
                                   const Relation r = relation(model, n, m);
                                   return r.bond == 0 ? w + (n[2] == 1 ? d : -d) : 0.0;
                                 }),
                       1.0);
  EXPECT_NEAR(a.spectator_independence, 1 - d / std::hypot(w, d), 1e-15);
  EXPECT_NEAR(a.additivity, 1 - d / std::hypot(w, d), 1e-15);
  EXPECT_NEAR(a.bond_rate[0], w, 1e-15);
  EXPECT_EQ(a.bond_rate[1], 0.0);
}

TEST(Assumptions, TwoNeighboursAtOnceAreNotAdditive) {
  auto model = chain_model(3, 2);
  model.onsite = hermitian_onsite(2, {{0, 1, 0.5}});  // mixes: all cells
  const double w = 0.4;
  const double d = 0.1;
  const double e = 0.05;
  const auto a = score(model,
                       kernel_of(CellSpace(model, mixture(model)),
                                 [&](const Bands& n, const Bands& m) {
                                   const Relation r = relation(model, n, m);
                                   if (r.sites != std::vector<int>{1}) return 0.0;
                                   const double left = n[0] == 1 ? 1.0 : -1.0;
                                   const double right = n[2] == 1 ? 1.0 : -1.0;
                                   return w + e * left - 2 * e * right + d * left * right;
                                 }),
                       1.0);
  EXPECT_NEAR(a.additivity, 1 - d / std::sqrt(w * w + 5 * e * e + d * d), 1e-15);
  EXPECT_EQ(a.locality, 1.0);
  EXPECT_EQ(a.swap_fraction, 0.0);
  EXPECT_TRUE(std::isnan(a.spectator_independence));  // those elements are all zero
}

TEST(Assumptions, EnergyIsConservedWithinTheWidthOfTimeOrDephasing) {
  auto model = chain_model(3, 2);
  model.energies = {0.0, 1.0, 0.0, 1.2, 0.0, 1.7};  // mismatches 0.2, 0.5, 0.7
  const auto cells = sector_of(model, {1, 0, 0});
  const auto kernel = kernel_of(cells, [&](const Bands& n, const Bands& m) {
    const Relation r = relation(model, n, m);
    return r.bond == 0 ? 1.0 : r.bond == 1 ? 2.0 : 4.0;
  });
  const auto conserved = [&](double window, double dephasing) {
    model.bath.dephasing = dephasing;
    return score(model, kernel, 2.0 * std::numbers::pi / window).energy_conservation;
  };
  EXPECT_EQ(conserved(0.8, 0.0), 1.0);
  EXPECT_NEAR(conserved(0.6, 0.0), 3.0 / 7.0, 1e-15);
  EXPECT_NEAR(conserved(0.3, 0.0), 1.0 / 7.0, 1e-15);
  EXPECT_NEAR(conserved(0.1, 0.0), 0.0, 1e-15);
  EXPECT_NEAR(conserved(0.1, 0.3), 3.0 / 7.0, 1e-15);   // Gamma = 2 gamma
  EXPECT_NEAR(conserved(0.1, 0.25), 1.0 / 7.0, 1e-15);  // equal to the width is not below it,
  EXPECT_NEAR(conserved(0.1, 0.1), 0.0, 1e-15);         // whatever 1.2 - 1.0 is in binary
  EXPECT_EQ(score(model, kernel, 0.0).energy_conservation, 1.0);
}

TEST(Assumptions, PairCreationIsNoSwap) {
  auto model = chain_model(2, 2);
  model.interactions = {PairInteraction::matrix(2, {{0, 0, 1, 1, 1.0}})};
  const auto a = score(model,
                       kernel_of(CellSpace(model, mixture(model)),
                                 [&](const Bands& n, const Bands& m) {
                                   const Relation r = relation(model, n, m);
                                   if (r.sites.size() != 2) return 0.0;
                                   return r.swap ? 0.3 : 0.1;
                                 }),
                       1.0);
  EXPECT_NEAR(a.swap_fraction, 0.75, 1e-15);
  EXPECT_TRUE(std::isnan(a.spectator_independence));  // no spectator
  EXPECT_EQ(a.additivity, 1.0);
}

TEST(Assumptions, LevelsWithDifferentRatesAreTold) {
  const auto model = chain_model(2, 3);
  const auto a = score(model,
                       kernel_of(CellSpace(model, mixture(model)),
                                 [&](const Bands&, const Bands& m) { return 0.1 * (m[0] + m[1]); }),
                       1.0);
  // rates 0.1, 0.2, 0.3 of pairs 01, 02, 12
  EXPECT_NEAR(a.level_independence, 1 - std::sqrt(0.02 / 0.14), 1e-15);
  EXPECT_NEAR(a.bond_rate[0], 0.2, 1e-15);
  EXPECT_EQ(a.compared[6], 3);
}

// ---- Nothing to compare. ----------------------------------------------------------------------

void expect_untested(const Assumptions& a) {
  for (std::size_t s = 0; s < 8; ++s) {
    EXPECT_TRUE(std::isnan(in_order(a)[s])) << kNames[s];
    EXPECT_EQ(a.compared[s], 0) << kNames[s];
  }
}

TEST(Assumptions, WithoutElementsNothingIsTested) {
  const auto model = chain_model(3, 2);
  const auto zero = [](const Bands&, const Bands&) { return 0.0; };
  const auto none = score(model, kernel_of(sector_of(model, {1, 0, 0}), zero), 0.0);
  expect_untested(none);
  EXPECT_EQ(none.bond_rate, (std::vector<double>{0.0, 0.0}));
  const auto one_cell = score(model, kernel_of(sector_of(model, {0, 0, 0}), zero), 1.0);
  expect_untested(one_cell);
  EXPECT_EQ(one_cell.bond_rate, (std::vector<double>{0.0, 0.0}));
  expect_untested(assumptions_of(model, sector_of(model, {0, 0, 0}), SecondOrderKernel(model).at(1.0), 1.0));

  auto alone = uniform_model(Lattice::chain(1), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.1);
  expect_untested(score(alone, DenseKernel(sector_of(alone, {0})), 1.0));
  expect_untested(assumptions_of(alone, sector_of(alone, {0}), SecondOrderKernel(alone).at(1.0), 1.0));
  alone.onsite = hermitian_onsite(2, {{0, 1, 0.5}});
  const auto a =
      assumptions_of(alone, CellSpace(alone, mixture(alone)), SecondOrderKernel(alone).at(1.0), 1.0);
  EXPECT_EQ(a.locality, 1.0);
  EXPECT_TRUE(std::isnan(a.additivity));  // no bond that could have a kernel
  EXPECT_EQ(a.compared, (std::array<Index, 8>{2, 2, 0, 0, 2, 2, 0, 2}));
}

TEST(Assumptions, OneExcitationHasNoSpectatorsAndTwoLevelsNoPairs) {
  const auto model = chain_model(4, 2);
  const auto a = assumptions_of(model, sector_of(model, {1, 0, 0, 0}), SecondOrderKernel(model).at(2.0), 2.0);
  EXPECT_TRUE(std::isnan(a.spectator_independence));
  EXPECT_TRUE(std::isnan(a.level_independence));
  EXPECT_EQ(a.compared, (std::array<Index, 8>{12, 12, 12, 0, 12, 6, 0, 12}));
}

TEST(Assumptions, UnknownElementsMakeAllUnknown) {
  const auto model = chain_model(3, 2);
  auto kernel = kernel_of(sector_of(model, {1, 0, 0}), [](const Bands&, const Bands&) { return 0.5; });
  kernel.sectors[0][1] = std::nan("");
  const auto a = score(model, kernel, 1.0);
  expect_untested(a);
  for (const double w : a.bond_rate) EXPECT_TRUE(std::isnan(w));
  kernel.sectors[0][1] = 0.5;
  kernel.sectors[0][0] = std::nan("");  // the diagonal is not read
  EXPECT_EQ(score(model, kernel, 1.0).symmetry, 1.0);
}

// ---- Sizes that no matrix fits. ---------------------------------------------------------------

TEST(Assumptions, CellsOfManyWordsAreCompared) {
  // 70 sites of 5 levels take 4 words; one excitation of level 4
  const auto model = chain_model(70, 5);
  std::vector<int> levels(70, 0);
  levels[20] = 4;
  const auto cells = sector_of(model, levels);
  const auto terms = SecondOrderKernel(model).at(0.5);
  auto kernel = dense(cells, terms);
  expect_equal(assumptions_of(model, cells, terms, 0.5), score(model, kernel, 0.5), "chain of 70");
  EXPECT_EQ(score(model, kernel, 0.5).compared[5], 2 * 69);
  kernel.sectors[0][5 * 70 + 60] = 1.0;
  EXPECT_LT(score(model, kernel, 0.5).locality, 1.0);
}

TEST(Assumptions, PureExchangeObeysAllAtSecondOrderOnMillionsOfCells) {
  auto model = chain_model(20, 3);
  model.bath.dephasing = 0.3;
  std::vector<int> levels(20, 0);
  for (std::size_t i = 0; i < 5; ++i) levels[2 * i] = 1;
  for (std::size_t i = 5; i < 8; ++i) levels[2 * i] = 2;
  const auto cells = sector_of(model, levels);
  const auto a = assumptions_of(model, cells, SecondOrderKernel(model).at(3.0), 3.0);
  for (std::size_t s = 0; s < 7; ++s) EXPECT_NEAR(in_order(a)[s], 1.0, 1e-15) << kNames[s];
  const Index c = cells.dimension();
  EXPECT_EQ(c, 7054320);
  EXPECT_EQ(a.compared[0], c * (c - 1));
}

}  // namespace
