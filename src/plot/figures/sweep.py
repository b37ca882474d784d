"""Pictures of many results: numbers against the key that differs, and series coloured by its value."""

import re

import matplotlib
import matplotlib.colors
import numpy as np

from . import assumptions, fluctuations, kernels as known, style
from .many import SCORES
from .results import NotDrawn, PROGRAM_UNITS, formula

MOST_NAMED = 8  # of curves in a legend
SPAN = 20.0  # of positive values that are drawn on a logarithmic axis
NAMES = {"steady/planes/inside_diffusion": "diffusion constant $D$",
         "steady/fit/diffusion_value": "diffusion constant $D$",
         "transport/diffusion": "diffusion constant $D$",
         "transport/conductivity": r"conductivity $\kappa$",
         "transport/pair_rate/conductivity": r"conductivity $\kappa$ by Eq. 18",
         "matrix_elements/spread": "spread of the elements over pairs of levels",
         "steady/mean_current": "current through a plane",
         "kernel/exact/first_singular_time": r"$t_1$, where the exact kernel diverges"}
DERIVED = {"mean_current": "power", "first_singular_time": "time", "mean_bond_rate": "rate", "diffusion": "diffusion",
           "diffusion_value": "diffusion"}  # quantities, by the last part of a name
# names and quantities
KEYS = {"interaction.strength": (r"coupling $\lambda$", "energy"), "bath.dephasing": (r"dephasing $\gamma$", "rate"),
        "site.detuning.width": ("width of the detunings", "energy"),
        "lattice.spacing": ("lattice constant $a$", "length"),
        "interaction.well.separation": ("separation of the wells", "length"),
        "interaction.well.temperature": ("temperature $T$", "temperature")}
SERIES = {"transport/green_kubo/diffusion": "$D(t)$ by Green-Kubo", "transport/spreading/diffusion": "$D(t)$ by spreading",
          "transport/green_kubo/exponent": "exponent of the variance, by Green-Kubo",
          "transport/spreading/exponent": "exponent of the variance"}
OF_INFINITE_LATTICES = ("transport/green_kubo/", "transport/spreading/", "transport/modes/")  # until the excess meets itself
MARKERS = "osD^vPX"


def key_label(key):
    """Return the label of an axis for a key."""
    name, quantity = KEYS.get(key.name, (style.plain(key.name), None))
    unit = key.unit or PROGRAM_UNITS.get(quantity, "")
    return f"{name}  ({formula(unit)})" if unit else name


def scalar_label(many, name):
    """Return the label of an axis for a scalar."""
    title, unit = NAMES.get(name, style.plain(name)), scalar_unit(many, name)
    if name.startswith("transport/") and name.endswith("/conductivity") and "W" not in unit:
        title += " of a site"
    return f"{title}  ({unit})" if unit not in ("", "1") else title


def scalar_unit(many, name):
    """Return the unit of a scalar as it is drawn, empty if it is not known."""
    last, member = name.split("/")[-1], first_member(many)
    quantity = "time" if last.endswith("_until") else DERIVED.get(last)
    if many.units is not None:
        return many.units.get(name) or formula(PROGRAM_UNITS.get(quantity, ""))
    if member is None:
        return ""
    return member.unit(quantity) if quantity else member.unit_of("/" + name)


def first_member(many):
    """Return the first results that are there, None if there are none."""
    return next((member for member in many.members if member is not None), None)


def wide(values):
    """True if values are positive and span more than a linear axis shows well."""
    values = values[np.isfinite(values)]
    return values.size > 1 and values.min() > 0 and values.max() > SPAN * values.min()


def key_axis(ax, many):
    """Set label, scale and ticks of an axis along the key that differs."""
    key = many.against
    ax.set_xlabel(key_label(key))
    if not key.numeric:
        values, first = np.unique(key.values, return_index=True)
        ax.set_xticks(values, [style.plain(key.texts[place]) for place in first])
    elif wide(key.values):
        ax.set_xscale("log")


def colours(count):
    """Return colours for so many values in their order."""
    return [matplotlib.colormaps[style.SEQUENTIAL](share) for share in np.linspace(0.0, 0.88, count)]


def line_against(ax, many, places, values, error, look):
    """Draw a scalar of some points; where it is infinite an open triangle at the last output time."""
    x, y = many.against.values[places], values[places]
    good = np.isfinite(y)
    bars = None if error is None else np.where(np.isfinite(error[places]), error[places], 0.0)[good]
    ax.errorbar(x[good], y[good], yerr=bars, capsize=4, markersize=6, **look)
    for place in places[np.isposinf(y)]:
        member = many.members[place]
        if member is not None and member.has_times:
            ax.plot(many.against.values[place], member.time[-1], marker="^", markersize=9, fillstyle="none",
                    color=look["color"], linestyle="none")


