"""What all pictures share: fonts, colours, axes, legends, limits."""

import textwrap

import matplotlib
import matplotlib.colors
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

# Okabe and Ito's colours for all kinds of colour vision, with wine and grey in place of black and yellow
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#8A8A8A"]
MOST_LINES = len(PALETTE)
SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"
NOT_A_NUMBER = "0.85"
MOST_MAP_COLUMNS = 2000
MOST_DOTS = 40  # sites or bonds of a chain beyond which a line is drawn and no dots or bars
THINNEST = 0.006  # share of the height of a panel: a thinner band is hidden by its line
MOST_DIVIDED = 1e3  # span of a logarithmic axis beyond which decades are not divided
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
RUNAWAY = 3.0  # a rate equation with values beyond this multiple of the largest exact one is not followed
ABSURD = 1e250  # sizes beyond it overflow in the arithmetic of axes

DPI = 144
OVER_TIME = "over time"  # group id of axes whose x is the time
ALIKE = 0.01  # curves that differ by less than this share of what all of them span look the same
EXACT = dict(linestyle="-", linewidth=3.6, alpha=0.42)
EXACT_ALONE = dict(linestyle="-", linewidth=2.0)
MANY_BODY = dict(linestyle=(0, (5, 2)), linewidth=1.9)
SITE = dict(linestyle=(0, (1, 2)), linewidth=1.9)


def apply():
    """Set the look of all pictures, whatever the user's own matplotlib settings are."""
    matplotlib.rcdefaults()
    matplotlib.rcParams.update({
        "font.size": 12, "axes.titlesize": 13, "axes.labelsize": 13,
        "figure.titlesize": 15, "legend.fontsize": 11, "legend.frameon": False,
        "axes.titley": 1.0,  # matplotlib looks for the place anew each time otherwise, which takes long
        "axes.grid": True, "grid.color": "0.88", "grid.linewidth": 0.8, "axes.axisbelow": True,
        "axes.formatter.useoffset": False, "axes.formatter.limits": (-3, 4),
        "image.cmap": SEQUENTIAL,  # tick labels as formulas would take a third of all time
        "figure.dpi": DPI,  # texts that are measured and drawn at one size are laid out once
        "svg.hashsalt": "qheat",  # element names in SVG files do not change from run to run
    })


def printable(text):
    """Return text on one line that cannot act on a terminal: what is not printable is shown escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in str(text))


def plain(text):
    """Return text from a file or a user so that matplotlib reads no formulas into it."""
    return text.replace("$", r"\$")


def dark(colour):
    """Return a darker shade, for dots that stay visible on a line of the same colour."""
    return tuple(0.45 * share for share in matplotlib.colors.to_rgb(colour))


def heading(results, width):
    """Return the picture's title, at most two lines for a width in inches; empty if there is none."""
    length = int(8 * width)
    remark = " (unfinished run)" if results.unfinished else ""
    lines = textwrap.wrap(results.title + remark, length)
    if len(lines) > 2:
        lines = [lines[0], lines[1][:length - 1 - len(remark)].rstrip() + "…" + remark]
    return plain("\n".join(lines))


def panels(results, rows, columns, width=5.2, height=3.7, legend=1.8, share_y=False):
    """Return a figure with the job's title and its axes [rows, columns].

    width, height: of one panel, legend: what the legends need beside them, in inches.
    """
    size = (max(columns * width + legend, 6.5), rows * height + 0.5)
    figure = Figure(figsize=size)
    title = heading(results, size[0])
    if title:
        figure.suptitle(title)
    return figure, figure.subplots(rows, columns, squeeze=False, sharey=share_y)


def clear(axes):
    """Hide the panels that stay empty."""
    for ax in axes:
        ax.set_axis_off()


def time_axis(ax, results, time=None):
    """Set limits and label of a time axis, of all output times or of others."""
    time = results.time if time is None else time
    half = 0.5 if time.size == 1 else 0.0
    ax.set_xlim(time[0] - half, time[-1] + half)
    ax.set_xlabel(f"time $t$  ({results.unit('time')})")
    ax.set_gid(OVER_TIME)


def whole_numbers(axis):
    """Put ticks at whole numbers only."""
    axis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))


