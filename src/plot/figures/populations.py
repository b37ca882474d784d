"""Populations (or energies) of single sites against time: exact and by the rate equations."""

import numpy as np

from . import kernels, singular, style
from .results import NotDrawn

MOST_SITES = 6


def mean_level(populations):
    """Return the excited population (two levels) or the mean level [T, N] of [T, N, M]."""
    return populations @ np.arange(populations.shape[2])


def read_populations(results, path):
    """Return the mean level [T, N] from populations, with the number of levels; None if absent."""
    values = results.populations(f"{path}/populations")
    return None if values is None else (values.shape[2], mean_level(values))


def solutions(results, read):
    """Return {path: read(path)} for the exact solution and all rate equations that have data."""
    paths = ["/exact"]
    paths += [f"{parent}/{kernel}" for parent in ("/rates", "/sites")
              for kernel in results.kernels(parent)]
    found = {path: read(path) for path in paths}
    return {path: values for path, values in found.items() if values is not None}


def level_label(levels):
    """Return the axis label of the mean level."""
    if levels == 2:
        return r"excited population $P_1(i,t)$"
    return r"mean level $\sum_n n\,P_n(i,t)$"


def choose_quantity(results):
    """Return dataset name, axis label and {path: values [T, N]}.

    Populations if all solutions count the same levels, energies otherwise.
    """
    by_levels = solutions(results, lambda path: read_populations(results, path))
    counts = {levels for levels, _ in by_levels.values()}
    if len(counts) == 1:
        values = {path: values for path, (_, values) in by_levels.items()}
        return "populations", level_label(counts.pop()), values
    values = solutions(results, lambda path: results.series(f"{path}/energy", 2))
    return "energy", f"energy $u(i,t)$  ({results.unit('energy')})", values


def sites_alike(values):
    """Return {first site: how many sites} whose curves are alike in all of {path: values [T, N]}."""
    return {group[0]: len(group) for group in style.alike(np.concatenate([*values.values()]))}


def choose_sites(values, limit):
    """Return up to `limit` of the sites of values [T, N].

    All if they are few; otherwise sites spread evenly, and those others that change most.
    """
    sites = values.shape[1]
    if sites <= limit:
        return np.arange(sites)
    finite = np.where(np.isfinite(values), values, values[0])
    most_changed = np.argsort(-np.nan_to_num(np.ptp(finite, axis=0)), kind="stable")
    evenly = style.spread(sites, limit - 2)
    others = most_changed[~np.isin(most_changed, evenly)]
    return np.union1d(evenly, others[:2])


def exact_error(results, name, values):
    """Return the sampling error of the exact values [T, N], None if they are not sampled."""
    if "/exact" not in values:
        return None
    if name == "energy":
        error = results.series("/exact/energy_error", 2)
    else:
        error = results.populations("/exact/populations_error")
        error = None if error is None else mean_level(error)
    return error if error is not None and error.shape == values["/exact"].shape else None


def draw_panel(ax, results, curves, sites, error):
    """Draw the curves [(look, values)] of some sites; error: of the first curve, or None."""
    for colour, site in zip(style.PALETTE, sites):
        for look, values in curves:
            shade = style.dark(colour) if look is style.SITE else colour
            style.line(ax, results.time, values[:, site], color=shade, **look)
        if error is not None:
            middle = curves[0][1][:, site]
            ax.fill_between(results.time, middle - error[:, site], middle + error[:, site],
                            color=colour, alpha=0.25, linewidth=0)
    style.time_axis(ax, results)


def set_limits(ax, values, sites, error):
    """Set the y limits of all panels by the exact solution, with its error, at the sites shown."""
    leading = []
    if "/exact" in values:
        leading.append(values["/exact"][:, sites])
    if error is not None:
        leading += [leading[0] - error[:, sites], leading[0] + error[:, sites]]
    style.data_limits(ax, leading, [array[:, sites] for path, array in values.items() if path != "/exact"])


def legend_entries(sites, counts, looks, values):
    """Return the legend: line styles of the solutions that have values, colours of the sites."""
    names = {"/exact": "exact", "/rates/": "many-body rate eq.", "/sites/": "site rate eq."}
    entries = [style.key(names[start], "0.25" if start == "/exact" else "black", **look)
               for start, look in looks.items() if any(path.startswith(start) for path in values)]
    return entries + [style.key(style.count_alike(f"site {site}", counts[site]), colour, linewidth=3)
                      for colour, site in zip(style.PALETTE, sites)]


def draw(results):
    """Draw one panel a kernel; the exact solution alone if there are no rate equations."""
    name, label, values = choose_quantity(results)
    if not values:
        raise NotDrawn("needs populations or energy in /exact, /rates/<k> or /sites/<k>")
    if len({array.shape for array in values.values()}) > 1:
        raise NotDrawn("the solutions differ in their number of sites")
    compared = [kernel for kernel in results.kernels("/rates", "/sites")
                if f"/rates/{kernel}" in values or f"/sites/{kernel}" in values]
    looks = {"/exact": style.EXACT if compared else style.EXACT_ALONE,
             "/rates/": style.MANY_BODY, "/sites/": style.SITE}
    error = exact_error(results, name, values)
    values = {path: style.without_runaways(array, values.get("/exact")) for path, array in values.items()}
    counts = sites_alike(values)
    different = np.array([*counts])
    sites = different[choose_sites(next(iter(values.values()))[:, different], MOST_SITES)]

    figure, axes, shown = kernels.panels(results, compared)
    for ax, kernel in zip(axes.ravel(), shown or [None]):
        paths = {"/exact": "/exact", "/rates/": f"/rates/{kernel}", "/sites/": f"/sites/{kernel}"}
        curves = [(looks[start], values[path]) for start, path in paths.items() if path in values]
        draw_panel(ax, results, curves, sites, error)
        ax.set_title(kernel.title if kernel else "exact solution", pad=singular.title_pad(results))
        if kernel and kernel.name == "exact":
            singular.mark(ax, results)
    for ax in axes[:, 0]:
        ax.set_ylabel(label)
    set_limits(axes[0, 0], values, sites, error)
    entries = legend_entries(sites, counts, looks, values)
    if error is not None:
        entries.append(style.error_key(error[:, sites], np.ptp(axes[0, 0].get_ylim())))
    if "exact" in map(str, shown):
        entries += singular.keys(results)
    style.outside_legend(axes[0, -1], entries)
    return figure
