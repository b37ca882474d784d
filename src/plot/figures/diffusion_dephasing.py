"""Diffusion constant against the dephasing rate: conductivities of fits, and gradients inside the largest chain."""

import contextlib

import numpy as np

from . import style
from .results import NotDrawn, table

# interactions with D = a^2 lambda^2/gamma, and where it holds
GUIDED = {"xy": "", "exchange": r" ($\gamma \gg \lambda$)"}
LEFT_EDGE = 0.3  # place of gamma = 0, as a part of the smallest other dephasing
LARGEST_ERROR = 0.5  # of a conductivity, relative, that is still shown
NOT_DIFFUSIVE = "0.55"  # colour


def strength(results):
    """Return lambda, lattice constant and kind of a job whose D is about (lambda a)^2/gamma, None for others."""
    levels, kind = table(results.job, "site", "levels"), table(results.job, "interaction", "kind")
    value = table(results.job, "interaction", "strength")
    spacing = table(results.job, "lattice", "spacing") or 1.0
    known = isinstance(levels, list) and len(levels) == 2 and kind in GUIDED and isinstance(value, (int, float))
    return (abs(value), spacing, kind) if known and isinstance(spacing, (int, float)) else None


def fitted(results, spacing):
    """Return D = a^2 kappa' and its error [V] of each variant, NaN where no conductivity is known."""
    values, errors = (results.vector(f"/steady/fit/conductivity{end}") for end in ("", "_error"))
    if values is None or errors is None or values.shape != errors.shape:
        return None
    unknown = ~np.isfinite(values) | (values <= 0) | (errors > LARGEST_ERROR * values)
    area = spacing**2 * results.factor("diffusion") / results.factor("rate")
    return area * np.where(unknown, np.nan, values), area * np.nan_to_num(errors)


def place(dephasing):
    """Return the positions of dephasings on a logarithmic axis, with 0 at its left edge."""
    smallest = dephasing[dephasing > 0].min(initial=np.inf)
    return np.where(dephasing > 0, dephasing, LEFT_EDGE * (smallest if np.isfinite(smallest) else 1.0))


def verdicts(results):
    """Return {dephasing: verdict}, such as "ballistic at these sizes", for those that have one."""
    found = {}
    for line in results.text("/steady/fit", "verdict").splitlines():
        name, *rest = line.split(": ")
        with contextlib.suppress(ValueError, IndexError):
            found[float(name.removeprefix("dephasing "))] = rest[0]
    return found


def without_verdict_of_diffusion(results, dephasing):
    """Return where [V] a verdict says anything but "diffusive"; verdicts give dephasings in six digits."""
    found = {f"{gamma:g}": verdict for gamma, verdict in verdicts(results).items()}
    return np.array([not found.get(f"{gamma:g}", "diffusive").startswith("diffusive") for gamma in dephasing])


def mark_zero(ax, results, at):
    """Mark gamma = 0, which a logarithmic axis does not have, with the verdict on it ("ballistic at these sizes")."""
    verdict = verdicts(results).get(0.0, "undecided")
    ax.axvspan(at / 1.35, at * 1.35, color="0.92", zorder=0)
    ax.text(at, 0.03, r"$\gamma = 0$: " + style.plain(verdict), transform=ax.get_xaxis_transform(), rotation=90,
            ha="center", va="bottom", color="0.25")


def draw_rates(ax, results, dephasing, spacing):
    """Draw dots for each rate of the reservoirs; return legend entries and what is drawn, a list of [V]."""
    rates = results.vector("/steady/fit/rate")
    inside = results.matrix("/steady/fit/diffusion", 2)
    found = fitted(results, spacing)
    if rates is None or inside is None or not rates.shape == dephasing.shape == inside.shape[:1]:
        raise NotDrawn("needs diffusion and rate beside dephasing in /steady/fit")
    inside = style.positive(inside[:, -1])
    lines, at, handles = [inside], place(dephasing), []
    doubtful = without_verdict_of_diffusion(results, dephasing)
    for row, (colour, rate) in enumerate(zip(style.PALETTE, np.unique(rates))):
        for grey in (False, True):
            mine = (rates == rate) & (doubtful == grey)
            shade = NOT_DIFFUSIVE if grey else colour
            ax.plot(at[mine], inside[mine], linestyle="none", marker="o", markersize=9 + 3 * row, fillstyle="none",
                    color=shade)
            if found is not None:
                ax.errorbar(at[mine], found[0][mine], yerr=found[1][mine], linestyle="none",
                            marker="D" if grey else "x", fillstyle="none", capsize=4, markersize=5 + 2 * row,
                            color=shade)
        handles.append(style.key(f"rates $\\times\\,{rate:g}$", color=colour, linestyle="none", marker="s"))
    handles.append(style.key("gradient inside the longest chain", linestyle="none", marker="o", fillstyle="none",
                             markersize=9))
    if found is not None and np.isfinite(found[0]).any():
        lines.append(found[0])
        handles.append(style.key(r"$a^2\kappa'$ of the fit over lengths", linestyle="none", marker="x", markersize=7))
    if (doubtful & (np.isfinite(inside) | np.isfinite(found[0] if found is not None else np.nan))).any():
        handles.append(style.key("open, grey: not found diffusive", NOT_DIFFUSIVE, linestyle="none", marker="D",
                                 fillstyle="none", markersize=7))
    return handles, lines


