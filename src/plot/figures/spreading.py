"""Spreading of the excess of one site: its profiles scaled by their width, and the local exponents."""

import numpy as np

from . import diffusion, fluctuations, style
from .results import NotDrawn

MOST_TIMES = 5
LEAST_GROWTH = 1.0  # of the variance, in steps^2: before it the profile has no shape but that of its noise
NOTHING = 1e-9  # share of what an excess is made of: a smaller sum is rounding
WIDEST = 4.5  # standard deviations that are shown
GAUSSIAN = dict(color="0.2", linestyle=(0, (5, 2)), linewidth=1.6)
EXPONENTS = ((2.0, "2: ballistic", (0, (6, 2))), (4 / 3, "4/3: superdiffusive,\n$z$ = 3/2", (0, (3, 1.5))),
             (1.0, "1: diffusive", (0, (1, 1.5))))
CERTAIN = 0.25  # error of an exponent that still sets the limits


def profiles(results):
    """Return the excess at each place along the longest axis [T, R], the steps [R] from its source and their axis.

    The excess is summed over the other axes, and a share of what the whole of it is at that time.
    """
    excess = results.series("/transport/spreading/profile", 2)
    source = results.numbers("/transport/spreading", "source")
    if excess is None or source is None:
        raise NotDrawn("needs profile and its source in /transport/spreading")
    lattice = fluctuations.lattice(results, excess.shape[1])
    if lattice is None or not 0 <= source[0] < excess.shape[1]:
        raise NotDrawn("the lattice of the profile is not known")
    steps = lattice.steps(int(source[0]), lattice.longest)
    places = np.unique(steps)
    summed = np.stack([excess[:, steps == place].sum(axis=1) for place in places], axis=1)
    length = lattice.shape[lattice.longest]
    if lattice.periodic[lattice.longest] and length % 2 == 0:  # half way round is as far to the left as to the right
        summed[:, -1] /= 2
        summed, places = np.insert(summed, 0, summed[:, -1], axis=1), np.insert(places, 0, -places[-1])
    total = summed.sum(axis=1, keepdims=True)
    known = total > NOTHING * np.abs(summed).sum(axis=1, keepdims=True)
    return summed / np.where(known, total, np.nan), places, lattice


def variances(results, lattice, shares, places):
    """Return the variance [T] in steps^2: that of the file, or along the longest axis where there are several."""
    variance = results.series("/transport/spreading/variance", 1)
    if variance is None or lattice.long_axes.size != 1:
        return shares @ places.astype(float)**2
    return variance / (results.factor("area") * lattice.spacing**2)


def choose_times(results, variance, shares):
    """Return output numbers at even steps of the width, from where there is a shape to the end of what is known."""
    finite = np.isfinite(variance) & np.isfinite(shares).all(axis=1)
    known = np.flatnonzero(fluctuations.is_known(results) & finite & (variance > 0) & (results.time > 0))
    if not known.size:
        raise NotDrawn("there is no excess, or it meets itself or the edge before it has spread")
    wide = known[variance[known] - variance[0] >= LEAST_GROWTH]
    usable = wide if wide.size else known[-1:]
    width = np.sqrt(variance[usable])
    wanted = np.linspace(width.min(), width.max(), MOST_TIMES)
    return np.unique([usable[np.argmin(np.abs(width - one))] for one in wanted])


