#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qheat/evolution/exact.hpp"
#include "qheat/fluctuations/equilibrium.hpp"
#include "qheat/heat/heat_equation.hpp"
#include "qheat/kernel/kernel_id.hpp"
#include "qheat/model/broadening.hpp"
#include "qheat/model/detuning.hpp"
#include "qheat/model/initial_state.hpp"
#include "qheat/model/model.hpp"
#include "qheat/model/units.hpp"
#include "qheat/operators/energy_currents.hpp"
#include "qheat/steady/steady.hpp"
#include "qheat/transport/diffusion_route.hpp"
#include "qheat/wells/pair_potential.hpp"
#include "qheat/wells/well_elements.hpp"

namespace qheat {

enum class InteractionKind { exchange, xy, matrix, random_bands, well };

/// [interaction.well]: matrix elements of V(x1 - x2) between the states of neighbouring wells (Eqs. 19, 20).
struct WellRequest {
  Well well;
  PairPotential potential;                ///< with its screening alpha f(T)
  std::string potential_text = "linear";  ///< delta | linear | quadratic | inverse | an expression of r
  std::vector<double> rows_r, rows_v;     ///< of a table, else empty
  double direct = 1.0;                    ///< l1
  double exchange = 0.0;                  ///< l2
  double alpha = 0.0;
  std::string law = "T";        ///< f, an expression of T
  double temperature = 0.0;     ///< 0: not given
  bool by_temperature = false;  ///< the potential depends on it
};

/// Equally spaced output times from 0 to end, both included.
struct TimeGrid {
  double end = 0.0;
  int outputs = 1;

  std::vector<double> times() const;
};

/// [spectrum]: eigenstates from one end of the spectrum of H.
struct SpectrumRequest {
  int states = 6;
  bool highest = false;  ///< from the highest energy downwards
  double tolerance = 1e-10;
};

struct KernelRequest {
  bool exact = true;
  std::vector<int> orders = {2};
  bool memory = false;
  bool markov = false;
  std::optional<Broadening> broadening;  ///< density of the mismatch for the Markov kernel
  std::int64_t store_limit = 1000;
};

struct RatesRequest {
  std::vector<KernelId> kernels;  ///< in the order of the job
  double tolerance = 1e-9;
};

struct SteadyRequest {
  SteadyMethod method = SteadyMethod::automatic;
  std::vector<int> sizes;          ///< lengths of the chain, ascending; empty: the lattice as it is
  std::vector<double> rates;       ///< factors of all reservoir rates that are compared; empty: 1
  std::vector<double> dephasings;  ///< compared, instead of the bath's own; empty: that one
  double tolerance = 1e-10;
  SiteEnergy energy = SiteEnergy::levels;  ///< full: that one is measured, too
  std::vector<Model> models;               ///< one a size; empty: the job's model
};

struct TransportRequest {
  std::vector<TransportRoute> routes;  ///< to D
  /// Routes from fluctuations that a job did not choose and that cannot be taken, and why.
  std::vector<std::pair<TransportRoute, std::string>> left_out;
  Equilibrium equilibrium;
  SiteEnergy energy = SiteEnergy::levels;
  std::vector<int> sources;  ///< sites whose excess is followed
  int samples = 0;           ///< random states; 0: as many as `accuracy` takes, or all states
  double accuracy = 1e-2;    ///< wanted standard error of D(t), relative
  std::uint64_t seed = 1;
  bool memory = false;               ///< Mori's memory kernel of the sites
  std::optional<Model> shorter;      ///< the model with fewer sites along the first axis, to compare with
  std::vector<double> temperatures;  ///< of kappa(T)

  /// True if a route needs equilibrium correlations.
  bool follows_fluctuations() const { return std::any_of(routes.begin(), routes.end(), from_fluctuations); }
  bool takes(TransportRoute route) const {
    return std::find(routes.begin(), routes.end(), route) != routes.end();
  }
};

struct MatrixElementsRequest {
  int levels = 20;      ///< of each well
  bool tensor = false;  ///< all elements <ab|V|cd>
};

/// A number of [heat]: one for all cells, a list, an expression, or a table over the temperature.
struct HeatValue {
  double number = 0.0;
  std::vector<double> list{};          ///< one a cell; conductivity: one a bond
  std::string expression{};            ///< of T, x, y, z (initial: x, y, z); empty: none
  std::vector<double> temperatures{};  ///< ascending, of a table; empty: none
  std::vector<double> values{};        ///< there

  /// True if it may be another one at another temperature.
  bool may_depend_on_temperature() const { return !expression.empty() || !temperatures.empty(); }
};

/// [heat]: the continuum equation (Eqs. 11, 12) on lattice.shape.
struct HeatRequest {
  HeatValue conductivity{.number = 1.0};
  HeatValue capacity{.number = 1.0};
  HeatValue source;
  HeatValue initial;
  std::array<FaceCondition, 6> faces{};  ///< x-, x+, y-, y+, z-, z+; those that are not named are insulated
  bool steady = false;
  double tolerance = 1e-8;
};

/// What a job file asks for. Every value is checked; defaults are filled in.
struct Job {
  std::string name;  ///< the job file's name as given
  std::string text;  ///< the job file's text, byte for byte
  std::string title;
  std::optional<UnitSystem>
      units;  ///< of energy and length; every number is in program units, with or without

  std::optional<Lattice> lattice;
  std::optional<Model>
      model;  ///< realisation 0; absent if the job has no [site] or its interaction cannot be built yet
  InteractionKind interaction_kind = InteractionKind::exchange;
  double anisotropy = 1.0;  ///< of exchange
  bool oriented = false;    ///< of matrix
  std::uint64_t interaction_seed = 1;
  std::optional<WellRequest> well;
  Detuning detuning;
  std::optional<InitialState> initial;       ///< of realisation 0
  std::vector<double> initial_temperatures;  ///< one a site, of a thermal state; empty: a product state
  std::optional<TimeGrid> time;

  std::optional<ExactOptions> exact;
  std::optional<SpectrumRequest> spectrum;
  std::optional<KernelRequest> kernel;
  std::optional<RatesRequest> rates;
  std::optional<SteadyRequest> steady;
  std::optional<TransportRequest> transport;
  std::optional<MatrixElementsRequest> matrix_elements;
  std::optional<HeatRequest> heat;

  std::filesystem::path output;       ///< results file
  double checkpoint_interval = 600.;  ///< seconds of wall time between checkpoints
  bool keep_state = false;            ///< the last state stays beside the results, for a longer run

  /// Computations the job asks for that this version does not have, each a sentence with its place in the
  /// file.
  std::vector<std::string> unavailable;
};

/// Reads and checks a job file. Throws InputError with all problems in order of their place, each as
/// "file:line:column: key: what is wrong; remedy".
Job read_job(const std::filesystem::path& file);
/// The same for a text; `name` stands for the file in messages. A text with [sweep] stands for many jobs
/// (sweep.hpp), and is refused here.
Job parse_job(std::string text, const std::string& name);

/// The text of a job in one form, without its title, its times and its output: what must be the same for a
/// run to be extended to a later end.
std::string text_without_times(const std::string& job_text);

/// What is wrong with the name of a results file, and the remedy; empty if nothing is.
std::string results_name_problem(const std::string& name);

/// Wall time such as "90", "10m", "3h50m", "1d2h", "3:50:00" (h:m:s) in seconds. Throws InputError.
double parse_duration(const std::string& text);

}  // namespace qheat
