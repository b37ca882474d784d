"""Energy profiles of a chain at several times: exact against diffusion by the site equation."""

import matplotlib
import numpy as np

from . import kernels, style
from .results import NotDrawn

SHARES_OF_TIME = (0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)


def choose_times(count):
    """Return output numbers at doubling times: diffusion slows down as it spreads."""
    return np.unique([round(share * (count - 1)) for share in SHARES_OF_TIME])


def draw_panel(ax, exact, diffusion, chosen, colours):
    """Draw exact energies [T, N] as dots and diffusion as lines, either may be None."""
    for row, colour in zip(chosen, colours):
        if diffusion is not None:
            style.line(ax, np.arange(diffusion.shape[1]), diffusion[row], color=colour, linewidth=1.8)
        if exact is not None:
            ax.plot(np.arange(exact.shape[1]), exact[row], linestyle="none", marker="o",
                    markersize=6, color=colour)
    sites = (exact if exact is not None else diffusion).shape[1]
    ax.set_xlim(-0.03 * sites, 1.03 * sites - 1)
    ax.set_xlabel("site $i$")
    style.whole_numbers(ax.xaxis)


def legend_entries(time, chosen, colours, exact, diffusion):
    """Return the legend: what dots and lines are, and the times."""
    entries = []
    if exact is not None:
        entries.append(style.key("exact", linestyle="none", marker="o"))
    if diffusion:
        entries.append(style.key("diffusion (site eq.)", linewidth=1.8))
    return entries + [style.key(f"$t$ = {time[row]:.4g}", colour, linewidth=3)
                      for row, colour in zip(chosen, colours)]


def draw(results):
    """Draw one panel a kernel of the site equation; the exact profiles alone if there is none."""
    time = results.time
    exact = results.series("/exact/energy", 2)
    diffusion = {kernel: results.series(f"/sites/{kernel}/energy", 2) for kernel in results.kernels("/sites")}
    diffusion = {kernel: values for kernel, values in diffusion.items() if values is not None}
    sizes = {values.shape[1] for values in [exact, *diffusion.values()] if values is not None}
    if not sizes:
        raise NotDrawn("needs energy in /exact or /sites/<k>")
    if len(sizes) > 1 or not results.is_chain(*sizes):
        raise NotDrawn("the bonds form no chain of at least two sites")
    diffusion = {kernel: style.without_runaways(values, exact) for kernel, values in diffusion.items()}
    chosen = choose_times(time.size)
    colours = matplotlib.colormaps[style.SEQUENTIAL](np.linspace(0, 0.88, chosen.size))
    figure, axes, shown = kernels.panels(results, list(diffusion))
    for ax, kernel in zip(axes.ravel(), shown or [None]):
        draw_panel(ax, exact, diffusion.get(kernel), chosen, colours)
        ax.set_title("exact energy profiles" if kernel is None else kernel.title)
    for ax in axes[:, 0]:
        ax.set_ylabel(f"site energy $u(i,t)$  ({results.unit('energy')})")
    style.data_limits(axes[0, 0], [] if exact is None else [exact[chosen]],
                      [diffusion[kernel][chosen] for kernel in shown])
    style.outside_legend(axes[0, -1], legend_entries(time, chosen, colours, exact, diffusion))
    return figure
