#include "qheat/operators/commutator.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>
#include <utility>

namespace qheat {
namespace {

using Elements = std::map<std::pair<LocalCode, LocalCode>, Complex>;  // (to, from)
using BySites = std::map<std::vector<int>, Elements>;

/// Elements that are this small beside the largest one are what rounding left of sums that cancel.
constexpr double kRounding = 1e-14;

TermSum<Complex> term_sum(int levels, const BySites& by_sites) {
  double largest = 0.0;
  for (const auto& [sites, elements] : by_sites) {
    for (const auto& [codes, value] : elements) largest = std::max(largest, std::abs(value));
  }
  TermSum<Complex> sum{.levels = levels, .terms = {}};
  for (const auto& [sites, elements] : by_sites) {
    LocalTerm<Complex> term{.sites = sites, .elements = {}};
    for (const auto& [codes, value] : elements) {
      if (std::abs(value) > kRounding * largest) term.elements.push_back({codes.first, codes.second, value});
    }
    if (!term.elements.empty()) sum.terms.push_back(std::move(term));
  }
  return sum;
}

/// How a code on the sites of a term becomes a part of a code on more sites.
class Embedding {
 public:
  Embedding(const std::vector<int>& part, const std::vector<int>& whole, int levels)
      : levels_(static_cast<LocalCode>(levels)) {
    for (const int site : part) {
      LocalCode weight = 1;
      for (std::size_t k = whole.size(); whole[--k] != site;) weight *= levels_;
      weights_.push_back(weight);
    }
  }
  LocalCode operator()(LocalCode code) const {
    LocalCode result = 0;
    for (std::size_t k = weights_.size(); k-- > 0; code /= levels_) result += weights_[k] * (code % levels_);
    return result;
  }
  /// The digits of the sites that are `chosen` alone, at their places in the whole.
  LocalCode of_chosen(LocalCode code, const std::vector<bool>& chosen) const {
    LocalCode result = 0;
    for (std::size_t k = weights_.size(); k-- > 0; code /= levels_) {
      if (chosen[k]) result += weights_[k] * (code % levels_);
    }
    return result;
  }

 private:
  LocalCode levels_;
  std::vector<LocalCode> weights_;
};

std::vector<bool> shared_with(const std::vector<int>& sites, const std::vector<int>& others) {
  std::vector<bool> shared;
  for (const int site : sites) shared.push_back(std::binary_search(others.begin(), others.end(), site));
  return shared;
}

/// elements += factor A B on the sites of both.
void add_product(const LocalTerm<Complex>& a, const LocalTerm<Complex>& b, const std::vector<int>& sites,
                 int levels, Complex factor, Elements& elements) {
  const Embedding of_a(a.sites, sites, levels);
  const Embedding of_b(b.sites, sites, levels);
  const std::vector<bool> a_shared = shared_with(a.sites, b.sites);
  const std::vector<bool> b_shared = shared_with(b.sites, a.sites);
  std::unordered_multimap<LocalCode, const LocalElement<Complex>*> by_shared;
  for (const auto& e : b.elements) by_shared.emplace(of_b.of_chosen(e.to, b_shared), &e);
  for (const auto& left : a.elements) {
    const auto [first, last] = by_shared.equal_range(of_a.of_chosen(left.from, a_shared));
    for (auto place = first; place != last; ++place) {
      const LocalElement<Complex>& right = *place->second;
      // Sites of one of the two alone: the other leaves them as they are.
      const LocalCode to = of_a(left.to) + of_b(right.to) - of_b.of_chosen(right.to, b_shared);
      const LocalCode from = of_b(right.from) + of_a(left.from) - of_a.of_chosen(left.from, a_shared);
      elements[{to, from}] += factor * left.value * right.value;
    }
  }
}

std::vector<int> united(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<int> sites;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(sites));
  return sites;
}

void add(BySites& by_sites, const TermSum<Complex>& sum, double factor) {
  for (const auto& term : sum.terms) {
    Elements& elements = by_sites[term.sites];
    for (const auto& e : term.elements) elements[{e.to, e.from}] += factor * e.value;
  }
}

}  // namespace

TermSum<Complex> commutator(const TermSum<Complex>& a, const TermSum<Complex>& b) {
  BySites by_sites;
  for (const auto& left : a.terms) {
    for (const auto& right : b.terms) {
      const std::vector<int> sites = united(left.sites, right.sites);
      if (sites.size() == left.sites.size() + right.sites.size()) continue;  // they commute
      Elements& elements = by_sites[sites];
      add_product(left, right, sites, a.levels, Complex(0.0, 1.0), elements);
      add_product(right, left, sites, a.levels, Complex(0.0, -1.0), elements);
    }
  }
  return term_sum(a.levels, by_sites);
}

TermSum<Complex> product(const TermSum<Complex>& a, const TermSum<Complex>& b) {
  BySites by_sites;
  for (const auto& left : a.terms) {
    for (const auto& right : b.terms) {
      const std::vector<int> sites = united(left.sites, right.sites);
      add_product(left, right, sites, a.levels, 1.0, by_sites[sites]);
    }
  }
  return term_sum(a.levels, by_sites);
}

void add_terms(TermSum<Complex>& sum, const TermSum<Complex>& more, double factor) {
  BySites by_sites;
  add(by_sites, sum, 1.0);
  add(by_sites, more, factor);
  sum = term_sum(sum.levels > 0 ? sum.levels : more.levels, by_sites);
}

TermSum<Complex> merged(const TermSum<Complex>& sum) {
  BySites by_sites;
  add(by_sites, sum, 1.0);
  return term_sum(sum.levels, by_sites);
}

}  // namespace qheat
