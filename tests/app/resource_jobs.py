"""Jobs of every computation, large enough that their memory stands out from the program's own and done in seconds."""

from program import chain

RESERVOIRS = """
[[bath.reservoir]]
site = 0
temperature = 2.0
rate = 1.0

[[bath.reservoir]]
site = %d
temperature = 1.0
rate = 1.0
"""


def short(end, outputs, **tables):
    """Return tables with a time of their own."""
    return {"time": {"end": end, "outputs": outputs}, **tables}


def hot(sites, **tables):
    """Return a chain that starts as a mixture of all sectors."""
    job = chain(sites, **tables)
    job["initial"] = {"kind": "thermal", "temperatures": [2.0] * sites}
    return job


DEPHASED = {"bath": {"dephasing": 0.5}}

# name: (tables, text that goes behind them)
JOBS = {
    "closed exact, diagonalised": (chain(14, **short(5.0, 3), exact={"method": "diagonalize"}), ""),
    "closed exact, Chebyshev": (chain(24, **short(2.0, 9), exact={"method": "chebyshev"}), ""),
    "closed exact, Krylov": (chain(22, **short(1.0, 2), exact={"method": "krylov"}), ""),
    "closed exact, sampled": (hot(22, **short(0.5, 9), exact={"method": "chebyshev", "samples": 4}), ""),
    "closed exact, ensemble": (chain(22, **short(1.0, 9), exact={"method": "chebyshev"},
                                     site_detuning={"distribution": "uniform", "width": 0.5, "seed": 1, "realizations": 2}), ""),
    "closed exact, 300000 outputs": (chain(4, **short(10.0, 300000), exact={}), ""),
    "open exact, Faber": (chain(14, **short(0.3, 3), **DEPHASED, exact={}), ""),
    "open exact, Krylov": (chain(12, **short(1.0, 2), **DEPHASED, exact={"method": "krylov"}), ""),
    "open exact, Runge-Kutta": (chain(12, **short(1.0, 2), **DEPHASED, exact={"method": "runge-kutta"}), ""),
    "spectrum": (chain(22, spectrum={"states": 4}), ""),
    "exact kernel, closed": (chain(14, **short(1.0, 3), kernel={"orders": [], "store_limit": 0}), ""),
    "exact kernel, open": (chain(10, **short(5.0, 5), **DEPHASED, kernel={"orders": [], "store_limit": 0}), ""),
    "TCL4, closed": (chain(12, **short(1.0, 3), kernel={"exact": False, "orders": [4], "store_limit": 0}), ""),
    "TCL4, open": (chain(8, **short(5.0, 5), **DEPHASED, kernel={"exact": False, "orders": [4], "store_limit": 0}), ""),
    "memory kernel": (chain(10, **short(10.0, 65), kernel={"exact": False, "orders": [], "memory": True}), ""),
    "rates, local": (chain(24, **short(0.2, 2), rates={"kernels": ["tcl2"]}), ""),
    "rates, dense": (chain(12, **short(1.0, 3), kernel={"store_limit": 0}, rates={"kernels": ["exact"]}), ""),
    "steady, direct": (chain(8, steady={"method": "direct"}, **DEPHASED), RESERVOIRS % 7),
    "steady, iterative": (chain(10, steady={"method": "iterative"}, **DEPHASED), RESERVOIRS % 9),
    "steady, iterative, no dephasing": (chain(9, steady={"method": "iterative"}, bath={}), RESERVOIRS % 8),
    "steady, two-point": (chain(10000, steady={"method": "two-point"}, interaction={"kind": "xy"}, bath={}),
                          RESERVOIRS % 9999),
}