def draw(results):
    """Draw profiles at several times, in units of their width, beside a Gaussian."""
    shares, places, lattice = profiles(results)
    variance = variances(results, lattice, shares, places)
    kurtosis = results.series("/transport/spreading/kurtosis", 1)
    chosen = choose_times(results, variance, shares)
    figure, axes = style.panels(results, 1, 1, 6.6, 4.4, legend=4.0)
    ax, handles, drawn = axes[0, 0], [], []
    for row, colour in zip(chosen, fluctuations.colours(chosen.size)):
        width = np.sqrt(variance[row])
        drawn.append(shares[row] * width)
        ax.plot(places / width, drawn[-1], color=colour, marker="o", markersize=4.5, linewidth=1.3)
        text = rf"$t$ = {results.time[row]:.4g}: $\sigma$ = {width:.3g} $a$"
        if kurtosis is not None and np.isfinite(kurtosis[row]):
            text += f", kurtosis {kurtosis[row]:.3g}"
        handles.append(style.key(text, colour, marker="o", markersize=4.5, linewidth=1.3))
    fine = np.linspace(-WIDEST, WIDEST, 241)
    ax.plot(fine, np.exp(-fine**2 / 2) / np.sqrt(2 * np.pi), zorder=1.8, **GAUSSIAN)
    handles.append(style.key("Gaussian (diffusion)\nof kurtosis 3", **GAUSSIAN))
    end = fluctuations.edge_time(results)
    if end < results.time[-1]:
        handles.append(style.key(f"(none after $t$ = {end:.4g}:\nno infinite lattice then)", linestyle="none"))
    ax.axhline(0, color="0.6", linewidth=0.9, zorder=0.8)
    ax.set_xlim(-WIDEST, WIDEST)
    style.data_limits(ax, [*drawn, np.array([0.0, 0.4])])
    axis = f" along ${'xyz'[lattice.longest]}$" if lattice.shape.size > 1 else ""
    ax.set_xlabel(rf"distance{axis} from the source $r/\sigma(t)$")
    others = "summed over other axes, " if (np.delete(lattice.shape, lattice.longest) > 1).any() else ""
    ax.set_ylabel(r"share of the excess $\times\ \sigma(t)/a$")
    narrow = variance[chosen].max() - variance[0] < LEAST_GROWTH
    ax.set_title(f"profile of the excess, {others}scaled by its width"
                 + (":\nit has spread by less than a step, and has no shape yet" if narrow else ""), fontsize=11)
    style.outside_legend(ax, handles, title=f"$t$ in {results.unit('time')}")
    return figure


def exponents(results):
    """Return [(label, colour, exponent [T], error [T] or None)] of the routes that have a local exponent."""
    found = []
    for group, text in (("spreading", r"$d\ln(\sigma^2-\sigma_0^2)/d\ln t$, spreading"),
                        ("green_kubo", r"$1 + d\ln D/d\ln t$, Green-Kubo")):
        values, error = (results.series(f"/transport/{group}/exponent{end}", 1) for end in ("", "_error"))
        if values is not None and np.isfinite(values).any():
            found.append((text, diffusion.FROM_FLUCTUATIONS[group][1], values, error))
    return found


def draw_exponent(results):
    """Draw the local exponents, with errors where the file has them."""
    found = exponents(results)
    if not found:
        raise NotDrawn("needs exponent in /transport/spreading or /transport/green_kubo")
    figure, axes = style.panels(results, 1, 1, 7.0, 4.4, legend=3.4)
    ax, handles, leading = axes[0, 0], [], [np.array([0.8, 2.1])]
    for text, colour, exponent, error in found:
        fluctuations.line(ax, results, exponent, color=colour, linewidth=2.2)
        handles.append(style.key(text, colour, linewidth=2.2))
        certain = fluctuations.is_known(results)
        if error is not None:
            fluctuations.band(ax, results, exponent, error, colour)
            certain &= error < CERTAIN
        leading.append(exponent[certain])
    if any(error is not None for *_, error in found):
        whose = "" if all(error is not None for *_, error in found) else " (not of all)"
        handles.append(style.key("±1 standard error" + whose, "0.25", linewidth=8, alpha=0.18))
    for value, text, dash in EXPONENTS:
        ax.axhline(value, color="0.45", linewidth=1.2, linestyle=dash, zorder=0.9)
        handles.append(style.key(text, "0.45", linewidth=1.2, linestyle=dash))
    fluctuations.mark_edge(ax, results)
    handles += fluctuations.edge_keys(results)
    style.time_axis(ax, results)
    style.data_limits(ax, leading, [values for _, _, values, _ in found])
    ax.set_ylabel(r"local exponent $\alpha$ of $\sigma^2(t)\sim t^\alpha$")
    fluctuations.title(ax, fluctuations.verdict(results), 7.0)
    style.outside_legend(ax, handles)
    return figure
