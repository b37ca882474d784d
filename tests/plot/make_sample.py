#!/usr/bin/python3
"""Write a small results file with real physics in it, for tests of the picture maker.

    make_sample.py OUT.h5 [--shape 6] [--times 101] [--end 60] [--kernels exact tcl2 tcl4 memory markov]
                          [--interaction xy] [--dephasing 0.1] [--detuning 0.15] [--ensemble 0]

The model is an xy or exchange lattice of two-level sites with dephasing and a static detuning,
started from a product state and solved in its sector by Runge-Kutta: the exact density matrix, the
kernels with their scores, the many-body and the site equation of each kernel.
"""

import argparse
import itertools

import h5py
import numpy as np

LAMBDA = 0.1
SUBSTEPS = 12
ROUNDING = 1e-11     # relative error of the propagator by Runge-Kutta, as good as constant
SCORED = 0.05        # largest error of a kernel whose scores are written
ORDERS = {"tcl2": 2, "tcl4": 4, "tcl6": 6, "tcl8": 8}
ALL_KERNELS = ("exact", *ORDERS, "memory", "markov")

JOB = """title = "{title}"

[lattice]
shape = {shape}

[site]
levels = [0.0, 1.0]
[site.detuning]
offsets = {offsets}

[interaction]
kind = "{interaction}"
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
orders = {orders}
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
    """A lattice with dephasing in the sector of its starting state."""

    def __init__(self, shape, dephasing=0.1, detuning=0.15, interaction="xy", seed=1):
        self.shape = list(shape)
        self.sites = int(np.prod(shape))
        self.bonds = lattice_bonds(shape)
        self.dephasing = dephasing
        self.interaction = interaction
        random = np.random.default_rng(seed)
        self.levels = 1.0 + detuning * (random.random(self.sites) - 0.5)
        self.start = [1 if site < 2 and 2 * site < self.sites else 0 for site in range(self.sites)]
        occupied = itertools.combinations(range(self.sites), sum(self.start))
        self.cells = np.array([[int(site in state) for site in range(self.sites)] for state in occupied])
        self.energies = self.cells @ self.levels
        self.hops = [self._hop(*bond) for bond in self.bonds]
        self.swaps = sum(self.hops, np.zeros((len(self.cells),) * 2))
        self.coupling = LAMBDA * (self.swaps + self._alike())
        self.hamiltonian = np.diag(self.energies) + self.coupling
        differ = np.abs(self.cells[:, None, :] - self.cells[None, :, :]).sum(axis=2)
        self.decay = dephasing * differ
        self.frequency = self.energies[:, None] - self.energies[None, :]

    def _alike(self):
        """Return the diagonal of the exchange interaction: one for each bond between equal levels."""
        if self.interaction == "xy":
            return np.zeros((len(self.cells),) * 2)
        return np.diag((self.cells[:, self.bonds[:, 0]] == self.cells[:, self.bonds[:, 1]]).sum(axis=1))

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

    def propagator(self, order, times):
        """Return G_k(t) and G_k'(t) [order + 1, T, C, C], the terms of order k in the coupling.

        R_k' = L_0 R_k + L_1 R_{k-1} for the density matrices R from every cell.
        """
        size = len(self.cells)
        start = np.zeros((order + 1, size, size, size), dtype=complex)
        start[0, range(size), range(size), range(size)] = 1

        def derivative(_, terms):
            change = -(1j * self.frequency + self.decay) * terms
            change[1:] -= 1j * (self.coupling @ terms[:-1] - terms[:-1] @ self.coupling)
            return change

        terms = integrate(derivative, start, times)
        slopes = np.array([derivative(0, term) for term in terms])
        return [np.einsum("tkmnn->ktnm", values).real for values in (terms, slopes)]

    def series(self, order, times):
        """Return the kernels K_0 + ... + K_k [T, C, C] for all k up to an order (G_0 = 1, K_0 = 0)."""
        terms, slopes = self.propagator(order, times)
        kernels = [slopes[0]]
        for k in range(1, order + 1):
            kernels.append(slopes[k] - sum(kernels[j] @ terms[k - j] for j in range(k)))
        return np.cumsum(kernels, axis=0)

    def exact_propagator(self, times):
        """Return G(t) and G'(t) [T, C, C]."""
        shape = (len(times), len(self.cells), len(self.cells))
        values, slopes = np.zeros(shape), np.zeros(shape)
        for cell in range(len(self.cells)):
            rho = self.density_matrix(cell, times)
            values[:, :, cell] = np.diagonal(rho, axis1=1, axis2=2).real
            slopes[:, :, cell] = np.diagonal(self.liouville(rho), axis1=1, axis2=2).real
        return values, slopes

    def memory(self, times):
        """Return the memory kernel [T, C, C] by the trapezoidal rule for G' = int N(t - s) G(s) ds."""
        values, slopes = self.exact_propagator(times)
        size, step = len(self.cells), times[1] - times[0]
        first = 2 * LAMBDA ** 2 * self.swaps ** 2
        kernel = [first - np.diag(first.sum(axis=0))]
        for k in range(1, len(times)):
            known = sum((kernel[k - j] @ values[j] for j in range(1, k)), np.zeros((size, size)))
            kernel.append(2 * (slopes[k] / step - known - kernel[0] @ values[k] / 2))
        return np.array(kernel)

    def markov(self):
        """Return the long-time limit [C, C] of the second-order kernel; it needs dephasing."""
        decay = np.where(self.swaps > 0, self.decay, 1)
        rates = 2 * LAMBDA ** 2 * self.swaps ** 2 * decay / (decay ** 2 + self.frequency ** 2)
        return rates - np.diag(rates.sum(axis=0))

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


