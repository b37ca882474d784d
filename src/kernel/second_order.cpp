#include "qheat/kernel/second_order.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "operators/matrix_elements.hpp"
#include "qheat/basis/cell_space.hpp"
#include "qheat/kernel/correlation_line.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

/// <a s| V |c s> as a list over the level s of a site that looks on.
using Watched = std::vector<Complex>;

/// All elements of one bond's J_b V_b that change only the site `changed_first ? first : second`, by (a, c).
std::map<std::pair<Level, Level>, Watched> watched_elements(const Model& model, int bond,
                                                            bool changed_first) {
  std::map<std::pair<Level, Level>, Watched> found;
  const double coupling = model.couplings[static_cast<std::size_t>(bond)];
  for (const auto& e : model.interaction(bond).elements()) {
    const auto [to, from] = changed_first ? std::pair(e.a, e.c) : std::pair(e.b, e.d);
    const auto [seen_to, seen_from] = changed_first ? std::pair(e.b, e.d) : std::pair(e.a, e.c);
    if (seen_to != seen_from || to == from) continue;
    auto& list = found[{to, from}];
    list.resize(static_cast<std::size_t>(model.levels()));
    list[seen_to] += coupling * e.value;
  }
  return found;
}

}  // namespace

double second_order_integral(double decay, double mismatch, double t) {
  const double a = -decay * t;
  const double b = mismatch * t;
  if (a * a + b * b == 0.0) return t;
  if (a == 0.0) return t * std::sin(b) / b;
  // e^{a + ib} - 1 without cancellation
  const double half_sine = std::sin(b / 2);
  const double real = std::expm1(a) * std::cos(b) - 2.0 * half_sine * half_sine;
  const double imaginary = std::exp(a) * std::sin(b);
  return t * (real * a + imaginary * b) / (a * a + b * b);
}

/// Lines of a bath without a closed form, for a list of transitions: the integrals up to the begin of each
/// panel are kept, 8 bytes a transition and panel (some thirty), so a time costs one panel.
class SecondOrderKernel::CorrelationLines {
 public:
  CorrelationLines(const BathCorrelation& bath, std::span<const Transition> transitions) {
    for (int s = 1; s <= kMostChangedSites; ++s) integrals_.emplace_back(bath, s);
    for (const Transition& transition : transitions) {
      const auto& integral = of(transition);
      first_.push_back(whole_.size());
      whole_.resize(whole_.size() + integral.panels() + 1);
      integral.whole_panels(transition.mismatch, std::span(whole_).subspan(first_.back()));
    }
  }

  void integrate(double t, std::span<const Transition> transitions, std::span<double> integrals) const {
    std::vector<std::pair<std::size_t, CorrelationIntegral::Panel>> last;
    for (const auto& integral : integrals_) last.push_back(integral.up_to(t));
    for (std::size_t n = 0; n < transitions.size(); ++n) {
      const auto& [number, part] = last[static_cast<std::size_t>(transitions[n].changed_sites) - 1];
      integrals[n] = whole_[first_[n] + number];
      if (!part.coefficients.empty())
        integrals[n] += CorrelationIntegral::integral(part, transitions[n].mismatch);
    }
  }
  /// By changed sites, from one on.
  std::vector<double> errors(double t) const {
    std::vector<double> found;
    for (const auto& integral : integrals_) found.push_back(integral.error(t));
    return found;
  }

 private:
  static constexpr int kMostChangedSites = 2;  // by one action of the interaction

  const CorrelationIntegral& of(const Transition& transition) const {
    return integrals_[static_cast<std::size_t>(transition.changed_sites) - 1];
  }

  std::vector<CorrelationIntegral> integrals_;  ///< by changed sites
  std::vector<std::size_t> first_;              ///< of each transition in whole_
  std::vector<double> whole_;
};

/// Collects the rates of all elements and lays them out.
class SecondOrderKernel::Builder {
 public:
  explicit Builder(const Model& model)
      : model_(model),
        band_(model.site.band_of_level()),
        band_energies_(band_energies(model)),
        band_widths_(band_widths(model)) {
    for (const double e : model.energies) scale_ = std::max(scale_, std::abs(e));
    const auto& correlation = model.bath.correlation;
    if (correlation && model.bath.dephasing > 0.0) {
      throw InputError("bath.dephasing and bath.correlation are two baths; keep one of them");
    }
    const bool exponential = correlation && correlation->kind == BathCorrelation::Kind::exponential;
    decay_a_site_ = exponential ? correlation->rate : model.bath.dephasing;
    for (int b = 0; b < model.lattice.bond_count(); ++b) add_pair_changes(b);
    for (int i = 0; i < model.sites(); ++i) add_site_changes(i);
  }

