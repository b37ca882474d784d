"""Errors of the rate equations against the exact populations, on a logarithmic scale."""

import numpy as np

from . import kernels, singular, style
from .results import NotDrawn

EQUATIONS = (("rates", "many-body", style.MANY_BODY), ("sites", "site", style.SITE))
SAMPLING = dict(color="0.55", linewidth=1.2)
CEILING = 1e2  # a rate equation that has run away need not be followed


def distance(values, exact):
    """Return |P - P_exact|_1 / N [T] of populations [T, N, M]; NaN where either is."""
    return np.abs(values - exact).sum(axis=(1, 2)) / exact.shape[1]


def distances(results, compared):
    """Return [(kernel, equation, look, distance [T])] of the kernels' rate equations with populations."""
    exact = results.populations("/exact/populations")
    if exact is None:
        return []
    found = []
    for parent, equation, look in EQUATIONS:
        for kernel in compared:
            values = results.populations(f"/{parent}/{kernel}/populations")
            if values is not None and values.shape == exact.shape:
                found.append((kernel, equation, look, distance(values, exact)))
    return found


def closure_errors(results, compared):
    """Return [(kernel, closure error [T])] of the kernels' site equations."""
    found = [(kernel, results.series(f"/sites/{kernel}/closure_error", 1)) for kernel in compared]
    return [(kernel, values) for kernel, values in found if values is not None]


def sampling_error(results):
    """Return the error of sampled exact populations, summed like the distance [T], or None."""
    error = results.series("/exact/populations_error", 3)
    return None if error is None else np.abs(error).sum(axis=(1, 2)) / error.shape[1]


def draw_distances(ax, results, found):
    """Draw the distances, and the sampling error of the exact populations if there is one."""
    for kernel, _, look, values in found:
        style.line(ax, results.time, style.positive(values), color=kernel.colour, **look)
    sampling = sampling_error(results)
    curves = [values for *_, values in found]
    if sampling is not None:
        style.line(ax, results.time, style.positive(sampling), **SAMPLING)
        curves.append(sampling)
    style.log_limits(ax, [style.after_start(values) for values in curves], ceiling=CEILING)
    ax.set_ylabel(r"$|P - P_\mathrm{exact}|_1\, /\, N$")
    ax.set_title("distance from exact populations, per site", pad=singular.title_pad(results))


def draw_closure(ax, results, found):
    """Draw the closure errors of the site equations."""
    for kernel, values in found:
        style.line(ax, results.time, style.positive(values), color=kernel.colour, **style.SITE)
    style.log_limits(ax, [style.after_start(values) for _, values in found], ceiling=CEILING)
    ax.set_ylabel("closure error")
    ax.set_title("closure error of the site equation", pad=singular.title_pad(results))


def legend_entries(results, far, closure, shown):
    """Return the legend: line styles of the equations, colours of the kernels."""
    equations = {equation for _, equation, *_ in far} | ({"site"} if closure else set())
    entries = [style.key(f"{equation} rate eq.", "black", **look)
               for _, equation, look in EQUATIONS if equation in equations]
    if far and sampling_error(results) is not None:
        entries.append(style.key("sampling error", **SAMPLING))
    return entries + [style.key(kernel.title, kernel.colour, linewidth=3) for kernel in shown]


def draw(results):
    """Draw the distances and the closure errors, one panel each."""
    time = results.time
    found = results.kernels("/rates", "/sites")
    compared = kernels.representative(found)
    far, closure = distances(results, compared), closure_errors(results, compared)
    drawings = [(draw_distances, far), (draw_closure, closure)]
    drawings = [(draw_panel, curves) for draw_panel, curves in drawings if curves]
    if not drawings:
        raise NotDrawn("needs populations in /exact and in /rates/<k> or /sites/<k>, or closure_error")
    figure, axes = style.panels(results, 1, len(drawings), 5.6, 4.3, legend=2.2)
    for ax, (draw_panel, curves) in zip(axes[0], drawings):
        draw_panel(ax, results, curves)
        singular.mark(ax, results)
        style.time_axis(ax, results)
    kernels.remark_left_out(figure, found, compared)
    drawn = {row[0] for row in far + closure}
    shown = [kernel for kernel in compared if kernel in drawn]
    style.outside_legend(axes[0, -1], legend_entries(results, far, closure, shown) + singular.keys(results))
    return figure
