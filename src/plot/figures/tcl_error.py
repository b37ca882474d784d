"""How far the perturbative kernels are from the exact one: the generators, and what they make of P(t)."""

import numpy as np

from . import singular, style
from .kernels import order_of
from .results import NotDrawn

STATED = dict(linewidth=1.0, alpha=0.55)
CEILING = 1e3  # a series that diverges need not be followed
FLOOR = 1e-14
EQUATIONS = {"/rates": "many-body equation", "/sites": "site equation"}


def difference(results, exact, other):
    """Return |K_other - K_exact| / |K_exact| [T] in the Frobenius norm; NaN where K_exact is 0 or NaN."""
    times = results.time.size
    norms = np.array([(np.linalg.norm(approximate - rates), np.linalg.norm(rates)) for approximate, rates
                      in zip(results.generator_rows(other, times), results.generator_rows(exact, times))])
    return np.divide(norms[:, 0], norms[:, 1], out=np.full(times, np.nan), where=norms[:, 1] > 0)


def differences(results):
    """Return {TCL kernel: difference from the exact generator [T]}."""
    exact = results.generator("exact")
    if exact is None or exact.ndim != 3:
        return {}
    found = {kernel: results.generator(kernel) for kernel in results.kernels("/kernel")
             if order_of(kernel.name) is not None}
    return {kernel: difference(results, exact, dataset) for kernel, dataset in found.items()
            if dataset is not None and dataset.shape == exact.shape}


def deviations(results, parent):
    """Return {kernel: largest |P - P_exact| [T]} of the equations under /rates or /sites."""
    found = {kernel: results.series(f"{parent}/{kernel}/deviation", 1) for kernel in results.kernels(parent)}
    return {kernel: values for kernel, values in found.items() if values is not None}


def stated_errors(results, kernels):
    """Return {kernel: error of its generator that the file states [T]}."""
    found = {kernel: results.series(f"/kernel/{kernel}/error", 1) for kernel in kernels}
    sampling = {kernel: results.series(f"/kernel/{kernel}/sampling_error", 1) for kernel in kernels}
    return {kernel: values if sampling[kernel] is None else values + sampling[kernel]
            for kernel, values in found.items() if values is not None}


def draw_curves(ax, results, curves, faint):
    """Draw {kernel: values [T]} on a logarithmic axis, above faint ones."""
    for kernel, values in faint.items():
        style.line(ax, results.time, style.positive(values), color=kernel.colour, **STATED)
    for kernel, values in curves.items():
        style.line(ax, results.time, style.positive(values), **kernel.look)
    shown = [style.after_start(values) for values in (*curves.values(), *faint.values())]
    style.log_limits(ax, shown, FLOOR, CEILING)
    singular.mark(ax, results)
    style.time_axis(ax, results)


def draw(results):
    """Draw a panel for the generators and one a kind of rate equation."""
    kernels = results.kernels("/kernel", "/rates", "/sites")
    generators = differences(results)
    stated = stated_errors(results, [kernel for kernel in kernels
                                     if kernel.name == "exact" or kernel in generators])
    panels = [("generator against exact", r"$|K_\mathrm{TCL} - K|_F\, /\, |K|_F$", generators, stated)]
    panels += [(title, r"largest $|P - P_\mathrm{exact}|$", deviations(results, parent), {})
               for parent, title in EQUATIONS.items()]
    panels = [panel for panel in panels if panel[2]]
    if not panels:
        raise NotDrawn("needs generators in /kernel/exact and /kernel/tcl<n>, or /rates/<k>/deviation")
    figure, axes = style.panels(results, 1, len(panels), 4.8, 4.2, legend=1.8)
    for ax, (title, label, curves, faint) in zip(axes[0], panels):
        draw_curves(ax, results, curves, faint)
        ax.set_title(title, pad=singular.title_pad(results))
        ax.set_ylabel(label)
    shown = {kernel for *_, curves, _ in panels for kernel in curves}
    faint = [style.key("error stated\nfor a kernel", **STATED)] if generators and stated else []
    style.outside_legend(axes[0, -1], [kernel.key for kernel in kernels if kernel in shown] + faint
                         + singular.keys(results), title="kernel")
    return figure