  void build(SecondOrderKernel& kernel) {
    kernel.transitions_ = std::move(transitions_);
    kernel.pattern_.levels = model_.site.bands();
    const auto bonds = model_.lattice.bonds();
    std::map<std::vector<int>, int> bond_of_sites;
    for (std::size_t b = 0; b < bonds.size(); ++b) {
      bond_of_sites[{std::min(bonds[b].first, bonds[b].second), std::max(bonds[b].first, bonds[b].second)}] =
          static_cast<int>(b);
    }
    for (const auto& [sites, channels] : channels_) {
      auto& term = kernel.pattern_.terms.emplace_back(LocalTerm<double>{.sites = sites, .elements = {}});
      for (const auto& [codes, spectrum] : channels) {
        const auto& [to, from] = codes;
        note_swap(kernel, sites, to, from, bond_of_sites);
        term.elements.push_back({to, from, 0.0});
        term.elements.push_back({from, from, 0.0});
        for (const auto& [transition, weight] : spectrum) kernel.parts_.push_back({transition, weight});
        kernel.channel_begin_.push_back(static_cast<std::uint32_t>(kernel.parts_.size()));
      }
    }
  }

 private:
  using Codes = std::pair<LocalCode, LocalCode>;  // to, from
  using Spectrum = std::map<std::uint32_t, double>;

  void note_swap(SecondOrderKernel& kernel, const std::vector<int>& sites, LocalCode to, LocalCode from,
                 const std::map<std::vector<int>, int>& bond_of_sites) const {
    if (sites.size() != 2) return;
    const auto bands = static_cast<LocalCode>(model_.site.bands());
    const auto a = static_cast<Level>(from / bands);
    const auto b = static_cast<Level>(from % bands);
    if (a == b || to != b * bands + a) return;
    const auto channel = static_cast<std::uint32_t>(kernel.channel_begin_.size() - 1);
    kernel.swaps_.push_back({bond_of_sites.at(sites), std::min(a, b), std::max(a, b), channel});
  }

  /// A site whose level changes.
  struct Step {
    int site;
    Level to, from;
  };

  std::uint32_t transition(std::initializer_list<Step> steps) {
    const int changed_sites = static_cast<int>(steps.size());
    Transition found{.mismatch = 0.0,
                     .changed_sites = changed_sites,
                     .decay = decay_a_site_ * changed_sites,
                     .band_mismatch = 0.0,
                     .final_width = 0.0};
    for (const auto& [site, to, from] : steps) {
      const auto first = static_cast<std::size_t>(site) * static_cast<std::size_t>(model_.site.bands());
      found.mismatch += model_.energy(site, to) - model_.energy(site, from);
      found.band_mismatch += band_energies_[first + band_[to]] - band_energies_[first + band_[from]];
      found.final_width += band_widths_[first + band_[to]];
    }
    // Level differences that are equal but for rounding are one transition.
    const auto key = [&](double energy) {
      return scale_ == 0.0 ? 0 : std::llround(energy / (scale_ * 1e-13));
    };
    const auto [place, added] = transition_number_.try_emplace(
        {key(found.mismatch), key(found.band_mismatch), key(found.final_width), changed_sites},
        static_cast<std::uint32_t>(transitions_.size()));
    if (added) transitions_.push_back(found);
    return place->second;
  }

  double band_size(Level level) const { return model_.site.band_sizes()[band_[level]]; }
  double strength_squared() const { return model_.strength * model_.strength; }

  /// Elements that change both sites of a bond: no other part of H_I has them.
  void add_pair_changes(int b) {
    const auto& [first, second] = model_.lattice.bonds()[static_cast<std::size_t>(b)];
    const bool swapped = first > second;
    const auto bands = static_cast<LocalCode>(model_.site.bands());
    const double coupling = model_.couplings[static_cast<std::size_t>(b)];
    auto& channels = channels_[{std::min(first, second), std::max(first, second)}];
    for (const auto& e : model_.interaction(b).elements()) {
      if (e.a == e.c || e.b == e.d) continue;
      const LocalCode to = swapped ? band_[e.b] * bands + band_[e.a] : band_[e.a] * bands + band_[e.b];
      const LocalCode from = swapped ? band_[e.d] * bands + band_[e.c] : band_[e.c] * bands + band_[e.d];
      if (to == from) continue;
      channels[{to, from}][transition({{first, e.a, e.c}, {second, e.b, e.d}})] +=
          2.0 * strength_squared() * coupling * coupling * std::norm(e.value) /
          (band_size(e.c) * band_size(e.d));
    }
  }

