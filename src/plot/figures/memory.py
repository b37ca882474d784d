"""The memory kernel N(t), and its integral beside the exact time-local kernel."""

import numpy as np

from . import elements, singular, style
from .results import NotDrawn

MOST_ELEMENTS = 2  # of each class, local and nonlocal


def choose(results, generator):
    """Return [(name, to, from)] of elements that stand for the others."""
    chosen = []
    for title, mask in elements.classes(results, generator.shape[-1]).items():
        for to, start, alike in elements.representatives(results, generator, mask, MOST_ELEMENTS):
            name = f"{title}: {elements.name(results.cells, to, start)}"
            chosen.append((style.count_alike(name, alike), to, start))
    return chosen


def integral(time, values):
    """Return the integral of values [T, K] from the first time on, by the trapezoidal rule."""
    areas = np.diff(time)[:, None] * (values[1:] + values[:-1]) / 2
    return np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(areas, axis=0)])


def draw_memory(ax, results, values):
    """Draw the elements of N."""
    for column, colour in zip(values.T, style.PALETTE):
        style.line(ax, results.time, column, color=colour, linewidth=2)
    style.data_limits(ax, [values])
    ax.set_ylabel(r"memory kernel $N_{nm}(t)$  (energy$^2$)")
    ax.set_title("memory kernel", pad=singular.title_pad(results))


def draw_integral(ax, results, values, exact, markov):
    """Draw the integral of N, the exact rates until they diverge and the Markov rates; these may be None."""
    before = singular.times_before(results)
    singular.mark(ax, results)
    for number, colour in zip(range(values.shape[1]), style.PALETTE):
        style.line(ax, results.time, values[:, number], color=colour, linewidth=2)
        if exact is not None:
            style.line(ax, results.time[:before], exact[:before, number], color=colour, **style.MANY_BODY)
        if markov is not None:
            ax.axhline(markov[0, number], color=colour, linewidth=1)
    style.data_limits(ax, [values] if markov is None else [values, markov],
                      [] if exact is None else [exact[:before]])
    ax.set_ylabel(f"rate  ({results.unit('rate')})")
    ax.set_title("its integral, and the time-local rate", pad=singular.title_pad(results))


def legend_entries(results, chosen, exact, markov):
    """Return the legend: colours of the elements, looks of the three rates."""
    entries = [style.key(name, colour, linewidth=3) for (name, *_), colour in zip(chosen, style.PALETTE)]
    entries.append(style.key(r"$N$;  $\int_0^t N(s)\,\mathrm{d}s$", linewidth=2))
    if exact is not None:
        entries.append(style.key(r"exact $W_{nm}(t)$", "black", **style.MANY_BODY))
    if markov is not None:
        entries.append(style.key("Markov rate", linewidth=1))
    return entries + (singular.keys(results) if exact is not None else [])


def beside(results, name, generator, pairs):
    """Return the elements of another kernel [T, K], None if it has no such matrix."""
    other = results.generator(name)
    if other is None or other.shape[-1] != generator.shape[-1]:
        return None
    return elements.curves(results, other, pairs)


def draw(results):
    """Draw the memory kernel on the left, the rates that it adds up to on the right."""
    generator = results.generator("memory")
    if generator is None or generator.ndim != 3:
        raise NotDrawn("needs /kernel/memory/generator")
    chosen = choose(results, generator)
    if not chosen:
        raise NotDrawn("no finite element of /kernel/memory/generator differs from zero")
    pairs = [pair for _, *pair in chosen]
    values = elements.curves(results, generator, pairs)
    exact, markov = (beside(results, name, generator, pairs) for name in ("exact", "markov"))
    figure, axes = style.panels(results, 1, 2, 5.4, 4.2, legend=2.8)
    ax_memory, ax_rate = axes[0]
    draw_memory(ax_memory, results, values)
    draw_integral(ax_rate, results, integral(results.time, values), exact, markov)
    for ax in axes[0]:
        ax.axhline(0, color="0.6", linewidth=0.9, zorder=0.8)
        style.time_axis(ax, results)
    style.outside_legend(ax_rate, legend_entries(results, chosen, exact, markov))
    return figure
