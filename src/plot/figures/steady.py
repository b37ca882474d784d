"""The steady state between reservoirs: energies and temperatures from plane to plane, currents beside the reservoirs'
heats, and in two dimensions a map with the currents as arrows."""

import numpy as np

from . import style
from .results import NotDrawn, table

BALANCED = 1e-3  # of the largest flow: what a bond may take from the interaction and still count as one current
FINEST = 1e-6  # of a constant: closer it is not told
UNKNOWN = "0.55"  # colour of what is no temperature
MOST_ARROWS = 400
DOTS = dict(linestyle="none", marker="o", markersize=7)


class Planes:
    """Where sites stand along the axis between the reservoirs; site by site where there is none."""

    def __init__(self, results, sites):
        shape = table(results.job, "lattice", "shape")
        self.shape = [n for n in shape if isinstance(n, int)] if isinstance(shape, list) else []
        energy = results.vector("/steady/planes/energy")
        self.length = sites if energy is None else energy.size
        self.axis = results.text("/steady/planes", "axis") or "x"
        self.found = energy is not None
        self.several = self.found and self.length < sites  # sites a plane
        self.of_site = np.arange(sites)
        if self.several:
            axis = "xyz".index(self.axis) if self.axis in "xyz" else 0
            stride = int(np.prod(self.shape[:axis], dtype=int))
            self.of_site = np.arange(sites) // stride % self.length
        self.area = sites / self.length

    @property
    def label(self):
        """What the horizontal axis counts."""
        return f"plane along ${self.axis}$" if self.several else "site $i$"


def draw_line(ax, values, text):
    """Draw a straight line through the inside: a quarter of the planes is left out at each end."""
    left_out = max(1, values.size // 4)
    inside = np.arange(left_out, values.size - left_out)
    if inside.size < 2 or not np.isfinite(values[inside]).all():
        return
    slope, start = np.polyfit(inside, values[inside], 1)
    ax.plot(inside, start + slope * inside, color="0.25", linewidth=1.4, linestyle=(0, (4, 2)), label=text, zorder=3)


def digits(value, error):
    """Return how many digits of a value its error leaves, two digits of the error counted."""
    return int(np.clip(np.floor(np.log10(abs(value))) - np.floor(np.log10(error)) + 2, 1, 6))


def constant_text(results, name, symbol, unit):
    """Return "inside: D = 0.0762 ± 0.0004 unit", empty where the gradient gives no constant."""
    found = [results.vector(f"/steady/planes/inside_{part}") for part in (name, f"{name}_error", "diffusion")]
    spread = results.vector("/steady/planes/inside_diffusion_spread")
    if any(part is None or not np.isfinite(part[0]) for part in found):
        return ""
    value, error, diffusion = (part[0] for part in found)
    if spread is None or not np.isfinite(spread[0]):
        return f"inside: {symbol} = {value:.4g} {unit}"
    error = max(np.hypot(error, abs(value) * spread[0] / abs(diffusion)), FINEST * abs(value))
    return f"inside: {symbol} = {value:.{digits(value, error)}g} ± {error:.1g} {unit}"


def conductivity_unit(results):
    """Return the unit of kappa; in program units it is that of a site, not of a volume."""
    return results.unit("conductivity") if results.holds("/units") else "a site"


def degenerate(results):
    """True if all levels of each site have one energy."""
    levels = results.matrix("/model/site_energies", 2)
    return levels is not None and not np.ptp(levels, axis=1).any()


def draw_profile(ax, planes, sites, means, label, colour, known=None):
    """Draw values of sites, and their means over planes where a plane has several."""
    known = np.ones(sites.size, dtype=bool) if known is None else known
    many = planes.length > style.MOST_DOTS
    if planes.several:
        ax.plot(planes.of_site[known], sites[known], color=colour, linestyle="none", marker=".", markersize=6, alpha=0.6,
                label="sites")
        ax.plot(np.arange(planes.length), means, color=colour, label="mean of a plane", **DOTS)
    elif many and known.all():
        ax.plot(np.arange(sites.size), sites, color=colour, linewidth=3.5)
    elif known.any():
        ax.plot(planes.of_site[known], sites[known], color=colour, **{**DOTS, "markersize": 3 if many else 7})
    if not known.all():
        ax.plot(planes.of_site[~known], sites[~known], color=UNKNOWN, fillstyle="none",
                label="from $u(i)$, no temperature:\nbonds do not keep level energy",
                **{**DOTS, "markersize": 3 if many else 7})
    ax.set_xlabel(planes.label)
    ax.set_ylabel(label)
    limits = style.robust_range(sites)
    if np.isfinite(limits).all():
        ax.set_ylim(*style.widen(*limits, 0.12))
    style.whole_numbers(ax.xaxis)


def legend_below(ax):
    """Put a legend under a panel, where it covers no data."""
    handles = ax.get_legend_handles_labels()[0]
    if handles:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), borderaxespad=0.0, handlelength=1.8)


