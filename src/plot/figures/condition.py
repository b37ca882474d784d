"""How far the exact kernel can be trusted: the condition of the propagator and the error of K."""

from . import kernels, singular, style
from .results import NotDrawn

SCORED = 0.05  # an error estimate beyond this makes the scores NaN
CEILING = 1e20
PANELS = (("condition", r"condition number of $G(t)$", "population propagator"),
          ("error", r"relative error of $K(t)$, estimate", "exact kernel"))


def draw(results):
    """Draw cond G and the error of the exact kernel, one panel each."""
    found = [(name, label, title, results.series(f"/kernel/exact/{name}", 1))
             for name, label, title in PANELS]
    found = [panel for panel in found if panel[3] is not None]
    if not found:
        raise NotDrawn("needs condition or error in /kernel/exact")
    figure, axes = style.panels(results, 1, len(found), 5.2, 4.0, legend=1.9)
    look = kernels.kernel("exact").look | dict(linewidth=2)
    for ax, (name, label, title, values) in zip(axes[0], found):
        style.line(ax, results.time, style.positive(values), **look)
        shown = style.log_limits(ax, [values], ceiling=CEILING)
        if name == "error" and shown:
            ax.set_ylim(top=max(ax.get_ylim()[1], 3 * SCORED))
            ax.axhline(SCORED, color=style.PALETTE[1], linestyle="--", linewidth=1.3)
        singular.mark(ax, results)
        style.time_axis(ax, results.time)
        ax.set_ylabel(label)
        ax.set_title(title, pad=singular.title_pad(results))
    limit = [style.key("5 %: no scores\nabove", style.PALETTE[1], linestyle="--", linewidth=1.3)]
    style.outside_legend(axes[0, -1], (limit if found[-1][0] == "error" else []) + singular.keys(results))
    return figure