def sign_changes(times, values):
    """Return the times at which values [T] change sign, by linear interpolation."""
    rows = np.flatnonzero(values[1:] * values[:-1] < 0)
    share = values[rows] / (values[rows] - values[rows + 1])
    return times[rows] + share * (times[rows + 1] - times[rows])


def share(part, whole):
    """Return part / whole [T], NaN where the whole is zero."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def norm(matrices):
    """Return the Frobenius norms [T] of matrices [T, C, C]."""
    return np.linalg.norm(matrices, axis=(1, 2))


def group_means(model, rates):
    """Return rates [T, C, C] with each local swap replaced by its mean over the spectators."""
    means = np.zeros_like(rates)
    for (first, last), hop in zip(model.bonds, model.hops):
        upward = (model.cells[:, None, last] > model.cells[None, :, last])
        for group in (hop * upward, hop * ~upward):
            means += (rates * group).sum(axis=(1, 2), keepdims=True) / group.sum() * group
    return means


def scores(model, generator, times):
    """Return the eight scores {name: [T]} of a generator [T, C, C] (physics, section 8)."""
    rates = generator * ~np.eye(len(model.cells), dtype=bool)
    local = rates * (model.swaps > 0)
    size, total, means = norm(rates), np.abs(rates).sum(axis=(1, 2)), group_means(model, rates)
    width = np.maximum(model.decay, np.divide(2 * np.pi, times, out=np.full(len(times), np.inf),
                                              where=times > 0)[:, None, None])
    resonant = np.abs(rates) * (np.abs(model.frequency) < width)
    untested = np.full(len(times), np.nan)
    return {"symmetry": 1 - share(norm(rates - rates.transpose(0, 2, 1)), 2 * size),
            "locality": share(np.abs(local).sum(axis=(1, 2)), total),
            "additivity": 1 - share(norm(rates - means), size),
            "spectator_independence": 1 - share(norm(local - means), norm(local))
            if sum(model.start) > 1 else untested,
            "energy_conservation": share(resonant.sum(axis=(1, 2)), total),
            "swap_fraction": share(np.abs(local).sum(axis=(1, 2)), np.abs(local).sum(axis=(1, 2))),
            "level_independence": untested,
            "negativity": share(-np.minimum(rates, 0).sum(axis=(1, 2)), total)}


def write_kernel(file, model, kernel, generator, error, times):
    """Write a kernel with its bond rates and scores; these are NaN where its error [T] is large."""
    group = file.require_group(f"kernel/{kernel}")
    group["generator"] = generator if kernel != "markov" else generator[0]
    group["bond_rate"] = model.bond_rates(generator)
    for name, values in scores(model, generator, times).items():
        group[name] = np.where(error > SCORED, np.nan, values)
    if kernel != "markov":
        group["error"] = error


def write_rates(file, model, kernel, generator, singular, exact, times):
    """Write a kernel's two rate equations, which stop at the first singular time."""
    before = times[times < min(singular, default=np.inf)]
    start = (model.cells == model.start).all(axis=1).astype(float)
    at = linear_in_time(times, generator)
    many_body = integrate(lambda t, p: at(t) @ p, start, before) @ model.cells
    rates = linear_in_time(times, model.bond_rates(generator))
    site = site_equation(model, rates, np.array(model.start, dtype=float), before)
    for parent, excited in (("rates", many_body), ("sites", site)):
        excited = np.pad(excited, ((0, len(times) - len(before)), (0, 0)), constant_values=np.nan)
        group = file.create_group(f"{parent}/{kernel}")
        group["populations"] = both_levels(excited)
        group["energy"] = excited * model.levels
        group["deviation"] = np.abs(both_levels(excited) - exact).max(axis=(1, 2))
    file[f"sites/{kernel}/closure_error"] = closure_error(file[f"sites/{kernel}/populations"][()], exact)


