#include "qheat/model/pair_interaction.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "qheat/model/counter_random.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr double kPartnerTolerance = 1e-12;
constexpr std::uint32_t kBandStream = 0x40000000U;  // apart from detunings and random phases

template <std::size_t Rank>
using Key = std::array<Level, Rank>;

/// A listed element must equal every partner that symmetry gives it; partners that are not listed are added.
template <std::size_t Rank>
class SymmetricElements {
 public:
  explicit SymmetricElements(int levels) : levels_(levels) {}

  void list(const Key<Rank>& key, Complex value) {
    for (const Level level : key) {
      if (level >= levels_) {
        problems_.push_back(
            fmt::format("element {} names level {}, but the highest is {}", name(key), level, levels_ - 1));
        return;
      }
    }
    if (!listed_.emplace(key, value).second)
      problems_.push_back(fmt::format("element {} is listed twice", name(key)));
  }

  template <class Partner>
  void complete(const Partner& partner) {
    const auto before = listed_;
    for (const auto& [key, value] : before) {
      const auto [other, expected] = partner(key, value);
      const auto [place, added] = listed_.emplace(other, expected);
      if (added) continue;
      if (std::abs(place->second - expected) <=
          kPartnerTolerance) {  // rounding in the job file: exactly Hermitian
        place->second = (place->second + expected) / 2.0;
        listed_[key] = partner(other, place->second).second;
        continue;
      }
      const bool reported_from_other_side = other < key;
      if (reported_from_other_side) continue;
      problems_.push_back(fmt::format("element {} = {}{:+}i disagrees with its partner {} = {}{:+}i",
                                      name(key), value.real(), value.imag(), name(other),
                                      place->second.real(), place->second.imag()));
    }
  }

  const std::map<Key<Rank>, Complex>& checked() const {
    if (!problems_.empty()) throw InputError(problems_);
    return listed_;
  }

 private:
  static std::string name(const Key<Rank>& key) { return fmt::format("[{}]", fmt::join(key, ", ")); }

  int levels_;
  std::map<Key<Rank>, Complex> listed_;
  std::vector<std::string> problems_;
};

}  // namespace

PairInteraction PairInteraction::exchange(int levels, double anisotropy) {
  PairInteraction v;
  v.levels_ = levels;
  for (int i = 0; i < levels; ++i) {
    for (int j = 0; j < levels; ++j) {
      const double value = i == j ? anisotropy : 1.0;
      const auto a = static_cast<Level>(i);
      const auto b = static_cast<Level>(j);
      if (value != 0.0) v.elements_.push_back({a, b, b, a, value});
    }
  }
  return v;
}

PairInteraction PairInteraction::matrix(int levels, const std::vector<PairElement>& elements, bool oriented) {
  SymmetricElements<4> all(levels);
  for (const auto& e : elements) all.list({e.a, e.b, e.c, e.d}, e.value);
  all.complete([](const Key<4>& k, Complex value) {
    return std::pair(Key<4>{k[2], k[3], k[0], k[1]}, std::conj(value));
  });
  if (!oriented) {
    all.complete([](const Key<4>& k, Complex value) {
      return std::pair(Key<4>{k[1], k[0], k[3], k[2]}, value);
    });
  }
  PairInteraction v;
  v.levels_ = levels;
  for (const auto& [k, value] : all.checked()) {
    if (value != Complex{}) v.elements_.push_back({k[0], k[1], k[2], k[3], value});
  }
  return v;
}

PairInteraction PairInteraction::random_bands(int levels, std::uint64_t seed, int bond) {
  const CounterRandom random(seed);
  const auto count = as_size(levels - 1);  // levels of the band
  PairInteraction v;
  v.levels_ = levels;
  v.elements_.resize(2 * count * count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < count; ++k) {
      const auto a = static_cast<Level>(i + 1);
      const auto c = static_cast<Level>(k + 1);
      const Complex value = random.complex_normal({a, c, static_cast<std::uint32_t>(bond), kBandStream});
      v.elements_[k * count + i] = {0, c, a, 0, std::conj(value)};
      v.elements_[(count + i) * count + k] = {a, 0, 0, c, value};
    }
  }
  return v;
}

bool PairInteraction::is_real() const {
  return std::all_of(elements_.begin(), elements_.end(), [](const auto& e) { return e.value.imag() == 0.0; });
}

bool PairInteraction::conserves(const std::vector<Level>& band_of_level) const {
  return std::all_of(elements_.begin(), elements_.end(), [&](const PairElement& e) {
    return std::minmax(band_of_level[e.a], band_of_level[e.b]) ==
           std::minmax(band_of_level[e.c], band_of_level[e.d]);
  });
}

std::vector<OnsiteElement> hermitian_onsite(int levels, const std::vector<OnsiteElement>& elements) {
  SymmetricElements<2> all(levels);
  for (const auto& e : elements) all.list({e.a, e.b}, e.value);
  all.complete([](const Key<2>& k, Complex value) {
    return std::pair(Key<2>{k[1], k[0]}, std::conj(value));
  });
  std::vector<OnsiteElement> complete;
  for (const auto& [k, value] : all.checked()) {
    if (value != Complex{}) complete.push_back({k[0], k[1], value});
  }
  return complete;
}

}  // namespace qheat