  /// One part of the amplitude of a change on one site: its neighbour (-1: none, the on-site term) and the
  /// amplitude for each level of it.
  struct Amplitude {
    int neighbour;
    Watched by_level;
  };

  /// Elements that change one site only add up coherently over its bonds and the on-site term, so their
  /// square has parts that depend on two neighbours at once.
  void add_site_changes(int site) {
    std::map<std::pair<Level, Level>, std::vector<Amplitude>> changes;
    for (const auto& u : model_.onsite) {
      if (u.a != u.b) changes[{u.a, u.b}].push_back({-1, {u.value}});
    }
    for (const int b : model_.lattice.bonds_of(site)) {
      const Bond& bond = model_.lattice.bonds()[static_cast<std::size_t>(b)];
      const bool is_first = bond.first == site;
      for (auto& [levels, watched] : watched_elements(model_, b, is_first)) {
        changes[levels].push_back({is_first ? bond.second : bond.first, std::move(watched)});
      }
    }
    for (const auto& [levels, amplitudes] : changes) {
      const auto [a, c] = levels;
      if (band_[a] == band_[c]) continue;
      const std::uint32_t f = transition({{site, a, c}});
      const double scale = 2.0 * strength_squared() / band_size(c);
      for (std::size_t x = 0; x < amplitudes.size(); ++x) {
        add_square(site, a, c, f, scale, amplitudes[x]);
        for (std::size_t y = x + 1; y < amplitudes.size(); ++y) {
          add_interference(site, a, c, f, scale, amplitudes[x], amplitudes[y]);
        }
      }
    }
  }

  /// Mean over the levels of each band (of a neighbour in that band); one entry for the on-site term.
  template <class Value>
  std::vector<Complex> band_means(const Amplitude& amplitude, const Value& value) const {
    if (amplitude.neighbour < 0) return {value(amplitude.by_level[0])};
    std::vector<Complex> means(static_cast<std::size_t>(model_.site.bands()));
    for (std::size_t s = 0; s < amplitude.by_level.size(); ++s) {
      means[band_[s]] +=
          value(amplitude.by_level[s]) / static_cast<double>(model_.site.band_sizes()[band_[s]]);
    }
    return means;
  }

  void add_square(int site, Level a, Level c, std::uint32_t f, double scale, const Amplitude& amplitude) {
    const auto squares = band_means(amplitude, [](Complex v) { return Complex(std::norm(v)); });
    for (std::size_t s = 0; s < squares.size(); ++s) {
      add_watched(site, a, c, {{amplitude.neighbour, static_cast<Level>(s)}}, f, scale * squares[s].real());
    }
  }

  void add_interference(int site, Level a, Level c, std::uint32_t f, double scale, const Amplitude& x,
                        const Amplitude& y) {
    const auto same = [](Complex v) { return v; };
    const auto left = band_means(x, same);
    const auto right = band_means(y, same);
    for (std::size_t s = 0; s < left.size(); ++s) {
      for (std::size_t r = 0; r < right.size(); ++r) {
        add_watched(site, a, c, {{x.neighbour, static_cast<Level>(s)}, {y.neighbour, static_cast<Level>(r)}},
                    f, scale * 2.0 * (std::conj(left[s]) * right[r]).real());
      }
    }
  }

  /// A change of `site` while neighbours sit in given bands.
  void add_watched(int site, Level a, Level c, std::vector<std::pair<int, Level>> neighbours, std::uint32_t f,
                   double weight) {
    if (weight == 0.0) return;
    std::erase_if(neighbours, [](const auto& n) { return n.first < 0; });
    neighbours.emplace_back(site, band_[c]);
    std::sort(neighbours.begin(), neighbours.end());
    const auto bands = static_cast<LocalCode>(model_.site.bands());
    std::vector<int> sites;
    LocalCode to = 0;
    LocalCode from = 0;
    for (const auto& [i, band] : neighbours) {
      sites.push_back(i);
      from = from * bands + band;
      to = to * bands + (i == site ? band_[a] : band);
    }
    channels_[sites][{to, from}][f] += weight;
  }

  const Model& model_;
  const std::vector<Level>& band_;
  std::vector<double> band_energies_;  ///< [N][L]
  std::vector<double> band_widths_;    ///< [N][L]
  double scale_ = 0.0;
  double decay_a_site_ = 0.0;
  std::map<std::tuple<long long, long long, long long, int>, std::uint32_t> transition_number_;
  std::vector<Transition> transitions_;
  std::map<std::vector<int>, std::map<Codes, Spectrum>> channels_;
};

