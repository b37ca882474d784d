"""How well the exact dynamics keeps its norm and, if the system is closed, its total energy."""

import numpy as np

from . import style
from .results import NotDrawn, table

ROUNDING = np.finfo(float).eps


def draw_panel(ax, results, values, rounding, colour):
    """Draw deviations [T] on a logarithmic axis, those below the rounding error at its level."""
    visible = np.where(np.isfinite(values), np.maximum(values, rounding), np.nan)
    style.line(ax, results.time, style.positive(visible), color=colour, linewidth=1.8)
    if style.log_limits(ax, [visible]) and ax.get_ylim()[0] < rounding:
        ax.set_ylim(rounding / 3, max(ax.get_ylim()[1], 10 * rounding))
        ax.axhspan(ax.get_ylim()[0], rounding, color="0.93", zorder=0)
        ax.annotate("rounding", (0.99, rounding), xycoords=("axes fraction", "data"), xytext=(0, -4),
                    textcoords="offset points", ha="right", va="top", color="0.35", fontsize=10)
    style.time_axis(ax, results)


def draw_tolerance(ax, results):
    """Mark the tolerance that the job asks for, if it lies within the panel."""
    tolerance = table(results.job, "exact", "tolerance")
    if not isinstance(tolerance, float) or not ax.get_ylim()[0] < tolerance < ax.get_ylim()[1]:
        return
    ax.axhline(tolerance, color="0.45", linestyle="--", linewidth=1.2)
    style.outside_legend(ax, [style.key("tolerance\nof the job", "0.45", linestyle="--", linewidth=1.2)])


def in_bath(results):
    """Return whether the job has a bath, with which the system exchanges energy: no drift is one then."""
    dephasing = table(results.job, "bath", "dephasing")
    exchanges = table(results.job, "bath", "reservoir") or table(results.job, "bath", "jump")
    return bool(exchanges) or isinstance(dephasing, (int, float)) and dephasing > 0


def draw(results):
    """Draw |norm - 1| and |E(t) - E(0)|, of density matrices |trace - 1| and the Hermiticity, one panel each."""
    norm = results.series("/exact/norm", 1)
    hermiticity = results.series("/exact/hermiticity_error", 1)
    energy = results.series("/exact/total_energy", 1)
    drawings = []
    if norm is not None:
        name = "norm" if hermiticity is None else "trace"
        drawings.append((np.abs(norm - 1), ROUNDING, rf"$|\mathrm{{{name}}} - 1|$", name))
    if hermiticity is not None:  # a bath takes energy and gives it
        drawings.append((hermiticity, ROUNDING, "anti-Hermitian part of the whole", "density matrix"))
    elif energy is not None and not in_bath(results):
        drift = np.abs(energy - energy[0])
        drift[0] = np.nan  # zero by definition
        rounding = ROUNDING * np.nan_to_num(np.abs(energy)).max()
        drawings.append((drift, rounding, f"$|E(t) - E(0)|$  ({results.unit('energy')})", "total energy"))
    if not drawings:
        raise NotDrawn("needs /exact/norm or /exact/total_energy")
    figure, axes = style.panels(results, 1, len(drawings), 5.4, 3.9, legend=0.4)
    for ax, (values, rounding, label, title), colour in zip(axes[0], drawings, style.PALETTE):
        draw_panel(ax, results, values, rounding, colour)
        ax.set_ylabel(label)
        ax.set_title(title)
    if norm is not None:
        draw_tolerance(axes[0, 0], results)
    return figure
