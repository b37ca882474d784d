#include "io/dataset_catalog.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace qheat {
namespace {

using Q = Quantity;

constexpr auto kCatalog = std::to_array<DatasetEntry>({
    {"time", "time", Q::time, "output times"},
    {"site", "site", Q::number, "number of a site, first axis fastest"},
    {"x", "site", Q::length, "place of a site along the first axis"},
    {"y", "site", Q::length, "place of a site along the second axis"},
    {"z", "site", Q::length, "place of a site along the third axis"},
    {"bond_x", "bond", Q::length, "middle of a bond along the first axis"},
    {"bond_y", "bond", Q::length, "middle of a bond along the second axis"},
    {"bond_z", "bond", Q::length, "middle of a bond along the third axis"},
    {"job", "", Q::number, "the job file"},
    {"model/site_energies", "site level", Q::energy, "energies of the levels of each site"},
    {"model/bonds", "bond end", Q::number, "first and second site of each bond"},
    {"model/couplings", "bond", Q::number, "relative strength of each bond"},
    {"model/reservoir_jumps", "reservoir gap direction", Q::rate, "rates of a reservoir's jumps up and down"},
    {"model/jump_sites", "jump end", Q::number, "sites on which a jump acts, -1 without a second one"},
    {"model/jump_rates", "jump", Q::rate, "rate of each jump"},

    {"exact/populations", "time site level", Q::number, "probability of each level of each site"},
    {"exact/energy", "time site", Q::energy, "level energy of each site"},
    {"exact/outflow", "time bond end", Q::power,
     "energy that leaves the first, the second site through a bond"},
    {"exact/current", "time bond", Q::power, "energy current from the first to the second site of a bond"},
    {"exact/norm", "time", Q::number, "norm or trace of the state"},
    {"exact/total_energy", "time", Q::energy, "energy with the interaction"},
    {"exact/full_energy", "time site", Q::energy, "energy of each site with half of its interactions"},
    {"exact/full_current", "time bond", Q::power, "current of this energy along a bond"},
    {"exact/full_heat", "time site", Q::power, "what the bath does to this energy"},
    {"exact/truncation_error", "time", Q::number, "relative error of the state by truncation"},
    {"exact/smallest_population", "time", Q::number, "smallest diagonal element of the density matrix"},
    {"exact/hermiticity_error", "time", Q::number, "anti-Hermitian part of the density matrix"},
    {"exact/smallest_eigenvalue", "one", Q::number,
     "smallest eigenvalue of the density matrix at the last time"},

    {"kernel/cells", "cell site", Q::number, "band of each site in each cell"},
    {"kernel/memory/generator", "time cell from_cell", "energy^2", "memory kernel from a cell to a cell"},
    {"kernel/*/generator", "time cell from_cell", Q::rate, "rate from a cell to a cell"},
    {"kernel/*/generator", "cell from_cell", Q::rate, "rate from a cell to a cell"},
    {"kernel/*/symmetry", "kernel_time", Q::number, "score: the kernel equals its transpose"},
    {"kernel/*/locality", "kernel_time", Q::number, "score: rates change one bond or one site"},
    {"kernel/*/additivity", "kernel_time", Q::number, "score: the kernel is a sum over bonds"},
    {"kernel/*/spectator_independence", "kernel_time", Q::number,
     "score: rates do not depend on other sites"},
    {"kernel/*/energy_conservation", "kernel_time", Q::number, "score: rates join cells of equal energy"},
    {"kernel/*/swap_fraction", "kernel_time", Q::number, "score: local rates are swaps"},
    {"kernel/*/level_independence", "kernel_time", Q::number, "score: swap rates do not depend on the bands"},
    {"kernel/*/negativity", "kernel_time", Q::number, "share of negative rates"},
    {"kernel/*/compared", "kernel_time score", Q::number, "elements behind each score"},
    {"kernel/*/bond_rate", "kernel_time bond", Q::rate, "mean swap rate of a bond"},
    {"kernel/*/error", "kernel_time", Q::number, "relative error of the kernel"},
    {"kernel/*/sampling_error", "kernel_time", Q::number,
     "relative error of the kernel by the number of realisations"},
    {"kernel/exact/condition", "time", Q::number, "condition number of the propagator"},
    {"kernel/exact/singular_times", "singular_time", Q::time, "where the exact kernel diverges"},

    {"rates/*/populations", "time site band", Q::number,
     "probability of each band of each site, many-body equation"},
    {"rates/*/energy", "time site", Q::energy, "level energy of each site, many-body equation"},
    {"rates/*/deviation", "time", Q::number, "largest difference from the exact populations"},
    {"rates/memory/error", "one", Q::number, "error of a population by the memory equation"},
    {"sites/*/populations", "time site band", Q::number,
     "probability of each band of each site, site equation"},
    {"sites/*/energy", "time site", Q::energy, "level energy of each site, site equation"},
    {"sites/*/deviation", "time", Q::number, "largest difference from the exact populations"},
    {"sites/*/closure_error", "time", Q::number, "distance of the site equation from the exact populations"},

    {"spectrum/energies", "eigenstate", Q::energy, "energy of each eigenstate"},
    {"spectrum/residuals", "eigenstate", Q::energy, "norm of H psi - E psi"},
    {"spectrum/energy_group", "eigenstate", Q::number, "states with one number have one energy"},
    {"spectrum/partners_left_out", "", Q::number,
     "states with the energy of the last one that are not listed"},
    {"spectrum/all_partners_counted", "", Q::number, "1: all of them were looked for"},
    {"spectrum/band_counts", "eigenstate band", Q::number, "sites in each band"},
    {"spectrum/populations", "eigenstate site level", Q::number, "probability of each level of each site"},
    {"spectrum/energy", "eigenstate site", Q::energy, "level energy of each site"},
    {"spectrum/outflow", "eigenstate bond end", Q::power, "energy that leaves the sites through a bond"},
    {"spectrum/current", "eigenstate bond", Q::power, "energy current of a bond"},

    {"transport/temperature", "temperature", Q::temperature, "temperature"},
    {"transport/energy", "temperature", Q::energy, "mean level energy of a site"},
    {"transport/specific_heat", "temperature", Q::specific_heat, "C_V of a site, in k_B"},
    {"transport/entropy", "temperature", Q::specific_heat, "entropy of a site, in k_B"},
    {"transport/exponent", "temperature", Q::number, "d ln C_V/d ln T"},
    {"transport/conductivity", "temperature", Q::conductivity, "heat conductivity of a site, D C_V"},
    {"transport/kernel/diffusion", "kernel_time", Q::diffusion, "D(t), a^2 times the mean bond rate"},
    {"transport/kernel/conductivity", "temperature", Q::conductivity, "heat conductivity of a site, D C_V"},
    {"transport/spreading/profile", "time site", Q::number, "C_ij of a source j, over C_jj at t = 0"},
    {"transport/spreading/variance", "time", Q::area, "variance of the excess about its source"},
    {"transport/spreading/kurtosis", "time", Q::number, "kurtosis of the excess"},
    {"transport/spreading/exponent", "time", Q::number, "d ln(growth of the variance)/d ln t"},
    {"transport/spreading/edge", "time", Q::number,
     "share of the excess where it meets itself or at the edge"},
    {"transport/spreading/total", "time", Q::number, "the whole excess, over its value at t = 0"},
    {"transport/green_kubo/correlation", "time", "(power length)^2", "Re<J(t) J> a site"},
    {"transport/green_kubo/exponent", "time", Q::number, "1 + d ln D/d ln t"},
    {"transport/modes/q", "mode axis", "1/length", "wave vector of each wave of the lattice"},
    {"transport/modes/amplitude", "time mode", Q::number, "C(q,t)/C(q,0)"},
    {"transport/modes/rate", "time mode", Q::rate, "-(dC(q,t)/dt)/C(q,t)"},
    {"transport/site_kernel/generator", "time site from_site", Q::rate,
     "exact kernel of the site energies: rate from a site to a site"},
    {"transport/site_kernel/locality", "time", Q::number, "score: rates join neighbours"},
    {"transport/site_kernel/symmetry", "time", Q::number, "score: the kernel equals its transpose"},
    {"transport/site_kernel/negativity", "time", Q::number, "share of negative rates"},
    {"transport/site_kernel/condition", "time", Q::number, "condition number of C"},
    {"transport/site_kernel/dispersion", "time mode", Q::rate, "w(q,t)"},
    {"transport/site_kernel/distance", "distance", Q::length, "distance of two sites"},
    {"transport/site_kernel/rate", "time distance", Q::rate, "mean rate between sites at a distance"},
    {"transport/site_kernel/singular_times", "singular_site_time", Q::time,
     "where the kernel of the sites diverges"},
    {"transport/site_kernel/error", "time", Q::number, "relative error of the kernel"},
    {"transport/site_kernel/bond_rate", "time bond", Q::rate, "mean of both rates of a bond"},
    {"transport/site_kernel/closure_error", "time", Q::number,
     "distance of the site equation with the bond rates from the exact profile"},
    {"transport/site_kernel/frequency", "site from_site", Q::rate,
     "frequency matrix beside the memory kernel"},
    {"transport/site_kernel/memory", "time site from_site", "energy^2", "Mori's memory kernel of the sites"},
    {"transport/kernel/*/diffusion", "kernel_time", Q::diffusion, "D(t), a^2 times the mean bond rate"},
    {"transport/*/diffusion_shorter", "time", Q::diffusion, "D(t) by this route on a shorter lattice"},
    {"transport/*/diffusion", "time", Q::diffusion, "D(t) by this route"},
    {"transport/kernel/*/conductivity", "temperature", Q::conductivity, "heat conductivity of a site, D C_V"},
    {"transport/pair_rate/conductivity", "temperature", Q::conductivity,
     "heat conductivity of a site by Eq. 18"},

    {"heat/x", "x", Q::length, "middle of a cell along the first axis"},
    {"heat/y", "y", Q::length, "middle of a cell along the second axis"},
    {"heat/z", "z", Q::length, "middle of a cell along the third axis"},
    {"heat/temperature", "x", Q::temperature, "temperature of each cell"},
    {"heat/temperature", "time_or_y x", Q::temperature, "temperature of each cell"},
    {"heat/temperature", "time_or_z y x", Q::temperature, "temperature of each cell"},
    {"heat/temperature", "time z y x", Q::temperature, "temperature of each cell"},
    {"heat/iterations", "time_or_one", Q::number, "iterations of linear solvers so far"},
    {"heat/energy", "time_or_one", "temperature capacity", "heat in the block above that at temperature 0"},
    {"heat/flux_x-", "time_or_one", "power", "power into the block through this face"},
    {"heat/flux_x+", "time_or_one", "power", "power into the block through this face"},
    {"heat/flux_y-", "time_or_one", "power", "power into the block through this face"},
    {"heat/flux_y+", "time_or_one", "power", "power into the block through this face"},
    {"heat/flux_z-", "time_or_one", "power", "power into the block through this face"},
    {"heat/flux_z+", "time_or_one", "power", "power into the block through this face"},

    {"matrix_elements/level", "well_level", Q::number, "quantum number of each level"},
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
    {"matrix_elements/spread", "one", Q::number,
     "standard deviation of |total| over pairs of different levels, over their mean"},
    {"matrix_elements/resonances", "resonance pair_level", Q::number,
     "quantum numbers a, b, c, d of pairs of levels with one energy"},
    {"matrix_elements/resonance_element", "resonance", "unit of V", "<ab|V|cd> of a resonance"},

    {"sweep/point", "point", Q::number, "number of a point of the sweep"},
    {"sweep/finished", "point", Q::number, "1 where there are results"},
    {"sweep/*", "point", "unit of the key", "value of a key at each point"},
    {"sweep/scalar/*", "point", "unit of its dataset", "number of each point"},
    {"sweep/scalar/*/*", "point", "unit of its dataset", "number of each point"},
    {"sweep/scalar/*/*/*", "point", "unit of its dataset", "number of each point"},
    {"sweep/scalar/*/*/*/*", "point", "unit of its dataset", "number of each point"},
    {"mean/points", "group", Q::number, "points in each mean"},
    {"mean/*", "group", "unit of the key", "value of a key in each group of points"},
    {"mean/scalar/*", "group", "unit of its dataset", "mean of the numbers of points"},
    {"mean/scalar/*/*", "group", "unit of its dataset", "mean of the numbers of points"},
    {"mean/scalar/*/*/*", "group", "unit of its dataset", "mean of the numbers of points"},
    {"mean/scalar/*/*/*/*", "group", "unit of its dataset", "mean of the numbers of points"},

    {"timing/peak_bytes", "rank", "byte", "largest resident set of each rank"},
    {"timing/*/seconds", "", "s", "time of a phase on the slowest rank"},
    {"timing/*/calls", "", Q::number, "how often a phase was entered"},
    {"timing/*/bytes_sent", "", "byte", "sent by all ranks in a phase"},
});

/// Of a steady state, below /steady and /steady/size_<N>.
constexpr auto kSteady = std::to_array<DatasetEntry>({
    {"site_energies", "site level", Q::energy, "energies of the levels of each site"},
    {"populations", "site level", Q::number, "probability of each level of each site"},
    {"energy", "site", Q::energy, "level energy of each site"},
    {"outflow", "bond end", Q::power, "energy that leaves the sites through a bond"},
    {"current", "bond", Q::power, "energy current of a bond"},
    {"temperature", "site", Q::temperature, "local temperature"},
    {"heat", "reservoir", Q::power, "from each reservoir into its site"},
    {"jump_heat", "jump end", Q::power, "from each jump into its sites"},
    {"full_energy", "site", Q::energy, "energy of each site with half of its interactions"},
    {"full_current", "bond", Q::power, "current of this energy along a bond"},
    {"full_heat", "site", Q::power, "what the bath does to this energy"},
    {"full_balance", "one", Q::number, "how far its currents are from balancing it"},
    {"balance", "one", Q::number, "how far currents are from balancing the heats"},
    {"smallest_eigenvalue", "one", Q::number, "smallest eigenvalue of the density matrix"},
    {"entropy_production", "one", Q::rate, "Spohn's entropy production"},
    {"is_temperature", "site", Q::number, "1 where temperature is one"},
    {"diffusion", "bond", Q::diffusion, "D of each bond"},
    {"diffusion_error", "bond", Q::diffusion, "its error"},
    {"kappa", "bond", Q::conductivity, "heat conductivity of each bond, a site"},
    {"kappa_error", "bond", Q::conductivity, "its error"},
    {"planes/energy", "plane", Q::energy, "mean level energy of a plane across the axis"},
    {"planes/temperature", "plane", Q::temperature, "mean temperature of a plane"},
    {"planes/current", "plane_step", Q::power, "current to the next plane, a site"},
    {"planes/diffusion", "plane_step", Q::diffusion, "D of neighbouring planes"},
    {"planes/diffusion_error", "plane_step", Q::diffusion, "its error"},
    {"planes/kappa", "plane_step", Q::conductivity, "heat conductivity of neighbouring planes, a site"},
    {"planes/kappa_error", "plane_step", Q::conductivity, "its error"},
    {"planes/inside_diffusion", "one", Q::diffusion, "D of the inside"},
    {"planes/inside_diffusion_error", "one", Q::diffusion, "its error"},
    {"planes/inside_diffusion_spread", "one", Q::diffusion, "largest distance of a step from it"},
    {"planes/inside_kappa", "one", Q::conductivity, "heat conductivity of the inside, a site"},
    {"planes/inside_kappa_error", "one", Q::conductivity, "its error"},
    {"sizes", "size", Q::number, "lengths of the chains"},
    {"fit/rate", "variant", Q::number, "factor of the reservoirs' rates"},
    {"fit/dephasing", "variant", Q::rate, "dephasing"},
    {"fit/current", "variant size", Q::rate, "particle current"},
    {"fit/resistance", "variant size", Q::time, "(f_L - f_R)/J"},
    {"fit/resistance_error", "variant size", Q::time, "its error"},
    {"fit/contact_resistance", "variant", Q::time, "of the line through the resistances"},
    {"fit/contact_resistance_error", "variant", Q::time, "its standard error"},
    {"fit/conductivity", "variant", Q::rate, "of the line through the resistances: D/a^2"},
    {"fit/conductivity_error", "variant", Q::rate, "its standard error"},
    {"fit/deviation", "variant", Q::number, "largest distance of a resistance from the line, relative"},
    {"fit/diffusion", "variant size", Q::diffusion, "D inside the chain"},
    {"fit/kappa", "variant size", Q::conductivity, "heat conductivity inside the chain, a site"},
    {"fit/inside_diffusion_error", "variant size", Q::diffusion, "error of diffusion"},
    {"fit/inside_kappa_error", "variant size", Q::conductivity, "error of kappa"},
    {"fit/diffusion_value", "variant", Q::diffusion, "D from all sizes and rates"},
    {"fit/diffusion_error", "variant", Q::diffusion, "half width of its error"},
    {"fit/error_of_scatter", "variant", Q::diffusion, "part of the error: scatter about the line"},
    {"fit/error_of_rates", "variant", Q::diffusion, "part of the error: rates of the reservoirs"},
    {"fit/error_of_windows", "variant", Q::diffusion, "part of the error: fits without the smallest"},
    {"fit/error_of_routes", "variant", Q::diffusion, "part of the error: fit against gradient"},
    {"fit/error_of_places", "variant", Q::diffusion, "part of the error: single steps inside"},
});

/// What a table of points derives from results (sweep/point_scalars.hpp); errors beside them.
struct DerivedScalar {
  std::string_view path;
  Quantity quantity;
};
constexpr auto kDerived = std::to_array<DerivedScalar>({
    {"kernel/exact/first_singular_time", Q::time},
    {"kernel/*/mean_bond_rate", Q::rate},
    {"steady/mean_current", Q::power},
    {"transport/diffusion", Q::diffusion},
    {"transport/diffusion_exponent", Q::number},
    {"transport/conductivity_exponent", Q::number},
    {"transport/pair_rate/diffusion", Q::diffusion},
    {"transport/pair_rate/diffusion_exponent", Q::number},
    {"transport/pair_rate/conductivity_exponent", Q::number},
    {"transport/*/diffusion_value", Q::diffusion},
    {"transport/spreading/edge_time", Q::time},
    {"transport/spreading/steady_exponent", Q::number},
    {"transport/kernel/*/diffusion_value", Q::diffusion},
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

std::optional<DatasetUnit> unit_of_scalar(std::string_view name) {
  constexpr std::string_view kUntil = "_until";
  constexpr std::string_view kError = "_error";
  constexpr std::size_t kMostAxes = 4;
  if (name == "seconds") return DatasetUnit("s");
  if (name.ends_with(kUntil)) return DatasetUnit(Quantity::time);
  const std::string path = "/" + std::string(name);
  for (std::size_t axes = 0; axes <= kMostAxes; ++axes) {
    if (const auto match = find_in_catalog(path, axes)) return match->entry->unit;
  }
  const std::string derived = path.ends_with(kError) ? path.substr(0, path.size() - kError.size()) : path;
  for (const DerivedScalar& scalar : kDerived) {
    const auto root = root_of_match(derived, scalar.path);
    if (root && root->empty()) return DatasetUnit(scalar.quantity);
  }
  return std::nullopt;
}

}  // namespace qheat
