"""The pictures of a qheat results file.

A picture family is a function that takes the open `Results` and returns a
matplotlib Figure, or raises `NotDrawn` with the reason.  A new family is one
more line in `FAMILIES`, or in `TIMELESS` if it needs no output times; its name
becomes the name of the picture's file.
"""

from . import (assumptions, condition, conservation, currents, diffusion, diffusion_dephasing, ensemble, error,
               full_energy, heat, kernel_rates, matrix_elements, memory, populations, profiles, site_kernel, space_time, spectrum,
               spreading, steady, steady_sizes, tcl_error, transport, waves)

# of a file with output times
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
SOLUTIONS = ("/exact", "/rates", "/sites", "/kernel")  # groups that those are drawn from
# pictures that need no solution over time, each with the datasets or groups for one of which a file has it
TIMELESS = [
    ("spectrum", spectrum.draw, "/spectrum"),
    ("full_energy", full_energy.draw, "/exact/full_energy"),
    ("diffusion", diffusion.draw, ("/transport/kernel", *diffusion.GROUPS)),
    ("spreading", spreading.draw, "/transport/spreading"),
    ("exponent", spreading.draw_exponent, "/transport/spreading"),
    ("waves", waves.draw, "/transport/modes"),
    ("site_kernel", site_kernel.draw, "/transport/site_kernel"),
    ("conductivity", transport.conductivity, "/transport/temperature"),
    ("specific_heat", transport.specific_heat, "/transport/temperature"),
    ("heat", heat.draw, "/heat/temperature"),
    ("heat_power", heat.draw_power, "/heat/temperature"),
    ("matrix_elements", matrix_elements.draw, "/matrix_elements/direct"),
    ("steady", steady.draw, "/steady"),
    ("steady_sizes", steady_sizes.draw, "/steady/sizes"),
    ("diffusion_dephasing", diffusion_dephasing.draw, "/steady/fit/dephasing"),
]


def over_time(draw):
    """Return a function that draws if there are output times; without them there is no other reason not to."""
    def draw_or_refuse(results):
        results.time  # NotDrawn if the file has none
        return draw(results)
    return draw_or_refuse


def families(results):
    """Return the pictures that a file of this kind can have."""
    timeless = [(name, draw) for name, draw, paths in TIMELESS
                if any(map(results.holds, (paths,) if isinstance(paths, str) else paths))]
    timed = [(name, over_time(draw)) for name, draw in FAMILIES]
    solved = results.has_times and any(map(results.holds, SOLUTIONS))
    return [*(timed if solved or not timeless else []), *timeless]
