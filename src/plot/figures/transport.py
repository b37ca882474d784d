"""Transport: kappa(T) with its exponent, C_V(T)."""

import numpy as np

from . import style
from .results import NotDrawn

EQ_18 = dict(color="0.25", linestyle=(0, (1, 2)), linewidth=1.9)
STEEPEST = 12.0  # exponent beyond which a panel does not follow an activated C_V
LOWEST = 1e-5  # share of the largest conductivity that is still drawn
LIMIT = dict(color="0.6", linewidth=1.2, linestyle=(0, (4, 3)))
FEW = 25  # temperatures that are drawn as dots


def kernels_with(results, dataset):
    """Return [(kernel, values)] of all kernels that have a dataset below /transport/kernel/<k>."""
    found = [(kernel, results.vector(f"/transport/kernel/{kernel}/{dataset}"))
             for kernel in results.kernels("/transport/kernel")]
    return [(kernel, values) for kernel, values in found if values is not None]


def detuned(results):
    """True if the sites have different levels."""
    energies = results.matrix("/model/site_energies", 2)
    return energies is not None and np.ptp(energies, axis=0).any()


def temperature_axis(ax, results, temperature):
    """Set label and scale of the axis of temperatures: logarithmic where they span much and are not even."""
    steps = np.diff(temperature)
    even = steps.size > 1 and np.ptp(steps) < 0.01 * steps.mean()
    if temperature.max() > 5 * temperature.min() and not even:
        ax.set_xscale("log")
    ax.set_xlabel(f"temperature $T$  ({results.unit('temperature')})")


def dots(temperature):
    """Return the look of a curve over temperatures: with dots while they can be told apart."""
    return dict(marker="o", markersize=4) if temperature.size <= FEW else {}


def draw_conductivity(ax, results, temperature):
    """Draw kappa(T) by the D of each kernel and by Eq. 18; return the legend entries."""
    handles, drawn = [], []
    chosen = results.text("/transport/kernel", "kernel")
    for kernel, kappa in kernels_with(results, "conductivity"):
        ax.plot(temperature, style.positive(kappa), **{**kernel.look, **dots(temperature)})
        value = results.factor("diffusion") * results.numbers(f"/transport/kernel/{kernel}", "value")[0]
        handles.append(style.key(f"{kernel.label}: $D$ = {value:.3g}", kernel.colour, linestyle=kernel.dash,
                                 linewidth=kernel.width))
        drawn.append(kappa)
        error = results.vector(f"/transport/kernel/{kernel}/conductivity_error")
        if kernel.name == chosen and error is not None:
            lowest = 1e-3 * LOWEST * np.nanmax(kappa)  # below the panel: an error beyond the value has no lower end
            ax.fill_between(temperature, np.maximum(kappa - error, lowest), style.positive(kappa + error),
                            color=kernel.colour, alpha=0.2, linewidth=0)
            handles.append(style.key("its error", kernel.colour, linewidth=8, alpha=0.2))
    closed = results.vector("/transport/pair_rate/conductivity")
    if closed is not None:
        ax.plot(temperature, style.positive(closed), **EQ_18)
        value = results.factor("diffusion") * results.numbers("/transport/pair_rate", "value")[0]
        handles.append(style.key(f"Eq. 18: $D$ = {value:.3g}" + ("\nwithout detunings" if detuned(results) else ""),
                                 **EQ_18))
        drawn.append(closed)
    temperature_axis(ax, results, temperature)
    if not drawn:
        style.note(ax, "no kernel whose bond rates\nare one number over a window")
        return handles
    style.log_limits(ax, drawn, floor=LOWEST * max(np.nanmax(values) for values in drawn))
    unit = results.unit("conductivity")
    ax.set_ylabel(rf"conductivity $\kappa$  ({unit}" + ("" if results.holds("/units") else ", a site") + ")")
    return handles


def draw_exponent(ax, results, temperature, exponent):
    """Draw a local exponent; -2, the limit of high temperatures, is marked."""
    ax.axhline(-2, **LIMIT)
    shown = np.where(np.abs(exponent) < STEEPEST, exponent, np.nan)
    style.line(ax, temperature, shown, color=style.PALETTE[0], linewidth=2.0)
    style.data_limits(ax, [shown, np.array([-2.0])])
    temperature_axis(ax, results, temperature)
    ax.set_ylabel(r"exponent $d\ln\kappa/d\ln T$")


def temperatures(results):
    """Return the temperatures; NotDrawn unless they are two or more and ascend."""
    temperature = results.vector("/transport/temperature")
    if temperature is None or temperature.size < 2 or np.any(np.diff(temperature) <= 0):
        raise NotDrawn("needs two ascending transport.temperatures or more")
    return temperature


def conductivity(results):
    """Draw kappa(T) and its local exponent side by side."""
    temperature = temperatures(results)
    if results.vector("/transport/conductivity") is None and not results.holds("/transport/pair_rate"):
        raise NotDrawn("no D: " + (results.text("/transport", "reason") or "no kernel"))
    figure, axes = style.panels(results, 1, 2, 5.4, 4.2, legend=3.0)
    handles = draw_conductivity(axes[0, 0], results, temperature)
    exponent = results.vector("/transport/exponent")
    draw_exponent(axes[0, 1], results, temperature, exponent)
    handles.append(style.key("−2: high temperatures,\nconstant $D$", **LIMIT))
    axes[0, 1].set_xlim(axes[0, 0].get_xlim())
    unit = results.unit("diffusion")
    style.outside_legend(axes[0, 1], handles, title=f"$D$ in {unit}")
    return figure


def specific_heat(results):
    """Draw C_V(T), and energy and entropy beside it."""
    temperature = temperatures(results)
    names = (("specific_heat", r"$C_V$ of a site", "specific_heat"), ("energy", "energy $u$ of a site", "energy"),
             ("entropy", "entropy of a site", "specific_heat"))
    figure, axes = style.panels(results, 1, 3, 4.6, 3.8, legend=0.4)
    for ax, (name, label, quantity), colour in zip(axes[0], names, style.PALETTE):
        values = results.vector(f"/transport/{name}")
        if values is None:
            raise NotDrawn(f"needs /transport/{name}")
        ax.plot(temperature, values, color=colour, linewidth=2.0, **dots(temperature))
        style.data_limits(ax, [values, np.zeros(1)])
        temperature_axis(ax, results, temperature)
        ax.set_ylabel(f"{label}  ({results.unit(quantity)})")
    return figure
