"""Part of a spectrum: energies in their order, and where the energy sits in each eigenstate."""

import numpy as np

from . import style
from .results import NotDrawn

SMALLEST_SHOWN = 1e-16  # of a residual


def draw_energies(ax, results, energies):
    """Draw the energies in the order of the file, coloured by their sector, with residuals as a remark."""
    numbers = np.arange(energies.size)
    counts = results.matrix("/spectrum/band_counts", 2)
    dots = dict(linestyle="none", marker="_" if energies.size <= style.MOST_DOTS else ".", markersize=14,
                markeredgewidth=2.5)
    if energies.size > style.MOST_DOTS:
        dots |= dict(markersize=5, markeredgewidth=1.0)
    sectors = None if counts is None or len(counts) != energies.size else np.unique(counts, axis=0, return_inverse=True)
    if sectors is None or not 1 < len(sectors[0]) <= style.MOST_LINES:
        ax.plot(numbers, energies, color=style.PALETTE[0], **dots)
    else:
        for colour, (member, sector) in zip(style.PALETTE, enumerate(sectors[0])):
            mine = np.ravel(sectors[1]) == member
            label = ", ".join(f"{count:g}" for count in sector)
            ax.plot(numbers[mine], energies[mine], color=colour, label=label, **dots)
        style.outside_legend(ax, ax.get_lines(), title="sites in\nbands")
    ax.set_ylim(*style.widen(*style.finite_range([energies])))
    ax.set_xlabel("eigenstate")
    ax.set_ylabel(f"energy $E$  ({results.unit('energy')})")
    style.whole_numbers(ax.xaxis)
    residuals = results.vector("/spectrum/residuals")
    if residuals is not None and np.isfinite(residuals).any():
        ax.set_title(f"largest residual {max(np.nanmax(residuals), SMALLEST_SHOWN):.1e}")


def draw_map(figure, ax, results, energy):
    """Draw the energy of each site in each eigenstate: states across, sites upwards."""
    states, sites = energy.shape
    style.table_map(figure, ax, np.arange(sites, dtype=float), np.arange(states, dtype=float), energy.T,
                    f"site energy $u(i)$  ({results.unit('energy')})")
    ax.set_xlabel("eigenstate")
    ax.set_ylabel("site $i$")


def draw(results):
    """Draw two panels: energies against number, a map of the site energies."""
    energies = results.vector("/spectrum/energies")
    if energies is None or style.finite_range([energies]) is None:
        raise NotDrawn("needs /spectrum/energies")
    figure, axes = style.panels(results, 1, 2, width=5.2, legend=1.8)
    draw_energies(axes[0, 0], results, energies)
    energy = results.matrix("/spectrum/energy", 2)
    if energy is None or energy.shape[0] != energies.size:
        style.note(axes[0, 1], "no energies of sites")
    else:
        draw_map(figure, axes[0, 1], results, energy)
    return figure
