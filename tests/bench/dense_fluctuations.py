#!/usr/bin/python3
"""Time equilibrium fluctuations of an exchange ring against dense matrices of the full space, and against QuTiP.

    python3 tests/bench/dense_fluctuations.py PATH_TO_QHEAT [SITES]

C_ij(t) of one source and <J(t) J>/N at infinite temperature, 41 outputs. Seconds are those of one processor; of the
program those of the whole process, its start and files included. Prints JSON.

- dense: full diagonalisation by LAPACK, h_i and J in the eigenbasis, sums over all pairs of eigenstates.
- program: all states, or random states, as it chooses; and random states.
- qutip: as many random states as the program's second run, by sesolve. Left out if QuTiP is not installed.
"""

import json
import math
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import h5py  # noqa: E402
import numpy as np  # noqa: E402

STRENGTH = 0.5
END, OUTPUTS = 10.0, 41
SOURCE = 0
SAMPLES = 16
TOLERANCE = 1e-7  # of the random states, here and in the program
REPETITIONS = 5
JOB = """
[lattice]
shape = [{sites}]
periodic = [true]
[site]
levels = [0.0, 1.0]
[interaction]
kind = "exchange"
strength = {strength}
[time]
end = {end}
outputs = {outputs}
[transport]
routes = ["spreading", "green-kubo"]
source = {source}
smaller = 0
samples = {samples}
"""


class Ring:
    """Sparse elements of the exchange ring on all states: bit i of a state is the level of site i."""

    def __init__(self, sites):
        self.sites, self.states = sites, np.arange(1 << sites)
        self.levels = (self.states[None, :] >> np.arange(sites)[:, None] & 1).astype(float)
        self.energies = self.levels - 0.5  # h_i - <h_i>

    def bonds(self):
        """Yield of each bond i, i + 1 the states with the levels of both swapped, and where they differ."""
        for i in range(self.sites):
            j = (i + 1) % self.sites
            differ = self.levels[i] != self.levels[j]
            yield i, np.where(differ, self.states ^ (1 << i | 1 << j), self.states), differ

    def hamiltonian(self):
        """Return diagonal, rows, columns and values of H."""
        diagonal, rows, columns = self.levels.sum(axis=0), [], []
        for _, swapped, differ in self.bonds():
            diagonal = diagonal + STRENGTH * ~differ
            rows.append(swapped[differ])
            columns.append(self.states[differ])
        rows, columns = np.concatenate(rows), np.concatenate(columns)
        return diagonal, rows, columns, np.full(rows.size, STRENGTH)

    def current(self):
        """Return rows, columns and values of J/i, real and antisymmetric: lambda (|01><10| - |10><01|) of each bond."""
        rows, columns, values = [], [], []
        for i, swapped, differ in self.bonds():
            rows.append(swapped[differ])
            columns.append(self.states[differ])
            values.append(STRENGTH * np.where(self.levels[i][differ] == 1, -1.0, 1.0))
        return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)


def matrix(size, rows, columns, values, diagonal=None):
    """Return a dense matrix with these elements added up."""
    full = np.zeros((size, size)) if diagonal is None else np.diag(diagonal)
    np.add.at(full, (rows, columns), values)
    return full


def dense(sites, times):
    """Return C_ij(t) of the source and <J(t) J>/N, [T, N] and [T], from all eigenstates."""
    ring = Ring(sites)
    size = ring.states.size
    diagonal, *elements = ring.hamiltonian()
    energies, vectors = np.linalg.eigh(matrix(size, *elements, diagonal=diagonal))
    in_basis = [vectors.T @ (h[:, None] * vectors) for h in ring.energies]
    current = vectors.T @ (matrix(size, *ring.current()) @ vectors)
    correlations, currents = np.empty((times.size, sites)), np.empty(times.size)
    for k, t in enumerate(times):  # Re tr e^{iHt} A e^{-iHt} B/D = sum_mn cos((E_m - E_n) t) A_mn B_nm/D
        cosines = np.outer(np.cos(energies * t), np.cos(energies * t)) + np.outer(np.sin(energies * t), np.sin(energies * t))
        weighted = cosines * in_basis[SOURCE]
        correlations[k] = [np.vdot(weighted, h) / size for h in in_basis]
        currents[k] = np.vdot(cosines * current, current) / size / sites
    return correlations, currents


