"""Elements of V between the levels of two wells: maps of direct, exchange and total."""

import numpy as np

from . import style
from .results import NotDrawn

PANELS = (("direct", r"direct $\langle ab|V|ba\rangle$"), ("exchange", r"exchange $\langle ab|V|ab\rangle$"),
          ("total", "total: the element that swaps a and b"))


def draw_map(figure, ax, levels, values, title):
    """Draw one map, level a upwards, b to the right; equal levels are no swap and stay empty."""
    values = np.where(np.eye(len(values), dtype=bool), np.nan, values)
    style.table_map(figure, ax, levels, levels, values, "element  (unit of V)", signed=True)
    ax.set_title(title)
    ax.set_xlabel("level $b$")
    ax.set_ylabel("level $a$")


def draw(results):
    """Draw the maps of different levels a, b side by side."""
    levels = results.vector("/matrix_elements/level")
    maps = [(results.matrix(f"/matrix_elements/{name}", 2), title) for name, title in PANELS]
    if levels is None or len(levels) < 2 or any(values is None for values, _ in maps):
        raise NotDrawn("needs elements of two levels or more")
    figure, axes = style.panels(results, 1, 3, width=4.6)
    for ax, (values, title) in zip(np.ravel(axes), maps):
        draw_map(figure, ax, levels, values, title)
    return figure
