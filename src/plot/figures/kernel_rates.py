"""Rates of the kernels against time: bond rates and the largest generator elements."""

import numpy as np

from . import style
from .results import NotDrawn

ALIKE = 0.01  # curves that differ by less than this share of the largest value count as one
CUT = 2.0     # a diverging kernel is shown up to this multiple of its typical largest value
MOST_SITES_SPELT = 6
MOST_ELEMENTS = 6
SINGULAR = dict(color="0.45", linestyle=":", linewidth=1.3)


def times_before_divergence(results, kernel):
    """Return how many output times come before the kernel's first singular time, at least one."""
    singular = results.singular_times(kernel)
    return results.time.size if not singular.size else np.count_nonzero(results.time < singular[0])


def visible_size(curves, before):
    """Return the largest absolute value to show of curves [T, K], and whether larger ones are cut.

    before: the number of times before the kernel diverges; a kernel that never does is not cut.
    """
    sizes = np.abs(curves[:before])
    sizes = sizes[np.isfinite(sizes)]
    if not sizes.size:
        return 0.0, False
    largest, typical = sizes.max(), np.percentile(sizes, 90)
    if before == curves.shape[0]:
        return largest, False
    return (CUT * typical or largest), True


def group_alike(curves, scale):
    """Return the columns of curves [T, K] in groups [[first, ...], ...] that look the same."""
    groups = []
    filled = np.clip(np.nan_to_num(curves), -scale, scale)
    for column in range(curves.shape[1]):
        for group in groups:
            if np.abs(filled[:, column] - filled[:, group[0]]).max() <= ALIKE * scale:
                group.append(column)
                break
        else:
            groups.append([column])
    return groups


def largest_elements(results, generator, before, limit):
    """Return the off-diagonal elements (to, from, how many alike) with the largest peaks.

    before: the number of times to look at.  Elements of equal peak and equal mean count as alike
    and are given once.  Reads the generator time by time: memory for three matrices [C, C].
    """
    size = generator.shape[-1]
    peak, total = np.zeros((size, size)), np.zeros((size, size))
    for rates in results.generator_rows(generator, before):
        rates[~np.isfinite(rates)] = 0
        np.fill_diagonal(rates, 0)
        np.maximum(peak, np.abs(rates), out=peak)
        total += rates
    if not peak.any():
        return []
    grain = 1e-3 * peak.max()
    kept = np.flatnonzero(peak > grain)
    fingerprint = np.round(peak.ravel()[kept] / grain) + 1j * np.round(total.ravel()[kept] / before / grain)
    _, first, count = np.unique(fingerprint, return_index=True, return_counts=True)
    order = np.lexsort((first, -peak.ravel()[kept[first]]))[:limit]
    return [(*divmod(int(kept[first[group]]), size), int(count[group])) for group in order]


def element_curves(results, generator, elements):
    """Return the chosen elements against time [T, K]."""
    to, start = [element[0] for element in elements], [element[1] for element in elements]
    times = results.time.size
    curves = np.array([rates[to, start] for rates in results.generator_rows(generator, times)])
    return np.repeat(curves, times, axis=0) if generator.ndim == 2 else curves


def element_name(cells, to, start):
    """Return an element's name: the configurations before and after, or what changes."""
    if cells is None or max(to, start) >= cells.shape[0]:
        return f"cell {start} → {to}"
    before, after = cells[start], cells[to]
    changed = np.flatnonzero(before != after)
    if before.size > MOST_SITES_SPELT:
        if changed.size > MOST_SITES_SPELT:
            return f"cell {start} → {to}"
        before, after = before[changed], after[changed]
    separator = "" if max(before.max(initial=0), after.max(initial=0)) < 10 else ","
    states = f"{separator.join(map(str, before))} → {separator.join(map(str, after))}"
    if changed.size == cells.shape[1] or cells.shape[1] <= MOST_SITES_SPELT:
        return states
    return f"sites {', '.join(map(str, changed))}: {states}"


def element_names(cells, pairs):
    """Return the names of elements [(to, from)]; cell numbers tell equal changes apart."""
    names = [element_name(cells, to, start) for to, start in pairs]
    return [name if names.count(name) == 1 else f"{name} (cell {start} → {to})"
            for name, (to, start) in zip(names, pairs)]


