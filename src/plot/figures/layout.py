"""Panels as large as their labels, titles, legends and colour bars allow.

Everything is measured once: matplotlib's own layouts measure many times, which takes longer than drawing.
"""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox, ScaledTranslation

PAD = 0.1  # inches between neighbours and around the figure
BAR_PAD, BAR_WIDTH = 0.14, 0.17  # inches
SMALLEST = 1.0  # inches that are left to a panel however long its labels are


def frame(ax, renderer):
    """Return the box of an axes with its labels and title, in pixels."""
    boxes = [ax.bbox]
    if ax.axison:
        boxes += [ax.xaxis.get_tightbbox(renderer), ax.yaxis.get_tightbbox(renderer)]
    if ax.get_title():
        ax._update_title_position(renderer)
        boxes.append(ax.title.get_window_extent(renderer))
    return Bbox.union([box for box in boxes if box is not None])


def reach(ax, renderer):
    """Return how far [left, right, bottom, top] labels, title and legend reach beyond an axes, in pixels."""
    box, legend = frame(ax, renderer), ax.get_legend()
    right = box.x1
    if legend is not None:
        right = max(right, legend.get_window_extent(renderer).x1)
    return np.array([ax.bbox.x0 - box.x0, right - ax.bbox.x1, ax.bbox.y0 - box.y0, box.y1 - ax.bbox.y1])


def bars_and_panels(figure):
    """Return [(axes of a colour bar, its parents)] and all other axes of a figure."""
    bars = [(ax, list(np.ravel(ax._colorbar_info["parents"]))) for ax in figure.axes if hasattr(ax, "_colorbar_info")]
    return bars, [ax for ax in figure.axes if not hasattr(ax, "_colorbar_info")]


def place_of(ax):
    """Return the first and last column and row of an axes in the figure's grid."""
    spec = ax.get_subplotspec().get_topmost_subplotspec()
    return spec.colspan.start, spec.colspan.stop - 1, spec.rowspan.start, spec.rowspan.stop - 1


def heading(figure, renderer):
    """Return the heights that titles of the whole figure take above and below the panels, in pixels."""
    texts = (figure._suptitle, figure._supxlabel)
    return [text.get_window_extent(renderer).height + PAD * figure.dpi if text is not None else 0.0 for text in texts]


def margins(figure, panels, bars, grid, renderer):
    """Return what panels need [left, right] of each column and [bottom, top] of each row, in pixels."""
    columns, rows = np.zeros((2, grid.ncols)), np.zeros((2, grid.nrows))
    for ax in panels:
        first, last, upper, lower = place_of(ax)
        left, right, bottom, top = reach(ax, renderer)
        columns[0, first], columns[1, last] = max(columns[0, first], left), max(columns[1, last], right)
        rows[0, lower], rows[1, upper] = max(rows[0, lower], bottom), max(rows[1, upper], top)
    for bar, parents in bars:
        last = max(place_of(ax)[1] for ax in parents)
        columns[1, last] += (BAR_PAD + BAR_WIDTH) * figure.dpi + reach(bar, renderer)[1]
    return columns, rows


def split(length, before, after, pad):
    """Return the starts of equal parts of a length, and their size; each has room before and after it."""
    count = before.size
    size = (length - before.sum() - after.sum() - (count - 1) * pad) / count
    sizes = before + after + size + pad
    return np.cumsum(sizes) - sizes + before, size


def fix_labels(ax):
    """Keep the labels of axes as far from the panel as they have been measured; to look anew takes as long again."""
    inches = ax.figure.dpi_scale_trans
    below = (ax.bbox.y0 - ax.xaxis.label.get_position()[1]) / ax.figure.dpi
    left = (ax.bbox.x0 - ax.yaxis.label.get_position()[0]) / ax.figure.dpi
    if ax.xaxis.get_label_position() == "bottom" and ax.get_xlabel():
        ax.xaxis.set_label_coords(0.5, 0, transform=ax.transAxes + ScaledTranslation(0, -below, inches))
    if ax.yaxis.get_label_position() == "left" and ax.get_ylabel():
        ax.yaxis.set_label_coords(0, 0.5, transform=ax.transAxes + ScaledTranslation(-left, 0, inches))


def fit(figure):
    """Place all panels, colour bars and titles of a figure."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    bars, panels = bars_and_panels(figure)
    grid = panels[0].get_subplotspec().get_topmost_subplotspec().get_gridspec()
    columns, rows = margins(figure, panels, bars, grid, renderer)
    for ax in panels:
        if ax.axison:
            fix_labels(ax)
    above, below = heading(figure, renderer)
    pad, (width, height) = PAD * figure.dpi, figure.bbox.size
    enough = grid.ncols * SMALLEST * figure.dpi + columns.sum() + (grid.ncols + 1) * pad
    if enough > width:
        width = enough
        figure.set_size_inches(width / figure.dpi, height / figure.dpi)
    lefts, wide = split(width - 2 * pad, columns[0], columns[1], pad)
    # rows are counted from above, pixels from below
    bottoms, high = split(height - 2 * pad - above - below, rows[0][::-1], rows[1][::-1], pad)
    lefts, bottoms = lefts + pad, (bottoms + pad + below)[::-1]
    for ax in panels:
        first, last, upper, lower = place_of(ax)
        ax.set_position([lefts[first] / width, bottoms[lower] / height, (lefts[last] + wide - lefts[first]) / width,
                         (bottoms[upper] + high - bottoms[lower]) / height])
    for bar, parents in bars:
        beside = Bbox.union([ax.get_position() for ax in parents])
        bar.set_position([beside.x1 + BAR_PAD * figure.dpi / width, beside.y0, BAR_WIDTH * figure.dpi / width,
                          beside.height])
        bar.set_box_aspect(None)
        bar.set_aspect("auto")
    middle = (lefts[0] + lefts[-1] + wide) / 2 / width
    if figure._suptitle is not None:
        figure._suptitle.set(x=middle, y=1 - pad / 2 / height, va="top")
    if figure._supxlabel is not None:
        figure._supxlabel.set(x=middle, y=pad / 2 / height, va="bottom")
    grow_for_legends(figure, renderer)


def grow_for_legends(figure, renderer):
    """Make a figure taller, below its panels, where a legend beside them reaches below it."""
    legends = [ax.get_legend() for ax in figure.axes if ax.get_legend() is not None]
    lowest = min((legend.get_window_extent(renderer).y0 for legend in legends), default=0.0)
    missing = PAD * figure.dpi / 2 - lowest
    if missing <= 0:
        return
    width, height = figure.bbox.size
    places = {ax: ax.get_position() for ax in figure.axes}
    taller = height + missing
    figure.set_size_inches(width / figure.dpi, taller / figure.dpi)
    for ax, place in places.items():
        ax.set_position([place.x0, (place.y0 * height + missing) / taller, place.width, place.height * height / taller])
