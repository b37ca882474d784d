"""The exact kernel of the site energies: over waves, over distances, and whether it joins neighbours only."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from . import fluctuations, singular, style, waves
from .results import NotDrawn

MOST_TIMES = 4
MOST_DISTANCES = 6
SCORES = (("locality", "locality: neighbours only"), ("symmetry", "symmetry"),
          ("negativity", "share of negative rates"),
          ("closure_error", "closure error of the\nbond rates alone"))
FINAL = dict(color="0.2", linewidth=1.2, linestyle=(0, (6, 2)))
GROUP = "/transport/site_kernel"
SHOWN = 2.0  # singular times that the panels over time reach: what comes after the first one describes nothing


def singular_times(results):
    """Return the times within the run at which the kernel of the sites diverges, ascending [S]."""
    found = results.vector(f"{GROUP}/singular_times")
    found = np.zeros(0) if found is None else np.sort(found[np.isfinite(found)])
    return found[(found > results.time[0]) & (found < results.time[-1])]


def usable(results, instants):
    """Return at which outputs [T] the kernel is one of an infinite lattice, and a rate equation follows it."""
    return fluctuations.is_known(results) & (results.time < min(instants, default=np.inf)) & (results.time > 0)


def time_axis(ax, results, instants):
    """Set the axis of a panel over time: until some time after the first singular one."""
    singular.mark(ax, results, instants)
    fluctuations.mark_edge(ax, results)
    style.time_axis(ax, results)
    if instants.size:
        ax.set_xlim(results.time[0], min(results.time[-1], SHOWN * instants[0]))


def draw_dispersion(ax, results, instants):
    """Draw w(q,t) against the wave number at several times; return the legend entries."""
    rates = results.series(f"{GROUP}/dispersion", 2)
    phase = None if rates is None else waves.phases(results, rates.shape[1])
    ax.set_xlabel("wave number $|q|a/\\pi$")
    ax.set_ylabel(f"$w(q,t)$  ({results.unit('rate')})")
    ax.set_title("kernel of the site energies over waves: flat if it joins neighbours only", fontsize=11)
    rows = np.flatnonzero(usable(results, instants))
    if phase is None or not rows.size:
        style.note(ax, "no wave vectors" if rows.size else "no output before the kernel\ndiverges or the lattice ends")
        return []
    number = np.linalg.norm(phase, axis=1) / np.pi
    order = np.argsort(number, kind="stable")
    # of the time that is known; its last part is close to where the kernel diverges
    rows = rows[np.unique(np.round((np.arange(MOST_TIMES) + 1) / (MOST_TIMES + 1) * (rows.size - 1)).astype(int))]
    joined = dict(linewidth=1.3) if phase.shape[1] == 1 else dict(linestyle="none")
    handles = []
    for row, colour in zip(rows, fluctuations.colours(rows.size)):
        look = dict(marker="o", markersize=5, **joined)
        ax.plot(number[order], rates[row, order], color=colour, **look)
        handles.append(style.key(f"$t$ = {results.time[row]:.4g}", colour, **look))
    shown = [rates[rows], np.zeros(1)]
    final = fluctuations.final(results)
    if final is not None:
        area = fluctuations.lattice(results).spacing**2 * results.factor("diffusion") / results.factor("rate")
        ax.axhline(final[0] / area, **FINAL)
        handles.append(style.key(f"$D/a^2$, $D$ = {final[0]:.4g}\n{results.unit('diffusion')}", **FINAL))
        shown.append(np.array([final[0] / area]))
    ax.axhline(0, color="0.6", linewidth=0.9, zorder=0.8)
    ax.set_xlim(0, 1.03 * number.max())
    style.data_limits(ax, shown)
    return handles


def draw_distances(ax, results, instants):
    """Draw w_r(t) against time, a line a distance; return the legend entries."""
    rates = results.series(f"{GROUP}/rate", 2)
    distance = results.vector(f"{GROUP}/distance")
    ax.axhline(0, color="0.6", linewidth=0.9, zorder=0.8)
    time_axis(ax, results, instants)
    ax.set_ylabel(f"$w_r(t)$  ({results.unit('rate')})")
    ax.set_title("over distances", fontsize=11, pad=16 if instants.size else None)
    if rates is None or distance is None or distance.size != rates.shape[1]:
        style.note(ax, "no rates by distance")
        return []
    handles, count = [], min(distance.size, MOST_DISTANCES)
    unit = results.unit("length")
    for column, colour in zip(np.argsort(distance)[:count], style.PALETTE):
        fluctuations.line(ax, results, rates[:, column], instants, until=min(instants, default=np.inf), color=colour,
                          linewidth=2.0)
        handles.append(style.key(f"$r$ = {distance[column]:.4g}", colour, linewidth=2.0))
    if distance.size > count:
        handles.append(style.key(f"({distance.size - count} longer: not drawn)", linestyle="none"))
    mine = usable(results, instants)
    lead = style.robust_range(rates[mine, :count]) if mine.any() else np.zeros(0)
    style.data_limits(ax, [lead, np.zeros(1)], [rates[mine, :count]] if mine.any() else [rates[:, :count]])
    return [style.key(f"$r$ in {unit}:", linestyle="none"), *handles]


def draw_scores(ax, results, instants):
    """Draw the scores of the kernel against time; return the legend entries."""
    time_axis(ax, results, instants)
    handles = []
    for (name, text), colour in zip(SCORES, style.PALETTE[4:]):
        values = results.series(f"{GROUP}/{name}", 1)
        if values is None:
            continue
        fluctuations.line(ax, results, values, instants, until=min(instants, default=np.inf), color=colour,
                          linewidth=2.0)
        handles.append(style.key(text, colour, linewidth=2.0))
    ax.set_ylim(-0.03, 1.03)
    ax.set_ylabel("score")
    ax.set_title("scores", fontsize=11, pad=16 if instants.size else None)
    if not handles:
        style.note(ax, "no scores")
    return handles


def draw(results):
    """Draw the kernel over waves, over distances, and its scores."""
    if not any(results.holds(f"{GROUP}/{name}") for name in ("dispersion", "rate", "locality")):
        raise NotDrawn("needs dispersion, rate or locality in /transport/site_kernel")
    instants = singular_times(results)
    shown = SHOWN * instants[0] if instants.size else np.inf
    figure, axes = style.panels(results, 3, 1, 6.4, 3.2, legend=3.3)
    of_waves = draw_dispersion(axes[0, 0], results, instants)
    of_distances = draw_distances(axes[1, 0], results, instants)
    scores = draw_scores(axes[2, 0], results, instants)
    marks = singular.keys(results, instants[instants <= shown])
    if instants.size:
        marks.append(style.key("after $t_1$: no rate equation", "0.25", alpha=fluctuations.FAINT))
        if shown < results.time[-1]:
            marks.append(style.key(f"(from $t$ = {shown:.4g} on: not shown)", linestyle="none"))
    for ax in axes[:2, 0]:
        if ax.get_yticks().size:  # as many, of one width, however high the panel is made
            ax.yaxis.set_major_locator(MaxNLocator(5))
    scores += marks + fluctuations.edge_keys(results, shown)
    for ax, handles in zip(axes[:, 0], (of_waves, of_distances, scores)):
        if handles:
            style.outside_legend(ax, handles)
    return figure
