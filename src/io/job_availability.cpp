#include <fmt/format.h>

#include <algorithm>

#include "io/job_sections.hpp"

// What a job file may ask for and this version does not compute. When a computation arrives, its sentence
// goes.

namespace qheat::jobfile {
namespace {

class Missing {
 public:
  Missing(const std::string& file, const TomlTable& root) : root_(root), found_(file) {}

  /// `what` completes "this version does not ...".
  void add(const std::string& path, std::string_view what, std::string_view remedy) {
    found_.add(place_of(root_, path), path, fmt::format("this version does not {}; {}", what, remedy));
  }
  std::vector<std::string> sentences() const { return found_.sentences(); }

 private:
  const TomlTable& root_;
  Problems found_;
};

void model(Missing& missing, const Job& job) {
  if (job.interaction_kind == InteractionKind::well) {
    missing.add("interaction.kind", "compute the interaction of wells",
                "list its elements with kind = \"matrix\"");
  }
  if (job.detuning.realizations > 1 && job.rates && !job.initial_temperatures.empty()) {
    missing.add("site.detuning.realizations",
                "solve rate equations of averages over realizations that start in different thermal states",
                "remove [rates], or start with kind = \"product\"");
  }
}

/// Kernels from the exact or perturbative dynamics of a closed system.
bool needs_closed_system(const std::string& kernel) {
  return kernel != "tcl2" && kernel != "markov";
}

void kernel(Missing& missing, const Job& job, const Bath& bath) {
  const bool open = bath.dephasing > 0.0 || !bath.reservoirs.empty();
  const std::string what = "of open systems";
  const std::string remedy = "remove dephasing and reservoirs from [bath]";
  if (job.kernel) {
    if (job.kernel->exact && open) {
      missing.add("kernel.exact", "compute the exact kernel " + what, "set exact = false, or " + remedy);
    }
    for (std::size_t i = 0; open && i < job.kernel->orders.size(); ++i) {
      const int order = job.kernel->orders[i];
      if (order == 2) continue;
      missing.add(fmt::format("kernel.orders[{}]", i), fmt::format("compute order {} {}", order, what),
                  "set orders = [2], or " + remedy);
    }
    if (job.kernel->memory && open) {
      missing.add("kernel.memory", "compute the memory kernel " + what, "set memory = false, or " + remedy);
    }
  }
  for (std::size_t i = 0; job.rates && i < job.rates->kernels.size(); ++i) {
    const auto& name = job.rates->kernels[i];
    const std::string path = fmt::format("rates.kernels[{}]", i);
    if (open && needs_closed_system(name)) {
      missing.add(path, fmt::format("compute the kernel {} {}", name, what), "use \"tcl2\", or " + remedy);
    }
  }
}

bool asks_tcl2(const Job& job) {
  const auto has = [](const auto& list, const auto& wanted) {
    return std::find(list.begin(), list.end(), wanted) != list.end();
  };
  return (job.kernel && has(job.kernel->orders, 2)) || (job.rates && has(job.rates->kernels, "tcl2"));
}

void second_order(Missing& missing, const Job& job, const Bath& bath) {
  if (asks_tcl2(job) && !bath.reservoirs.empty()) {
    missing.add("bath.reservoir", "compute second-order kernels with reservoirs", "remove the reservoirs");
  }
  const bool kernels = job.kernel || job.rates;
  if (kernels && job.detuning.realizations > 1 && (bath.correlation || bath.dephasing > 0.0)) {
    missing.add("site.detuning.realizations", "average kernels in a bath over realizations",
                "set realizations = 1");
  }
}

void others(Missing& missing, const Job& job) {
  if (job.spectrum && job.detuning.realizations > 1) {
    missing.add("spectrum", "average spectra over realizations", "set realizations = 1");
  }
  if (job.steady && job.detuning.realizations > 1) {
    missing.add("steady", "average steady states over realizations", "set realizations = 1");
  }
  if (job.transport) missing.add("transport", "compute transport coefficients", "remove [transport]");
  if (job.matrix_elements) {
    missing.add("matrix-elements", "compute matrix elements of wells", "remove [matrix-elements]");
  }
  if (job.heat) missing.add("heat", "solve the heat equation", "remove [heat]");
}

}  // namespace

std::vector<std::string> unavailable_computations(const Job& job, const Bath& bath, const TomlTable& root) {
  Missing missing(job.name, root);
  model(missing, job);
  kernel(missing, job, bath);
  second_order(missing, job, bath);
  others(missing, job);
  return missing.sentences();
}

}  // namespace qheat::jobfile
