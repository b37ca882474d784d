"""Energy currents through the bonds against time, from the exact dynamics."""

import numpy as np

from . import style
from .results import NotDrawn

MOST_NAMED_BONDS = 16


def label(results):
    """Return the label of an axis of currents."""
    return rf"energy current $J_b(t)$  ({results.unit('power')})"


def bond_names(results, count):
    """Return the bonds' names, in the direction in which their currents are positive."""
    if results.bonds.shape[0] != count:
        return [f"bond {bond}" for bond in range(count)]
    return [f"{first} → {last}" for first, last in results.bonds.tolist()]


def draw_lines(results, current, error, names):
    """Draw one line a bond, or for several bonds whose currents are alike."""
    time = results.time
    figure, axes = style.panels(results, 1, 1, 6.6, 4.3)
    ax = axes[0, 0]
    ax.axhline(0, color="0.6", linewidth=0.9)
    groups = style.alike(current)
    for (bond, *_), colour in zip(groups, style.PALETTE):
        style.line(ax, time, current[:, bond], color=colour, linewidth=2)
        if error is not None:
            ax.fill_between(time, current[:, bond] - error[:, bond], current[:, bond] + error[:, bond],
                            color=colour, alpha=0.25, linewidth=0)
    style.time_axis(ax, results)
    style.data_limits(ax, [current] if error is None else [current - error, current + error])
    ax.set_ylabel(label(results))
    ax.set_title("exact bond currents")
    entries = [style.key(style.count_alike(names[group[0]], len(group)), colour, linewidth=2)
               for group, colour in zip(groups, style.PALETTE)]
    if error is not None:
        entries.append(style.error_key(error, np.ptp(ax.get_ylim())))
    style.outside_legend(ax, entries, title="bond")
    return figure


def draw_map(results, current, names):
    """Draw a map over time and bond, white where no energy flows."""
    count = current.shape[1]
    figure, axes = style.panels(results, 1, 1, 7.0, min(4.3 + 0.05 * count, 8.0))
    ax = axes[0, 0]
    found = style.finite_range([np.abs(current)])
    largest = found[1] if found and found[1] > 0 else 1.0
    mesh = style.space_time_map(ax, results, current, (-largest, largest), style.DIVERGING)
    if count <= MOST_NAMED_BONDS:
        ax.set_yticks(range(count), names)
        ax.set_ylabel("bond")
    else:
        ax.set_ylabel("bond number")
    ax.set_title("exact bond currents")
    figure.colorbar(mesh, ax=ax, pad=0.015).set_label(label(results))
    return figure


def draw(results):
    """Draw lines for few bonds, a map for many."""
    current = results.series("/exact/current", 2)
    if current is None:
        raise NotDrawn("needs /exact/current with at least one bond")
    names = bond_names(results, current.shape[1])
    if len(style.alike(current)) > style.MOST_LINES:
        return draw_map(results, current, names)
    error = results.series("/exact/current_error", 2)
    if error is not None and error.shape != current.shape:
        error = None
    return draw_lines(results, current, error, names)
