#!/usr/bin/python3
"""Write a small results file with real physics in it, for tests of the picture maker.

    make_sample.py OUT.h5 [--shape 6] [--times 101] [--exact-kernel] [--closed]

The model is an xy lattice of two-level sites with dephasing and a static detuning,
started from a product state and solved in its sector by Runge-Kutta: the exact density matrix, the
second-order kernel (and on request the exact one), the many-body and the site equation.
"""

import argparse
import itertools

import h5py
import numpy as np

LAMBDA = 0.1
GAMMA = 0.1
DETUNING = 0.15
END = 60.0
SUBSTEPS = 12

JOB = """title = "{title}"

[lattice]
shape = {shape}

[site]
levels = [0.0, 1.0]
[site.detuning]
offsets = {offsets}

[interaction]
kind = "xy"
strength = {strength}

[bath]
dephasing = {dephasing}

[initial]
levels = {start}

[time]
end = {end}
outputs = {times}

[exact]
tolerance = 1e-10
[kernel]
orders = [2]
[rates]
kernels = {kernels}
"""


def lattice_bonds(shape):
    """Return the nearest-neighbour bonds [B, 2] of an open lattice, first axis fastest."""
    places = [place[::-1] for place in itertools.product(*(range(length) for length in shape[::-1]))]
    number = {place: site for site, place in enumerate(places)}
    bonds = []
    for place in places:
        for axis in range(len(shape)):
            neighbour = tuple(x + (k == axis) for k, x in enumerate(place))
            if neighbour in number:
                bonds.append((number[place], number[neighbour]))
    return np.array(bonds, dtype=int).reshape(-1, 2)


def integrate(derivative, start, times):
    """Return y at all times by the classical Runge-Kutta method; dy/dt = derivative(t, y)."""
    result = [start]
    for t0, t1 in zip(times[:-1], times[1:]):
        y, h = result[-1], (t1 - t0) / SUBSTEPS
        for t in t0 + h * np.arange(SUBSTEPS):
            k1 = derivative(t, y)
            k2 = derivative(t + h / 2, y + h / 2 * k1)
            k3 = derivative(t + h / 2, y + h / 2 * k2)
            k4 = derivative(t + h, y + h * k3)
            y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        result.append(y)
    return np.array(result)


