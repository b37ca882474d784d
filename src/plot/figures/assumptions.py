"""The three assumptions behind Fourier's law as scores of each kernel against time."""

import numpy as np

from . import singular, style
from .results import NotDrawn

# the paper's number of the assumption that a score belongs to; symmetry is used in its Eq. 9
SCORES = {"symmetry": "Eq. 9", "locality": "1", "additivity": "1", "spectator_independence": "1",
          "energy_conservation": "2", "swap_fraction": "2", "level_independence": "3", "negativity": ""}
COLUMNS = 4
NOT_TESTED = "not tested:\nnothing to compare"


def read_scores(results, kernels):
    """Return {score: {kernel: values [T]}} with the kernels that have the score."""
    found = {}
    for score in SCORES:
        values = {kernel: results.series(f"/kernel/{kernel}/{score}", 1, one_row=True) for kernel in kernels}
        found[score] = {kernel: series for kernel, series in values.items() if series is not None}
    return found


def set_limits(ax, results, score, curves):
    """Set the range 0 to 1, that of the data for negativity: the exact kernel's before it diverges."""
    if score != "negativity":
        ax.set_ylim(-0.04, 1.04)
        return
    before = singular.times_before(results)
    judged = [values[:before] if kernel.name == "exact" else values for kernel, values in curves.items()]
    largest = (style.finite_range(judged) or (0, 1))[1]
    ax.set_ylim(-0.04 * (largest or 1), 1.04 * (largest or 1))


def draw_panel(ax, results, score, curves):
    """Draw one score of every kernel."""
    assumption = SCORES[score]
    where = f"  ({assumption})" if assumption.startswith("Eq") else f"  (assumption {assumption})"
    ax.set_title(score.replace("_", " ") + (where if assumption else ""), fontsize=11,
                 pad=singular.title_pad(results))
    style.time_axis(ax, results)
    if not any(np.isfinite(values).any() for values in curves.values()):
        ax.set_ylim(0, 1)
        style.note(ax, NOT_TESTED)
        return
    singular.mark(ax, results)
    for kernel, values in curves.items():
        singular.line(ax, results, kernel, values)
    set_limits(ax, results, score, curves)


def draw(results):
    """Draw eight small panels, one a score, with one line a kernel."""
    kernels = [kernel for kernel in results.kernels("/kernel") if kernel.name != "memory"]
    found = read_scores(results, kernels)
    if not any(found.values()):
        raise NotDrawn("needs scores in /kernel/<k>")
    figure, axes = style.panels(results, 2, COLUMNS, 3.7, 2.9, legend=1.5)
    for ax, (score, curves) in zip(axes.ravel(), found.items()):
        draw_panel(ax, results, score, curves)
    for ax in axes[0]:
        ax.set_xlabel("")
    for ax in axes[:, 0]:
        ax.set_ylabel("score")
    shown = {kernel for curves in found.values() for kernel in curves}
    shown = [kernel for kernel in kernels if kernel in shown]
    style.outside_legend(axes[0, -1], [kernel.key for kernel in shown] + singular.keys_after(results, shown)
                         + singular.keys(results), title="kernel")
    return figure
