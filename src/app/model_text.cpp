#include "app/model_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "io/job_names.hpp"
#include "io/printable.hpp"

namespace qheat::app {
namespace {

constexpr std::size_t kLongestTitle = 200;  // bytes that are shown

std::string correlation_text(const BathCorrelation& c) {
  switch (c.kind) {
    case BathCorrelation::Kind::exponential:
      return fmt::format("correlation exp(-gamma t), gamma = {:g}", c.rate);
    case BathCorrelation::Kind::gaussian:
      return fmt::format("correlation exp(-(gamma t)^2/2), gamma = {:g}", c.rate);
    case BathCorrelation::Kind::bosons:
      break;
  }
  return fmt::format("bosons, alpha = {:g}, cutoff = {:g}, T = {:g}", c.alpha, c.cutoff, c.temperature);
}

std::string bath_text(const Bath& bath) {
  if (bath.closed()) return "none";
  if (bath.correlation) return correlation_text(*bath.correlation);
  return fmt::format("dephasing gamma = {:g}, {} reservoir(s){}", bath.dephasing, bath.reservoirs.size(),
                     bath.jumps.empty() ? "" : fmt::format(", {} jump(s)", bath.jumps.size()));
}

std::string lattice_text(const Lattice& lattice) {
  const auto& periodic = lattice.periodic();
  std::string closed;
  for (std::size_t axis = 0; axis < periodic.size(); ++axis) {
    if (periodic[axis])
      closed += closed.empty() ? std::string(1, "xyz"[axis]) : fmt::format(", {}", "xyz"[axis]);
  }
  return fmt::format("{} sites ({}{}), {} bonds{}{}", lattice.sites(), fmt::join(lattice.shape(), " x "),
                     closed.empty() ? "" : ", periodic in " + closed, lattice.bond_count(),
                     lattice.explicit_graph() ? " listed by hand" : "",
                     lattice.spacing() == 1.0 ? "" : fmt::format(", spacing {:g}", lattice.spacing()));
}

std::string detuning_text(const Detuning& detuning) {
  std::string text;
  if (!detuning.offsets.empty()) text += ", detunings listed";
  if (detuning.distribution == Detuning::Distribution::none) return text;
  return text + fmt::format(", {} detunings of width {:g}, seed {}, {} realization(s)",
                            name_of(kDistributionNames, detuning.distribution), detuning.width, detuning.seed,
                            detuning.realizations);
}

std::string well_text(const WellRequest& request) {
  std::string text = fmt::format("{}, width {:g}, {:g} apart, V(r) = {}",
                                 name_of(kWellNames, request.well.shape), request.well.width,
                                 request.well.separation, printable(request.potential_text, kLongestTitle));
  if (request.potential.screening != 0.0)
    text += fmt::format(" times exp(-{:g} |r|)", request.potential.screening);
  return text + fmt::format(", l1 = {:g}, l2 = {:g}", request.direct, request.exchange);
}

std::string units_text(const UnitSystem& units) {
  std::string text = "1 stands for";
  for (const Quantity q : {Quantity::energy, Quantity::temperature, Quantity::time, Quantity::length,
                           Quantity::power, Quantity::conductivity})
    text += fmt::format("{} {:.6g} {}", text.ends_with("for") ? "" : ",", units.factor(q),
                        units.laboratory_unit(q));
  return text;
}

std::string interaction_text(const Job& job) {
  const Model& model = *job.model;
  std::string kind(name_of(kInteractionNames, job.interaction_kind));
  if (job.interaction_kind == InteractionKind::exchange)
    kind += fmt::format(", anisotropy = {:g}", job.anisotropy);
  if (job.interaction_kind == InteractionKind::random_bands)
    kind += fmt::format(", seed {}", job.interaction_seed);
  if (job.oriented) kind += ", oriented";
  const auto& couplings = model.couplings;
  if (std::any_of(couplings.begin(), couplings.end(), [](double j) { return j != 1.0; }))
    kind += ", couplings listed";
  return fmt::format(
      "{}, lambda = {:g}, {}, {}", kind, model.strength, model.is_real() ? "real" : "complex",
      model.hamiltonian_conserves_bands() ? "keeps the number of sites in each band" : "mixes the bands");
}

}  // namespace

std::string title_text(const Job& job) {
  return printable(job.title, kLongestTitle);
}

std::string model_text(const Job& job) {
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("{:<15} {}\n", name, value);
  };
  if (job.units) line("units", units_text(*job.units));
  if (job.well) line("wells", well_text(*job.well));
  if (job.model) {
    const Model& model = *job.model;
    line("lattice", lattice_text(model.lattice));
    line("sites", fmt::format("{} levels in {} bands{}", model.levels(), model.site.bands(),
                              detuning_text(job.detuning)));
    line("interaction", interaction_text(job));
    line("bath", bath_text(model.bath));
  }
  if (job.time) line("time", fmt::format("0 to {:g}, {} outputs", job.time->end, job.time->outputs));
  return text;
}

}  // namespace qheat::app
