"""The kernels of a results file: their order, and the colour, dash and label of each in every picture."""

import dataclasses

from . import style

# colours of TCL2, TCL4, ..., and their dashes, each readable where it lies on the one before
TCL_DASHES = [(6, 2), (4, 1.5, 1, 1.5), (2.5, 1.2), (7, 1.5, 1, 1.5, 1, 1.5), (9, 3), (3, 1, 1, 1)]
DOTS = (1, 1.5)
MOST_KERNELS = 6  # in a picture with a panel, or several lines, a kernel


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel by its name in the file, with its look in pictures."""

    name: str
    label: str
    colour: str
    dash: object = "-"
    width: float = 1.8
    level: float = 2.0  # lines of a higher level lie above

    def __str__(self):
        """Return the name, as it stands in the paths of datasets."""
        return self.name

    @property
    def title(self):
        """The heading of a panel about this kernel."""
        return f"{self.label} kernel"

    @property
    def look(self):
        """The look of its lines."""
        return dict(color=self.colour, linestyle=self.dash, linewidth=self.width, zorder=self.level)

    @property
    def key(self):
        """Its entry in a legend of lines."""
        return style.key(self.label, self.colour, linestyle=self.dash, linewidth=self.width)


KNOWN = {"exact": Kernel("exact", "exact", "#222222", width=3.0),
         "memory": Kernel("memory", "memory", "#8A8A8A"),
         "markov": Kernel("markov", "Markov", "#882255", width=1.5, level=1.9)}


def order_of(name):
    """Return the order of a perturbative kernel, None for other kernels."""
    return int(name[3:]) if name.startswith("tcl") and name[3:].isdigit() else None


def sort_key(name):
    """Sort key of kernel names: exact, tcl2, tcl4, ..., memory, markov, others."""
    order = order_of(name)
    if order is not None:
        return (1, order, name)
    return ({"exact": 0, "memory": 2, "markov": 3}.get(name, 4), 0, name)


def kernel(name):
    """Return the kernel of this name."""
    order = order_of(name)
    if order is None:
        return KNOWN.get(name, Kernel(name, style.plain(name), "#8A8A8A", (0, DOTS)))
    number = (order // 2 - 1) % len(TCL_DASHES)
    dash = TCL_DASHES[number] if order % 2 == 0 else DOTS
    return Kernel(name, f"TCL{order}", style.PALETTE[number], (0, dash))


def representative(kernels, limit=MOST_KERNELS):
    """Return up to `limit` of the kernels in their order, the first and the last among them."""
    return [kernels[number] for number in style.spread(len(kernels), limit)]


def panels(results, kernels):
    """Return a figure with a panel for each of some kernels, its axes and those kernels.

    The panels share their y axis and stand in rows of up to three; one panel if there is no kernel.
    Kernels that are not shown are named below.
    """
    shown = representative(kernels)
    count = max(len(shown), 1)
    columns = min(count, 3)
    figure, axes = style.panels(results, -(-count // columns), columns, 6.5 if columns == 1 else 5.0, 4.3,
                                legend=2.4, share_y=True)
    style.clear(axes.ravel()[count:])
    remark_left_out(figure, kernels, shown)
    return figure, axes, shown


def remark_left_out(figure, kernels, shown):
    """Name below a figure the kernels that it does not show."""
    names = [kernel.label for kernel in kernels if kernel not in shown]
    if names:
        figure.supxlabel(f"in the file, not shown: {', '.join(names)}", fontsize=10, color="0.35")
