"""Site energies as maps over time and site: exact, many-body and site equation side by side."""

import numpy as np

from . import style
from .results import NotDrawn, table

EQUATIONS = {"/rates": "many-body rate eq.", "/sites": "site rate eq."}


def by_planes(results, values):
    """Return energies [T, K] averaged over the planes across the longest axis, and that axis.

    A chain's stay as they are, with None.  Sites are numbered with the first axis fastest.
    """
    shape = table(results.job, "lattice", "shape")
    if not results.several_axes or np.prod(shape) != values.shape[1]:
        return values, None
    axis = int(np.argmax(shape))
    grid = values.reshape(values.shape[0], *shape[::-1])
    places = len(shape) - axis
    others = tuple(place for place in range(1, len(shape) + 1) if place != places)
    return grid.mean(axis=others), axis


def energies(results):
    """Return {parent: {kernel: u [T, N]}} of the rate equations of each kind."""
    found = {}
    for parent in EQUATIONS:
        series = {kernel: results.series(f"{parent}/{kernel}/energy", 2)
                  for kernel in results.kernels(parent)}
        found[parent] = {kernel: values for kernel, values in series.items() if values is not None}
    return found


def miss(values, exact):
    """Return how far energies [T, N] are from the exact ones: times without a value, then the mean."""
    if exact is None or exact.shape != values.shape:
        return (0, 0.0)
    distance = np.abs(values - exact).sum(axis=1)
    finite = np.isfinite(distance)
    return (int(np.count_nonzero(~finite)), distance[finite].mean() if finite.any() else np.inf)


def best_kernel(equations, exact):
    """Return the kernel closest to the exact energies, by its many-body equation if there is any."""
    candidates = equations["/rates"] or equations["/sites"]
    return min(candidates, key=lambda kernel: miss(candidates[kernel], exact), default=None)


def maps(results):
    """Return [(title, u [T, N])]: exact, then the equations of the best kernel."""
    exact = results.series("/exact/energy", 2)
    equations = energies(results)
    best = best_kernel(equations, exact)
    found = [] if exact is None else [("exact", exact)]
    return found + [(f"{title}, {best.title}", equations[parent][best]) for parent, title in EQUATIONS.items()
                    if best in equations[parent]]


def colour_limits(found):
    """Return colour limits and which ends the data leave: those of the first map."""
    everything = [values for _, values in found]
    lead = style.finite_range(everything[:1]) or style.finite_range(everything)
    if lead is None:
        return (0.0, 1.0), "neither"
    low, high = style.widen(*lead, share=0)
    smallest, largest = style.finite_range(everything)
    margin = 1e-3 * (high - low)
    below, above = smallest < low - margin, largest > high + margin
    return (low, high), {(False, False): "neither", (True, False): "min",
                         (False, True): "max", (True, True): "both"}[below, above]


def draw(results):
    """Draw the maps beside each other, all on one colour scale; of planes if there are several axes."""
    found = maps(results)
    if not found:
        raise NotDrawn("needs energy in /exact, /rates/<k> or /sites/<k>")
    axis = by_planes(results, found[0][1])[1]
    found = [(title, by_planes(results, values)[0]) for title, values in found]
    limits, extend = colour_limits(found)
    figure, axes = style.panels(results, 1, len(found), 4.2, 3.8, legend=1.3)
    for ax, (title, values) in zip(axes[0], found):
        mesh = style.space_time_map(ax, results, values, limits, style.SEQUENTIAL)
        ax.set_title(title, fontsize=12)
    axes[0, 0].set_ylabel("site $i$" if axis is None else f"plane along ${'xyz'[axis]}$")
    bar = figure.colorbar(mesh, ax=axes, extend=extend, extendfrac=0.05, pad=0.015, aspect=24)
    name = "site energy $u(i,t)$" if axis is None else "mean energy of a plane"
    bar.set_label(f"{name}  ({results.unit('energy')})")
    return figure
