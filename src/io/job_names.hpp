#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "qheat/io/job.hpp"

// The words of a job file for values of a fixed choice: read from it, and told in results and logs.

namespace qheat {

template <class T>
using Named = std::pair<std::string_view, T>;

inline constexpr auto kInteractionNames =
    std::to_array<Named<InteractionKind>>({{"exchange", InteractionKind::exchange},
                                           {"xy", InteractionKind::xy},
                                           {"matrix", InteractionKind::matrix},
                                           {"random-bands", InteractionKind::random_bands},
                                           {"well", InteractionKind::well}});
inline constexpr auto kWellNames =
    std::to_array<Named<Well::Shape>>({{"square", Well::Shape::square}, {"harmonic", Well::Shape::harmonic}});
/// Those of PairPotential::Form::given are expressions.
inline constexpr auto kPotentialNames =
    std::to_array<Named<PairPotential::Form>>({{"delta", PairPotential::Form::delta},
                                               {"linear", PairPotential::Form::linear},
                                               {"quadratic", PairPotential::Form::quadratic},
                                               {"inverse", PairPotential::Form::inverse}});
inline constexpr auto kStatisticsNames = std::to_array<Named<Reservoir::Statistics>>(
    {{"fermi", Reservoir::Statistics::fermi}, {"bose", Reservoir::Statistics::bose}});
inline constexpr auto kCorrelationNames =
    std::to_array<Named<BathCorrelation::Kind>>({{"exponential", BathCorrelation::Kind::exponential},
                                                 {"gaussian", BathCorrelation::Kind::gaussian},
                                                 {"bosons", BathCorrelation::Kind::bosons}});
inline constexpr auto kDistributionNames =
    std::to_array<Named<Detuning::Distribution>>({{"uniform", Detuning::Distribution::uniform},
                                                  {"gaussian", Detuning::Distribution::gaussian},
                                                  {"lorentzian", Detuning::Distribution::lorentzian}});

/// The word for a value; empty if it has none.
template <class T, std::size_t N>
constexpr std::string_view name_of(const std::array<Named<T>, N>& names, T value) {
  for (const auto& [name, meaning] : names) {
    if (meaning == value) return name;
  }
  return {};
}

}  // namespace qheat