def draw_heats(ax, results, planes, direction):
    """Draw what the reservoirs and jumps of the bath give and take, per site of a plane, as lines."""
    heat, jumps = results.vector("/steady/heat"), results.matrix("/steady/jump_heat", 2)
    name = "reservoirs" if jumps is None else "bath"
    heat = np.concatenate([part.ravel() for part in (heat, jumps) if part is not None] or [np.zeros(0)])
    if heat.size == 0 or not np.isfinite(heat).all():
        return
    verbs = ("give", "take") if jumps is None else ("gives", "takes")
    for sign, dash, text in ((1, (0, (5, 2)), f"{name} {verbs[0]}"), (-1, (0, (1, 1.5)), f"{name} {verbs[1]}")):
        total = sum(value for value in sign * heat if value > 0) / (planes.area if planes.found else 1.0)
        label = text + (" (a site of a plane)" if planes.several else "" if planes.found else " in all")
        ax.axhline(direction * total, color="0.2", linestyle=dash, linewidth=1.6, label=label)


def draw_flows(ax, at, leaves, enters, width):
    """Draw what leaves the first and what enters the second site of each bond; one bar where these agree."""
    largest = np.nanmax(np.abs([leaves, enters]), initial=0.0)
    if not np.nanmax(np.abs(leaves - enters), initial=0.0) > BALANCED * largest:
        ax.bar(at, 0.5 * (leaves + enters), color=style.PALETTE[2], width=width)
        return
    ax.bar(at - width / 4, leaves, color=style.PALETTE[2], width=width / 2, label="leaves the first site")
    ax.bar(at + width / 4, enters, color=style.PALETTE[5], width=width / 2, label="enters the second site")


def draw_current(ax, results, planes, current):
    """Draw the current from plane to plane, or of each bond where there are no planes; beside them the heats."""
    through = results.vector("/steady/planes/current") if planes.several else None
    shown = current if through is None else through
    outflow = results.matrix("/steady/outflow", 2)
    at = np.arange(shown.size)
    if shown.size > style.MOST_DOTS:
        ax.plot(at, shown, color=style.PALETTE[2], linewidth=2.0, label="mean of both ends of a bond")
    elif through is None and outflow is not None and outflow.shape == (current.size, 2):
        draw_flows(ax, at, outflow[:, 0], -outflow[:, 1], 0.7)
    else:
        ax.bar(at, shown, color=style.PALETTE[2], width=0.7)
    draw_heats(ax, results, planes, -1.0 if np.nanmean(shown) < 0 else 1.0)
    ax.set_xlabel("between planes" if planes.several else "bond")
    ax.set_ylabel("heat current $J$" + (" a site" if planes.several else "") + f"  ({results.unit('power')})")
    lines = [line.get_ydata() for line in ax.lines] + [[bar.get_height() for bar in ax.patches]]
    low, high = style.finite_range([np.asarray(values, dtype=float) for values in lines]) or (0.0, 0.0)
    ax.set_ylim(*style.widen(min(0.0, low), max(0.0, high), 0.1))
    style.whole_numbers(ax.xaxis)
    ends = np.stack([at, at + 1], axis=1) if planes.several else results.bonds
    if ends.shape[0] == shown.size <= 12:
        ax.set_xticks(at, [f"{a}–{b}" for a, b in ends])


