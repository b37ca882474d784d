"""The pictures of a qheat results file.

A picture family is a function that takes the open `Results` and returns a
matplotlib Figure, or raises `NotDrawn` with the reason.  A new family is one
more line in `FAMILIES`; its name becomes the name of the picture's file.
"""

from . import (assumptions, condition, conservation, currents, ensemble, error, kernel_rates, memory,
               populations, profiles, space_time, steady, steady_sizes, tcl_error)

FAMILIES = [
    ("populations", populations.draw),
    ("ensemble", ensemble.draw),
    ("space_time", space_time.draw),
    ("currents", currents.draw),
    ("kernel_rates", kernel_rates.draw),
    ("assumptions", assumptions.draw),
    ("tcl_error", tcl_error.draw),
    ("memory", memory.draw),
    ("condition", condition.draw),
    ("error", error.draw),
    ("profiles", profiles.draw),
    ("conservation", conservation.draw),
]
# of a file with a steady state, which needs no output times
STEADY = [("steady", steady.draw), ("steady_sizes", steady_sizes.draw)]


def families(results):
    """Return the pictures that a file of this kind can have."""
    if not results.has_steady:
        return FAMILIES
    steady_states = STEADY if results.has_sizes else STEADY[:1]
    return [*(FAMILIES if results.has_times else []), *steady_states]
