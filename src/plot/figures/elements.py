"""Elements of kernel matrices [C, C]: which are local, which stand for the others, what they are called."""

import numpy as np

from . import singular, style

ALIKE = 0.01  # curves that differ by less than this share of the largest value count as one
MOST_SITES_SPELT = 6
WINDOW = 0.8  # share of the time before the first divergence in which elements are compared
MOST_CANDIDATES = 32


def local_elements(cells, bonds):
    """Return [C, C]: True where all sites on which two cells differ are one site or lie on one bond."""
    differ = [column[:, None] != column[None, :] for column in cells.T]
    count = sum(differences.astype(int) for differences in differ)
    local = count == 1
    for first, last in bonds.tolist():
        if max(first, last) < len(differ):
            local |= (count == 2) & differ[first] & differ[last]
    return local


def classes(results, size):
    """Return {title: [C, C] elements of that class}; one class where the cells are not known."""
    cells = results.cells
    off_diagonal = ~np.eye(size, dtype=bool)
    if cells is None or cells.shape[0] != size:
        return {"elements": off_diagonal}
    local = local_elements(cells, results.bonds)
    return {"local": local & off_diagonal, "nonlocal": ~local & off_diagonal}


def rows_compared(results):
    """Return the number of output times in which elements are compared, at least one."""
    return max(1, int(WINDOW * singular.times_before(results)))


def visible_size(curves):
    """Return the largest absolute value to show of curves that may diverge; 0 if there is none."""
    sizes = np.abs(curves)
    sizes = sizes[np.isfinite(sizes)]
    return min(2 * np.percentile(sizes, 90) or sizes.max(), sizes.max()) if sizes.size else 0.0


def scaled(curves):
    """Return curves as shares of their largest visible value, cut there, 0 for NaN."""
    size = visible_size(curves) or 1.0
    return np.clip(np.nan_to_num(curves / size), -1, 1)


def group_alike(curves):
    """Return the columns of scaled curves [T, K] in groups [[first, ...], ...] that look the same."""
    groups = []
    for column in range(curves.shape[1]):
        for group in groups:
            if np.abs(curves[:, column] - curves[:, group[0]]).max() <= ALIKE:
                group.append(column)
                break
        else:
            groups.append([column])
    return groups


def largest(results, generator, chosen, limit=MOST_CANDIDATES):
    """Return the chosen elements (to, from, how many alike) with the largest peaks.

    chosen: [C, C], True for the elements that may be taken.  Elements of equal peak and equal mean
    count as alike and are given once.  Reads the generator time by time: memory for four matrices.
    """
    size, times = generator.shape[-1], rows_compared(results)
    peak, total = np.zeros((size, size)), np.zeros((size, size))
    for rates in results.generator_rows(generator, times):
        rates = np.where(chosen & np.isfinite(rates), rates, 0)
        np.maximum(peak, np.abs(rates), out=peak)
        total += rates
    if not peak.any():
        return []
    grain = 1e-3 * peak.max()
    kept = np.flatnonzero(peak > grain)
    fingerprint = np.round(peak.ravel()[kept] / grain) + 1j * np.round(total.ravel()[kept] / times / grain)
    _, first, count = np.unique(fingerprint, return_index=True, return_counts=True)
    order = np.lexsort((first, -peak.ravel()[kept[first]]))[:limit]
    return [(*divmod(int(kept[first[group]]), size), int(count[group])) for group in order]


def curves(results, generator, elements):
    """Return the elements [(to, from, ...)] against time [T, K]."""
    to, start = [element[0] for element in elements], [element[1] for element in elements]
    times = results.time.size
    rows = np.array([rates[to, start] for rates in results.generator_rows(generator, times)])
    return np.repeat(rows, times, axis=0) if generator.ndim == 2 else rows


def representatives(results, generator, chosen, limit):
    """Return up to `limit` of the chosen elements that look different: (to, from, how many alike)."""
    candidates = largest(results, generator, chosen)
    if not candidates:
        return []
    looks = scaled(curves(results, generator, candidates)[:rows_compared(results)])
    return [(*candidates[group[0]][:2], sum(candidates[column][2] for column in group))
            for group in group_alike(looks)[:limit]]


def name(cells, to, start):
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
