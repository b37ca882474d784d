"""The pictures of a qheat results file.

A picture family is a function that takes the open `Results` and returns a
matplotlib Figure, or raises `NotDrawn` with the reason.  A new family is one
more line in `FAMILIES`; its name becomes the name of the picture's file.
"""

from . import (conservation, currents, error, kernel_rates, populations, profiles,
               space_time)

FAMILIES = [
    ("populations", populations.draw),
    ("space_time", space_time.draw),
    ("currents", currents.draw),
    ("kernel_rates", kernel_rates.draw),
    ("error", error.draw),
    ("profiles", profiles.draw),
    ("conservation", conservation.draw),
]
