#include "qheat/operators/hamiltonian.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// Bound of the norm of a Hermitian matrix: the largest absolute row sum (Gershgorin).
double norm_bound(const LocalTerm<Complex>& term) {
  std::map<LocalCode, double> row_sums;
  auto row_sum = row_sums.end();
  for (const auto& e : term.elements) {  // most follow others of their row
    if (row_sum == row_sums.end() || row_sum->first != e.to) row_sum = row_sums.try_emplace(e.to, 0.0).first;
    row_sum->second += std::abs(e.value);
  }
  double largest = 0.0;
  for (const auto& [row, sum] : row_sums) largest = std::max(largest, sum);
  return largest;
}

/// True if the sum is its own image; image(sites, code) gives those that a local state is mapped to. The
/// image of the image is the state itself.
template <class Image>
bool is_invariant(const TermSum<Complex>& terms, const Image& image) {
  // Elements by the sites they act on; terms on the same sites together.
  using Elements = std::map<std::pair<LocalCode, LocalCode>, Complex>;
  std::map<std::vector<int>, Elements> here;
  std::map<std::vector<int>, Elements> mapped;
  double largest = 0.0;
  for (const auto& term : terms.terms) {
    for (const auto& e : term.elements) {
      const auto [there, to] = image(term.sites, e.to);
      here[term.sites][{e.to, e.from}] += e.value;
      mapped[there][{to, image(term.sites, e.from).second}] += e.value;
    }
  }
  for (const auto& [on, elements] : here) {
    for (const auto& [codes, value] : elements) largest = std::max(largest, std::abs(value));
  }
  constexpr double kRounding = 1e-14;
  const auto holds = [&](const auto& elements_of_sites) {
    const auto& [on, elements] = elements_of_sites;
    const auto& others = mapped[on];
    return std::all_of(elements.begin(), elements.end(), [&](const auto& element) {
      const auto other = others.find(element.first);
      const Complex partner = other == others.end() ? Complex{} : other->second;
      return std::abs(element.second - partner) <= kRounding * largest;
    });
  };
  return std::all_of(here.begin(), here.end(), holds);  // one direction is both
}

}  // namespace

LocalTerm<Complex> bond_term(const Model& model, int bond) {
  const auto& [first, second] = at(model.lattice.bonds(), bond);
  const double scale = model.strength * at(model.couplings, bond);
  const auto m = static_cast<LocalCode>(model.levels());
  LocalTerm<Complex> term{.sites = {std::min(first, second), std::max(first, second)}, .elements = {}};
  const bool swapped = first > second;  // terms list their sites in ascending order
  for (const auto& e : model.interaction(bond).elements()) {
    const LocalCode to = swapped ? e.b * m + e.a : e.a * m + e.b;
    const LocalCode from = swapped ? e.d * m + e.c : e.c * m + e.d;
    term.elements.push_back({to, from, scale * e.value});
  }
  return term;
}

LocalTerm<Complex> onsite_term(const Model& model, int site) {
  LocalTerm<Complex> term{.sites = {site}, .elements = {}};
  for (const auto& e : model.onsite) term.elements.push_back({e.a, e.b, model.strength * e.value});
  return term;
}

TermSum<Complex> level_hamiltonian(const Model& model) {
  TermSum<Complex> sum{.levels = model.levels(), .terms = {}};
  for (int i = 0; i < model.sites(); ++i) {
    LocalTerm<Complex> site{.sites = {i}, .elements = {}};
    for (int n = 0; n < model.levels(); ++n) {
      const auto level = static_cast<LocalCode>(n);
      if (model.energy(i, n) != 0.0) site.elements.push_back({level, level, model.energy(i, n)});
    }
    sum.terms.push_back(std::move(site));
  }
  return sum;
}

TermSum<Complex> interaction_hamiltonian(const Model& model) {
  TermSum<Complex> sum{.levels = model.levels(), .terms = {}};
  for (int i = 0; i < model.sites() && !model.onsite.empty(); ++i) sum.terms.push_back(onsite_term(model, i));
  for (int b = 0; b < model.lattice.bond_count(); ++b) sum.terms.push_back(bond_term(model, b));
  canonicalize(sum);
  return sum;
}

TermSum<Complex> hamiltonian(const Model& model) {
  TermSum<Complex> sum = level_hamiltonian(model);
  for (auto& term : interaction_hamiltonian(model).terms) {
    if (term.sites.size() == 1) {  // beside the energies of its site
      auto& site = at(sum.terms, term.sites.front()).elements;
      site.insert(site.end(), term.elements.begin(), term.elements.end());
    } else {
      sum.terms.push_back(std::move(term));
    }
  }
  canonicalize(sum);
  return sum;
}

bool is_mirror_symmetric(const TermSum<Complex>& terms, int sites) {
  const auto levels = static_cast<LocalCode>(terms.levels);
  return is_invariant(terms, [&](const std::vector<int>& here, LocalCode code) {
    std::vector<int> there;
    LocalCode reversed = 0;
    for (std::size_t k = here.size(); k-- > 0; code /= levels) {
      there.push_back(sites - 1 - here[k]);
      reversed = reversed * levels + code % levels;
    }
    return std::pair(there, reversed);
  });
}

bool is_level_reversal_symmetric(const TermSum<Complex>& terms) {
  const auto levels = static_cast<LocalCode>(terms.levels);
  return is_invariant(terms, [&](const std::vector<int>& sites, LocalCode code) {
    LocalCode states = 1;  // of these sites
    for (std::size_t k = 0; k < sites.size(); ++k) states *= levels;
    return std::pair(sites, static_cast<LocalCode>(states - 1 - code));  // every digit n becomes M - 1 - n
  });
}

double spectral_radius_bound(const Model& model) {
  double bound = 0.0;
  for (int i = 0; i < model.sites(); ++i) {
    const auto energies = model.energies_of(i);
    const auto [low, high] = std::minmax_element(energies.begin(), energies.end());
    bound += (*high - *low) / 2 + norm_bound(onsite_term(model, i));
  }
  for (int b = 0; b < model.lattice.bond_count(); ++b) bound += norm_bound(bond_term(model, b));
  return bound;
}

}  // namespace qheat
