#include "qheat/operators/bath_rates.hpp"

#include <algorithm>
#include <cmath>

#include "qheat/model/dissipator.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// The bands of levels, as a code in base L.
LocalCode code_of_bands(const Model& model, std::size_t sites, LocalCode levels) {
  LocalCode code = 0;
  for (std::size_t k = 0; k < sites; ++k) {
    const Level level = code_digit(levels, model.levels(), sites, k);
    code = code * static_cast<LocalCode>(model.site.bands()) + model.site.band_of_level()[level];
  }
  return code;
}

/// Number of level configurations in the bands of one.
double states_in_bands(const Model& model, std::size_t sites, LocalCode levels) {
  double states = 1.0;
  for (std::size_t k = 0; k < sites; ++k)
    states *=
        model.site.band_sizes()[model.site.band_of_level()[code_digit(levels, model.levels(), sites, k)]];
  return states;
}

}  // namespace

std::vector<double> level_jumps(const Model& model, int site) {
  const auto m = as_size(model.levels());
  std::vector<double> rates(m * m, 0.0);
  for (const Dissipator& d : dissipators_on(model, site)) {
    for (const JumpElement& e : d.elements) {
      if (e.to == e.from) continue;
      const double rate = d.weight(e, e).real();
      rates[e.to * m + e.from] += rate;
      rates[e.from * m + e.from] -= rate;
    }
  }
  return rates;
}

std::vector<double> band_jumps(const Model& model, int site) {
  const auto m = as_size(model.levels());
  const auto bands = as_size(model.site.bands());
  const auto& band = model.site.band_of_level();
  const std::vector<double> levels = level_jumps(model, site);
  std::vector<double> rates(bands * bands, 0.0);
  for (std::size_t to = 0; to < m; ++to) {
    for (std::size_t from = 0; from < m; ++from)
      rates[band[to] * bands + band[from]] += levels[to * m + from] / model.site.band_sizes()[band[from]];
  }
  return rates;
}

TermSum<double> band_generator(const Model& model) {
  TermSum<double> sum{.levels = model.site.bands(), .terms = {}};
  for (const Dissipator& d : dissipation(model).others) {
    LocalTerm<double> term{.sites = d.sites, .elements = {}};
    for (const JumpElement& e : d.elements) {
      const LocalCode to = code_of_bands(model, d.sites.size(), e.to);
      const LocalCode from = code_of_bands(model, d.sites.size(), e.from);
      if (to == from) continue;
      const double rate = d.weight(e, e).real() / states_in_bands(model, d.sites.size(), e.from);
      term.elements.push_back({to, from, rate});
      term.elements.push_back({from, from, -rate});
    }
    if (!term.elements.empty()) sum.terms.push_back(std::move(term));
  }
  canonicalize(sum);
  return sum;
}

bool moves_pairs(const Model& model) {
  const auto all = dissipators(model);
  return std::any_of(all.begin(), all.end(),
                     [](const Dissipator& d) { return d.sites.size() == 2 && moves_levels(d); });
}

bool has_mirrored_bath(const Model& model) {
  // A rho A^+ on sites whose levels are pairs of ket and bra; A^+ A follows from it.
  const auto m = static_cast<LocalCode>(model.levels());
  TermSum<Complex> gains{.levels = model.levels() * model.levels(), .terms = {}};
  for (const Dissipator& d : dissipation(model).others) {
    LocalTerm<Complex> term{.sites = d.sites, .elements = {}};
    const auto paired = [&](LocalCode ket, LocalCode bra) {
      if (d.sites.size() == 1) return ket * m + bra;
      return ((ket / m) * m + bra / m) * m * m + (ket % m) * m + bra % m;
    };
    for (const JumpElement& a : d.elements)
      for (const JumpElement& b : d.elements)
        term.elements.push_back({paired(a.to, b.to), paired(a.from, b.from), d.weight(a, b)});
    gains.terms.push_back(std::move(term));
  }
  canonicalize(gains);
  return is_mirror_symmetric(gains, model.sites());
}

}  // namespace qheat
