#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "io/element_rows.hpp"
#include "io/job_sections.hpp"
#include "qheat/model/dissipator.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::jobfile {
namespace {

/// A rho A^+ of all places is held by every rank, element by element.
constexpr double kMostProducts = 1 << 24;
/// As of any number of a job.
constexpr double kFastest = 1e50;

/// Levels that a row names before the value: 2 on one site, 4 on a bond, by its first row or by the places
/// that are given.
std::size_t levels_in_row(const CheckedTable& table) {
  if (table.has("bonds")) return 4;
  if (table.has("sites")) return 2;
  const TomlEntry* entry = table.toml().find("elements");
  const auto* rows = entry != nullptr ? std::get_if<TomlArray>(&entry->value.data) : nullptr;
  const auto* first =
      rows != nullptr && !rows->empty() ? std::get_if<TomlArray>(&rows->front().data) : nullptr;
  return first != nullptr && first->size() > 4 ? 4 : 2;
}

std::string row_text(const std::vector<Level>& levels) {
  std::string text;
  for (const Level level : levels) text += fmt::format("{}{}", text.empty() ? "" : ", ", level);
  return "[" + text + ", ...]";
}

std::vector<JumpElement> read_elements(CheckedTable& table, const Draft& draft, std::size_t in_row) {
  if (!table.require("elements", "elements = [[0, 1, 1.0]]")) return {};
  const ElementReader reader(table, draft.site, in_row);
  const Length some{1, std::numeric_limits<std::size_t>::max(),
                    in_row == 2 ? "rows [a, c, re, im?]" : "rows [a, b, c, d, re, im?]"};
  const auto m = static_cast<std::uint64_t>(draft.site ? draft.site->levels() : 1);
  std::vector<JumpElement> elements;
  std::set<std::vector<Level>> seen;
  const bool good = table.list("elements", some, [&](const TomlValue& row, const std::string& path) {
    const auto element = reader.read(row, path);
    if (!element) return false;
    const auto& n = element->levels;
    if (!seen.insert(n).second) {
      table.problems().add(row.place, path, fmt::format("element {} is listed twice; keep one", row_text(n)));
      return false;
    }
    const auto code = [&](std::size_t first) {
      return in_row == 2 ? n[first / 2] : n[first] * m + n[first + 1];
    };
    if (element->value != Complex{}) elements.push_back({code(0), code(2), element->value});
    return true;
  });
  if (!good) return {};
  if (elements.empty()) table.problem("elements", "all elements are 0; give one that is not");
  return elements;
}

/// Where the jump acts: [places][1 or 2 sites].
std::vector<std::vector<int>> read_places(CheckedTable& table, const Draft& draft, bool on_bonds) {
  if (table.has("sites") && table.has("bonds")) table.problem("both sites and bonds are given; keep one");
  for (const std::string other : {"sites", "bonds"}) table.only(other, true, "");  // known, though not read
  const auto& lattice = draft.job.lattice;
  const std::string key = on_bonds ? "bonds" : "sites";
  const int count = !lattice ? kMaxSites : on_bonds ? lattice->bond_count() : lattice->sites();
  std::vector<int> listed;
  if (table.has(key)) {
    const Length some{1, as_size(count), on_bonds ? "numbers of bonds" : "site numbers"};
    if (!table.integers(key, listed, {0, count - 1}, some)) return {};
    if (std::set<int>(listed.begin(), listed.end()).size() < listed.size()) {
      table.problem(key, "a number is listed twice; keep one");
      return {};
    }
  } else if (lattice) {
    if (count == 0) table.problem("elements", "the lattice has no bonds for rows [a, b, c, d, re, im?]");
    listed.resize(as_size(count));
    std::iota(listed.begin(), listed.end(), 0);
  }
  std::vector<std::vector<int>> places;
  for (const int number : listed) {
    if (!on_bonds) places.push_back({number});
    if (!on_bonds || !lattice) continue;
    const Bond& bond = at(lattice->bonds(), number);
    places.push_back({bond.first, bond.second});
  }
  return places;
}

/// Kernels are between populations; what joins them to coherences without any interaction is no part of one.
void check_kernels(const CheckedTable& table, const Jump& jump) {
  if (keeps_populations_apart({jump.sites, jump.elements, jump.rate})) return;
  table.problem("elements",
                "this jump drives coherences between cells, as it takes one configuration to several or "
                "several to one, and kernels are between populations alone; remove [kernel] and [rates], or "
                "give its elements as jumps of their own");
}

void check_size(const CheckedTable& table, const Jump& jump, std::size_t places) {
  const auto elements = static_cast<double>(jump.elements.size());
  if (elements * elements * static_cast<double>(places) > kMostProducts)
    table.problem(
        "elements",
        fmt::format("{} elements at {} places have {:.2g} products A rho A^+; take fewer, "
                    "such that there are at most {:.2g}",
                    elements, places, elements * elements * static_cast<double>(places), kMostProducts));
  double largest = 0.0;
  for (const auto& e : jump.elements) largest = std::max(largest, std::abs(e.value));
  if (!(jump.rate * largest * largest * elements <= kFastest))
    table.problem("rate", fmt::format("rate times the square of an element is {:.1e}, too large to compute "
                                      "with; take at most {:.0e}",
                                      jump.rate * largest * largest, kFastest));
}

}  // namespace

void read_jump(CheckedTable& table, bool kernels, Draft& draft) {
  const std::size_t in_row = levels_in_row(table);
  Jump jump;
  jump.elements = read_elements(table, draft, in_row);
  const auto places = read_places(table, draft, in_row == 4);
  if (table.require("rate", "rate = 0.2")) table.number("rate", jump.rate, NumberRule::not_negative());
  table.report_unknown_keys();
  if (jump.elements.empty() || !draft.site) return;
  check_size(table, jump, places.size());
  if (kernels) check_kernels(table, jump);
  for (const auto& sites : places) {
    jump.sites = sites;
    draft.bath.jumps.push_back(jump);
  }
}

}  // namespace qheat::jobfile
