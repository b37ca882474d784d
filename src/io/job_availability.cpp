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
  if (job.detuning.realizations > 1 && job.rates && !job.initial_temperatures.empty()) {
    missing.add("site.detuning.realizations",
                "solve rate equations of averages over realizations that start in different thermal states",
                "remove [rates], or start with kind = \"product\"");
  }
}

void kernels(Missing& missing, const Job& job, const Bath& bath) {
  if (bath.only_dephasing()) return;
  const std::string with = bath.reservoirs.empty() ? "jumps" : "reservoirs";
  const std::string remedy = "use tcl2 or the exact kernel, or remove the " + with;
  const std::string markov = "compute Markov kernels with " + with;
  if (job.kernel && job.kernel->markov) missing.add("kernel.markov", markov, remedy);
  for (std::size_t i = 0; job.rates && i < job.rates->kernels.size(); ++i) {
    if (job.rates->kernels[i] == KernelId::markov())
      missing.add(fmt::format("rates.kernels[{}]", i), markov, remedy);
  }
  const bool any_order = (job.kernel && !job.kernel->orders.empty()) ||
                         (job.rates && std::any_of(job.rates->kernels.begin(), job.rates->kernels.end(),
                                                   [](KernelId id) { return id.order > 0; }));
  const std::string no_order = "set orders = [] and use the exact kernel";
  if (any_order && job.detuning.realizations > 1) {
    missing.add("site.detuning.realizations",
                fmt::format("average perturbative kernels with {} over realizations of the detuning", with),
                no_order + ", or set realizations = 1");
  }
  const bool on_bonds =
      std::any_of(bath.jumps.begin(), bath.jumps.end(), [](const Jump& j) { return j.sites.size() > 1; });
  if (any_order && on_bonds && job.model && job.model->site.bands() < job.model->levels()) {
    missing.add("bath.jump", "compute perturbative kernels with jumps on bonds and bands of several levels",
                no_order + ", or leave out site.bands");
  }
}

void others(Missing& missing, const Job& job) {
  if (job.spectrum && job.detuning.realizations > 1) {
    missing.add("spectrum", "average spectra over realizations", "set realizations = 1");
  }
  if (job.steady && job.detuning.realizations > 1) {
    missing.add("steady", "average steady states over realizations", "set realizations = 1");
  }
}

}  // namespace

std::vector<std::string> unavailable_computations(const Job& job, const Bath& bath, const TomlTable& root) {
  Missing missing(job.name, root);
  model(missing, job);
  kernels(missing, job, bath);
  others(missing, job);
  return missing.sentences();
}

}  // namespace qheat::jobfile