def is_map(results, planes, sites):
    """True for lattices of two axes whose bonds are those of neighbours."""
    wide = [n for n in planes.shape if n > 1]
    return len(wide) == 2 and int(np.prod(wide)) == sites and table(results.job, "lattice", "bonds") is None


def draw_map(ax, figure, results, planes, values, current, label):
    """Draw the sites of a two-dimensional lattice with the currents of their bonds as arrows."""
    columns, rows = (n for n in planes.shape if n > 1)
    mesh = ax.imshow(values.reshape(rows, columns), origin="lower", cmap=style.SEQUENTIAL, aspect="equal")
    figure.colorbar(mesh, ax=ax, label=label, shrink=0.8)
    ax.grid(False)
    ax.set_xlabel("first axis")
    ax.set_ylabel("second axis")
    style.whole_numbers(ax.xaxis)
    style.whole_numbers(ax.yaxis)
    bonds = results.bonds
    if bonds.shape[0] != current.size or not 0 < current.size <= MOST_ARROWS or not np.nanmax(np.abs(current)) > 0:
        return
    start, end = (np.stack([bonds[:, k] % columns, bonds[:, k] // columns], axis=1).astype(float) for k in (0, 1))
    near = np.abs(end - start).sum(axis=1) == 1  # closing bonds of periodic axes have no room for an arrow
    size = (current / np.nanmax(np.abs(current)))[near, None]
    arrow = 0.8 * size * (end - start)[near]
    middle = 0.5 * (start + end)[near]
    seen = np.abs(size[:, 0]) > 0.02
    ax.quiver(*(middle - arrow / 2)[seen].T, *arrow[seen].T, angles="xy", scale_units="xy", scale=1.0, color="white",
              edgecolor="black", linewidth=0.7, width=0.014, zorder=3)
    ax.set_title(f"arrows: heat currents, up to {np.nanmax(np.abs(current)):.3g} {results.unit('power')}", fontsize=11)


def draw(results):
    """Draw three panels: energy, temperature, current; a fourth, the map, in two dimensions."""
    energy = results.vector("/steady/energy")
    temperature = results.vector("/steady/temperature")
    current = results.vector("/steady/current")
    if energy is None or temperature is None or current is None:
        raise NotDrawn("needs energy, temperature and current in /steady")
    planes = Planes(results, energy.size)
    known = results.vector("/steady/is_temperature")
    known = None if known is None or known.size != energy.size else known > 0
    mapped = is_map(results, planes, energy.size)
    figure, axes = style.panels(results, 1, 4 if mapped else 3, width=4.6, height=4.4, legend=0.4)
    energies, temperatures, currents = axes[0, :3]
    means = results.vector("/steady/planes/energy")
    draw_profile(energies, planes, energy, means, f"site energy $u$  ({results.unit('energy')})", style.PALETTE[0])
    text = constant_text(results, "diffusion", "$D$", f"({results.unit('diffusion')})")
    if text:
        draw_line(energies, means, text)
    warm = results.vector("/steady/planes/temperature")
    if degenerate(results):
        style.note(temperatures, "all levels of a site are equal:\nno level energy, no temperature")
    elif known is not None and not np.any(known) and np.isnan(temperature).all():
        style.note(temperatures, "the bath has no temperature:\njumps, or rates of no temperature")
    else:
        draw_profile(temperatures, planes, temperature, warm, f"temperature $T$  ({results.unit('temperature')})", style.PALETTE[1],
                     known)
    text = constant_text(results, "kappa", "$\\kappa$", conductivity_unit(results))
    if text:
        draw_line(temperatures, warm, text)
    draw_current(currents, results, planes, current)
    for ax in axes[0, :3]:
        legend_below(ax)
    if mapped:
        shown = known is None or known.all()
        draw_map(axes[0, 3], figure, results, planes, temperature if shown else energy, current,
                 f"temperature $T$  ({results.unit('temperature')})" if shown
                 else f"site energy $u$  ({results.unit('energy')})")
    return figure
