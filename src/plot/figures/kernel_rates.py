"""Rates of all kernels against time: bond rates, local and nonlocal generator elements."""

import numpy as np

from . import elements, singular, style
from .kernels import order_of
from .results import NotDrawn

MOST_ROWS = 2


def read_bond_rates(results, kernels):
    """Return {kernel: w [T, B]} for the kernels that have bond rates, B that of the first one."""
    found = {kernel: results.series(f"/kernel/{kernel}/bond_rate", 2, one_row=True) for kernel in kernels}
    found = {kernel: rates for kernel, rates in found.items() if rates is not None}
    bonds = {rates.shape[1] for rates in found.values()}
    return found if len(bonds) == 1 else {}


def bond_name(results, bond, count):
    """Return a bond's name, by its sites if they are known."""
    if results.bonds.shape[0] != count:
        return f"bond {bond}"
    return "bond {}–{}".format(*results.bonds[bond])


def bond_panels(results, kernels):
    """Return [(title, {kernel: rate [T]})] for bonds that stand for the others."""
    found = read_bond_rates(results, kernels)
    if not found:
        return []
    groups = elements.group_alike(np.concatenate([elements.scaled(rates) for rates in found.values()]))
    count = sum(map(len, groups))
    panels = []
    for group in [groups[number] for number in sorted({0, len(groups) // 2})]:
        title = style.count_alike(bond_name(results, group[0], count), len(group))
        if len(group) == count > 1:
            title = f"all {count} bonds"
        panels.append((title, {kernel: rates[:, group[0]] for kernel, rates in found.items()}))
    return panels


def choose_elements(results, generators, chosen):
    """Return representative elements by the first kernel that has any: exact, the highest order, ..."""
    order = sorted(generators, key=lambda kernel: (kernel.name != "exact", -(order_of(kernel.name) or 0)))
    for kernel in order:
        found = elements.representatives(results, generators[kernel], chosen, MOST_ROWS)
        if found:
            return found
    return []


def element_columns(results, kernels):
    """Return {class: [(title, {kernel: rate [T]})]} for elements that stand for the others."""
    generators = {kernel: results.generator(kernel) for kernel in kernels}
    generators = {kernel: dataset for kernel, dataset in generators.items() if dataset is not None}
    if len({dataset.shape[-1] for dataset in generators.values()}) != 1:
        return {}
    size = next(iter(generators.values())).shape[-1]
    columns = {}
    for title, chosen in elements.classes(results, size).items():
        found = choose_elements(results, generators, chosen)
        curves = {kernel: elements.curves(results, dataset, found) for kernel, dataset in generators.items()
                  if found}
        columns[title] = [
            (f"{title}: " + style.count_alike(elements.name(results.cells, to, start), alike),
             {kernel: values[:, number] for kernel, values in curves.items()})
            for number, (to, start, alike) in enumerate(found)]
    return columns


def leading(results, curves):
    """Return what sets the limits: zero, Markov, and the exact kernel or else the lowest order.

    Only what comes before the first singular time counts. Other orders may run away, with reservoirs the lowest too.
    """
    orders = [order_of(kernel.name) for kernel in curves]
    lowest = min((order for order in orders if order is not None), default=None)
    before = singular.times_before(results)
    ranges = {kernel.name: style.robust_range(values[:before]) for kernel, values in curves.items()}
    guide = "exact" if np.isfinite(ranges.get("exact", np.nan)).all() else f"tcl{lowest}"
    return [np.zeros(1)] + [found for name, found in ranges.items()
                            if name == guide or (name != "exact" and order_of(name) is None)]


def draw_panel(ax, results, title, curves):
    """Draw one rate of every kernel."""
    ax.axhline(0, color="0.6", linewidth=0.9, zorder=0.8)
    singular.mark(ax, results)
    for kernel, values in curves.items():
        singular.line(ax, results, kernel, values)
    style.data_limits(ax, leading(results, curves), list(curves.values()))
    style.time_axis(ax, results)
    ax.set_title(title, fontsize=12, pad=singular.title_pad(results))


def draw(results):
    """Draw a column each for bond rates, local and nonlocal elements; a panel holds all kernels."""
    kernels = [kernel for kernel in results.kernels("/kernel") if kernel.name != "memory"]
    columns = {f"bond rate $w(b,t)$  ({results.unit('rate')})": bond_panels(results, kernels)}
    for title, panels in element_columns(results, kernels).items():
        columns[f"{title} rate $W_{{nm}}(t)$  ({results.unit('rate')})"] = panels
    columns = {label: panels for label, panels in columns.items() if panels}
    if not columns:
        raise NotDrawn("needs bond_rate or a generator that is not zero in /kernel/<k>")
    rows = max(map(len, columns.values()))
    figure, axes = style.panels(results, rows, len(columns), 4.9, 3.6, legend=1.6)
    for label, panels, column in zip(columns, columns.values(), axes.T):
        style.clear(column[len(panels):])
        column[0].set_ylabel(label)
        for ax, (title, curves) in zip(column, panels):
            ax.set_ylabel(label)
            draw_panel(ax, results, title, curves)
    shown = {kernel for panels in columns.values() for _, curves in panels for kernel in curves}
    shown = [kernel for kernel in kernels if kernel in shown]
    style.outside_legend(axes[0, -1], [kernel.key for kernel in shown] + singular.keys_after(results, shown)
                         + singular.keys(results), title="kernel")
    return figure
