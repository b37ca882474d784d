"""D(t) by every route that is in the file, with errors, windows and the D that is believed."""

import dataclasses
import textwrap

import numpy as np

from . import fluctuations, style
from .results import NotDrawn
from .transport import EQ_18

FINAL = dict(color="0.2", linewidth=1.2)
SHORTER = dict(linestyle=(0, (1, 1)), linewidth=1.5)
STEADY = dict(color="#882255", linestyle=(0, (6, 2)), linewidth=1.4)
UNKNOWN = 0.25  # error, as a share of the largest D(t) of the routes that lead, at which the line of another one ends
RUNAWAY = 3.0  # multiple of it at which that line ends too: it has left the picture


@dataclasses.dataclass(frozen=True)
class Route:
    """A way to D(t): its group in the file, its look, D(t) and the error [T]."""

    group: str
    label: str
    look: dict
    diffusion: np.ndarray
    error: np.ndarray | None
    instants: np.ndarray  # singular times
    leads: bool = True  # its D(t) sets the range of the picture
    of_kernel: bool = False

    @property
    def colour(self):
        """The colour of its line."""
        return self.look["color"]


# by name: label, colour, and whether it has errors of one size at all times; waves and the kernel divide by what decays
FROM_FLUCTUATIONS = {"green_kubo": ("Green-Kubo", style.PALETTE[4], True),
                     "spreading": ("spreading", style.PALETTE[5], True),
                     "modes": ("longest wave", style.PALETTE[2], False),
                     "site_kernel": ("kernel of the sites", style.PALETTE[3], False)}

GROUPS = [f"/transport/{name}" for name in FROM_FLUCTUATIONS]


def from_fluctuations(results):
    """Return the routes from equilibrium fluctuations."""
    found = []
    for name, (label, colour, leads) in FROM_FLUCTUATIONS.items():
        group = f"/transport/{name}"
        values, error = (results.series(f"{group}/diffusion{end}", 1) for end in ("", "_error"))
        if values is None:
            continue
        instants = results.vector(f"{group}/singular_times") if name == "site_kernel" else None
        look = dict(color=colour, linewidth=2.2, zorder=2.2 if leads else 2.1)
        found.append(Route(group, label, look, values, error, np.zeros(0) if instants is None else instants, leads))
    return found


def from_kernels(results):
    """Return the routes by the bond rates of kernels; what does not depend on time has it at all times."""
    found = []
    for kernel in results.kernels("/transport/kernel"):
        group = f"/transport/kernel/{kernel}"
        values, error = (results.series(f"{group}/diffusion{end}", 1, one_row=True) for end in ("", "_error"))
        if values is not None:
            found.append(Route(group, kernel.label, kernel.look, values, error, np.zeros(0), of_kernel=True))
    return found


def without_time(results):
    """Return [(legend entry, look, D)] of what gives a D at no time: steady states, and Eq. 18."""
    found = []
    for group, label, look in (("steady", "steady state", STEADY), ("pair_rate", "Eq. 18", EQ_18)):
        value, error = (results.numbers(f"/transport/{group}", name) for name in ("value", "error"))
        if value is None:
            continue
        value = results.factor("diffusion") * value[0]
        words = f"{label}: {value:.3g}" + ("" if error is None else f" ± {results.factor('diffusion') * error[0]:.2g}")
        found.append((style.key(words, **look), look, value))
    return found


def drawn_values(route, scale):
    """Return D(t) [T] of a route as far as it is known, NaN after it, and whether its error has ended it.

    What has been divided by noise is not followed further, even where the noise is small by chance.
    """
    values = route.diffusion
    if route.leads or not np.isfinite(scale):
        return values, False
    unknown = np.zeros(values.size, dtype=bool) if route.error is None else ~(route.error <= UNKNOWN * scale)
    unknown &= np.isfinite(values)
    ended = np.logical_or.accumulate(unknown | (np.abs(values) > RUNAWAY * scale))
    return np.where(ended, np.nan, values), bool(unknown.any())


def draw_route(ax, results, route, values):
    """Draw D(t) of a route, with gaps at its singular times, and its error.

    Bond rates of kernels do not know how far the excess is, and are drawn alike at all times.
    """
    time, error = results.time, route.error
    if route.of_kernel:
        style.line(ax, time, values, **route.look)
        if error is not None:
            ax.fill_between(time, values - error, values + error, color=route.colour, alpha=0.15, linewidth=0)
        return
    fluctuations.line(ax, results, values, route.instants, until=min(route.instants, default=np.inf), **route.look)
    if error is not None:
        fluctuations.band(ax, results, np.where(time < min(route.instants, default=np.inf), values, np.nan), error,
                          route.colour)


