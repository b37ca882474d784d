#!/usr/bin/python3
"""Seconds that QuTiP takes for the evolution that bench_evolution calls chebyshev/chain-16.

QuTiP is handed the sparse matrix of the half-filled sector, not of the full space. Prints JSON; nothing if QuTiP
is not installed.
"""

import itertools
import json
import time

SITES = 16
STRENGTH = 0.5
END = 10.0
TOLERANCE = 1e-8
REPETITIONS = 3


def sector_hamiltonian():
    """Return level energies plus nearest-neighbour exchange on all configurations with half of the sites excited."""
    import numpy as np
    import scipy.sparse

    states = [sum(1 << i for i in sites) for sites in itertools.combinations(range(SITES), SITES // 2)]
    number = {state: k for k, state in enumerate(states)}
    rows, columns, values = [], [], []
    for k, state in enumerate(states):
        diagonal = float(SITES // 2)
        for i in range(SITES - 1):
            pair = state >> i & 3
            if pair in (0, 3):
                diagonal += STRENGTH
            else:
                rows.append(number[state ^ 3 << i])
                columns.append(k)
                values.append(STRENGTH)
        rows.append(k)
        columns.append(k)
        values.append(diagonal)
    return scipy.sparse.csr_matrix((np.array(values, dtype=complex), (rows, columns))), len(states)


def main():
    """Time the evolution from the first configuration."""
    try:
        import qutip
    except ImportError:
        return
    matrix, size = sector_hamiltonian()
    hamiltonian = qutip.Qobj(matrix)
    start = qutip.basis(size, 0)
    seconds = []
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        try:
            options = qutip.Options(atol=TOLERANCE, rtol=TOLERANCE, nsteps=100000)
        except AttributeError:  # QuTiP 5
            options = {"atol": TOLERANCE, "rtol": TOLERANCE, "nsteps": 100000}
        qutip.sesolve(hamiltonian, start, [0.0, END], options=options)
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"version": qutip.__version__, "seconds": seconds}))


if __name__ == "__main__":
    main()