def line(ax, x, y, **look):
    """Draw a line; where too few finite points are left for one, draw them as dots."""
    few = np.count_nonzero(np.isfinite(y)) < 3
    ax.plot(x, y, marker="o" if few else None, markersize=4, **look)


def note(ax, text):
    """Write a remark in the middle of a panel that has nothing to show."""
    ax.set_yticks([])
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color="0.35",
            backgroundcolor="white")


def remark(ax, text):
    """Write a remark into the lower corner of a panel, one line below another."""
    count = sum(old.get_gid() == "remark" for old in ax.texts)
    ax.annotate(text, (1, 0), xycoords="axes fraction", xytext=(-4, 4 + 13 * count), textcoords="offset points",
                ha="right", va="bottom", color="0.35", fontsize=9, gid="remark",
                bbox=dict(facecolor="white", alpha=0.8, linewidth=0, pad=1))


def alike(curves, share=ALIKE):
    """Return the columns of curves [.., K] in groups [[first, ...], ...] that cannot be told apart in a picture.

    They differ nowhere by more than a share of what all of them span, and end (NaN) at the same place.
    """
    curves = curves.reshape(-1, curves.shape[-1])
    known = np.abs(np.nan_to_num(curves, nan=np.inf)) < ABSURD
    span = np.ptp(curves[known]) if known.any() else 0.0
    groups = []
    for column in range(curves.shape[1]):
        for group in groups:
            both = known[:, column] & known[:, group[0]]
            apart = np.abs(curves[both, column] - curves[both, group[0]]).max(initial=0.0)
            if (known[:, column] == known[:, group[0]]).all() and apart <= share * span:
                group.append(column)
                break
        else:
            groups.append([column])
    return groups


def count_alike(text, count):
    """Return a curve's name with the number of curves that it stands for."""
    return text if count == 1 else f"{text}  (+{count - 1} alike)"


def error_key(error, span):
    """Return the legend entry for bands of standard errors beside lines; thin ones are said to be there."""
    largest = np.nanmax(error, initial=0.0)
    if largest < THINNEST * span:
        return key(f"±1 standard error\n(≤ {largest:.1e}: thinner\nthan the lines)", linestyle="none")
    return key("±1 standard error", "0.25", linewidth=8, alpha=0.25)


def outside_legend(ax, handles, title=None):
    """Put a legend to the right of a panel, where it covers no data."""
    ax.legend(handles=handles, title=title, loc="upper left", bbox_to_anchor=(1.01, 1.02),
              borderaxespad=0.0, handlelength=2.3, alignment="left", labelspacing=0.35)


def key(label, color="0.25", **look):
    """Return a legend entry for a line."""
    return Line2D([], [], color=color, label=label, **look)


def finite_range(arrays):
    """Return the smallest and largest value of all arrays, None if there is none.

    NaN, infinite and absurd values (of a rate equation that has run away) do not count.
    """
    values = np.concatenate([np.ravel(array) for array in arrays] or [np.zeros(0)])
    values = values[np.abs(values) < ABSURD]
    return (values.min(), values.max()) if values.size else None


def robust_range(values):
    """Return the limits [2] of most finite values: all if they are of like size, 5 to 95 % otherwise."""
    found = finite_range([values])
    if found is None:
        return np.full(2, np.nan)
    usual = values[np.abs(values) < ABSURD]
    low, high = (np.percentile(usual, share, method=side) for share, side in ((5, "higher"), (95, "lower")))
    return np.array(found if found[1] - found[0] <= 2 * (high - low) else (low, high))


def without_runaways(values, exact):
    """Return values [T, N] with NaN from the time on at which a rate equation has run away.

    exact: the values [T, N] by which the size is judged, None if there are none.
    """
    found = None if exact is None else finite_range([np.abs(exact)])
    if found is None or found[1] == 0:
        return values
    beyond = (np.abs(values) > RUNAWAY * found[1]).any(axis=1)
    return np.where(np.logical_or.accumulate(beyond)[:, None], np.nan, values)


def widen(low, high, share=0.05):
    """Return limits with a margin; constant data stand in the middle of a visible span."""
    size = max(abs(low), abs(high))
    span = high - low
    if span <= 1e-6 * size:
        span = 0.4 * size or 1.0
    middle = 0.5 * (low + high)
    half = (0.5 + share) * span
    return middle - half, middle + half