def draw_shorter(ax, results, routes):
    """Draw D(t) on a shorter lattice by the first route that has it; return the legend entries: one or none."""
    sites = results.numbers("/transport", "shorter_sites")
    for route in routes:
        values = results.series(f"{route.group}/diffusion_shorter", 1)
        if values is None or sites is None:
            continue
        known = fluctuations.is_known(results)
        ax.plot(results.time, np.where(known, values, np.nan), color=route.colour, zorder=2.3, **SHORTER)
        return [style.key(f"{route.label} on {sites[0]:.0f} sites,\nwhich end sooner", route.colour, **SHORTER)]
    return []


def draw_window(ax, results, route):
    """Draw the window of a route and the mean in it; return D of the route in words, and whether it has a window."""
    value = results.numbers(route.group, "value")
    window = results.numbers(route.group, "window")
    if value is None:
        return "not one number", False
    value = results.factor("diffusion") * value
    error = results.numbers(route.group, "error")
    words = f"{value[0]:.3g}" + ("" if error is None else f" ± {results.factor('diffusion') * error[0]:.2g}")
    if window is None or not window[1] > window[0]:
        return words, False
    ax.plot(results.factor("time") * window, np.repeat(value, 2), color=route.colour, linewidth=7, alpha=0.35,
            solid_capstyle="butt")
    return words, True


def draw_final(ax, found):
    """Draw the D that is believed with its error; return its legend entry."""
    value, error, route = found
    ax.axhline(value, zorder=1.5, **FINAL)
    if np.isfinite(error):
        ax.axhspan(value - error, value + error, color="0.5", alpha=0.25, linewidth=0, zorder=0.7)
    return style.key(f"$D$ = {value:.4g} ± {error:.2g}\nby {style.plain(route)}", **FINAL)


def leading(results, routes, values):
    """Return what sets the limits: the routes with errors of one size, while they are known, or else all."""
    known = fluctuations.is_known(results)
    lead = [one if route.of_kernel else one[known] for route, one in zip(routes, values) if route.leads]
    return lead or [style.robust_range(one[known]) for one in values]


def draw(results):
    """Draw D(t) of all routes with their errors and windows, and the D that is believed."""
    routes = from_fluctuations(results) + from_kernels(results)
    final = fluctuations.final(results)
    if not routes:
        raise NotDrawn("needs a route with D(t), such as a kernel with bond rates")
    figure, axes = style.panels(results, 1, 1, 7.0, 4.6, legend=3.4)
    ax, handles, windows, left_out = axes[0, 0], [], False, False
    scale = style.finite_range([np.abs(one) for one in leading(results, routes, [r.diffusion for r in routes])])
    scale = np.inf if scale is None else scale[1]
    shown = []
    for route in routes:
        values, some = drawn_values(route, scale)
        draw_route(ax, results, route, values)
        words, window = draw_window(ax, results, route)
        shown.append(values)
        windows, left_out = windows or window, left_out or some
        handles.append(style.key(f"{route.label}: {words}", **{"color": route.colour, **route.look}))
    lead, following = leading(results, routes, shown), list(shown)
    handles += draw_shorter(ax, results, routes)
    for entry, look, value in without_time(results):
        ax.axhline(value, **look)
        handles.append(entry)
        lead.append(np.array([value]))
    if final is not None:
        handles.append(draw_final(ax, final))
        lead.append(np.array([final[0]]))
    elif results.text("/transport", "reason"):
        words = textwrap.wrap("no $D$: " + style.plain(results.text("/transport", "reason")), 32)
        handles.append(style.key("\n".join(words), linestyle="none"))
    if windows:
        handles.append(style.key("window and mean", "0.25", linewidth=7, alpha=0.35))
    if any(route.error is not None and np.nanmax(route.error, initial=0.0) > 0 for route in routes):
        handles.append(style.key("error" + (f"; a line ends where it\nis {UNKNOWN:g} of the largest $D(t)$"
                                            if left_out else ""), "0.25", linewidth=7, alpha=0.15))
    if any(not route.of_kernel for route in routes):
        fluctuations.mark_edge(ax, results)
        handles += fluctuations.edge_keys(results)
    style.time_axis(ax, results)
    style.data_limits(ax, lead, following)
    ax.set_ylabel(f"$D(t)$  ({results.unit('diffusion')})")
    fluctuations.title(ax, fluctuations.verdict(results), 7.0)
    style.outside_legend(ax, handles)
    return figure
