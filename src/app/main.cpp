#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <optional>
#include <sstream>

#include "app/commands.hpp"
#include "app/guard.hpp"
#include "app/output_file.hpp"
#include "io/console.hpp"
#include "io/hdf5_file.hpp"
#include "qheat/io/job.hpp"
#include "qheat/parallel/environment.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/launcher.hpp"

namespace qheat::app {
namespace {

struct CommandLine {
  RunArguments run;
  std::optional<std::string> max_time;
  std::optional<std::string> out;
  std::optional<std::string> point;
  std::string job;
  std::string results;
  std::optional<std::string> folder;
  bool csv = false;
  std::vector<std::string> pictured;  ///< results files of `plot`
  std::vector<std::string> plot_arguments;
  std::vector<std::string> petsc_options;  ///< behind "--"
};

/// Splits off what stands behind "--": those are PETSc's options.
std::vector<std::string> words_before_dashes(int argc, char** argv, CommandLine& line) {
  std::vector<std::string> words;
  bool behind = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!behind && word == "--") {
      behind = true;
    } else {
      (behind ? line.petsc_options : words).push_back(word);
    }
  }
  return words;
}

/// Options that go to the picture maker as they are.
void add_plot_options(CLI::App& plot, std::vector<std::string>& arguments) {
  const auto pass_on = [&](const char* names, const char* word, const char* meaning) {
    plot.add_option_function<std::string>(
        names,
        [&arguments, word](const std::string& value) {
          arguments.push_back(fmt::format("{}={}", word, value));
        },
        meaning);
  };
  pass_on("-o,--output", "--output", "folder of the pictures; default: <RESULT>_plots");
  pass_on("--only", "--only",
          "pictures to draw, such as kernel_rates,currents; default: all that the file allows");
  pass_on("--against", "--against", "of a sweep or several files: the key of the job along the x axis");
  pass_on("--point", "--point", "of a sweep: the pictures of this point alone");
  pass_on("--xlim", "--xlim", "range of the times shown, such as 0,20");
  pass_on("--ylim", "--ylim", "range of the other axis, such as -0.1,0.1");
  pass_on("--log", "--log", "logarithmic axes: x, y or xy");
  pass_on("--format", "--format", "png (default), svg, pdf, or a list such as png,svg");
  plot.add_flag_callback(
      "--svg", [&arguments] { arguments.emplace_back("--svg"); }, "SVG beside the PNG");
}

void add_commands(CLI::App& app, CommandLine& line) {
  app.require_subcommand(1);
  auto* run =
      app.add_subcommand("run", "Compute what a job file asks for (under mpirun or srun: on all ranks)");
  run->add_option("JOB", line.run.job, "job file (TOML)")->required();
  run->add_option("--out", line.out, "results file; default: as the job says");
  run->add_flag("--resume", line.run.resume, "go on from the checkpoint of an earlier run");
  run->add_option("--max-time", line.max_time,
                  "wall time after which to save and stop with exit code 75, such as 3h50m");
  run->add_option(
      "--point", line.point,
      "of a sweep: these points alone, 3/16 for the third of sixteen shares; `collect` puts all together");
  run->footer("PETSc options may follow after --");
  auto* check =
      app.add_subcommand("check", "Validate a job file; tell sizes, memory and sensible numbers of ranks");
  check->add_option("JOB", line.job, "job file (TOML)")->required();
  auto* collect =
      app.add_subcommand("collect", "Put the points of a sweep that --point has left into one file");
  collect->add_option("JOB", line.run.job, "job file (TOML)")->required();
  collect->add_option("--out", line.out, "results file; default: as the job says");
  auto* info = app.add_subcommand("info", "Tell what is in a results file");
  info->add_option("RESULT", line.results, "results file (HDF5)")->required();
  auto* plot = app.add_subcommand("plot", "Draw the pictures of a results file");
  plot->add_option("RESULT", line.pictured, "results file (HDF5); several: against what their jobs differ in")
      ->required();
  add_plot_options(*plot, line.plot_arguments);
  auto* tables = app.add_subcommand("export", "Write the numbers of a results file as tables");
  tables->add_option("RESULT", line.results, "results file (HDF5)")->required();
  tables->add_flag("--csv", line.csv, "comma-separated values, the one format so far")->required();
  tables->add_option("-o,--output", line.folder, "folder of the tables; default: <RESULT>_csv");
  app.add_subcommand("version", "Tell the versions of the program and its libraries");
}