SecondOrderKernel::SecondOrderKernel(const Model& model) {
  Builder(model).build(*this);
  const auto& correlation = model.bath.correlation;
  if (correlation && correlation->kind != BathCorrelation::Kind::exponential) {
    correlation_ = std::make_shared<const CorrelationLines>(*correlation, transitions_);
  }
}

SecondOrderKernel::SecondOrderKernel(const Model& model, const std::function<double(const Transition&)>& line,
                                     double line_error)
    : line_error_(line_error) {
  Builder(model).build(*this);
  for (const Transition& transition : transitions_) constant_.push_back(line(transition));
}

void SecondOrderKernel::integrals(double t, std::vector<double>& integrals) const {
  if (!constant_.empty()) {
    integrals = constant_;
    return;
  }
  integrals.resize(transitions_.size());
  if (correlation_) {
    correlation_->integrate(t, transitions_, integrals);
    return;
  }
  std::transform(transitions_.begin(), transitions_.end(), integrals.begin(), [&](const Transition& change) {
    return second_order_integral(change.decay, change.mismatch, t);
  });
}

double SecondOrderKernel::error(double t) const {
  std::vector<double> f;
  integrals(t, f);
  const auto errors = correlation_ ? correlation_->errors(t) : std::vector<double>{line_error_, line_error_};
  double largest = 0.0;
  double largest_error = 0.0;
  for (std::size_t channel = 0; channel + 1 < channel_begin_.size(); ++channel) {
    double rate = 0.0;
    double error = 0.0;
    for (std::uint32_t p = channel_begin_[channel]; p < channel_begin_[channel + 1]; ++p) {
      const std::uint32_t number = parts_[p].transition;
      rate += parts_[p].weight * f[number];
      error += std::abs(parts_[p].weight) *
               errors[static_cast<std::size_t>(transitions_[number].changed_sites) - 1];
    }
    largest = std::max(largest, std::abs(rate));
    largest_error = std::max(largest_error, error);
  }
  return largest > 0.0 ? largest_error / largest : 0.0;
}

void SecondOrderKernel::values(double t, std::span<double> values) const {
  std::vector<double> f;
  integrals(t, f);
  for (std::size_t channel = 0; channel + 1 < channel_begin_.size(); ++channel) {
    double rate = 0.0;
    for (std::uint32_t p = channel_begin_[channel]; p < channel_begin_[channel + 1]; ++p) {
      rate += parts_[p].weight * f[parts_[p].transition];
    }
    values[2 * channel] = rate;
    values[2 * channel + 1] = -rate;
  }
}

TermSum<double> SecondOrderKernel::at(double t) const {
  std::vector<double> now(value_count());
  values(t, now);
  TermSum<double> terms = pattern_;
  std::size_t next = 0;
  for (auto& term : terms.terms) {
    for (auto& e : term.elements) e.value = now[next++];
  }
  canonicalize(terms);
  return terms;
}

void SecondOrderKernel::bond_rates(double t, const std::vector<int>& band_counts,
                                   std::span<double> rates) const {
  std::vector<double> now(value_count());
  values(t, now);
  const auto present = [&](std::size_t band) { return band_counts.empty() || band_counts[band] > 0; };
  const auto bands = static_cast<std::size_t>(pattern_.levels);
  double pairs = 0.0;
  for (std::size_t low = 0; low < bands; ++low) {
    for (std::size_t high = low + 1; high < bands; ++high) pairs += present(low) && present(high) ? 1.0 : 0.0;
  }
  std::fill(rates.begin(), rates.end(), 0.0);
  for (const Swap& swap : swaps_) {
    if (present(swap.low) && present(swap.high)) {
      rates[static_cast<std::size_t>(swap.bond)] +=
          now[2 * static_cast<std::size_t>(swap.channel)] / 2.0 / pairs;
    }
  }
}

std::vector<double> dense_generator(const Sector& cells, const TermSum<double>& terms) {
  const Index n = cells.dimension();
  std::vector<double> generator(static_cast<std::size_t>(checked_product(n, n, "a stored generator")), 0.0);
  for (Index row = 0; row < n; ++row) {
    visit_row(cells, terms, row, [&](Index column, double value) {
      generator[static_cast<std::size_t>(row * n + column)] += value;
    });
  }
  return generator;
}

}  // namespace qheat
