#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/job_sections.hpp"

namespace qheat::jobfile {
namespace {

std::string_view example_of(std::string_view table) {
  if (table == "lattice") return "shape = [8]";
  if (table == "site") return "levels = [0.0, 1.0]";
  if (table == "interaction") return "kind = \"exchange\" and strength = 0.05";
  if (table == "initial") return "kind = \"product\" and levels = [1, 0, 0, 0]";
  if (table == "bath") return "a [[bath.reservoir]] at each end";
  return "end = 50.0 and outputs = 101";
}

/// A missing table is told once, where it is first needed.
void check_needed_tables(const CheckedTable& root) {
  std::vector<std::string_view> told;
  for (const Computation& computation : computations()) {
    if (!root.has(computation.table)) continue;
    for (const auto table : computation.needs) {
      if (root.has(table) || std::find(told.begin(), told.end(), table) != told.end()) continue;
      told.push_back(table);
      root.problem(computation.table, fmt::format("needs a table [{}], which is missing; add [{}] with {}",
                                                  table, table, example_of(table)));
    }
  }
}

void check_something_asked(const CheckedTable& root) {
  std::vector<std::string> names;
  for (const Computation& computation : computations()) {
    if (root.has(computation.table)) return;
    names.push_back(fmt::format("[{}]", computation.table));
  }
  const std::string last = std::move(names.back());
  names.pop_back();
  root.problem(fmt::format("this job asks for no computation; add {} or {}", fmt::join(names, ", "), last));
}

void tell(const CheckedTable& root, std::string_view path, std::string_view message) {
  root.problems().add(place_of(root.toml(), path), path, message);
}

/// The correlation function of a bath defines a theory of second order and nothing else.
void check_correlation(const CheckedTable& root, const Job& job) {
  const std::string_view why = "[bath.correlation] has kernels of second order only; ";
  const auto refuse = [&](std::string_view path, std::string_view remedy) {
    tell(root, path, fmt::format("{}{}", why, remedy));
  };
  if (job.exact) refuse("exact", "remove [exact] or [bath.correlation]");
  if (job.steady) refuse("steady", "remove [steady] or [bath.correlation]");
  if (job.kernel && job.kernel->exact) refuse("kernel.exact", "set exact = false");
  if (job.kernel && job.kernel->memory) refuse("kernel.memory", "set memory = false");
  for (std::size_t i = 0; job.kernel && i < job.kernel->orders.size(); ++i) {
    if (job.kernel->orders[i] != 2) refuse(fmt::format("kernel.orders[{}]", i), "set orders = [2]");
  }
  for (std::size_t i = 0; job.rates && i < job.rates->kernels.size(); ++i) {
    const KernelId id = job.rates->kernels[i];
    if (id != KernelId::tcl(2) && id != KernelId::markov()) {
      refuse(fmt::format("rates.kernels[{}]", i), "use \"tcl2\" or \"markov\"");
    }
  }
}

void check_exact(const CheckedTable& root, const Draft& draft) {
  if (!draft.job.exact) return;
  const bool open = draft.bath.dephasing > 0.0 || draft.reservoirs_listed || draft.jumps_listed;
  const auto method = draft.job.exact->method;
  if (open && method == ExactMethod::diagonalize) {
    tell(
        root, "exact.method",
        "diagonalize is for closed systems; use \"chebyshev\" or \"krylov\", or remove dephasing, reservoirs "
        "and jumps from [bath]");
  }
  if (!open && (method == ExactMethod::runge_kutta || method == ExactMethod::implicit)) {
    tell(root, "exact.method",
         fmt::format("{} is for open systems; use \"chebyshev\" or \"krylov\", or add dephasing, reservoirs "
                     "or jumps to [bath]",
                     method == ExactMethod::implicit ? "implicit" : "runge-kutta"));
  }
}

void check_kernel_asks(const CheckedTable& root, const Job& job) {
  if (!job.kernel || job.rates) return;
  const auto& kernel = *job.kernel;
  const bool asks = kernel.exact || kernel.memory || kernel.markov || !kernel.orders.empty();
  if (!asks) tell(root, "kernel", "asks for no kernel; set for example orders = [2], or remove [kernel]");
}

/// Each would give the Markov kernel a density of its own.
void check_broadening(const CheckedTable& root, const Draft& draft) {
  if (!draft.job.kernel || !draft.job.kernel->broadening) return;
  if (draft.bath.dephasing > 0.0) {
    tell(root, "kernel.broadening",
         "bath.dephasing already gives the Markov kernel its density; name one of them, remove the other");
  }
  if (draft.bath.correlation) {
    tell(
        root, "kernel.broadening",
        "[bath.correlation] already gives the Markov kernel its density; name one of them, remove the other");
  }
}

void check_heat(const CheckedTable& root, const Draft& draft) {
  if (!draft.job.heat || draft.job.heat->steady || root.has("time")) return;
  tell(root, "heat",
       "needs a table [time], which is missing; add [time] with end = 50.0 and outputs = 101, or set "
       "steady = true");
}

void check_steady(const CheckedTable& root, const Draft& draft) {
  if (!draft.job.steady || !root.has("bath") || draft.reservoirs_listed) return;
  if (!draft.jumps_listed)
    tell(root, "steady",
         "without a reservoir no steady state is the only one; add a [[bath.reservoir]] at each end");
  if (!draft.job.steady->rates.empty())
    tell(root, "steady.rates", "there is no reservoir whose rate they would multiply; remove them");
}

/// With steady.sizes there are several chains, so nothing may be listed by site or bond, and reservoirs must
/// be at places that every length has.
void check_steady_sizes(const CheckedTable& root, const Draft& draft) {
  if (!draft.job.steady || draft.job.steady->sizes.empty()) return;
  const auto& toml = root.toml();
  const std::string_view remedy = "is for one size only; remove it, or steady.sizes";
  for (const std::string_view path : {"lattice.bonds", "interaction.couplings", "site.detuning.offsets"}) {
    if (value_at(toml, path) != nullptr) tell(root, path, remedy);
  }
  const auto& lattice = draft.job.lattice;
  if (!lattice) return;
  const bool open = !lattice->periodic().front();
  if (lattice->shape().size() != 1 || (!open && !lattice->explicit_graph())) {
    tell(root, "steady.sizes",
         "needs an open chain, whose length it replaces; set lattice.shape = [8] and leave out periodic");
  }
  const auto tables = [&](const std::string& key) {
    const auto* value = value_at(toml, "bath." + key);
    const auto* list = value != nullptr ? std::get_if<TomlArray>(&value->data) : nullptr;
    return list != nullptr ? *list : TomlArray{};
  };
  const auto check_site = [&](const TomlValue& value, const std::string& path) {
    const auto* site = std::get_if<std::int64_t>(&value.data);
    if (site == nullptr || *site <= 0 || *site >= lattice->sites() - 1) return;
    tell(
        root, path,
        fmt::format("site {} is inside the chain and has no place in the other lengths of steady.sizes; give "
                    "site 0, site {}, or a face",
                    *site, lattice->sites() - 1));
  };
  const auto check_table = [&](const TomlValue& value, const std::string& path) {
    const auto* table = std::get_if<TomlTable>(&value.data);
    if (table == nullptr) return;
    if (table->find("bonds") != nullptr) tell(root, path + ".bonds", remedy);
    if (const auto* site = table->find("site")) check_site(site->value, path + ".site");
    const auto* entry = table->find("sites");
    const auto* sites = entry != nullptr ? std::get_if<TomlArray>(&entry->value.data) : nullptr;
    for (std::size_t k = 0; sites != nullptr && k < sites->size(); ++k)
      check_site((*sites)[k], fmt::format("{}.sites[{}]", path, k));
  };
  for (const std::string key : {"reservoir", "jump"}) {
    const TomlArray list = tables(key);
    for (std::size_t r = 0; r < list.size(); ++r) check_table(list[r], fmt::format("bath.{}[{}]", key, r));
  }
}

void check_matrix_elements(const CheckedTable& root, const Draft& draft) {
  if (!draft.job.matrix_elements || !draft.interaction) return;
  if (draft.job.interaction_kind == InteractionKind::well) return;
  tell(root, "matrix-elements",
       "needs the wells that the elements belong to; set interaction.kind = \"well\" and add "
       "[interaction.well]");
}

}  // namespace

void check_requests(const CheckedTable& root, const Draft& draft) {
  check_something_asked(root);
  check_needed_tables(root);
  if (draft.bath.correlation) check_correlation(root, draft.job);
  check_exact(root, draft);
  check_kernel_asks(root, draft.job);
  check_broadening(root, draft);
  check_heat(root, draft);
  check_steady(root, draft);
  check_steady_sizes(root, draft);
  check_matrix_elements(root, draft);
}

}  // namespace qheat::jobfile