def value_axis(ax, curves, label):
    """Set scale and label of the other axis."""
    ax.set_ylabel(label)
    if wide(np.concatenate([np.ravel(curve) for curve in curves] or [np.zeros(0)])):
        ax.set_yscale("log")


def finish(figure, many):
    """Say below a figure what its numbers are means of."""
    if many.averaged:
        figure.supxlabel(style.plain(many.averaged), fontsize=10, color="0.35")


def draw_scalar(many, name):
    """Draw one scalar against the key, a line for each value of the other keys."""
    values = many.scalars[name]
    if not np.isfinite(values).any():
        raise NotDrawn(f"{name} is not known at any point")
    figure, axes = style.panels(many, 1, 1, 6.4, 4.4, legend=2.4)
    ax = axes[0, 0]
    handles = []
    for number, ((label, places), colour) in enumerate(zip(many.families, colours(len(many.families)))):
        look = dict(color=colour, marker=MARKERS[number % len(MARKERS)], linewidth=1.4)
        line_against(ax, many, places, values, many.error(name), look)
        handles.append(style.key(style.plain(label), **look))
    key_axis(ax, many)
    value_axis(ax, [values], scalar_label(many, name))
    finish(figure, many)
    if len(handles) > 1:
        style.outside_legend(ax, named(handles))
    return figure


def named(handles):
    """Return legend entries, some of them if there are many."""
    return [handles[place] for place in style.spread(len(handles), MOST_NAMED)]


def kernels_with(many, suffixes):
    """Return the kernels that have any of some scalars."""
    names = {name.split("/")[1] for name in many.scalars
             if name.startswith("kernel/") and name.split("/")[-1] in suffixes}
    return [known.kernel(name) for name in sorted(names, key=known.sort_key)]


def curves_of(many, kernels):
    """Return [(kernel, label, places, look)]: kernels by colour, or with several families of one kernel these."""
    if len(many.families) == 1:
        label, places = many.families[0]
        return [(kernel, kernel.label, places, {**kernel.look, "marker": "o"}) for kernel in kernels]
    kernel = kernels[0]
    return [(kernel, label, places, dict(color=colour, marker="o"))
            for (label, places), colour in zip(many.families, colours(len(many.families)))]


def legend_of(many, kernels, curves):
    """Return legend entries and title for curves."""
    handles = [style.key(label if label == kernel.label else style.plain(label), **look)
               for kernel, label, _, look in curves]
    return named(handles), "kernel" if len(many.families) == 1 else kernels[0].title


def draw_holds(many):
    """Draw until when each assumption holds, a panel a score."""
    kernels = kernels_with(many, {score + "_until" for score in SCORES})
    if not kernels:
        raise NotDrawn("needs scores over several output times in /kernel/<k>")
    figure, axes = style.panels(many, 2, 4, 3.7, 2.9, legend=1.6)
    curves = curves_of(many, kernels)
    open_end = False
    for ax, score in zip(axes.ravel(), SCORES):
        ax.set_title(score.replace("_", " "), fontsize=11)
        drawn = []
        for kernel, _, places, look in curves:
            values = many.scalars.get(f"kernel/{kernel}/{score}_until")
            if values is not None:
                line_against(ax, many, places, values, many.error(f"kernel/{kernel}/{score}_until"), look)
                drawn.append(values[places])
        open_end |= any(np.isposinf(values).any() for values in drawn)
        key_axis(ax, many)
        value_axis(ax, drawn, "")
        known_values = np.concatenate(drawn) if drawn else np.zeros(0)
        if not np.isfinite(known_values).any():
            ax.set_xlim(axes[0, 0].get_xlim())
            ax.set_ylim(0.0, 1.15 * max((member.time[-1] for member in many.members if member is not None), default=1))
        if np.isnan(known_values).all():
            style.note(ax, assumptions.NOT_TESTED)
    unit = scalar_unit(many, f"kernel/{kernels[0]}/{SCORES[0]}_until")
    for ax in axes[:, 0]:
        ax.set_ylabel(f"holds until $t$  ({unit})")
    style.clear([axes[1, 3]])
    finish(figure, many)
    handles, title = legend_of(many, kernels, curves)
    if open_end:
        handles.append(style.key("holds to the\nlast output", "0.25", linestyle="none", marker="^", markersize=9,
                                 fillstyle="none"))
    style.outside_legend(axes[0, 3], handles, title=title)
    return figure


