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
  if (job.interaction_kind == InteractionKind::random_bands) {
    missing.add("interaction.kind", "draw random bands", "use exchange, xy or matrix");
  }
  if (job.interaction_kind == InteractionKind::well) {
    missing.add("interaction.kind", "compute the interaction of wells",
                "list its elements with kind = \"matrix\"");
  }
  if (job.detuning.realizations > 1) {
    missing.add("site.detuning.realizations", "average over realizations",
                "set realizations = 1 and vary seed");
  }
}

void kernel(Missing& missing, const Job& job) {
  if (!job.kernel) return;
  if (job.kernel->exact) missing.add("kernel.exact", "compute the exact kernel", "set exact = false");
  for (std::size_t i = 0; i < job.kernel->orders.size(); ++i) {
    const int order = job.kernel->orders[i];
    if (order == 2) continue;
    missing.add(fmt::format("kernel.orders[{}]", i), fmt::format("compute order {}", order),
                "set orders = [2]");
  }
  if (job.kernel->memory) missing.add("kernel.memory", "compute the memory kernel", "set memory = false");
  if (job.kernel->markov) missing.add("kernel.markov", "compute the Markov kernel", "set markov = false");
}

void rates(Missing& missing, const Job& job) {
  if (!job.rates) return;
  for (std::size_t i = 0; i < job.rates->kernels.size(); ++i) {
    const auto& name = job.rates->kernels[i];
    if (name == "tcl2") continue;
    missing.add(fmt::format("rates.kernels[{}]", i),
                fmt::format("solve rate equations with the kernel {}", name), "set kernels = [\"tcl2\"]");
  }
}

bool asks_tcl2(const Job& job) {
  const auto has = [](const auto& list, const auto& wanted) {
    return std::find(list.begin(), list.end(), wanted) != list.end();
  };
  return (job.kernel && has(job.kernel->orders, 2)) || (job.rates && has(job.rates->kernels, "tcl2"));
}

void second_order(Missing& missing, const Job& job, const Bath& bath) {
  if (!asks_tcl2(job)) return;
  if (!bath.reservoirs.empty()) {
    missing.add("bath.reservoir", "compute second-order kernels with reservoirs", "remove the reservoirs");
  }
  if (bath.correlation) {
    missing.add("bath.correlation", "compute kernels from a bath correlation function",
                "use dephasing instead");
  }
}

void others(Missing& missing, const Job& job) {
  if (job.steady) missing.add("steady", "compute steady states", "remove [steady]");
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
  kernel(missing, job);
  rates(missing, job);
  second_order(missing, job, bath);
  others(missing, job);
  return missing.sentences();
}

}  // namespace qheat::jobfile