def count_alike(name, count):
    """Return a curve's legend text with the number of curves that it stands for."""
    return name if count == 1 else f"{name}  (+{count - 1} alike)"


def draw_curves(ax, results, kernel, curves, names):
    """Draw curves [T, K] with their names beside the panel.

    Where the kernel diverges is marked; from the first such time on, when no rate equation follows it
    any more, the curves are faint.
    """
    before = times_before_divergence(results, kernel)
    for column, colour in zip(range(curves.shape[1]), style.PALETTE):
        style.line(ax, results.time[:before], curves[:before, column], color=colour, linewidth=2)
        style.line(ax, results.time[before:], curves[before:, column], color=colour, linewidth=1, alpha=0.4)
    style.time_axis(ax, results.time)
    size, cut = visible_size(curves, before)
    style.data_limits(ax, [np.clip(curves, -size, size)])
    entries = [style.key(name, colour, linewidth=2) for name, colour in zip(names, style.PALETTE)]
    if cut:
        for instant in results.singular_times(kernel):
            ax.axvline(instant, **SINGULAR)
        entries.append(style.key("kernel diverges\n(axis cut)", **SINGULAR))
    style.outside_legend(ax, entries)


def draw_bond_rates(ax, results, kernel, rates):
    """Draw the bond rates [T, B]; bonds with the same rate are drawn once."""
    size, _ = visible_size(rates, times_before_divergence(results, kernel))
    groups = group_alike(rates, size)
    shown = [groups[number] for number in style.spread(len(groups), style.MOST_LINES)]
    bonds = rates.shape[1]
    if results.bonds.shape[0] == bonds:
        labels = [f"bond {first}–{last}" for first, last in results.bonds.tolist()]
    else:
        labels = [f"bond {bond}" for bond in range(bonds)]
    names = [count_alike(labels[group[0]], len(group)) for group in shown]
    if len(groups) == 1 and bonds > 1:
        names = [f"all {bonds} bonds"]
    draw_curves(ax, results, kernel, rates[:, [group[0] for group in shown]], names)
    ax.set_ylabel(r"bond rate $w(b,t)$  (energy)")


def draw_elements(ax, results, kernel, generator):
    """Draw the largest off-diagonal elements of a generator; elements alike are drawn once."""
    ax.set_ylabel(r"kernel $N(t)$  (energy$^2$)" if kernel == "memory" else r"rate $W_{cc'}(t)$  (energy)")
    before = times_before_divergence(results, kernel)
    elements = largest_elements(results, generator, before, 4 * style.MOST_LINES)
    if not elements:
        style.time_axis(ax, results.time)
        style.note(ax, "no finite element differs from zero")
        return
    curves = element_curves(results, generator, elements)
    groups = group_alike(curves, visible_size(curves, before)[0])[:MOST_ELEMENTS]
    names = element_names(results.cells, [elements[group[0]][:2] for group in groups])
    names = [count_alike(name, sum(elements[column][2] for column in group))
             for name, group in zip(names, groups)]
    draw_curves(ax, results, kernel, curves[:, [group[0] for group in groups]], names)


def draw(results):
    """Draw one row a kernel: bond rates on the left, generator elements on the right."""
    found = []
    for kernel in results.kernels("/kernel"):
        rates = results.series(f"/kernel/{kernel}/bond_rate", 2, one_row=True)
        generator = results.generator(kernel)
        if rates is not None or generator is not None:
            found.append((kernel, rates, generator))
    if not found:
        raise NotDrawn("needs bond_rate or generator in /kernel/<k>")
    columns = [any(rates is not None for _, rates, _ in found),
               any(generator is not None for _, _, generator in found)]
    figure, axes = style.panels(results, len(found), sum(columns), 6.8, 3.6, legend=1.0)
    for (kernel, rates, generator), row in zip(found, axes):
        if rates is None and columns[0] or generator is None and columns[1]:
            style.clear([row[0] if rates is None else row[-1]])
        if rates is not None:
            draw_bond_rates(row[0], results, kernel, rates)
            row[0].set_title(f"{style.kernel_label(kernel)}: bond rates")
        if generator is not None:
            draw_elements(row[-1], results, kernel, generator)
            row[-1].set_title(f"{style.kernel_label(kernel)}: largest elements")
    return figure