def exact_kernel(file, model, times):
    """Return K(t) = G'(t) G(t)^-1 [T, C, C], its error [T] and singular times; write what goes with it."""
    values, slopes = model.exact_propagator(times)
    condition = np.linalg.cond(values, 1)
    singular = sign_changes(times, np.linalg.det(values))
    file["kernel/exact/condition"] = condition
    file["kernel/exact/singular_times"] = singular
    return slopes @ np.linalg.inv(values), condition * ROUNDING, singular


def write_kernels(file, model, kernels, exact, times):
    """Write the named kernels and their rate equations."""
    file["kernel/cells"] = model.cells
    orders = [ORDERS[kernel] for kernel in kernels if kernel in ORDERS]
    series = model.series(max(orders), times) if orders else []
    for kernel in kernels:
        error, singular = np.zeros(len(times)), []
        if kernel == "memory":
            file["kernel/memory/generator"] = model.memory(times)
            continue
        if kernel == "exact":
            generator, error, singular = exact_kernel(file, model, times)
        elif kernel == "markov":
            generator = np.repeat(model.markov()[None], len(times), axis=0)
        else:
            generator = series[ORDERS[kernel]]
            error = 1e-15 * (1 + LAMBDA * times) ** ORDERS[kernel]
        write_kernel(file, model, kernel, generator, error, times)
        write_rates(file, model, kernel, generator, singular, exact, times)


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


def write_ensemble(file, model, members, detuning, times):
    """Write the mean of the exact populations over static detunings, with its standard error."""
    runs = []
    for seed in range(members):
        member = Model(model.shape, model.dephasing, detuning, model.interaction, seed)
        rho = member.density_matrix(starting_cell(member), times)
        runs.append(both_levels(np.diagonal(rho, axis1=1, axis2=2).real @ member.cells))
    del file["exact/populations"]
    file["exact/populations"] = np.mean(runs, axis=0)
    file["exact/populations_error"] = np.std(runs, axis=0, ddof=1) / np.sqrt(members)


def starting_cell(model):
    """Return the number of the cell of the starting state."""
    return int(np.flatnonzero((model.cells == model.start).all(axis=1))[0])


def job_text(model, times, kernels):
    """Return the job file that would ask for this run."""
    lattice = " x ".join(map(str, model.shape))
    title = (f"Energy spreads over an {model.interaction} lattice of {lattice} sites, "
             f"dephasing {model.dephasing:g}")
    rates = [kernel for kernel in kernels if kernel != "memory"]
    return JOB.format(title=title, shape=model.shape, strength=LAMBDA, dephasing=model.dephasing,
                      offsets=[[0.0, float(level - 1)] for level in model.levels],
                      interaction=model.interaction, orders=[ORDERS[k] for k in kernels if k in ORDERS],
                      start=model.start, end=times[-1], times=len(times),
                      kernels=str(rates).replace("'", '"'))


