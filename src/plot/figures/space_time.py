"""Site energies as maps over time and site: exact, many-body and site equation side by side."""

from . import style
from .results import NotDrawn

COLUMNS = (("exact", "exact"), ("rates", "many-body rate eq."), ("sites", "site rate eq."))


def energies(results):
    """Return one row a kernel: a list of (title, u [T, N]), the exact solution first."""
    exact = results.series("/exact/energy", 2)
    rows = []
    for kernel in results.rate_kernels():
        row = [(f"{equation}, {style.kernel_label(kernel)}", results.series(f"/{parent}/{kernel}/energy", 2))
               for parent, equation in COLUMNS[1:]]
        row = [(title, values) for title, values in row if values is not None]
        if row:
            rows.append(row)
    if exact is not None:
        rows = [[("exact", exact), *row] for row in rows or [[]]]
    return rows


def colour_limits(rows):
    """Return colour limits and which ends the data leave: those of the first map of all."""
    everything = [values for row in rows for _, values in row]
    lead = style.finite_range([rows[0][0][1]]) or style.finite_range(everything)
    if lead is None:
        return (0.0, 1.0), "neither"
    low, high = style.widen(*lead, share=0)
    smallest, largest = style.finite_range(everything)
    margin = 1e-3 * (high - low)
    below, above = smallest < low - margin, largest > high + margin
    return (low, high), {(False, False): "neither", (True, False): "min",
                         (False, True): "max", (True, True): "both"}[below, above]


def draw(results):
    """Draw a row of maps a kernel, all on one colour scale."""
    time = results.time
    rows = energies(results)
    if not rows:
        raise NotDrawn("needs energy in /exact, /rates/<k> or /sites/<k>")
    columns = max(len(row) for row in rows)
    limits, extend = colour_limits(rows)
    figure, axes = style.panels(results, len(rows), columns, 4.2, 3.6, legend=1.3)
    for row, row_axes in zip(rows, axes):
        style.clear(row_axes[len(row):])
        row_axes[0].set_ylabel("site number" if results.several_axes else "site $i$")
        for ax, (title, values) in zip(row_axes, row):
            mesh = style.space_time_map(ax, time, values, limits, style.SEQUENTIAL)
            ax.set_title(title, fontsize=12)
    bar = figure.colorbar(mesh, ax=axes, extend=extend, extendfrac=0.05 / len(rows),
                          pad=0.015, aspect=24 * len(rows))
    bar.set_label(r"site energy $u(i,t)$  (energy)")
    return figure
