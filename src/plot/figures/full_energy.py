"""Energy of sites with half of their interactions, and its currents, against time."""

from . import currents, style
from .results import NotDrawn


def draw_panel(figure, ax, results, values, names, what):
    """Draw lines for a few sites or bonds, a map for many; return the legend entries."""
    title, label = what
    ax.set_title(title, fontsize=11)
    groups = style.alike(values)
    if len(groups) > style.MOST_LINES:
        found = style.finite_range([values])
        mesh = style.space_time_map(ax, results, values, found or (0, 1), "viridis")
        figure.colorbar(mesh, ax=ax, pad=0.015).set_label(label)
        return []
    for (first, *_), colour in zip(groups, style.PALETTE):
        style.line(ax, results.time, values[:, first], color=colour, linewidth=2)
    style.time_axis(ax, results)
    style.data_limits(ax, [values])
    ax.set_ylabel(label)
    return [style.key(style.count_alike(names[group[0]], len(group)), colour, linewidth=2)
            for group, colour in zip(groups, style.PALETTE)]


def draw(results):
    """Draw energies above, currents below."""
    energy = results.series("/exact/full_energy", 2)
    current = results.series("/exact/full_current", 2)
    if energy is None or current is None:
        raise NotDrawn("needs /exact/full_energy and /exact/full_current: exact.energy = \"full\"")
    figure, axes = style.panels(results, 2, 1, 6.6, 3.4, legend=2.2)
    sites = [f"site {site}" for site in range(energy.shape[1])]
    bonds = currents.bond_names(results, current.shape[1])
    unit = results.unit("energy")
    panels = ((energy, sites, ("energy of a site with half of its interactions", f"$\\langle h_x\\rangle$  ({unit})")),
              (current, bonds, ("its currents along the bonds", currents.label(results))))
    for ax, (values, names, what) in zip(axes[:, 0], panels):
        handles = draw_panel(figure, ax, results, values, names, what)
        if handles:
            style.outside_legend(ax, handles)
    return figure
