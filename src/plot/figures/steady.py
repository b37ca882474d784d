"""The steady state between reservoirs: energies and temperatures along a chain, current through its bonds."""

import numpy as np

from . import style
from .results import NotDrawn

FEWEST_FOR_FIT = 4  # sites inside a chain on which a gradient makes sense


def draw_profile(ax, values, label, colour):
    """Draw values [N] against the sites, with a straight line through those inside."""
    sites = np.arange(values.size)
    dots = dict(linestyle="none", marker="o", markersize=7)
    ax.plot(sites, values, color=colour, **(dots if values.size <= style.MOST_DOTS else dict(linewidth=3.5)))
    inside = slice(1, -1)
    good = np.isfinite(values[inside])
    if np.count_nonzero(good) >= FEWEST_FOR_FIT:
        slope, start = np.polyfit(sites[inside][good], values[inside][good], 1)
        ax.plot(sites, start + slope * sites, color=colour, linewidth=1.6, alpha=0.6,
                label=f"gradient inside {slope:.3g}")
        ax.legend(loc="best")
    ax.set_xlabel("site $i$")
    ax.set_ylabel(label)
    style.whole_numbers(ax.xaxis)


def draw_current(ax, current, bonds):
    """Draw the current of each bond as a bar, of many as a line."""
    if current.size <= style.MOST_DOTS:
        ax.bar(np.arange(current.size), current, color=style.PALETTE[2], width=0.7)
    else:
        ax.plot(np.arange(current.size), current, color=style.PALETTE[2], linewidth=2.0)
    ax.set_xlabel("bond")
    ax.set_ylabel("heat current $J$")
    low, high = min(0.0, np.nanmin(current)), max(0.0, np.nanmax(current))
    ax.set_ylim(*style.widen(low, high, 0.1))
    style.whole_numbers(ax.xaxis)
    if bonds.shape[0] == current.size <= 12:
        ax.set_xticks(np.arange(current.size), [f"{a}–{b}" for a, b in bonds])


def draw(results):
    """Draw three panels: energy, temperature, current."""
    energy = results.vector("/steady/energy")
    temperature = results.vector("/steady/temperature")
    current = results.vector("/steady/current")
    if energy is None or temperature is None or current is None:
        raise NotDrawn("needs energy, temperature and current in /steady")
    figure, axes = style.panels(results, 1, 3, width=4.4, legend=0.4)
    draw_profile(axes[0, 0], energy, "energy $u(i)$", style.PALETTE[0])
    draw_profile(axes[0, 1], temperature, "temperature $T(i)$", style.PALETTE[1])
    draw_current(axes[0, 2], current, results.bonds)
    return figure
