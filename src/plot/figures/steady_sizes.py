"""Steady states of several chain lengths: profiles over the scaled position, J N against N with its fits."""

import numpy as np

from . import style
from .results import NotDrawn

MOST_PROFILES = 6
MOST_INSIDE = 4  # legend entries inside a panel
LEAST_SPAN = 0.1  # of the J N axis, relative: rounding is not blown up
LARGEST_SPAN = 30.0  # of the J N axis, relative, before it becomes logarithmic
DASHES = ["-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2))]


def position(sites):
    """Return the middle of each site in units of the chain's length."""
    return (np.arange(sites) + 0.5) / sites


def draw_profiles(ax, results, sizes, name, label):
    """Draw one quantity of each size against the scaled position."""
    shown = sizes[style.spread(sizes.size, MOST_PROFILES)]
    handles = []
    for colour, size in zip(style.PALETTE, shown):
        values = results.vector(f"/steady/size_{size}/{name}")
        if values is None or values.size != size:
            continue
        known = results.vector(f"/steady/size_{size}/is_temperature") if name == "temperature" else None
        if known is not None and known.size == size:
            values = np.where(known > 0, values, np.nan)
        if not np.isfinite(values).any():
            continue
        dots = dict(marker="o", markersize=5) if size <= style.MOST_DOTS else {}
        ax.plot(position(size), values, color=colour, linewidth=1.4, alpha=0.85, **dots)
        handles.append(style.key(f"$N = {size}$", color=colour, **dots))
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel("scaled position $(i + 1/2)/N$")
    ax.set_ylabel(label)
    if not handles:
        style.note(ax, f"no {name} is known")
    return handles


def variants(results, rates):
    """Return (row, look) of each variant that is drawn, and the legend: a colour a rate or, with several dephasings, a
    colour a dephasing and a dash a rate."""
    dephasings = results.vector("/steady/fit/dephasing")
    if dephasings is None or dephasings.shape != rates.shape:
        looks = [(row, dict(color=colour)) for row, (colour, _) in enumerate(zip(style.PALETTE, rates))]
        return looks, [style.key(f"rates $\\times\\,{rates[row]:g}$", marker="o", markersize=5, **look)
                       for row, look in looks]
    different = np.unique(dephasings)
    colours = dict(zip(different[style.spread(different.size, style.MOST_LINES)], style.PALETTE))
    dashes = dict(zip(np.unique(rates), DASHES))
    looks = [(row, dict(color=colours[gamma], linestyle=dashes[rate]))
             for row, (rate, gamma) in enumerate(zip(rates, dephasings)) if gamma in colours and rate in dashes]
    legend = [style.key(f"$\\gamma = {gamma:g}$", color=colour, marker="o", markersize=5)
              for gamma, colour in colours.items()]
    return looks, legend + [style.key(f"rates $\\times\\,{rate:g}$", linestyle=dash) for rate, dash in dashes.items()]


def draw_heat_scaling(ax, results, sizes):
    """Draw the mean heat current times N against N, of the variant whose states the file holds."""
    currents = [results.vector(f"/steady/size_{size}/current") for size in sizes]
    if any(current is None for current in currents):
        style.note(ax, "no currents")
        return
    heat = np.array([np.mean(current) for current in currents]) * sizes
    ax.plot(sizes, heat, marker="o", markersize=6, linewidth=1.0, color=style.PALETTE[2])
    style.whole_numbers(ax.xaxis)
    ax.set_xlabel("sites $N$")
    ax.set_ylabel(rf"$J\,N$  (heat, {results.unit('power')})")
    ax.set_ylim(*style.widen(min(0.0, heat.min()), max(0.0, heat.max()), 0.1))


def draw_scaling(ax, results, sizes):
    """Draw J N against N: dots of each variant, and the line of its fit."""
    rates = results.vector("/steady/fit/rate")
    current = results.matrix("/steady/fit/current", 2)
    resistance = results.matrix("/steady/fit/resistance", 2)
    contact = results.vector("/steady/fit/contact_resistance")
    conductivity = results.vector("/steady/fit/conductivity")
    parts = (rates, current, resistance, contact, conductivity)
    if any(part is None for part in parts) or not np.isfinite(current).any():
        draw_heat_scaling(ax, results, sizes)
        return []
    fine = np.geomspace(sizes[0], sizes[-1], 200)
    looks, handles = variants(results, rates)
    for row, look in looks:
        ax.plot(sizes, current[row] * sizes, linestyle="none", marker="o", markersize=6, color=look["color"])
        bias = np.nanmean(resistance[row] * current[row])
        line = bias * fine / (contact[row] + fine / conductivity[row])
        if np.isfinite(line).all():
            ax.plot(fine, line, linewidth=1.4, **look)
    if sizes[-1] > 10 * sizes[0]:
        ax.set_xscale("log")
    else:
        style.whole_numbers(ax.xaxis)
    ax.set_xlabel("sites $N$")
    ax.set_ylabel(rf"$J\,N$  (particles, {results.unit('rate')}), line: fit")
    low, high = style.finite_range([current * sizes])
    if low > 0 and high > LARGEST_SPAN * low:
        ax.set_yscale("log")
        return handles
    room = max(0.0, LEAST_SPAN * max(abs(low), abs(high)) - (high - low)) / 2
    ax.set_ylim(*style.widen(low - room, high + room, 0.08))
    return handles


def draw(results):
    """Draw three panels: energy and temperature of each size, J N against N."""
    sizes = results.vector("/steady/sizes")
    if sizes is None:
        raise NotDrawn("needs steady states of several sizes")
    sizes = sizes.astype(int)
    figure, axes = style.panels(results, 1, 3, width=4.6, legend=2.6)
    handles = draw_profiles(axes[0, 0], results, sizes, "energy", f"site energy $u$  ({results.unit('energy')})")
    draw_profiles(axes[0, 1], results, sizes, "temperature", f"temperature $T$  ({results.unit('temperature')})")
    if handles:
        axes[0, 0].legend(handles=handles, loc="best")
    rates = draw_scaling(axes[0, 2], results, sizes)
    if len(rates) > MOST_INSIDE:
        style.outside_legend(axes[0, 2], rates)
    elif rates:
        axes[0, 2].legend(handles=rates, loc="best")
    return figure