def random_states(sites, times):
    """Return the same by QuTiP from random states, means over SAMPLES of them."""
    import qutip
    import scipy.sparse

    ring = Ring(sites)
    size = ring.states.size
    diagonal, rows, columns, values = ring.hamiltonian()
    h = scipy.sparse.csr_matrix((values.astype(complex), (rows, columns)), (size, size)) + scipy.sparse.diags(diagonal)
    hamiltonian = qutip.Qobj(scipy.sparse.csr_matrix(h))
    rows, columns, values = ring.current()
    current = scipy.sparse.csr_matrix((1j * values, (rows, columns)), (size, size))
    try:
        options = qutip.Options(atol=TOLERANCE, rtol=TOLERANCE, nsteps=100000, normalize_output=False)
    except AttributeError:  # QuTiP 5
        options = {"atol": TOLERANCE, "rtol": TOLERANCE, "nsteps": 100000, "normalize_output": False}

    def follow(state):
        states = qutip.sesolve(hamiltonian, qutip.Qobj(state[:, None]), times, options=options).states
        return np.array([found.full()[:, 0] for found in states])

    random = np.random.default_rng(1)
    correlations, currents = np.zeros((times.size, sites)), np.zeros(times.size)
    for _ in range(SAMPLES):
        psi = random.normal(size=size) + 1j * random.normal(size=size)
        psi /= np.linalg.norm(psi)
        bra, ket = follow(psi), follow(ring.energies[SOURCE] * psi)
        correlations += (bra.conj() * ket).real @ ring.energies.T / SAMPLES
        ket = follow(current @ psi)
        currents += np.einsum("ts,ts->t", bra.conj(), (current @ ket.T).T).real / sites / SAMPLES
    return correlations, currents


def program(qheat, sites, samples):
    """Return the same by the program, with the seconds of its processor and what it took for them."""
    with tempfile.TemporaryDirectory() as folder:
        job = JOB.format(sites=sites, strength=STRENGTH, end=END, outputs=OUTPUTS, source=SOURCE, samples=samples)
        pathlib.Path(folder, "a.toml").write_text(job)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([qheat, "run", "a.toml", "--out", "a.h5"], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        with h5py.File(pathlib.Path(folder, "a.h5")) as file:
            group = file["transport"]
            correlations = np.array(group["spreading/profile"]) * group.attrs["susceptibility"]
            currents = np.array(group["green_kubo/correlation"])
    return (correlations, currents), seconds


def distances(found, expected):
    """Return the largest distance of both, relative to their largest values."""
    return [float(np.abs(one - other).max() / np.abs(other).max()) for one, other in zip(found, expected)]


def timed(work, *arguments):
    """Return a result and the seconds of this processor."""
    started = time.process_time()
    result = work(*arguments)
    return result, time.process_time() - started


def main():
    """Time all ways, and compare what they give."""
    qheat = str(pathlib.Path(sys.argv[1]).resolve())
    sites = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    times = np.linspace(0.0, END, OUTPUTS)
    expected, seconds = timed(dense, sites, times)
    told = {"sites": sites, "outputs": OUTPUTS, "samples": SAMPLES, "dense": {"seconds": [seconds]}}
    for name, samples in (("chosen", 0), ("sampled", SAMPLES)):
        runs = [program(qheat, sites, samples) for _ in range(REPETITIONS)]
        told[name] = {"seconds": [seconds for _, seconds in runs], "distance": distances(runs[0][0], expected)}
    try:
        import qutip
    except ImportError:
        pass
    else:
        found, seconds = timed(random_states, sites, times)
        told["qutip"] = {"version": qutip.__version__, "seconds": [seconds], "distance": distances(found, expected)}
    print(json.dumps(told))
    for name in ("chosen", "sampled", "qutip"):  # six standard errors of the random states, or rounding
        allowed = 6.0 / math.sqrt(SAMPLES << sites)
        if max(told.get(name, {}).get("distance", [0.0])) > allowed:
            sys.exit(f"{name}: values differ by more than {allowed:.2g}")


if __name__ == "__main__":
    main()
