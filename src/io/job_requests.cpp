#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "io/job_sections.hpp"
#include "io/number_range.hpp"

namespace qheat::jobfile {
namespace {

constexpr int kMaxInt = std::numeric_limits<int>::max();
constexpr int kMaxOutputs = 10'000'000;
constexpr double kLongestInterval = 1e9;

/// Iterations stop at such tolerances: rounding lies below, nonsense above.
NumberRule solver_tolerance() {
  return NumberRule::between(1e-14, 1e-2);
}

/// A problem for each entry that has come before.
template <class T>
void check_no_repeats(const CheckedTable& table, const std::string& key, const std::vector<T>& values) {
  std::set<T> seen;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool repeated = !seen.insert(values[i]).second;
    if (repeated) table.problem(key, i, fmt::format("{} is listed twice; remove one", values[i]));
  }
}

/// A problem for each entry below the one before.
void check_ascends(const CheckedTable& table, const std::string& key, const std::vector<int>& values) {
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] >= values[i - 1]) continue;
    table.problem(key, i, fmt::format("{} comes after {}; sort them", values[i], values[i - 1]));
  }
}

void read_time(CheckedTable& root, Draft& draft) {
  auto table = root.table("time");
  if (!table) return;
  TimeGrid time;
  const bool end_good =
      table->require("end", "end = 50.0") && table->number("end", time.end, NumberRule::not_negative());
  const bool outputs_good =
      table->require("outputs", "outputs = 101") && table->integer("outputs", time.outputs, {1, kMaxOutputs});
  if (end_good && outputs_good && time.end > 0.0 && time.outputs < 2) {
    table->problem("outputs", "one output time cannot be both 0 and end; give at least 2, or end = 0");
  }
  if (end_good && outputs_good && time.end == 0.0 && time.outputs > 1) {
    table->problem("outputs", "with end = 0 there is a single output time; set outputs = 1, or a later end");
  }
  table->report_unknown_keys();
  draft.job.time = time;
}

void read_exact(CheckedTable& root, Draft& draft) {
  using Method = ExactMethod;
  auto table = root.table("exact");
  if (!table) return;
  auto& exact = draft.job.exact.emplace();
  table->choice("method", exact.method,
                {{"auto", Method::automatic},
                 {"diagonalize", Method::diagonalize},
                 {"krylov", Method::krylov},
                 {"chebyshev", Method::chebyshev},
                 {"runge-kutta", Method::runge_kutta},
                 {"implicit", Method::implicit}});
  table->number("tolerance", exact.tolerance, solver_tolerance());
  table->integer("samples", exact.samples, {0, kMaxInt});
  table->integer("seed", exact.seed, {.lowest = 0});
  table->choice("energy", exact.full_energy, {{"levels", false}, {"full", true}});
  table->report_unknown_keys();
}

void read_spectrum(CheckedTable& root, Draft& draft) {
  auto table = root.table("spectrum");
  if (!table) return;
  constexpr int kMostStates = 10000;
  auto& spectrum = draft.job.spectrum.emplace();
  table->integer("states", spectrum.states, {1, kMostStates});
  table->choice("end", spectrum.highest, {{"lowest", false}, {"highest", true}});
  table->number("tolerance", spectrum.tolerance, solver_tolerance());
  table->report_unknown_keys();
}

void read_broadening(CheckedTable& table, KernelRequest& kernel) {
  using Shape = Broadening::Shape;
  Broadening broadening;
  if (table.number("broadening", broadening.width, NumberRule::positive())) kernel.broadening = broadening;
  const bool has_shape = table.choice(
      "broadening_shape", broadening.shape,
      {{"lorentzian", Shape::lorentzian}, {"gaussian", Shape::gaussian}, {"uniform", Shape::uniform}});
  if (has_shape && !table.has("broadening")) {
    table.problem("broadening_shape", "has no width; add for example broadening = 0.1, or remove it");
  }
  if (kernel.broadening) kernel.broadening->shape = broadening.shape;
}

void read_kernel(CheckedTable& root, Draft& draft) {
  auto table = root.table("kernel");
  if (!table) return;
  auto& kernel = draft.job.kernel.emplace();
  table->boolean("exact", kernel.exact);
  if (table->integers("orders", kernel.orders, {1, KernelId::kHighestOrder}, {})) {
    check_no_repeats(*table, "orders", kernel.orders);
  }
  table->boolean("memory", kernel.memory);
  table->boolean("markov", kernel.markov);
  read_broadening(*table, kernel);
  table->integer("store_limit", kernel.store_limit, {.lowest = 0});
  table->report_unknown_keys();
}

std::vector<KernelId> kernels_named(const CheckedTable& table, const std::vector<std::string>& names) {
  std::vector<std::string> known = {"exact", "memory", "markov"};
  for (int order = 1; order <= KernelId::kHighestOrder; ++order) known.push_back(KernelId::tcl(order).name());
  std::vector<KernelId> kernels;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto id = KernelId::from_name(names[i]);
    if (!id) table.problem("kernels", i, unknown_word("kernel", names[i], known));
    kernels.push_back(id.value_or(KernelId::tcl(2)));  // in the place of an unknown one: allowed everywhere
  }
  return kernels;
}

