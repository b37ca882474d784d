#include <fmt/format.h>

#include "io/job_sections.hpp"
#include "qheat/model/two_point_closure.hpp"

namespace qheat::jobfile {
namespace {

/// What makes of the job one with a chain of another length, whose last site keeps its reservoirs and jumps.
Assignments other_length(const TomlTable& root, int old_length, int length) {
  const auto number = [](const TomlValue& place, std::int64_t value) {
    return TomlValue{place.place, value};
  };
  Assignments changes = {{"lattice.shape[0]", number(*value_at(root, "lattice.shape"), length)}};
  const auto move_last = [&](const TomlValue& site, const std::string& path) {
    const auto& old = std::get<std::int64_t>(site.data);
    if (old > 0 && old == old_length - 1) changes.emplace_back(path, number(site, length - 1));
  };
  for (const std::string key : {"reservoir", "jump"}) {
    const TomlValue* value = value_at(root, "bath." + key);
    const TomlArray list = value != nullptr ? std::get<TomlArray>(value->data) : TomlArray{};
    for (std::size_t r = 0; r < list.size(); ++r) {
      const auto& table = std::get<TomlTable>(list[r].data);
      const std::string path = fmt::format("bath.{}[{}]", key, r);
      if (const TomlEntry* site = table.find("site")) move_last(site->value, path + ".site");
      const TomlEntry* sites = table.find("sites");
      const TomlArray numbers = sites != nullptr ? std::get<TomlArray>(sites->value.data) : TomlArray{};
      for (std::size_t k = 0; k < numbers.size(); ++k)
        move_last(numbers[k], fmt::format("{}.sites[{}]", path, k));
    }
  }
  return changes;
}

void tell(const TomlTable& root, const std::string& path, const std::string& message, Problems& problems) {
  problems.add(place_of(root, path), path, message);
}

}  // namespace

std::optional<Model> model_with(const TomlTable& toml, const Assignments& changes, Problems& problems) {
  const TomlTable other = job_with(toml, changes);
  CheckedTable root(other, Place{}, "", problems);
  Draft draft;
  read_lattice(root, draft);
  read_site(root, draft);
  read_interaction(root, draft);
  read_bath(root, draft);
  if (!problems.empty()) return {};
  assemble_model(draft);
  return std::move(draft.job.model);
}

void complete_steady(const TomlTable& root, Draft& draft, Problems& problems) {
  auto& job = draft.job;
  if (!job.steady || !job.model) return;
  auto& steady = *job.steady;
  for (std::size_t s = 0; s < steady.sizes.size(); ++s) {
    Problems found(job.name);
    auto model = model_with(root, other_length(root, job.lattice->sites(), steady.sizes[s]), found);
    if (model) {
      steady.models.push_back(std::move(*model));
      continue;
    }
    for (const auto& sentence : found.sentences())
      tell(root, fmt::format("steady.sizes[{}]", s), fmt::format("this length is not possible: {}", sentence),
           problems);
  }
  if (steady.method != SteadyMethod::two_point || !problems.empty()) return;
  const Model& model = steady.models.empty() ? *job.model : steady.models.front();
  for (const auto& obstacle : two_point_obstacles(model)) {
    tell(root, "steady.method",
         fmt::format("the two-point functions of this model do not close: {}; or set method = \"auto\"",
                     obstacle),
         problems);
  }
}

}  // namespace qheat::jobfile