def draw_kernel_scalar(many, suffix, label):
    """Draw a scalar that each kernel has, a line a kernel."""
    kernels = kernels_with(many, {suffix})
    if not kernels:
        raise NotDrawn(f"needs {suffix} in /kernel/<k>")
    figure, axes = style.panels(many, 1, 1, 6.4, 4.4, legend=2.0)
    ax, drawn = axes[0, 0], []
    curves = curves_of(many, kernels)
    for kernel, _, places, look in curves:
        values = many.scalars[f"kernel/{kernel}/{suffix}"]
        line_against(ax, many, places, values, many.error(f"kernel/{kernel}/{suffix}"), look)
        drawn.append(values[places])
    key_axis(ax, many)
    unit = scalar_unit(many, f"kernel/{kernels[0]}/{suffix}")
    value_axis(ax, drawn, f"{label}  ({unit})")
    finish(figure, many)
    handles, title = legend_of(many, kernels, curves)
    style.outside_legend(ax, handles, title=title)
    return figure


def curve_colours(many):
    """Return a colour for each point by the value of the key, and the legend of some."""
    values = np.unique(many.against.values)
    shades = dict(zip(values, colours(values.size)))
    handles = []
    for value in values[style.spread(values.size, MOST_NAMED)]:
        text = many.against.texts[np.flatnonzero(many.against.values == value)[0]]
        handles.append(style.key(style.plain(text), shades[value], linewidth=3))
    return [shades[value] for value in many.against.values], handles


def draw_curves(ax, many, places, read, faint_from=None):
    """Draw the series of some points over their times, faint from `faint_from(member)` on; return how many there were."""
    shades, _ = curve_colours(many)
    count, end = 0, 0.0
    for place in places:
        member = many.members[place]
        series, error = (None, None) if member is None else read(member)
        if series is None:
            continue
        if error is not None:
            ax.fill_between(member.time, series - error, series + error, color=shades[place], alpha=0.25, linewidth=0)
        after = member.time >= (np.inf if faint_from is None else faint_from(member))
        style.line(ax, member.time, np.where(after, np.nan, series), color=shades[place], linewidth=1.6)
        if after.any():
            ax.plot(member.time, np.where(after, series, np.nan), color=shades[place], linewidth=0.8, alpha=0.3)
        count, end, last = count + 1, max(end, member.time[-1]), member
    if count:
        style.time_axis(ax, last, np.array([0.0, end]) if end > 0 else np.zeros(1))
    return count


def first_singular(member):
    """Return the first time at which the exact kernel of a point diverges, infinite without one."""
    return member.singular_times.min(initial=np.inf)


def draw_scores(many):
    """Draw the scores of one kernel over time, a curve a point."""
    first = next((member for member in many.members if member is not None and member.kernels("/kernel")), None)
    names = [] if first is None else [kernel for kernel in first.kernels("/kernel") if kernel.name != "memory"]
    if not names:
        raise NotDrawn("needs scores in /kernel/<k>")
    kernel = names[0]
    figure, axes = style.panels(many, 2, 4, 3.7, 2.9, legend=1.6)
    label, places = many.families[0]
    for ax, score in zip(axes.ravel(), SCORES):
        path = f"/kernel/{kernel}/{score}"
        ax.set_title(score.replace("_", " "), fontsize=11)
        draw_curves(ax, many, places, lambda member, path=path: (
            member.series(path, 1, one_row=True), member.series(path + "_error", 1, one_row=True)),
            faint_from=first_singular if kernel.name == "exact" else None)
        ax.set_ylim(-0.04, 1.04)
        ax.axhline(0.95, color="0.6", linewidth=0.8, zorder=0.5)
        if not any(np.isfinite(line.get_ydata()).any() for line in ax.lines[:-1]):
            style.note(ax, assumptions.NOT_TESTED)
    for ax in axes[:, 0]:
        ax.set_ylabel("score")
    style.clear([axes[1, 3]])
    finish(figure, many)
    title = f"{kernel.title}\n{key_label(many.against)}" + (f"\n{style.plain(label)}" if label else "")
    faint = [style.key("after $t_1$", "0.25", linewidth=0.8, alpha=0.3)] if kernel.name == "exact" else []
    style.outside_legend(axes[0, 3], curve_colours(many)[1] + faint, title=title)
    return figure


def column_of(name):
    """Return path and column of a name such as exact/energy[0] or exact/populations[0,1]."""
    found = re.fullmatch(r"([^\[\]]+)\[([\d,]+)\]", name)
    return (name, ()) if found is None else (found[1], tuple(int(k) for k in found[2].split(",") if k))


