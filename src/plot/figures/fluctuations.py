"""What pictures of equilibrium fluctuations share: the lattice, until when it is as good as infinite, the verdict."""

import dataclasses
import textwrap

import numpy as np

from . import style
from .results import table

FAINT = 0.3  # opacity of curves after the excess has met itself or the edge
EDGE = dict(color="0.25", linestyle=(0, (5, 1.5, 1, 1.5)), linewidth=1.4)


@dataclasses.dataclass(frozen=True)
class Lattice:
    """Shape [A], which axes are periodic [A] and the distance of neighbours, in program units."""

    shape: np.ndarray
    periodic: np.ndarray
    spacing: float

    @property
    def long_axes(self):
        """The axes along which something can spread."""
        return np.flatnonzero(self.shape > 2)

    @property
    def longest(self):
        """The axis along which profiles are drawn."""
        return int(np.argmax(self.shape))

    def places(self, axis):
        """Return the place of each site along an axis [N]; sites are numbered with the first axis fastest."""
        numbers = np.arange(self.shape.prod())
        return numbers // self.shape[:axis].prod(dtype=int) % self.shape[axis]

    def steps(self, source, axis):
        """Return how many steps each site is away from a source along an axis [N], by the nearest image."""
        length, places = self.shape[axis], self.places(axis)
        steps = places - places[source]
        return (steps + (length - 1) // 2) % length - (length - 1) // 2 if self.periodic[axis] else steps


def lattice(results, sites=None):
    """Return the lattice, None if the file does not tell it, or if it has another number of sites."""
    shape, periodic, spacing = (results.numbers("/model", name) for name in ("shape", "periodic", "spacing"))
    if shape is None or periodic is None:
        shape, periodic = (table(results.job, "lattice", name) for name in ("shape", "periodic"))
        periodic = [False] * len(shape or []) if periodic is None else periodic
        spacing = table(results.job, "lattice", "spacing")
    shape, periodic = np.ravel([] if shape is None else shape), np.ravel(periodic).astype(bool)
    spacing = float(np.ravel(1.0 if spacing is None else spacing)[0])
    if shape.size == 0 or shape.size != periodic.size or (shape < 1).any() or not spacing > 0:
        return None
    found = Lattice(shape.astype(int), periodic, spacing)
    return found if sites in (None, found.shape.prod()) else None


def edge_time(results):
    """Return when the excess meets itself or the edge: infinite if it does not, or if the file does not tell."""
    for group in ("/transport/spreading", "/transport"):
        found = results.numbers(group, "edge_time")
        if found is not None:
            return float(found[0]) * results.factor("time")
    return np.inf


def is_known(results):
    """Return at which output times [T] curves are those of an infinite lattice, as far as the file tells."""
    return results.time <= edge_time(results) * (1 + 1e-9)


def mark_edge(ax, results):
    """Draw a vertical line where the excess meets itself or the edge."""
    if edge_time(results) < results.time[-1]:
        ax.axvline(edge_time(results), zorder=0.9, **EDGE)


def edge_keys(results, shown=np.inf):
    """Return the legend entries for that line and for what comes after it; what is not known is said.

    shown: the last time in sight.
    """
    end = edge_time(results)
    if shown < end < np.inf:
        return []
    if np.isfinite(end):
        found = lattice(results)
        open_axis = found is not None and not found.periodic[found.long_axes].all()
        words = "the excess reaches the edge" if open_axis else "the excess meets itself"
        return [style.key(f"$t$ = {end:.4g}: {words};\nfaint after it: not of an\ninfinite lattice", **EDGE)]
    if not results.holds("/transport/spreading"):
        return [style.key("until when the lattice is as\ngood as infinite: not in the file\n(add the route spreading)",
                          linestyle="none")]
    return []


def line(ax, results, values, instants=(), until=np.inf, **look):
    """Draw a series [T] over the output times, with gaps at some instants.

    It is faint after the excess has met itself or the edge, and after `until`.
    """
    known = is_known(results) & (results.time <= until)
    after = ~known
    after[:-1] |= ~known[1:]  # from the last one that is known on: no gap
    places = np.searchsorted(results.time, instants)
    time = np.insert(results.time, places, instants)

    def broken(mask):
        return np.insert(np.where(mask, values, np.nan), places, np.nan)

    style.line(ax, time, broken(known), **look)
    ax.plot(time, broken(after), **look | dict(alpha=FAINT, linewidth=1.3))


def band(ax, results, values, error, colour):
    """Draw the errors [T] of a series, as far as it is known."""
    known = is_known(results)
    ax.fill_between(results.time, np.where(known, values - error, np.nan), np.where(known, values + error, np.nan),
                    color=colour, alpha=0.18, linewidth=0)


def final(results):
    """Return D, its error and the route that has it, in the unit of pictures; None if there is none."""
    value, error = (results.numbers("/transport", name) for name in ("diffusion", "diffusion_error"))
    if value is None or not np.isfinite(value[0]):
        return None
    factor = results.factor("diffusion")
    return factor * value[0], np.nan if error is None else factor * error[0], results.text("/transport", "route")


def verdict(results):
    """Return the verdict with its reason, empty if there is none."""
    word, reason = (results.text("/transport", name) for name in ("verdict", "reason_of_verdict"))
    if not word:
        unseen = results.holds("/transport/green_kubo") or results.holds("/transport/modes")
        return "no verdict: it needs the route spreading" if unseen else ""
    if "t = " in reason and results.factor("time") != 1.0:
        reason += " (these times are in program units)"
    return f"{word}: {reason}" if reason else word


def title(ax, text, inches):
    """Set the title of a panel whose limits are set, in as many lines as a width in inches asks for."""
    low, high = style.matplotlib.rcParams["axes.formatter.limits"]
    top = max(map(abs, ax.get_ylim()))
    scaled = not 10.0 ** (low + 1) < top < 10.0**high  # a power of ten may stand above the axis
    lines = textwrap.wrap(text.replace(" = ", "\u00a0=\u00a0"), int(11.5 * inches))
    ax.set_title(style.plain("\n".join(lines)), fontsize=11, pad=20 if scaled else None)


def colours(count):
    """Return colours of an ascending sequence, such as times."""
    return [style.matplotlib.colormaps[style.SEQUENTIAL](share) for share in np.linspace(0, 0.88, count)]
