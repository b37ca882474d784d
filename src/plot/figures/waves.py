"""Decay of the longest waves of the energy, beside that of diffusion."""

import numpy as np

from . import fluctuations, style
from .results import NotDrawn

MOST_WAVES = 5
FAR = 2  # steps from the source beyond which nothing but noise is left of C at t = 0
NEGATIVE = dict(linestyle=(0, (1, 1)), linewidth=1.5)
DIFFUSION = dict(linestyle=(0, (6, 2)), linewidth=1.2)
ROUNDING = 1e-12
UNKNOWN_NOISE = 0.02  # where the file does not tell it


def noise(results):
    """Return the noise of C(q,t)/C(q,0) by random states, about, and where it is from; rounding without such states.

    What C(t = 0) has far from its source is noise of one element. A wave adds up those of all sites where one source
    stands for the others by translation.
    """
    samples = results.numbers("/transport", "samples")
    if samples is not None and samples[0] == 0:
        return ROUNDING, "rounding"
    profile = results.series("/transport/spreading/profile", 2)
    source = results.numbers("/transport/spreading", "source")
    lattice = None if profile is None else fluctuations.lattice(results, profile.shape[1])
    if lattice is None or source is None:
        return UNKNOWN_NOISE, "not known: a guess"
    steps = sum(np.abs(lattice.steps(int(source[0]), axis)) for axis in range(lattice.shape.size))
    far = profile[0, steps > FAR]
    if far.size < 3:
        return UNKNOWN_NOISE, "not known: a guess"
    return max(ROUNDING, far.std() * np.sqrt(lattice.shape[lattice.periodic].prod())), "noise"


def wave_name(phase):
    """Return the name of a wave by its phases from site to site [A]."""
    numbers = [f"{value / np.pi:.3g}" for value in phase]
    return r"$qa/\pi$ = " + (numbers[0] if len(numbers) == 1 else f"({', '.join(numbers)})")


def phases(results, waves):
    """Return q a of each wave [K, A], None if the file does not have it."""
    q = results.program_matrix("/transport/modes/q", 2)
    lattice = fluctuations.lattice(results)
    if q is None or lattice is None or q.shape != (waves, lattice.shape.size):
        return None
    return q * lattice.spacing


def lattice_eigenvalues(phase):
    """Return the eigenvalue of minus the Laplacian of the lattice [K], of steps of length 1."""
    return 2 * (1 - np.cos(phase)).sum(axis=1)


def same_waves(amplitude, eigenvalue):
    """Return the waves in groups [[first, ...], ...] of one eigenvalue that look the same."""
    return [[wave for wave in group if np.isclose(eigenvalue[wave], one)] for group in style.alike(amplitude)
            for one in np.unique(eigenvalue[group].round(9))]


def draw(results):
    """Draw |C(q,t)/C(q,0)| of the longest waves on a logarithmic axis."""
    amplitude = results.series("/transport/modes/amplitude", 2)
    if amplitude is None:
        raise NotDrawn("needs /transport/modes/amplitude")
    phase = phases(results, amplitude.shape[1])
    if phase is None:
        raise NotDrawn("needs /transport/modes/q and the lattice")
    eigenvalue, time = lattice_eigenvalues(phase), results.time
    waves = np.argsort(eigenvalue, kind="stable")[:MOST_WAVES]
    floor, origin = noise(results)
    figure, axes = style.panels(results, 1, 1, 7.0, 4.6, legend=3.2)
    ax, handles, final = axes[0, 0], [], fluctuations.final(results)
    seen, any_negative = [], False
    for group, colour in zip(same_waves(amplitude[:, waves], eigenvalue[waves]), style.PALETTE):
        wave = waves[group[0]]
        values = np.abs(amplitude[:, wave])
        negative = amplitude[:, wave] < 0
        fluctuations.line(ax, results, style.positive(np.where(negative, np.nan, values)), color=colour, linewidth=2.2)
        fluctuations.line(ax, results, style.positive(np.where(negative, values, np.nan)),
                          **{"color": colour, **NEGATIVE})
        any_negative |= bool((negative & (values > floor)).any())
        handles.append(style.key(style.count_alike(wave_name(phase[wave]), len(group)), colour, linewidth=2.2))
        seen.append(values)
        if final is not None:
            d = final[0] / results.factor("diffusion") / fluctuations.lattice(results).spacing**2
            decay = np.exp(-d * eigenvalue[wave] * time / results.factor("time"))
            ax.plot(time, decay, color=colour, zorder=1.7, **DIFFUSION)
    if any_negative:
        handles.append(style.key("its size where it is negative", "0.25", **NEGATIVE))
    if final is not None:
        handles.append(style.key(r"$\exp(-D\lambda_q t)$, $\lambda_q = 2(1-\cos qa)/a^2$," + f"\n$D$ = {final[0]:.4g} "
                                 f"{results.unit('diffusion')}", "0.25", **DIFFUSION))
    if floor > ROUNDING:
        ax.axhspan(1e-300, floor, color="0.88", linewidth=0, zorder=0.6)
        handles.append(style.key(f"noise of the random states\n(about {floor:.1g})" if origin == "noise" else
                                 f"noise of the random states\n({origin}, {floor:g})", "0.88", linewidth=8))
    fluctuations.mark_edge(ax, results)
    handles += fluctuations.edge_keys(results)
    style.time_axis(ax, results)
    if style.log_limits(ax, [np.array(seen)], floor=floor):
        ax.set_ylim(max(ax.get_ylim()[0], floor / 3), 1.5)
    ax.set_ylabel("decay of a wave $|C(q,t)|/C(q,0)$")
    style.outside_legend(ax, handles)
    return figure