void read_rates(CheckedTable& root, Draft& draft) {
  auto table = root.table("rates");
  if (!table) return;
  auto& rates = draft.job.rates.emplace();
  std::vector<std::string> names;
  const std::string example = "kernels = [\"tcl2\"]";
  const Length some{1, std::numeric_limits<std::size_t>::max(), "such as " + example};
  if (table->require("kernels", example) && table->texts("kernels", names, some)) {
    rates.kernels = kernels_named(*table, names);
    check_no_repeats(*table, "kernels", names);
  }
  table->number("tolerance", rates.tolerance, NumberRule::between(1e-13, 1e-2));
  table->report_unknown_keys();
}

void read_steady(CheckedTable& root, Draft& draft) {
  auto table = root.table("steady");
  if (!table) return;
  using Method = SteadyMethod;
  auto& steady = draft.job.steady.emplace();
  table->choice("method", steady.method,
                {{"auto", Method::automatic},
                 {"direct", Method::direct},
                 {"iterative", Method::iterative},
                 {"two-point", Method::two_point}});
  const Length some{1, std::numeric_limits<std::size_t>::max(),
                    "such as sizes = [4, 6, 8], rates = [0.5, 1, 2]"};
  if (table->integers("sizes", steady.sizes, {2, kMaxSites}, some)) {
    check_no_repeats(*table, "sizes", steady.sizes);
    check_ascends(*table, "sizes", steady.sizes);
  }
  if (table->numbers("rates", steady.rates, NumberRule::positive(), some)) {
    check_no_repeats(*table, "rates", steady.rates);
    if (!table->has("sizes")) {
      table->problem("rates", "compares fits over several sizes; add for example sizes = [4, 6, 8]");
    }
  }
  const Length listed{1, std::numeric_limits<std::size_t>::max(), "such as dephasings = [0, 0.1, 0.5]"};
  if (table->numbers("dephasings", steady.dephasings, NumberRule::not_negative(), listed)) {
    check_no_repeats(*table, "dephasings", steady.dephasings);
  }
  table->number("tolerance", steady.tolerance, solver_tolerance());
  table->choice("energy", steady.energy, {{"levels", SiteEnergy::levels}, {"full", SiteEnergy::full}});
  if (steady.method == Method::two_point && steady.energy == SiteEnergy::full)
    table->problem("energy",
                   "\"full\" needs the density matrix, which two-point functions do not have; use method = "
                   "\"auto\", or energy = \"levels\"");
  table->report_unknown_keys();
}

void read_matrix_elements(CheckedTable& root, Draft& draft) {
  auto table = root.table("matrix-elements");
  if (!table) return;
  auto& request = draft.job.matrix_elements.emplace();
  table->integer("levels", request.levels, {1, WellElements::kMostLevels});
  table->boolean("tensor", request.tensor);
  table->report_unknown_keys();
}

void read_checkpoint_interval(CheckedTable& table, double& seconds) {
  const std::string key = "checkpoint";
  const auto* entry = table.toml().find(key);
  const bool is_text = entry != nullptr && std::holds_alternative<std::string>(entry->value.data);
  if (!is_text) {
    table.number(key, seconds, {.lowest = 0.0, .highest = kLongestInterval, .above_lowest = true});
    return;
  }
  std::string duration;
  table.text(key, duration);
  const auto parsed = build_or_tell(table, key, "", [&] { return parse_duration(duration); });
  if (parsed && *parsed > 0.0) seconds = *parsed;
  if (parsed && *parsed == 0.0) {
    table.problem(key, "no time lies between checkpoints; give for example \"10m\"");
  }
}

}  // namespace

const std::vector<Computation>& computations() {
  static const std::vector<Computation> list = {
      {"exact", read_exact, {"lattice", "site", "interaction", "initial", "time"}},
      {"spectrum", read_spectrum, {"lattice", "site", "interaction", "initial"}},
      {"kernel", read_kernel, {"lattice", "site", "interaction", "time"}},
      {"rates", read_rates, {"lattice", "site", "interaction", "initial", "time"}},
      {"steady", read_steady, {"lattice", "site", "interaction", "bath"}},
      {"transport", read_transport, {"lattice", "site", "interaction"}},
      {"matrix-elements", read_matrix_elements, {"interaction"}},
      {"heat", read_heat, {"lattice"}}};
  return list;
}

void read_requests(CheckedTable& root, Draft& draft) {
  read_time(root, draft);
  for (const Computation& computation : computations()) computation.read(root, draft);
}

void read_output(CheckedTable& root, Draft& draft) {
  auto& job = draft.job;
  job.output = std::filesystem::path(job.name).stem().concat(".h5");
  std::string file;
  auto table = root.table("output");
  if (table) {
    if (table->text("file", file)) {
      const std::string problem = results_name_problem(file);
      if (problem.empty()) {
        job.output = file;
      } else {
        table->problem("file", problem);
      }
    }
    read_checkpoint_interval(*table, job.checkpoint_interval);
    table->boolean("keep_state", job.keep_state);
    table->report_unknown_keys();
  }
  if (job.output.lexically_normal() == std::filesystem::path(job.name).lexically_normal()) {
    (table ? *table : root)
        .problem("the results would overwrite the job file; set output.file to another name");
  }
}

}  // namespace qheat::jobfile
