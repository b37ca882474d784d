#include "studies/spectrum_study.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/parallel/index.hpp"
#include "studies/sensible_ranks.hpp"

namespace qheat {

SpectrumStudy::SpectrumStudy(const Job& job, const StudyContext& context)
    : job_(job),
      model_(*job.model),
      context_(context),
      options_{.states = job.spectrum->states,
               .end = job.spectrum->highest ? SpectrumEnd::highest : SpectrumEnd::lowest,
               .tolerance = job.spectrum->tolerance} {}

void SpectrumStudy::describe(Report& report) const {
  report.say("spectrum        {} {} energies, by Krylov-Schur iteration\n", options_.states,
             job_.spectrum->highest ? "highest" : "lowest");
}

void SpectrumStudy::require_possible() const {
  for (const auto& counts : sector_counts(model_, *job_.initial))
    require_petsc_indices(level_sector_dimension(model_, counts),
                          "the dimension of the sector of [spectrum]");
}

Need SpectrumStudy::need(int ranks, double) const {
  Need need{.bytes_per_rank = eigenstate_bytes_per_rank(model_, *job_.initial, options_.states, ranks),
            .work = eigenstate_work(model_, *job_.initial, options_.states)};
  need.least_bytes_per_rank = need.bytes_per_rank;
  for (const auto& counts : sector_counts(model_, *job_.initial)) {
    const auto dimension = static_cast<double>(level_sector_dimension(model_, counts));
    need.sensible_ranks = std::max(need.sensible_ranks, sensible_ranks(dimension, kStatesARank));
  }
  need.what = fmt::format("the search for {} eigenstates", options_.states);
  need.remedy = "use more nodes or fewer sites, or lower spectrum.states";
  return need;
}

void SpectrumStudy::compute() {
  const Stage stage(context_.control, "eigenstates");
  const Timings::Scope scope(context_.timings, "eigenstates");
  if (context_.control.restore_finished(
          [&](StateReader& reader) { found_ = load_eigenstates(model_, reader); }))
    return;
  context_.progress.log("eigenstates");
  found_ = extreme_eigenstates(model_, *job_.initial, options_, context_.comm, context_.free_bytes(),
                               context_.timings);
  context_.control.finish([&](StateWriter& writer) { save_eigenstates(model_, found_, writer); });
}

void SpectrumStudy::write(ResultsFile& file) {
  const auto states = static_cast<Index>(found_.energies.size());
  const Index sites = model_.sites();
  const Index bonds = model_.lattice.bond_count();
  const auto& values = found_.observations;
  file.dataset("/spectrum/energies", {states}, found_.energies);
  file.dataset("/spectrum/residuals", {states}, found_.residuals);
  file.dataset("/spectrum/populations", {states, sites, model_.levels()}, values.populations);
  file.dataset("/spectrum/energy", {states, sites}, values.energy);
  file.dataset("/spectrum/outflow", {states, bonds, 2}, values.outflow);
  file.dataset("/spectrum/current", {states, bonds}, values.current);
  std::vector<std::int64_t> counts;
  for (const auto& one : found_.band_counts) counts.insert(counts.end(), one.begin(), one.end());
  const auto bands = states == 0 ? 0 : static_cast<Index>(counts.size()) / states;
  if (bands > 0) file.dataset("/spectrum/band_counts", {states, bands}, counts);
  const std::vector<std::int64_t> groups(found_.energy_group.begin(), found_.energy_group.end());
  file.dataset("/spectrum/energy_group", {states}, groups);
  const std::int64_t left_out = found_.partners_left_out;
  const std::int64_t all = found_.all_partners ? 1 : 0;
  file.dataset("/spectrum/partners_left_out", {}, std::span<const std::int64_t>(&left_out, 1));
  file.dataset("/spectrum/all_partners_counted", {}, std::span<const std::int64_t>(&all, 1));
}

void SpectrumStudy::summarize(Report& report) const {
  const double residual = *std::max_element(found_.residuals.begin(), found_.residuals.end());
  report.say("eigenstates     {} from the {} energy, {:.10g}, to {:.10g}; |H psi - E psi| at most {:.1e}\n",
             found_.energies.size(), job_.spectrum->highest ? "highest" : "lowest", found_.energies.front(),
             found_.energies.back(), residual);
  if (found_.partners_left_out == 0) return;
  report.say(
      "                {}{} more state(s) have the last energy and are left out; ask for more with "
      "spectrum.states\n",
      found_.all_partners ? "" : "at least ", found_.partners_left_out);
}

}  // namespace qheat