class Model:
    """An xy lattice with dephasing in the sector of its starting state."""

    def __init__(self, shape, dephasing):
        self.shape = list(shape)
        self.sites = int(np.prod(shape))
        self.bonds = lattice_bonds(shape)
        self.dephasing = dephasing
        random = np.random.default_rng(1)
        self.levels = 1.0 + DETUNING * (random.random(self.sites) - 0.5)
        self.start = [1 if site < 2 and 2 * site < self.sites else 0 for site in range(self.sites)]
        occupied = itertools.combinations(range(self.sites), sum(self.start))
        self.cells = np.array([[int(site in state) for site in range(self.sites)] for state in occupied])
        self.energies = self.cells @ self.levels
        self.hops = [self._hop(*bond) for bond in self.bonds]
        self.hamiltonian = np.diag(self.energies) + LAMBDA * sum(self.hops, np.zeros((len(self.cells),) * 2))
        differ = np.abs(self.cells[:, None, :] - self.cells[None, :, :]).sum(axis=2)
        self.decay = dephasing * differ

    def _hop(self, first, last):
        """Return the matrix that swaps different levels of two sites."""
        swapped = self.cells.copy()
        swapped[:, [first, last]] = swapped[:, [last, first]]
        same = (swapped[:, None, :] == self.cells[None, :, :]).all(axis=2)
        return same.astype(float) * (self.cells[:, first] != self.cells[:, last])[:, None]

    def liouville(self, rho):
        """Return d rho/dt; rho [..., C, C]."""
        return -1j * (self.hamiltonian @ rho - rho @ self.hamiltonian) - self.decay * rho

    def density_matrix(self, cell, times):
        """Return rho(t) [T, C, C] from one cell."""
        rho = np.zeros((len(self.cells),) * 2, dtype=complex)
        rho[cell, cell] = 1
        return integrate(lambda t, y: self.liouville(y), rho, times)

    def outflow(self, rho):
        """Return the energy that leaves either site of each bond through it [T, B, 2]."""
        flow = np.zeros((rho.shape[0], len(self.bonds), 2))
        for number, (bond, hop) in enumerate(zip(self.bonds, self.hops)):
            for end, site in enumerate(bond):
                energy = np.diag(self.levels[site] * self.cells[:, site])
                operator = -1j * LAMBDA * (hop @ energy - energy @ hop)
                flow[:, number, end] = np.einsum("tij,ji->t", rho, operator).real
        return flow

    def second_order(self, t):
        """Return the second-order generator [C, C] at a time."""
        z = self.decay - 1j * (self.energies[:, None] - self.energies[None, :])
        safe = np.where(z == 0, 1, z)
        memory = np.where(z == 0, t, (1 - np.exp(-safe * t)) / safe).real
        rates = 2 * LAMBDA ** 2 * sum(self.hops, np.zeros_like(memory)) ** 2 * memory
        return rates - np.diag(rates.sum(axis=0))

    def exact_kernel(self, times):
        """Return K(t) = G'(t) G(t)^-1 [T, C, C] and the times at which det G changes sign."""
        propagator = np.zeros((len(times), len(self.cells), len(self.cells)))
        slope = np.zeros_like(propagator)
        for cell in range(len(self.cells)):
            rho = self.density_matrix(cell, times)
            propagator[:, :, cell] = np.diagonal(rho, axis1=1, axis2=2).real
            slope[:, :, cell] = np.diagonal(self.liouville(rho), axis1=1, axis2=2).real
        sign = np.linalg.slogdet(propagator)[0]
        changes = np.flatnonzero(sign[1:] != sign[:-1])
        return slope @ np.linalg.inv(propagator), (times[changes] + times[changes + 1]) / 2

    def bond_rates(self, generator):
        """Return the mean swap rate of each bond [T, B]."""
        return np.array([(generator * hop).sum(axis=(1, 2)) / hop.sum() for hop in self.hops]).T


def linear_in_time(times, values):
    """Return values(t), linear between the times."""
    def at(t):
        row = min(max(np.searchsorted(times, t) - 1, 0), len(times) - 2)
        share = (t - times[row]) / (times[row + 1] - times[row])
        return (1 - share) * values[row] + share * values[row + 1]
    return at


def site_equation(model, rates, start, times):
    """Return P_1(i, t) [T, N] by the site equation with bond rates w(t) [B]."""
    def derivative(t, p):
        change = np.zeros_like(p)
        flow = rates(t) * (p[model.bonds[:, 1]] - p[model.bonds[:, 0]])
        np.add.at(change, model.bonds[:, 0], flow)
        np.add.at(change, model.bonds[:, 1], -flow)
        return change
    return integrate(derivative, start, times)


def both_levels(excited):
    """Return populations [T, N, 2] from those of the excited level [T, N]."""
    return np.stack([1 - excited, excited], axis=2)


def closure_error(site, exact):
    """Return |P_site - P_exact|_1 / |P_exact - mean|_1 [T] of populations [T, N, 2]."""
    distance = np.abs(site - exact).sum(axis=(1, 2))
    return distance / np.abs(exact - exact.mean(axis=1, keepdims=True)).sum(axis=(1, 2))


