#include "io/dataset_catalog.hpp"

#include <algorithm>
#include <array>

namespace qheat {
namespace {

constexpr auto kCatalog = std::to_array<DatasetEntry>({
    {"time", "time", "1/energy", "output times"},
    {"site", "site", "1", "number of a site, first axis fastest"},
    {"x", "site", "length", "place of a site along the first axis"},
    {"y", "site", "length", "place of a site along the second axis"},
    {"z", "site", "length", "place of a site along the third axis"},
    {"bond_x", "bond", "length", "middle of a bond along the first axis"},
    {"bond_y", "bond", "length", "middle of a bond along the second axis"},
    {"bond_z", "bond", "length", "middle of a bond along the third axis"},
    {"job", "", "1", "the job file"},
    {"model/site_energies", "site level", "energy", "energies of the levels of each site"},
    {"model/bonds", "bond end", "1", "first and second site of each bond"},
    {"model/couplings", "bond", "1", "relative strength of each bond"},
    {"model/reservoir_jumps", "reservoir gap direction", "energy",
     "rates of a reservoir's jumps up and down"},
    {"model/jump_sites", "jump end", "1", "sites on which a jump acts, -1 without a second one"},
    {"model/jump_rates", "jump", "energy", "rate of each jump"},

    {"exact/populations", "time site level", "1", "probability of each level of each site"},
    {"exact/energy", "time site", "energy", "level energy of each site"},
    {"exact/outflow", "time bond end", "energy^2",
     "energy that leaves the first, the second site through a bond"},
    {"exact/current", "time bond", "energy^2", "energy current from the first to the second site of a bond"},
    {"exact/norm", "time", "1", "norm or trace of the state"},
    {"exact/total_energy", "time", "energy", "energy with the interaction"},
    {"exact/truncation_error", "time", "1", "relative error of the state by truncation"},
    {"exact/smallest_population", "time", "1", "smallest diagonal element of the density matrix"},
    {"exact/hermiticity_error", "time", "1", "anti-Hermitian part of the density matrix"},
    {"exact/smallest_eigenvalue", "one", "1", "smallest eigenvalue of the density matrix at the last time"},

    {"kernel/cells", "cell site", "1", "band of each site in each cell"},
    {"kernel/*/generator", "time cell from_cell", "energy", "rate from a cell to a cell"},
    {"kernel/*/generator", "cell from_cell", "energy", "rate from a cell to a cell"},
    {"kernel/*/symmetry", "kernel_time", "1", "score: the kernel equals its transpose"},
    {"kernel/*/locality", "kernel_time", "1", "score: rates change one bond or one site"},
    {"kernel/*/additivity", "kernel_time", "1", "score: the kernel is a sum over bonds"},
    {"kernel/*/spectator_independence", "kernel_time", "1", "score: rates do not depend on other sites"},
    {"kernel/*/energy_conservation", "kernel_time", "1", "score: rates join cells of equal energy"},
    {"kernel/*/swap_fraction", "kernel_time", "1", "score: local rates are swaps"},
    {"kernel/*/level_independence", "kernel_time", "1", "score: swap rates do not depend on the bands"},
    {"kernel/*/negativity", "kernel_time", "1", "share of negative rates"},
    {"kernel/*/compared", "kernel_time score", "1", "elements behind each score"},
    {"kernel/*/bond_rate", "kernel_time bond", "energy", "mean swap rate of a bond"},
    {"kernel/*/error", "kernel_time", "1", "relative error of the kernel"},
    {"kernel/*/sampling_error", "kernel_time", "1",
     "relative error of the kernel by the number of realisations"},
    {"kernel/exact/condition", "time", "1", "condition number of the propagator"},
    {"kernel/exact/singular_times", "singular_time", "1/energy", "where the exact kernel diverges"},

    {"rates/*/populations", "time site band", "1",
     "probability of each band of each site, many-body equation"},
    {"rates/*/energy", "time site", "energy", "level energy of each site, many-body equation"},
    {"rates/*/deviation", "time", "1", "largest difference from the exact populations"},
    {"rates/memory/error", "one", "1", "error of a population by the memory equation"},
    {"sites/*/populations", "time site band", "1", "probability of each band of each site, site equation"},
    {"sites/*/energy", "time site", "energy", "level energy of each site, site equation"},
    {"sites/*/deviation", "time", "1", "largest difference from the exact populations"},
    {"sites/*/closure_error", "time", "1", "distance of the site equation from the exact populations"},

    {"spectrum/energies", "eigenstate", "energy", "energy of each eigenstate"},
    {"spectrum/residuals", "eigenstate", "energy", "norm of H psi - E psi"},
    {"spectrum/energy_group", "eigenstate", "1", "states with one number have one energy"},
    {"spectrum/partners_left_out", "", "1", "states with the energy of the last one that are not listed"},
    {"spectrum/all_partners_counted", "", "1", "1: all of them were looked for"},
    {"spectrum/band_counts", "eigenstate band", "1", "sites in each band"},
    {"spectrum/populations", "eigenstate site level", "1", "probability of each level of each site"},
    {"spectrum/energy", "eigenstate site", "energy", "level energy of each site"},
    {"spectrum/outflow", "eigenstate bond end", "energy^2", "energy that leaves the sites through a bond"},
    {"spectrum/current", "eigenstate bond", "energy^2", "energy current of a bond"},

    {"matrix_elements/level", "well_level", "1", "quantum number of each level"},
    {"matrix_elements/direct", "well_level other_well_level", "unit of V", "<ab|V|ba>, a in the first well"},
    {"matrix_elements/direct_error", "well_level other_well_level", "unit of V", "bound of its error"},
    {"matrix_elements/exchange", "well_level other_well_level", "unit of V",
     "<ab|V|ab>, a in the first well"},
    {"matrix_elements/exchange_error", "well_level other_well_level", "unit of V", "bound of its error"},
    {"matrix_elements/total", "well_level other_well_level", "unit of V",
     "l1 <ab|V|ba> + l2 <ab|V|ab>: the element that swaps a and b"},
    {"matrix_elements/error", "well_level other_well_level", "unit of V", "bound of the error of total"},
    {"matrix_elements/tensor", "well_level other_well_level to_level to_other_level", "unit of V",
     "<ab|V|cd>"},
    {"matrix_elements/spread", "one", "1",
     "standard deviation of |total| over pairs of different levels, over their mean"},
    {"matrix_elements/resonances", "resonance pair_level", "1",
     "quantum numbers a, b, c, d of pairs of levels with one energy"},
    {"matrix_elements/resonance_element", "resonance", "unit of V", "<ab|V|cd> of a resonance"},

    {"sweep/point", "point", "1", "number of a point of the sweep"},
    {"sweep/finished", "point", "1", "1 where there are results"},
    {"sweep/*", "point", "unit of the key", "value of a key at each point"},
    {"sweep/scalar/*", "point", "unit of its dataset", "number of each point"},
    {"sweep/scalar/*/*", "point", "unit of its dataset", "number of each point"},
    {"sweep/scalar/*/*/*", "point", "unit of its dataset", "number of each point"},
    {"sweep/scalar/*/*/*/*", "point", "unit of its dataset", "number of each point"},
    {"mean/points", "group", "1", "points in each mean"},
    {"mean/*", "group", "unit of the key", "value of a key in each group of points"},
    {"mean/scalar/*", "group", "unit of its dataset", "mean of the numbers of points"},
    {"mean/scalar/*/*", "group", "unit of its dataset", "mean of the numbers of points"},
    {"mean/scalar/*/*/*", "group", "unit of its dataset", "mean of the numbers of points"},
    {"mean/scalar/*/*/*/*", "group", "unit of its dataset", "mean of the numbers of points"},

    {"timing/peak_bytes", "rank", "byte", "largest resident set of each rank"},
    {"timing/*/seconds", "", "s", "time of a phase on the slowest rank"},
    {"timing/*/calls", "", "1", "how often a phase was entered"},
    {"timing/*/bytes_sent", "", "byte", "sent by all ranks in a phase"},
});

/// Of a steady state, below /steady and /steady/size_<N>.
constexpr auto kSteady = std::to_array<DatasetEntry>({
    {"site_energies", "site level", "energy", "energies of the levels of each site"},
    {"populations", "site level", "1", "probability of each level of each site"},
    {"energy", "site", "energy", "level energy of each site"},
    {"outflow", "bond end", "energy^2", "energy that leaves the sites through a bond"},
    {"current", "bond", "energy^2", "energy current of a bond"},
    {"temperature", "site", "energy", "local temperature"},
    {"heat", "reservoir", "energy^2", "from each reservoir into its site"},
    {"jump_heat", "jump end", "energy^2", "from each jump into its sites"},
    {"balance", "one", "1", "how far currents are from balancing the heats"},
    {"smallest_eigenvalue", "one", "1", "smallest eigenvalue of the density matrix"},
    {"entropy_production", "one", "energy", "Spohn's entropy production"},
    {"is_temperature", "site", "1", "1 where temperature is one"},
    {"diffusion", "bond", "length^2 energy", "D of each bond"},
    {"diffusion_error", "bond", "length^2 energy", "its error"},
    {"kappa", "bond", "length^2 energy", "heat conductivity of each bond, a site"},
    {"kappa_error", "bond", "length^2 energy", "its error"},
    {"planes/energy", "plane", "energy", "mean level energy of a plane across the axis"},
    {"planes/temperature", "plane", "energy", "mean temperature of a plane"},
    {"planes/current", "plane_step", "energy^2", "current to the next plane, a site"},
    {"planes/diffusion", "plane_step", "length^2 energy", "D of neighbouring planes"},
    {"planes/diffusion_error", "plane_step", "length^2 energy", "its error"},
    {"planes/kappa", "plane_step", "length^2 energy", "heat conductivity of neighbouring planes, a site"},
    {"planes/kappa_error", "plane_step", "length^2 energy", "its error"},
    {"planes/inside_diffusion", "one", "length^2 energy", "D of the inside"},
    {"planes/inside_diffusion_error", "one", "length^2 energy", "its error"},
    {"planes/inside_diffusion_spread", "one", "length^2 energy", "largest distance of a step from it"},
    {"planes/inside_kappa", "one", "length^2 energy", "heat conductivity of the inside, a site"},
    {"planes/inside_kappa_error", "one", "length^2 energy", "its error"},
    {"sizes", "size", "1", "lengths of the chains"},
    {"fit/rate", "variant", "1", "factor of the reservoirs' rates"},
    {"fit/dephasing", "variant", "energy", "dephasing"},
    {"fit/current", "variant size", "energy", "particle current"},
    {"fit/resistance", "variant size", "1/energy", "(f_L - f_R)/J"},
    {"fit/resistance_error", "variant size", "1/energy", "its error"},
    {"fit/contact_resistance", "variant", "1/energy", "of the line through the resistances"},
    {"fit/contact_resistance_error", "variant", "1/energy", "its standard error"},
    {"fit/conductivity", "variant", "energy", "of the line through the resistances: D/a^2"},
    {"fit/conductivity_error", "variant", "energy", "its standard error"},
    {"fit/deviation", "variant", "1", "largest distance of a resistance from the line, relative"},
    {"fit/diffusion", "variant size", "length^2 energy", "D inside the chain"},
    {"fit/kappa", "variant size", "length^2 energy", "heat conductivity inside the chain, a site"},
    {"fit/inside_diffusion_error", "variant size", "length^2 energy", "error of diffusion"},
    {"fit/inside_kappa_error", "variant size", "length^2 energy", "error of kappa"},
    {"fit/diffusion_value", "variant", "length^2 energy", "D from all sizes and rates"},
    {"fit/diffusion_error", "variant", "length^2 energy", "half width of its error"},
    {"fit/error_of_scatter", "variant", "length^2 energy", "part of the error: scatter about the line"},
    {"fit/error_of_rates", "variant", "length^2 energy", "part of the error: rates of the reservoirs"},
    {"fit/error_of_windows", "variant", "length^2 energy", "part of the error: fits without the smallest"},
    {"fit/error_of_routes", "variant", "length^2 energy", "part of the error: fit against gradient"},
    {"fit/error_of_places", "variant", "length^2 energy", "part of the error: single steps inside"},
});

/// Whether the last names of a path are those of a pattern; then the path before them.
std::optional<std::string_view> root_of_match(std::string_view path, std::string_view pattern) {
  while (true) {
    const std::size_t name_begin = path.rfind('/');
    const std::size_t part_begin = pattern.rfind('/');
    if (name_begin == std::string_view::npos) return std::nullopt;
    const std::string_view name = path.substr(name_begin + 1);
    const std::string_view part =
        part_begin == std::string_view::npos ? pattern : pattern.substr(part_begin + 1);
    if (part != "*" && part != name) return std::nullopt;
    path = path.substr(0, name_begin);
    if (part_begin == std::string_view::npos) return path;
    pattern = pattern.substr(0, part_begin);
  }
}

/// Below the root, or the group of one point of a sweep or of a mean over points.
bool is_root(std::string_view path) {
  if (path.empty()) return true;
  const std::size_t group = path.rfind('/');
  const std::string_view parent = path.substr(0, group);
  return parent == "/points" || parent == "/mean";
}

/// The path before /steady or /steady/size_<N>.
std::optional<std::string_view> steady_group(std::string_view group) {
  constexpr std::string_view kGroup = "/steady";
  const std::size_t last = group.rfind('/');
  if (last != std::string_view::npos && group.substr(last).starts_with("/size_"))
    group = group.substr(0, last);
  if (!group.ends_with(kGroup)) return std::nullopt;
  return group.substr(0, group.size() - kGroup.size());
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

namespace {

std::optional<CatalogMatch> find_itself(std::string_view path, std::size_t axes) {
  const auto matches = [&](const DatasetEntry& entry) { return words_of(entry.axes).size() == axes; };
  for (const DatasetEntry& entry : kCatalog) {
    const auto root = root_of_match(path, entry.path);
    if (root && is_root(*root) && matches(entry)) return CatalogMatch{&entry, *root};
  }
  for (const DatasetEntry& entry : kSteady) {
    const auto group = root_of_match(path, entry.path);
    if (!group || !matches(entry)) continue;
    const auto steady = steady_group(*group);
    if (steady && is_root(*steady)) return CatalogMatch{&entry, *steady};
  }
  return std::nullopt;
}

}  // namespace

std::optional<CatalogMatch> find_in_catalog(std::string_view path, std::size_t axes) {
  constexpr std::string_view kError = "_error";
  auto match = find_itself(path, axes);
  if (match || !path.ends_with(kError)) return match;
  path.remove_suffix(kError.size());
  match = find_itself(path, axes);
  if (match) match->is_error = true;
  return match;
}

}  // namespace qheat