def estimates(results, dephasing):
    """Return dephasings [G], D and its error, one each; None if the file has none."""
    value, error = (results.vector(f"/steady/fit/diffusion_{name}") for name in ("value", "error"))
    if value is None or error is None or not value.shape == error.shape == dephasing.shape:
        return None
    gamma, first = np.unique(dephasing, return_index=True)
    known = np.isfinite(value[first]) & np.isfinite(error[first])
    return (gamma[known], value[first][known], error[first][known]) if known.any() else None


def draw_distances(ax, results, dephasing, spacing, found):
    """Draw how far each route lies from D, relative, beside the error of D."""
    gamma, value, error = found
    at = dict(zip(gamma, place(dephasing)[[np.flatnonzero(dephasing == g)[0] for g in gamma]]))
    ax.errorbar(list(at.values()), np.zeros(gamma.size), yerr=error / value, linestyle="none", color="0.25", capsize=7,
                elinewidth=2.2, capthick=2.2, zorder=1)
    rates = results.vector("/steady/fit/rate")
    inside = results.matrix("/steady/fit/diffusion", 2)
    fits = fitted(results, spacing)
    for colour, rate in zip(style.PALETTE, np.unique(rates)):
        for g, best in zip(gamma, value):
            row = np.flatnonzero((rates == rate) & (dephasing == g))[0]
            ax.plot(at[g] * 0.96, inside[row, -1] / best - 1, marker="o", markersize=7, fillstyle="none", color=colour)
            if fits is not None:
                ax.plot(at[g] * 1.04, fits[0][row] / best - 1, marker="x", markersize=7, color=colour)
    ax.set_xscale("log")
    ax.set_xlabel(rf"dephasing $\gamma$  ({results.unit('rate')})")
    ax.set_ylabel(r"distance from $D$, relative")
    largest = 1.3 * np.max(error / value)
    ax.set_ylim(-largest, largest)


def draw(results):
    """Draw D against the dephasing, both axes logarithmic, and below, if the file has errors, what these hold."""
    dephasing = results.vector("/steady/fit/dephasing")
    if dephasing is None:
        raise NotDrawn("needs steady states at several dephasings")
    known_job = strength(results)
    spacing = known_job[1] if known_job else table(results.job, "lattice", "spacing") or 1.0
    found = estimates(results, dephasing)
    figure, axes = style.panels(results, 1 if found is None else 2, 1, width=6.4, height=4.4, legend=3.4)
    ax = axes[0, 0]
    handles, lines = draw_rates(ax, results, dephasing, spacing)
    at = place(dephasing)
    ax.set_xscale("log")
    ax.set_xlim(at.min() / 1.5, at.max() * 1.6)
    ax.set_xlabel(rf"dephasing $\gamma$  ({results.unit('rate')})")
    ax.set_ylabel(f"diffusion constant $D$  ({results.unit('diffusion')})")
    if found is not None:
        draw_distances(axes[1, 0], results, dephasing, spacing, found)
        axes[1, 0].set_xlim(ax.get_xlim())
        style.outside_legend(axes[1, 0], [style.key("error of $D$: holds rates, lengths,\nroutes, places inside",
                                                    linestyle="none", marker="|", markersize=16)])
    if not style.log_limits(ax, lines):  # which says so
        return figure
    if known_job and (dephasing > 0).any():
        fine = np.geomspace(dephasing[dephasing > 0].min(), dephasing.max(), 50)
        scale = results.factor("diffusion") * results.factor("rate")  # of program units, in which lambda stands
        ax.plot(fine, scale * (known_job[0] * spacing)**2 / fine, color="0.45", linewidth=1.4, zorder=1)
        handles.append(style.key(r"$\lambda^2 a^2/\gamma$" + GUIDED[known_job[2]], color="0.45"))
    if (dephasing == 0).any():
        mark_zero(ax, results, at[dephasing == 0][0])
    style.outside_legend(ax, handles)
    return figure
