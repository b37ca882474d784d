#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/job_schema.hpp"
#include "qheat/io/job.hpp"

namespace qheat::jobfile {

/// One number a site and level is held by every rank; more than this is a slip of the pen.
constexpr int kMaxSites = 1 << 20;
constexpr int kMaxSitesTimesLevels = 1 << 24;
/// The elements between wells of M levels are M^4 on every rank.
constexpr int kMaxWellLevels = 32;

struct InteractionDraft {
  std::optional<PairInteraction> pair;  ///< absent where this version cannot build it
  double strength = 0.0;
  std::vector<double> couplings;  ///< empty: all 1
  std::vector<OnsiteElement> onsite;
};

struct InitialDraft {
  enum class Kind { product, thermal };

  Kind kind = Kind::product;
  std::vector<int> levels;
  bool pure_in_band = false;
  std::vector<double> temperatures;
};

/// A job while it is read. A part that is not in the file, or is wrong, is absent; checks that need it are
/// left out.
struct Draft {
  Job job;
  std::optional<int> sites;  ///< known from lattice.shape even if the rest of [lattice] is wrong
  std::optional<Site> site;
  std::vector<double> energies;  ///< of realisation 0, [N][M]; empty if sites or site is absent
  std::optional<InteractionDraft> interaction;
  Bath bath;
  bool reservoirs_listed = false;  ///< in the file, right or wrong
  bool jumps_listed = false;       ///< likewise
  std::optional<InitialDraft> initial;
  int transport_smaller = 0;      ///< transport.smaller, if it is given
  bool transport_sector = false;  ///< transport.ensemble = "sector"

  Length one_a_site() const;
};

/// A table that asks for a computation: its reader, and the tables that it needs.
struct Computation {
  std::string_view table;
  void (*read)(CheckedTable& root, Draft& draft);
  std::vector<std::string_view> needs;
};
/// In the order in which they are done.
const std::vector<Computation>& computations();

/// Each reads one table of the job, if it is there, and tells everything that is wrong with it. In this
/// order: later ones check against what earlier ones found.
void read_lattice(CheckedTable& root, Draft& draft);
void read_site(CheckedTable& root, Draft& draft);
void read_interaction(CheckedTable& root, Draft& draft);
/// [interaction.well]; a potential that is wrong is told, and V(r) = |r| in its place. `job`: name of the job
/// file, beside which potential_file lies.
WellRequest read_well(CheckedTable& table, const std::string& job);
/// V (l1 + l2 E), its Hermitian part, between the lowest `levels` levels of the wells of the draft; problems
/// to `table`.
std::optional<PairInteraction> build_well_interaction(const CheckedTable& table, int levels,
                                                      const Draft& draft);
void read_bath(CheckedTable& root, Draft& draft);
/// One table of [[bath.jump]]; `kernels`: the job asks for some.
void read_jump(CheckedTable& table, bool kernels, Draft& draft);
void read_initial(CheckedTable& root, Draft& draft);
void read_requests(CheckedTable& root, Draft& draft);
void read_output(CheckedTable& root, Draft& draft);

/// What concerns several tables: what a computation needs, and what excludes it.
void check_requests(const CheckedTable& root, const Draft& draft);

/// Model and initial state of a draft without problems.
void assemble_model(Draft& draft);

/// Models of the lengths in steady.sizes, and whether the two-point functions close if steady.method asks for
/// them; problems to `problems`.
void complete_steady(const TomlTable& root, Draft& draft, Problems& problems);

void read_heat(CheckedTable& root, Draft& draft);
void read_transport(CheckedTable& root, Draft& draft);
/// Sector, sources and routes that [transport] leaves to the model, and what stands against those that it
/// names; problems to `problems`.
void complete_transport(const TomlTable& root, Draft& draft, Problems& problems);

/// The model of these tables with some keys set to other values, without its requests; problems to
/// `problems`.
std::optional<Model> model_with(const TomlTable& root, const Assignments& changes, Problems& problems);

/// Computations that this version does not have, as sentences with their place.
std::vector<std::string> unavailable_computations(const Job& job, const Bath& bath, const TomlTable& root);

/// The job that these tables are. Throws InputError with all problems.
Job job_of(const TomlTable& toml, std::string text, const std::string& name);

/// End of a lattice along one axis.
struct Face {
  int axis = 0;
  bool upper = false;
};

/// Reads "x-", "z+", ...; a problem at `key` if the lattice has no such face or is periodic there.
std::optional<Face> face_named(const std::string& name, const std::optional<Lattice>& lattice,
                               const CheckedTable& table, const std::string& key);
std::vector<int> sites_of_face(const Lattice& lattice, const Face& face);
const std::vector<std::string>& face_names();

}  // namespace qheat::jobfile