def data_limits(ax, leading, following=()):
    """Set the y limits from finite data.

    The leading arrays are always in sight.  The following ones (rate equations, which may run
    away) widen the limits by at most a quarter of the leading range on either side.
    """
    lead = finite_range(leading) or finite_range(following)
    if lead is None:
        note(ax, "no finite values")
        return
    both = finite_range([*leading, *following])
    low, high = widen(*lead, share=0)
    room = 0.25 * (high - low)
    ax.set_ylim(*widen(max(both[0], low - room), min(both[1], high + room)))


def positive(values):
    """Return values for a logarithmic axis: NaN where they are not positive or absurd."""
    return np.where((values > 1 / ABSURD) & (values < ABSURD), values, np.nan)


def after_start(values):
    """Return a series without its first value, if it has others: rate equations start without error."""
    return values[1:] if values.size > 1 else values


def power_of_ten(value, _=None):
    """Return the tick label of a power of ten; as a formula each would be laid out for milliseconds."""
    exponent = np.log10(value) if value > 0 else np.nan
    whole = np.round(exponent)
    if not np.isfinite(exponent) or abs(exponent - whole) > 1e-6:
        return ""
    return "10" + f"{whole:.0f}".translate(SUPERSCRIPTS)


def log_limits(ax, arrays, floor=1e-17, ceiling=np.inf):
    """Make the y axis logarithmic, with limits that show the positive values above the floor.

    Values above the ceiling may be out of sight.  Returns False where there is nothing to show.
    """
    found = finite_range([positive(values) for values in arrays])
    if found is None:
        note(ax, "zero or undefined at all times")
        return False
    low, high = found
    bottom = low if high < 10 * floor else max(low, floor)
    ax.set_yscale("log")
    if high > 10 * low:  # with fewer decades the ticks between them have labels too
        ax.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
    top = max(min(high, ceiling), bottom)
    ax.set_ylim(min(bottom, top / 10) / 2, 2 * top)
    if top > MOST_DIVIDED * bottom:
        ax.yaxis.set_minor_locator(NullLocator())
    return True


def spread(count, limit):
    """Return up to `limit` whole numbers spread evenly over 0 ... count - 1."""
    return np.unique(np.linspace(0, count - 1, min(count, limit)).round().astype(int))


def edges(centres):
    """Return the cell edges [K + 1] around ascending centres [K]."""
    if centres.size == 1:
        return centres[0] + np.array([-0.5, 0.5])
    middle = 0.5 * (centres[1:] + centres[:-1])
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def table_map(figure, ax, rows, columns, values, label, signed=False):
    """Draw values [R, K] over ascending whole numbers, rows upwards, with a scale called `label`.

    signed: colours on both sides of zero where values have both signs."""
    ax.grid(False)
    ax.set_facecolor(NOT_A_NUMBER)
    values = np.ma.masked_invalid(values)
    low, high = finite_range([values.compressed()]) or (0.0, 1.0)
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # rounding is no structure
        low, high = widen(low, high)
    colours = SEQUENTIAL
    if signed and low < 0 < high:
        high = max(-low, high)
        low, colours = -high, DIVERGING
    mesh = ax.pcolormesh(edges(columns), edges(rows), values, cmap=colours, vmin=low, vmax=high, rasterized=True)
    figure.colorbar(mesh, ax=ax, label=label)
    whole_numbers(ax.xaxis)
    whole_numbers(ax.yaxis)


def space_time_map(ax, results, values, limits, colours):
    """Draw values [T, K] over time and whole numbers 0 ... K - 1; return the mappable."""
    time = results.time
    step = -(-time.size // MOST_MAP_COLUMNS)
    colour_map = matplotlib.colormaps[colours].with_extremes(bad=NOT_A_NUMBER)
    ax.grid(False)
    ax.set_facecolor(NOT_A_NUMBER)
    rows = np.arange(values.shape[1], dtype=float)
    mesh = ax.pcolormesh(edges(time[::step]), edges(rows), np.ma.masked_invalid(values[::step].T),
                         cmap=colour_map, vmin=limits[0], vmax=limits[1], rasterized=True)
    time_axis(ax, results)
    ax.set_ylim(-0.5, rows.size - 0.5)
    whole_numbers(ax.yaxis)
    return mesh
