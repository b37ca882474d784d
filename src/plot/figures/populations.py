"""Populations (or energies) of single sites against time: exact and by the rate equations."""

import numpy as np

from . import style
from .results import NotDrawn


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
    return "energy", r"energy $u(i,t)$  (energy)", values


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


def exact_error(results, name):
    """Return the sampling error of the exact values [T, N], None if they are not sampled."""
    if name == "energy":
        return results.series("/exact/energy_error", 2)
    error = results.populations("/exact/populations_error")
    return None if error is None else mean_level(error)


def draw_panel(ax, time, curves, sites, error):
    """Draw the curves [(look, values)] of some sites; error: of the first curve, or None."""
    for colour, site in zip(style.PALETTE, sites):
        for look, values in curves:
            shade = style.dark(colour) if look is style.SITE else colour
            style.line(ax, time, values[:, site], color=shade, **look)
        if error is not None:
            middle = curves[0][1][:, site]
            ax.fill_between(time, middle - error[:, site], middle + error[:, site],
                            color=colour, alpha=0.25, linewidth=0)
    style.time_axis(ax, time)


def legend_entries(sites, shown, exact_look):
    """Return the legend: line styles of the solutions shown, colours of the sites."""
    entries = []
    if "/exact" in shown:
        entries.append(style.key("exact", **exact_look))
    if any(path.startswith("/rates/") for path in shown):
        entries.append(style.key("many-body rate eq.", "black", **style.MANY_BODY))
    if any(path.startswith("/sites/") for path in shown):
        entries.append(style.key("site rate eq.", "black", **style.SITE))
    entries += [style.key(f"site {site}", colour, linewidth=3)
                for colour, site in zip(style.PALETTE, sites)]
    return entries


def draw(results):
    """Draw one panel a kernel; the exact solution alone if there are no rate equations."""
    time = results.time
    name, label, values = choose_quantity(results)
    if not values:
        raise NotDrawn("needs populations or energy in /exact, /rates/<k> or /sites/<k>")
    if len({array.shape for array in values.values()}) > 1:
        raise NotDrawn("the solutions differ in their number of sites")
    kernels = [kernel for kernel in dict.fromkeys(results.kernels("/rates") + results.kernels("/sites"))
               if f"/rates/{kernel}" in values or f"/sites/{kernel}" in values]
    exact = values.get("/exact")
    error = exact_error(results, name) if exact is not None else None
    if error is not None and error.shape != exact.shape:
        error = None
    exact_look = style.EXACT if kernels else style.EXACT_ALONE
    sites = choose_sites(next(iter(values.values())), style.MOST_LINES)

    rows, columns = style.grid_shape(max(len(kernels), 1))
    width = 6.6 if columns == 1 else 5.0
    figure, axes = style.panels(results, rows, columns, width, 4.3, legend=2.4, share_y=True)
    flat = axes.ravel()
    style.clear(flat[max(len(kernels), 1):])
    for ax, kernel in zip(flat, kernels or [None]):
        curves = [] if exact is None else [(exact_look, exact)]
        curves += [(look, values[path])
                   for path, look in ((f"/rates/{kernel}", style.MANY_BODY), (f"/sites/{kernel}", style.SITE))
                   if path in values]
        draw_panel(ax, time, curves, sites, error)
        ax.set_title("exact solution" if kernel is None else style.kernel_label(kernel))
    for ax in axes[:, 0]:
        ax.set_ylabel(label)
    leading = [] if exact is None else [exact[:, sites]]
    if error is not None:
        leading += [(exact - error)[:, sites], (exact + error)[:, sites]]
    following = [array[:, sites] for path, array in values.items() if path != "/exact"]
    style.data_limits(flat[0], leading, following)
    style.outside_legend(axes[0, -1], legend_entries(sites, values, exact_look))
    return figure
