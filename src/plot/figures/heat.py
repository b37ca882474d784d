"""Temperatures of the heat equation: profiles, maps or slices, and the power through the faces."""

import numpy as np

from . import style
from .results import NotDrawn

GROUP = "/heat"
MOST_TIMES = 5
FACES = [axis + end for axis in "xyz" for end in "-+"]


def temperatures(results):
    """Return the temperatures [T, ...cells], and the times [T] or None of a steady state."""
    steady = results.numbers(GROUP, "steps") is None
    shape = results.datasets("/").get("heat/temperature")
    if shape is None:
        raise NotDrawn("needs /heat/temperature")
    values = results.matrix(f"{GROUP}/temperature", len(shape)) * results.factor("temperature")
    return (values[np.newaxis], None) if steady else (values, results.time)


def label(results):
    """Return the label of an axis of temperatures."""
    return f"temperature $T$  ({results.unit('temperature')})"


def draw_profiles(results, values, times):
    """Draw a line for each of some times; return the figure."""
    figure, axes = style.panels(results, 1, 1, 6.2, 4.2, legend=2.0)
    ax = axes[0, 0]
    rows = style.spread(values.shape[0], MOST_TIMES)
    handles = []
    for row, colour in zip(rows, style.PALETTE):
        style.line(ax, np.arange(values.shape[1]), values[row], color=colour, linewidth=2)
        if times is not None:
            handles.append(style.key(f"$t$ = {times[row]:.4g}", colour, linewidth=2))
    ax.set_xlabel("cell")
    ax.set_ylabel(label(results))
    style.whole_numbers(ax.xaxis)
    style.data_limits(ax, [values[rows]])
    if handles:
        style.outside_legend(ax, handles)
    return figure


def isolines(ax, values):
    """Draw lines of equal temperature over a map."""
    rounding = 1e-6 * np.abs(values).max()
    if np.isfinite(values).all() and np.ptp(values) > rounding and min(values.shape) > 1:
        ax.contour(values, levels=7, colors="white", linewidths=0.7, alpha=0.7)


def draw_maps(results, values, times, names):
    """Draw maps with isolines, a panel each."""
    figure, axes = style.panels(results, 1, len(values), 5.0, 4.2, legend=0.6)
    for ax, (value, (across, up, text)) in zip(axes[0], zip(values, names)):
        style.table_map(figure, ax, np.arange(value.shape[0], dtype=float), np.arange(value.shape[1], dtype=float),
                        value, label(results))
        isolines(ax, value)
        ax.set_xlabel(f"cell along {across}")
        ax.set_ylabel(f"cell along {up}")
        ax.set_title(text if times is None else f"{text}  $t$ = {times[-1]:.4g}", fontsize=11)
    return figure


def draw(results):
    """Draw profiles in one dimension, a map in two, three slices through the middle in three."""
    values, times = temperatures(results)
    last = values[-1]
    if last.ndim == 1:
        return draw_profiles(results, values, times)
    if last.ndim == 2:
        return draw_maps(results, [last], times, [("x", "y", "temperature")])
    z, y, x = (length // 2 for length in last.shape)
    slices = [last[z], last[:, y], last[:, :, x]]
    return draw_maps(results, slices, times,
                     [("x", "y", f"z = {z}"), ("x", "z", f"y = {y}"), ("y", "z", f"x = {x}")])


def draw_power(results):
    """Draw the power through each face against time."""
    if results.numbers(GROUP, "steps") is None:
        raise NotDrawn("a steady state has no times")
    figure, axes = style.panels(results, 1, 1, 6.2, 4.2, legend=2.0)
    ax, handles, shown = axes[0, 0], [], []
    for name, colour in zip(FACES, style.PALETTE):
        power = results.series(f"{GROUP}/flux_{name}", 1)
        if power is None or not np.any(power):
            continue
        style.line(ax, results.time, power, color=colour, linewidth=2)
        handles.append(style.key(name, colour, linewidth=2))
        shown.append(power)
    if not shown:
        raise NotDrawn("nothing comes through the faces")
    ax.axhline(0, color="0.6", linewidth=0.9)
    style.time_axis(ax, results)
    style.data_limits(ax, shown)
    ax.set_ylabel("power into the block")
    style.outside_legend(ax, handles, title="face")
    return figure
