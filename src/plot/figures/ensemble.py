"""Sampled exact populations: the mean over an ensemble with its standard error."""

import numpy as np

from . import populations, style
from .results import NotDrawn, table

MOST_SITES = 6
DEPTH = 1e-5  # errors below this share of the largest need not be seen
BANDS = ((1, 0.35), (2, 0.15))  # multiples of the standard error and how strong they are drawn


def draw_mean(ax, results, mean, error, sites):
    """Draw mean values [T, N] of some sites within bands of their errors."""
    for site, colour in zip(sites, style.PALETTE):
        for multiple, strength in BANDS:
            margin = multiple * error[:, site]
            ax.fill_between(results.time, mean[:, site] - margin, mean[:, site] + margin, color=colour,
                            alpha=strength, linewidth=0)
        style.line(ax, results.time, mean[:, site], color=colour, linewidth=1.8)
    style.data_limits(ax, [mean[:, sites] - error[:, sites], mean[:, sites] + error[:, sites]])


def draw_errors(ax, results, error, sites):
    """Draw the standard errors [T, N] of some sites."""
    for site, colour in zip(sites, style.PALETTE):
        style.line(ax, results.time, style.positive(error[:, site]), color=colour, linewidth=1.8)
    largest = style.finite_range([error])
    style.log_limits(ax, [error[:, sites]], floor=DEPTH * largest[1] if largest else DEPTH)
    ax.set_ylabel("standard error")
    ax.set_title("its standard error")


def title(results):
    """Return the heading: over how many realizations the mean is, if the job says so."""
    realizations = table(results.job, "site", "detuning", "realizations")
    if not isinstance(realizations, int):
        return "sampled exact solution"
    return f"mean of {realizations} realizations"


def draw(results):
    """Draw the mean with its error on the left, the error alone on the right."""
    levels = results.populations("/exact/populations")
    mean = None if levels is None else populations.mean_level(levels)
    error = None if mean is None else populations.exact_error(results, "populations", {"/exact": mean})
    if error is None:
        raise NotDrawn("needs /exact/populations and populations_error")
    counts = populations.sites_alike({"mean": mean, "error": error})
    different = np.array([*counts])
    sites = different[populations.choose_sites(mean[:, different], MOST_SITES)]
    figure, axes = style.panels(results, 1, 2, 5.4, 4.2, legend=1.6)
    draw_mean(axes[0, 0], results, mean, error, sites)
    axes[0, 0].set_ylabel(populations.level_label(levels.shape[2]))
    axes[0, 0].set_title(title(results))
    draw_errors(axes[0, 1], results, error, sites)
    for ax in axes[0]:
        style.time_axis(ax, results)
    entries = [style.key(style.count_alike(f"site {site}", counts[site]), colour, linewidth=3)
               for site, colour in zip(sites, style.PALETTE)]
    bands = [style.key(f"±{multiple} standard error", "0.25", linewidth=8,
                       alpha=strength) for multiple, strength in BANDS]
    style.outside_legend(axes[0, 1], entries + bands)
    return figure
