"""How far the exact kernel can be trusted: the condition of the propagator and the error of K."""

from . import kernels, singular, style
from .results import NotDrawn

SCORED = 0.05  # an error estimate beyond this makes the scores NaN
CEILING = 1e20
LOOK = {name: value for name, value in kernels.kernel("exact").look.items() if name != "zorder"} | dict(linewidth=2)
SAMPLING = dict(color=style.PALETTE[0], linestyle=(0, (4, 1.5)), linewidth=1.8)
PANELS = (("condition", r"condition number of $G(t)$", "population propagator"),
          ("error", r"relative error of $K(t)$, estimate", "exact kernel"))


def draw_error(ax, results, values):
    """Draw the errors of K, that by sampling apart; return the legend of what else is in the panel."""
    sampling = results.series("/kernel/exact/sampling_error", 1)
    curves = [values] if sampling is None else [values, sampling]
    if sampling is not None:
        style.line(ax, results.time, style.positive(sampling), **SAMPLING)
    if style.log_limits(ax, curves, ceiling=CEILING):
        ax.set_ylim(top=max(ax.get_ylim()[1], 3 * SCORED))
        ax.axhline(SCORED, color=style.PALETTE[1], linestyle="--", linewidth=1.3)
    limit = [style.key("5 %: no scores\nabove", style.PALETTE[1], linestyle="--", linewidth=1.3)]
    if sampling is None:
        return limit
    return [style.key("by rounding", **LOOK), style.key("by sampling: more\nrealizations lower it", **SAMPLING),
            *limit]


def draw(results):
    """Draw cond G and the error of the exact kernel, one panel each."""
    found = [(name, label, title, results.series(f"/kernel/exact/{name}", 1))
             for name, label, title in PANELS]
    found = [panel for panel in found if panel[3] is not None]
    if not found:
        raise NotDrawn("needs condition or error in /kernel/exact")
    figure, axes = style.panels(results, 1, len(found), 5.2, 4.0, legend=1.9)
    entries = []
    for ax, (name, label, title, values) in zip(axes[0], found):
        style.line(ax, results.time, style.positive(values), **LOOK)
        if name == "error":
            entries = draw_error(ax, results, values)
        else:
            style.log_limits(ax, [values], ceiling=CEILING)
        singular.mark(ax, results)
        style.time_axis(ax, results)
        ax.set_ylabel(label)
        ax.set_title(title, pad=singular.title_pad(results))
    style.outside_legend(axes[0, -1], entries + singular.keys(results))
    return figure
