"""Singular times: where the exact kernel diverges, while the populations stay finite."""

import numpy as np

from . import style

LOOK = dict(color="0.4", linestyle=(0, (1, 1.5)), linewidth=1.1)
AFTER = dict(linewidth=1.2, alpha=0.5)  # of the exact kernel after the first one
FAINT = 0.4  # all but the first one
MOST_MARKS = 6  # dozens of lines would hide the curves


def mark(ax, results, instants=None):
    """Draw a thin vertical line at the first singular times, and name the very first above the panel.

    instants: those of another kernel than the exact one.
    """
    instants = (results.singular_times if instants is None else instants)[:MOST_MARKS]
    for number, instant in enumerate(instants):
        ax.axvline(instant, zorder=0.9, alpha=FAINT if number else 1, **LOOK)
    if instants.size:
        ax.annotate("$t_1$", (instants[0], 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
                    textcoords="offset points", ha="center", va="bottom", fontsize=10, color="0.3")


def title_pad(results):
    """Return the distance of a panel's title that leaves room for the first one's name."""
    return 16 if results.singular_times.size else None


def keys(results, instants=None):
    """Return the legend entries for the marks: one or none."""
    instants = results.singular_times if instants is None else instants
    if not instants.size:
        return []
    plural = "s, the first" if instants.size > 1 else ""
    drawn = f"\n{MOST_MARKS} of {instants.size} drawn" if instants.size > MOST_MARKS else ""
    return [style.key(f"singular time{plural}\n$t_1$ = {instants[0]:.4g}{drawn}", **LOOK)]


def keys_after(results, kernels):
    """Return the legend entry for what `line` draws after the first divergence: one or none."""
    exact = [kernel for kernel in kernels if kernel.name == "exact"]
    if not exact or not results.singular_times.size:
        return []
    return [style.key("exact, after $t_1$:\nno rate equation", **exact[0].look | AFTER)]


def times_before(results):
    """Return how many output times come before the first singular time, at least one."""
    instants = results.singular_times
    return max(1, np.count_nonzero(results.time < min(instants, default=np.inf)))


def interrupted(results, values):
    """Return times and values with a gap at each singular time, where the exact kernel jumps."""
    places = np.searchsorted(results.time, results.singular_times)
    return (np.insert(results.time, places, results.singular_times),
            np.insert(values, places, np.nan))


def line(ax, results, kernel, values):
    """Draw a series of a kernel; that of the exact one faint after the first divergence, where it describes nothing."""
    if kernel.name != "exact":
        style.line(ax, results.time, values, **kernel.look)
        return
    time, values = interrupted(results, values)
    before = times_before(results)
    style.line(ax, time[:before], values[:before], **kernel.look)
    style.line(ax, time[before:], values[before:], **kernel.look | AFTER)
