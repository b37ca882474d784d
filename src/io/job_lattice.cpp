#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "io/job_sections.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::jobfile {
namespace {

/// Number of sites, if the shape is right; its problems are told.
std::optional<int> read_shape(CheckedTable& table, std::vector<int>& shape) {
  const bool good = table.require("shape", "shape = [8]") &&
                    table.integers("shape", shape, {1, kMaxSites}, {1, 3, "one length an axis"});
  if (!good) return {};
  std::int64_t sites = 1;
  for (const int length : shape) sites *= length;
  if (sites <= kMaxSites) return static_cast<int>(sites);
  table.problem("shape", fmt::format("{} sites are too many; give at most {}", sites, kMaxSites));
  return {};
}

std::string bond_problem(const Bond& bond, const std::optional<int>& sites,
                         const std::set<std::pair<int, int>>& others) {
  const int highest = std::max(bond.first, bond.second);
  if (bond.first == bond.second) return "joins a site to itself; remove it";
  if (sites && highest >= *sites) {
    return fmt::format("there is no site {}; sites are numbered 0 to {}", highest, *sites - 1);
  }
  if (others.contains(std::minmax(bond.first, bond.second))) return "this bond is listed twice; remove one";
  return {};
}

std::optional<std::vector<Bond>> read_bonds(CheckedTable& table, const std::optional<int>& sites) {
  std::vector<Bond> bonds;
  std::set<std::pair<int, int>> seen;
  const bool good = table.list("bonds", {}, [&](const TomlValue& entry, const std::string& path) {
    std::vector<int> ends;
    if (!table.read_integers(entry, path, ends, {0, kMaxSites - 1}, {2, 2, "the two sites"})) return false;
    const Bond bond{ends[0], ends[1]};
    const std::string problem = bond_problem(bond, sites, seen);
    if (!problem.empty()) table.problems().add(entry.place, path, problem);
    seen.insert(std::minmax(bond.first, bond.second));
    bonds.push_back(bond);
    return problem.empty();
  });
  if (!good) return {};
  return bonds;
}

}  // namespace

Length Draft::one_a_site() const {
  if (!sites) return {};
  const auto count = as_size(*sites);
  return {count, count, "one a site"};
}

void read_lattice(CheckedTable& root, Draft& draft) {
  auto table = root.table("lattice");
  if (!table) return;
  std::vector<int> shape;
  const auto sites = read_shape(*table, shape);
  draft.sites = sites;
  std::vector<bool> periodic(shape.size(), false);
  const Length one_an_axis =
      sites ? Length{shape.size(), shape.size(), "one an axis"} : Length{1, 3, "one an axis"};
  bool good = table->booleans("periodic", periodic, one_an_axis) || !table->has("periodic");
  double spacing = 1.0;
  good = (table->number("spacing", spacing, NumberRule::positive()) || !table->has("spacing")) && good;
  const auto bonds = read_bonds(*table, sites);
  if (table->has("bonds") && std::find(periodic.begin(), periodic.end(), true) != periodic.end()) {
    table->problem("periodic", "bonds are listed by hand; list the closing bonds too and remove periodic");
    good = false;
  }
  table->report_unknown_keys();
  if (!good || !sites || bonds.has_value() != table->has("bonds")) return;
  draft.job.lattice = build_or_tell(*table, "shape", "", [&] {
    return bonds ? Lattice(shape, *bonds, spacing) : Lattice(shape, periodic, spacing);
  });
}

const std::vector<std::string>& face_names() {
  static const std::vector<std::string> names = {"x-", "x+", "y-", "y+", "z-", "z+"};
  return names;
}

std::optional<Face> face_named(const std::string& name, const std::optional<Lattice>& lattice,
                               const CheckedTable& table, const std::string& key) {
  const auto& names = face_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    table.problem(key, unknown_word("face", name, names));
    return {};
  }
  const auto number = static_cast<int>(found - names.begin());
  const Face face{number / 2, number % 2 == 1};
  if (!lattice) return face;
  const auto axes = static_cast<int>(lattice->shape().size());
  if (face.axis >= axes) {
    table.problem(key, fmt::format("the lattice has no face {}: lattice.shape has {} {}; choose another face",
                                   name, axes, axes == 1 ? "axis" : "axes"));
    return {};
  }
  if (at(lattice->periodic(), face.axis)) {
    table.problem(key, fmt::format("the lattice is periodic along {0}, so it has no face {1}; make {0} open",
                                   name[0], name));
    return {};
  }
  return face;
}

std::vector<int> sites_of_face(const Lattice& lattice, const Face& face) {
  const auto& shape = lattice.shape();
  int stride = 1;
  for (int axis = 0; axis < face.axis; ++axis) stride *= at(shape, axis);
  const int length = at(shape, face.axis);
  std::vector<int> sites;
  for (int site = 0; site < lattice.sites(); ++site) {
    if (site / stride % length == (face.upper ? length - 1 : 0)) sites.push_back(site);
  }
  return sites;
}

}  // namespace qheat::jobfile
