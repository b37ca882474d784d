"""The part of a picture that is shown and the scales of its axes, where the user asks for them."""

import dataclasses

import numpy as np

from . import layout, style


@dataclasses.dataclass(frozen=True)
class View:
    """Ranges (low, high) of the axes, None for those of the picture, and which axes are logarithmic: x, y, xy."""

    xlim: tuple | None = None
    ylim: tuple | None = None
    log: str = ""

    @property
    def needs_choice(self):
        """True if it makes sense for chosen pictures only."""
        return self.ylim is not None or bool(self.log)

    def apply(self, figure, chosen):
        """Change the panels of a figure: those over time, or all if the picture was chosen."""
        for ax in layout.bars_and_panels(figure)[1]:
            if ax.axison and (chosen or ax.get_gid() == style.OVER_TIME):
                show(ax, self)


def curves(ax):
    """Return x and y of all lines of a panel that are data, not marks across it."""
    lines = [line for line in ax.lines if all(line.get_transform().contains_branch_seperately(ax.transData))]
    if not lines:
        return np.zeros(0), np.zeros(0)
    return tuple(np.concatenate([np.asarray(values, dtype=float).ravel() for values in parts])
                 for parts in ([line.get_xdata() for line in lines], [line.get_ydata() for line in lines]))


def show(ax, view):
    """Change one panel."""
    x, y = curves(ax)
    if view.xlim:
        ax.set_xlim(*view.xlim)
    if "x" in view.log and x.size:
        log_x(ax, x)
    seen = np.isfinite(x) & np.isfinite(y) & (x >= ax.get_xlim()[0]) & (x <= ax.get_xlim()[1])
    y = y[seen]
    if "y" in view.log and y.size:
        log_y(ax, y)
    elif y.size and view.xlim and not view.ylim:
        shrink(ax, y)
    if view.ylim:
        set_range(ax, view.ylim)
    hide_marks_outside(ax)


def hide_marks_outside(ax):
    """Hide the names above a panel of times that are not shown."""
    low, high = ax.get_xlim()
    for text in ax.texts:
        if getattr(text, "xycoords", None) == ("data", "axes fraction"):
            text.set_visible(low <= text.xy[0] <= high)


def log_x(ax, x):
    """Make the x axis logarithmic, from the first positive value on."""
    low, high = ax.get_xlim()
    first = x[(x > 0) & (x >= low)].min(initial=np.inf)
    if not np.isfinite(first) or high <= 0:
        style.remark(ax, "no positive values for a logarithmic axis")
        return
    ax.set_xscale("log")
    ax.set_xlim(max(low, first), high)


def log_y(ax, y):
    """Make the y axis logarithmic, and say so where values are not positive and cannot be seen on it."""
    linear = ax.get_yscale() == "linear"
    positive = y[(y > 0) & (y < style.ABSURD)]
    if not positive.size:
        style.remark(ax, "no positive values for a logarithmic axis")
        return
    if linear:
        top = min(positive.max(), max(ax.get_ylim()[1], positive.min()))
        ax.set_yscale("log", nonpositive="mask")
        ax.set_ylim(max(positive.min(), 1e-12 * top) / 1.5, 1.5 * top)
    if (y < 0).any():
        style.remark(ax, "negative values not shown")


def shrink(ax, y):
    """Shrink the y range to what is seen, never widen it: the picture has left out runaways."""
    low, high = ax.get_ylim()
    y = y[(y >= low) & (y <= high)]
    if not y.size or ax.get_yscale() != "linear":
        return
    seen = style.widen(y.min(), y.max())
    ax.set_ylim(max(low, seen[0]), min(high, seen[1]))


def set_range(ax, limits):
    """Set the y range; on a logarithmic axis only its positive part."""
    low, high = limits
    if ax.get_yscale() == "log" and low <= 0:
        low = min(ax.get_ylim()[0], high / 10)
    if ax.get_yscale() == "log" and high <= 0:
        style.remark(ax, "no positive values in the range asked for")
        return
    ax.set_ylim(low, high)