def write_sample(path, shape=(6,), times=101, kernels=("tcl2",), end=60.0, dephasing=0.1, detuning=0.15,
                 interaction="xy", ensemble=0):
    """Write a complete results file; ensemble: number of detunings to average over, 0 for none."""
    model = Model(shape, dephasing, detuning, interaction)
    instants = np.linspace(0, end, times)
    with h5py.File(path, "w") as file:
        file.attrs.update({"filetype": "qheat results", "format_version": [1, 0], "qheat_version": "sample",
                           "ranks": 1, "scalar": "complex", "index_bits": 32, "complete": [1]})
        file["job"] = np.bytes_(job_text(model, instants, list(kernels)))
        file["time"] = instants
        file["model/site_energies"] = np.stack([np.zeros(model.sites), model.levels], axis=1)
        file["model/bonds"] = model.bonds
        exact = write_exact(file, model, model.density_matrix(starting_cell(model), instants))
        write_kernels(file, model, kernels, exact, instants)
        if ensemble:
            write_ensemble(file, model, ensemble, detuning, instants)
        file["timing/exact/seconds"] = 0.1


def random_walk(shape, periodic, widths):
    """Return the lattice's waves [K, A], their eigenvalues [K], exp(-w L) of each width w from its middle [T, N],
    steps from there [N, A], and the middle.

    L is minus the Laplacian; the first axis is the fastest.
    """
    places, waves = np.zeros((1, 0), dtype=int), np.zeros((1, 0))
    for length, ring in zip(shape, periodic):
        numbers = np.arange(length)
        places = np.array([[*place, number] for number in numbers for place in places])
        phases = 2 * np.pi * numbers[:length // 2 + 1] / length if ring else np.pi * numbers / length
        waves = np.array([[*wave, phase] for phase in phases for wave in waves])
    distance = np.abs(places[:, None] - places)
    images = np.where(periodic, np.minimum(distance, np.array(shape) - distance), distance)
    neighbours = (images.sum(axis=2) == 1).astype(float)
    values, vectors = np.linalg.eigh(np.diag(neighbours.sum(axis=1)) - neighbours)
    middle = int(np.flatnonzero((places == np.array(shape) // 2).all(axis=1))[0])
    profile = np.exp(-np.outer(widths, values)) * vectors[middle] @ vectors.T
    return waves[1:], 2 * (1 - np.cos(waves[1:])).sum(axis=1), profile, images[:, middle], middle


def write_fluctuations(path, shape=(14,), periodic=(True,), times=41, end=12.0, diffusion=0.25, spacing=1.0,
                       edge_time=None, singular=(), routes=("spreading", "green_kubo", "modes", "site_kernel"),
                       final=True, error=0.01, laboratory=None, samples=0, steady=None, shorter=None, reason=None):
    """Write what [transport] finds of equilibrium fluctuations that make a random walk: D(t) = D (1 - exp(-t)).

    singular: times at which the kernel of the sites diverges, error: of D(t), relative; steady: D of steady states and
    its error; shorter: D(t) on six sites, over that here; reason: why there is no D; laboratory:
    {quantity: (unit, factor)}.
    """
    time = np.linspace(0, end, times)
    rate = diffusion / spacing**2 * (1 - np.exp(-time))
    width = diffusion / spacing**2 * (time - 1 + np.exp(-time))
    waves, eigenvalues, profile, steps, source = random_walk(shape, periodic, width)
    variance = profile @ steps[:, 0]**2
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.where(width > 0, time * rate / width, np.nan)
        pole = 1 + sum((0.02 / (time - instant) for instant in singular), np.zeros(times))
    flat = np.ones((times, len(waves)))
    datasets = {"spreading": {"profile": profile, "variance": spacing**2 * variance, "exponent": exponent,
                              "kurtosis": 3 + 1 / np.maximum(variance, 1e-3), "exponent_error": np.full(times, 0.02),
                              "total": np.ones(times)},
                "green_kubo": {"exponent": exponent},
                "modes": {"q": waves / spacing, "amplitude": np.exp(-np.outer(width, eigenvalues)),
                          "rate": np.outer(rate, eigenvalues)},
                "site_kernel": {"dispersion": flat * (rate * pole)[:, None], "distance": spacing * np.array([1.0, 2.0]),
                                "rate": np.stack([rate * pole, 0.1 * (pole - 1)], axis=1), "locality": 0.97 + 0 * time,
                                "singular_times": np.array(singular)}}
    quantities = {"diffusion": "diffusion", "diffusion_error": "diffusion", "diffusion_shorter": "diffusion",
                  "variance": "area", "distance": "length",
                  "singular_times": "time", "dispersion": "rate", "rate": "rate", "time": "time"}
    with h5py.File(path, "w") as file:
        file.attrs.update({"filetype": "qheat results", "format_version": [1, 0], "complete": [1]})
        file["time"] = time
        file.create_group("model").attrs.update({"shape": shape, "periodic": np.array(periodic, dtype=int),
                                                 "spacing": spacing})
        for route in routes:
            group = file.create_group(f"transport/{route}")
            for name, values in {**datasets[route], "diffusion": diffusion * (1 - np.exp(-time)),
                                 "diffusion_error": np.full(times, error * diffusion)}.items():
                group[name] = values
            if final:
                group.attrs.update({"value": diffusion, "error": error * diffusion, "window": [end / 3, end]})
            else:
                group.attrs["reason"] = "D(t) is not one number"
            if shorter:
                group["diffusion_shorter"] = shorter * diffusion * (1 - np.exp(-time))
        root = file["transport"]
        root.attrs["samples"] = samples
        root.attrs.update({"shorter_sites": 6} if shorter else {})
        root.attrs.update({"reason": np.bytes_(reason)} if reason else {})
        if steady:
            root.create_group("steady").attrs.update(dict(zip(("value", "error"), steady)))
        if "spreading" in routes:
            root["spreading"].attrs["source"] = source
            root.attrs.update({"verdict": np.bytes_("diffusive"), "reason_of_verdict": np.bytes_("D since t = 1.5")})
            if edge_time is not None:
                root["spreading"].attrs["edge_time"] = edge_time
        if final:
            root.attrs.update({"diffusion": diffusion, "diffusion_error": error * diffusion,
                               "route": np.bytes_("green-kubo")})
        if laboratory:
            units = file.create_group("units")
            for quantity, (unit, factor) in laboratory.items():
                units.attrs.update({quantity: np.bytes_(unit), f"{quantity}_factor": factor})
            described = []
            file.visititems(lambda name, node: described.append(node) if isinstance(node, h5py.Dataset) else None)
            for node in described:
                quantity = quantities.get(node.name.split("/")[-1])
                if quantity in laboratory:
                    node.attrs["laboratory_factor"] = laboratory[quantity][1]


def main():
    """Write the sample that the command line asks for."""
    parser = argparse.ArgumentParser(description="Write a sample results file.")
    parser.add_argument("out", metavar="OUT.h5")
    parser.add_argument("--shape", type=int, nargs="+", default=[6], help="sites along each axis")
    parser.add_argument("--times", type=int, default=101, help="output times, at least 2")
    parser.add_argument("--end", type=float, default=60.0, help="last output time")
    parser.add_argument("--kernels", nargs="+", default=["tcl2"], choices=ALL_KERNELS)
    parser.add_argument("--interaction", default="xy", choices=("xy", "exchange"))
    parser.add_argument("--dephasing", type=float, default=0.1)
    parser.add_argument("--detuning", type=float, default=0.15)
    parser.add_argument("--ensemble", type=int, default=0, help="detunings to average over")
    write_sample(**{"path" if name == "out" else name: value
                    for name, value in vars(parser.parse_args()).items()})


if __name__ == "__main__":
    main()