def draw_series(many, name):
    """Draw one series over time, a curve a point, a panel for each value of the other keys."""
    path, column = column_of(name)

    def read(member):
        return tuple(pick(member.series(part, 1 + len(column)), column) for part in ("/" + path, f"/{path}_error"))

    shapes = [member.datasets("/").get(path) for member in many.members if member is not None]
    shape = next((shape for shape in shapes if shape is not None), None)
    if shape is None:
        raise NotDrawn(f"no point has a scalar or a series {path}")
    if len(shape) != 1 + len(column):
        example = ",".join("0" * (len(shape) - 1))
        raise NotDrawn(f"{path} has {len(shape)} axes; choose one series, such as {path}[{example}]")
    families = many.families[:3]
    of_lattice = path.startswith(OF_INFINITE_LATTICES)
    figure, axes = style.panels(many, 1, len(families), 5.2, 4.0, legend=1.8, share_y=True)
    counts = []
    for ax, (label, places) in zip(axes[0], families):
        counts.append(draw_curves(ax, many, places, read, fluctuations.edge_time if of_lattice else None))
        if label:
            ax.set_title(style.plain(label), fontsize=11)
    if not any(counts):
        raise NotDrawn(f"{path} is no series over the output times")
    axes[0, 0].set_ylabel(series_label(many, name, path))
    finish(figure, many)
    ended = of_lattice and any(fluctuations.edge_time(member) < member.time[-1] for member in many.members if member)
    faint = [style.key("after the excess\nhas met itself", "0.25", linewidth=0.8, alpha=0.3)] if ended else []
    style.outside_legend(axes[0, -1], curve_colours(many)[1] + faint, title=key_label(many.against))
    return figure


def series_label(many, name, path):
    """Return the label of an axis for a series, with its unit."""
    member = first_member(many)
    unit = "" if member is None else formula(member.unit_of("/" + path) or "")
    title = SERIES.get(path, style.plain(name))
    return f"{title}  ({unit})" if unit not in ("", "1") else title


def series_picture(*paths):
    """Return a picture of the first of some series that a point has."""
    def draw(many):
        for path in paths:
            if any(member is not None and path in member.datasets("/") for member in many.members):
                return draw_series(many, path)
        raise NotDrawn(f"needs {paths[0]}")
    return draw


def pick(series, column):
    """Return one column of a series [T, ...], None where there is none."""
    if series is None or any(k >= length for k, length in zip(column, series.shape[1:])):
        return None
    return series[(slice(None), *column)]


def draw_conductivity(many):
    """Draw the conductivity against the key, and its local exponent below where the file has it."""
    names = ("transport/conductivity", "transport/pair_rate/conductivity")  # by Eq. 18 where no kernel has a D
    name = next((name for name in names if np.isfinite(many.scalars.get(name, np.nan)).any()), None)
    if name is None:
        raise NotDrawn(f"needs {names[0]} of one temperature")
    exponent = many.scalars.get(name + "_exponent")
    if exponent is None or not np.isfinite(exponent).any():
        return draw_scalar(many, name)
    figure, axes = style.panels(many, 1, 2, 5.4, 4.2, legend=0.6)
    places = np.argsort(many.against.values)
    look = dict(color=style.PALETTE[0], marker="o", linewidth=1.6)
    line_against(axes[0, 0], many, places, many.scalars[name], many.error(name), look)
    value_axis(axes[0, 0], [many.scalars[name]], scalar_label(many, name))
    line_against(axes[0, 1], many, places, exponent, None, look)
    axes[0, 1].set_ylabel(r"local exponent of $\kappa$")
    for ax in axes[0]:
        key_axis(ax, many)
    return figure


def scalar_picture(*names):
    """Return a picture of the first of some scalars that there is."""
    def draw(many):
        for name in names:
            if name in many.scalars and np.isfinite(many.scalars[name]).any():
                return draw_scalar(many, name)
        raise NotDrawn(f"needs {names[0]}")
    return draw


PICTURES = [
    ("assumptions_until", draw_holds),
    ("scores", draw_scores),
    ("bond_rate", lambda many: draw_kernel_scalar(many, "mean_bond_rate", "mean rate of a bond, last output")),
    ("singular_time", scalar_picture("kernel/exact/first_singular_time")),
    ("diffusion", scalar_picture("steady/fit/diffusion_value", "steady/planes/inside_diffusion", "transport/diffusion")),
    ("diffusion_time", series_picture("transport/green_kubo/diffusion", "transport/spreading/diffusion")),
    ("exponent", series_picture("transport/green_kubo/exponent", "transport/spreading/exponent")),
    ("conductivity", draw_conductivity),
    ("current", scalar_picture("steady/mean_current")),
    ("spread", scalar_picture("matrix_elements/spread")),
]


def picture(many, name):
    """Return the function that draws what a user names: a picture, a scalar, or a series."""
    known_pictures = dict(PICTURES)
    if name in known_pictures:
        return known_pictures[name]
    if name in many.scalars:
        return lambda many: draw_scalar(many, name)
    return lambda many: draw_series(many, name)