def write_rates(file, model, kernel, generator, singular, exact, times):
    """Write a kernel and its two rate equations, which stop at the first singular time."""
    rates = model.bond_rates(generator)
    group = file.create_group(f"kernel/{kernel}")
    group["generator"] = generator
    group["bond_rate"] = rates
    before = times[times < min(singular, default=np.inf)]
    at = linear_in_time(times, generator)
    start = (model.cells == model.start).all(axis=1).astype(float)
    many_body = integrate(lambda t, p: at(t) @ p, start, before) @ model.cells
    site = site_equation(model, linear_in_time(times, rates), np.array(model.start, dtype=float), before)
    for parent, excited in (("rates", many_body), ("sites", site)):
        excited = np.pad(excited, ((0, len(times) - len(before)), (0, 0)), constant_values=np.nan)
        group = file.create_group(f"{parent}/{kernel}")
        group["populations"] = both_levels(excited)
        group["energy"] = excited * model.levels
    file[f"sites/{kernel}/closure_error"] = closure_error(file[f"sites/{kernel}/populations"][()], exact)


def write_exact(file, model, rho):
    """Write the exact solution; return its populations [T, N, 2]."""
    excited = np.diagonal(rho, axis1=1, axis2=2).real @ model.cells
    flow = model.outflow(rho)
    file["exact/populations"] = both_levels(excited)
    file["exact/energy"] = excited * model.levels
    file["exact/outflow"] = flow
    file["exact/current"] = (flow[:, :, 0] - flow[:, :, 1]) / 2
    file["exact/norm"] = np.trace(rho, axis1=1, axis2=2).real
    file["exact/total_energy"] = np.einsum("tij,ji->t", rho, model.hamiltonian).real
    return both_levels(excited)


def job_text(model, times, kernels):
    """Return the job file that would ask for this run."""
    lattice = " x ".join(map(str, model.shape))
    title = f"Energy spreads over an xy lattice of {lattice} sites, dephasing {model.dephasing:g}"
    return JOB.format(title=title, shape=model.shape, strength=LAMBDA, dephasing=model.dephasing,
                      offsets=[[0.0, float(level - 1)] for level in model.levels],
                      start=model.start, end=END, times=times, kernels=str(kernels).replace("'", '"'))


def write_sample(path, shape=(6,), times=101, exact_kernel=False, dephasing=GAMMA):
    """Write a complete results file."""
    model = Model(shape, dephasing)
    instants = np.linspace(0, END, times)
    start = int(np.flatnonzero((model.cells == model.start).all(axis=1))[0])
    kernels = ["tcl2", "exact"] if exact_kernel else ["tcl2"]
    with h5py.File(path, "w") as file:
        file.attrs.update({"filetype": "qheat results", "format_version": [1, 0], "qheat_version": "sample",
                           "ranks": 1, "scalar": "complex", "index_bits": 32, "complete": [1]})
        file["job"] = np.bytes_(job_text(model, times, kernels))
        file["time"] = instants
        file["model/site_energies"] = np.stack([np.zeros(model.sites), model.levels], axis=1)
        file["model/bonds"] = model.bonds
        exact = write_exact(file, model, model.density_matrix(start, instants))
        file["kernel/cells"] = model.cells
        tcl2 = np.array([model.second_order(t) for t in instants])
        write_rates(file, model, "tcl2", tcl2, [], exact, instants)
        if exact_kernel:
            kernel, singular = model.exact_kernel(instants)
            write_rates(file, model, "exact", kernel, singular, exact, instants)
            file["kernel/exact/singular_times"] = singular
        file["timing/exact/seconds"] = 0.1


def main():
    """Write the sample that the command line asks for."""
    parser = argparse.ArgumentParser(description="Write a sample results file.")
    parser.add_argument("out", metavar="OUT.h5")
    parser.add_argument("--shape", type=int, nargs="+", default=[6], help="sites along each axis")
    parser.add_argument("--times", type=int, default=101, help="output times, at least 2")
    parser.add_argument("--exact-kernel", action="store_true", help="the exact kernel as well")
    parser.add_argument("--closed", action="store_true", help="no dephasing")
    options = parser.parse_args()
    write_sample(options.out, options.shape, options.times, options.exact_kernel,
                 0.0 if options.closed else GAMMA)


if __name__ == "__main__":
    main()
