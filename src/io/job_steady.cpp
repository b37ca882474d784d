#include <fmt/format.h>

#include "io/job_sections.hpp"
#include "qheat/model/two_point_closure.hpp"

namespace qheat::jobfile {
namespace {

TomlTable* table_in(TomlTable& parent, std::string_view key) {
  for (TomlEntry& entry : parent.entries)
    if (entry.key == key) return std::get_if<TomlTable>(&entry.value.data);
  return nullptr;
}

TomlValue* value_in(TomlTable& table, std::string_view key) {
  for (TomlEntry& entry : table.entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

/// The job with a chain of another length, whose last site keeps its reservoirs and jumps.
TomlTable with_length(TomlTable root, int old_length, int length) {
  TomlTable& lattice = *table_in(root, "lattice");
  std::get<TomlArray>(value_in(lattice, "shape")->data).front().data = std::int64_t{length};
  const auto move_last = [&](TomlValue& site) {
    auto& number = std::get<std::int64_t>(site.data);
    if (number > 0 && number == old_length - 1) number = length - 1;
  };
  for (const std::string_view key : {"reservoir", "jump"}) {
    TomlValue* list = value_in(*table_in(root, "bath"), key);
    if (list == nullptr) continue;
    for (TomlValue& entry : std::get<TomlArray>(list->data)) {
      auto& table = std::get<TomlTable>(entry.data);
      if (TomlValue* site = value_in(table, "site")) move_last(*site);
      TomlValue* sites = value_in(table, "sites");
      if (sites == nullptr) continue;
      for (TomlValue& site : std::get<TomlArray>(sites->data)) move_last(site);
    }
  }
  return root;
}

/// The model of the job that these tables are, without its other requests.
std::optional<Model> model_in(const TomlTable& toml, Problems& problems) {
  CheckedTable root(toml, Place{}, "", problems);
  Draft draft;
  read_lattice(root, draft);
  read_site(root, draft);
  read_interaction(root, draft);
  read_bath(root, draft);
  if (!problems.empty()) return {};
  assemble_model(draft);
  return std::move(draft.job.model);
}

void tell(const TomlTable& root, const std::string& path, const std::string& message, Problems& problems) {
  problems.add(place_of(root, path), path, message);
}

}  // namespace

void complete_steady(const TomlTable& root, Draft& draft, Problems& problems) {
  auto& job = draft.job;
  if (!job.steady || !job.model) return;
  auto& steady = *job.steady;
  for (std::size_t s = 0; s < steady.sizes.size(); ++s) {
    const TomlTable other = with_length(root, job.lattice->sites(), steady.sizes[s]);
    Problems found(job.name);
    auto model = model_in(other, found);
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