/// What needs neither MPI nor PETSc to be started (login nodes have no MPI).
int run_alone(const CLI::App& app, const CommandLine& line, const std::string& program) {
  if (app.got_subcommand("version")) return version();
  if (app.got_subcommand("info")) return info(line.results);
  if (app.got_subcommand("export")) return export_tables(line.results, line.folder);
  std::vector<std::string> arguments = line.pictured;
  arguments.insert(arguments.end(), line.plot_arguments.begin(), line.plot_arguments.end());
  return plot(program, arguments);
}

/// True, and told by one of them, if this is one of several processes that MPI takes for a run each.
bool started_as_copies(const std::vector<LauncherClaim>& claims, const Communicator& comm) {
  const auto claim = unheard_claim(claims, comm.size());
  if (!claim) return false;
  if (claim->rank == 0) {
    fmt::print(
        stderr,
        "qheat: {0} = {1}, but MPI knows of one rank: {1} copies would each compute the whole job; {2}\n",
        claim->variable, claim->size, claim->remedy);
  }
  return true;
}

int run_on_ranks(const CLI::App& app, CommandLine& line, const Communicator& comm, double started) {
  if (app.got_subcommand("check")) return check(line.job, comm);
  if (line.out) line.run.out = checked_output(*line.out);
  if (app.got_subcommand("collect")) return collect(line.run, comm);
  if (line.point) line.run.share = parse_share(*line.point);
  if (line.max_time) {
    try {
      line.run.max_time = parse_duration(*line.max_time);
      if (line.run.max_time <= 0.0) throw InputError("a time above 0 is needed");
    } catch (const InputError& error) {
      throw InputError(fmt::format("--max-time: {}", error.what()));
    }
  }
  return run(line.run, started, comm);
}

int program(int argc, char** argv) {
  CommandLine line;
  CLI::App app("qheat: does Fourier's law follow from the exact quantum dynamics of a lattice?", "qheat");
  add_commands(app, line);
  auto words = words_before_dashes(argc, argv, line);
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  std::string message;
  int parsed = 0;
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    parsed = app.exit(error, out, err) == 0 ? 0 : kExitBadInput;
    message = out.str() + err.str();
  }
  const bool on_ranks =
      app.got_subcommand("run") || app.got_subcommand("check") || app.got_subcommand("collect");
  if (message.empty() && !on_ranks) {
    return guarded(nullptr, [&] { return run_alone(app, line, argv[0]); });
  }
  hdf5::prepare();
  const auto claims = launcher_claims();
  Environment environment(argc, argv);
  const double started = MPI_Wtime();
  const Communicator& comm = environment.world();
  if (!message.empty()) {
    const bool lost = comm.is_root() && !say(parsed == 0 ? stdout : stderr, message);
    return guarded(&comm, [&] {
      if (parsed == 0 && comm.any(lost)) throw Error(kOutputLost);
      return parsed;
    });
  }
  if (app.got_subcommand("run") && started_as_copies(claims, comm)) return kExitBadInput;
  const int code = guarded(&comm, [&] {
    environment.insert_petsc_options(line.petsc_options);
    return run_on_ranks(app, line, comm, started);
  });
  if (code == 0 && comm.is_root()) {
    for (const auto& option : environment.unused_petsc_options()) {
      say(stderr, fmt::format("qheat: warning: PETSc option {} was not used; is it spelt right?\n", option));
    }
  }
  return code;
}

}  // namespace
}  // namespace qheat::app

int main(int argc, char** argv) {
  try {
    qheat::prepare_process(argv);
    return qheat::app::program(argc, argv);
  } catch (const std::exception& error) {
    qheat::say(stderr, fmt::format("qheat: {}\n", error.what()));
    return qheat::app::kExitFailure;
  }
}
