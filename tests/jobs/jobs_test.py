#!/usr/bin/python3
"""Every job in jobs/ runs, and what it writes is complete and sound.

    python3 tests/jobs/jobs_test.py PATH_TO_QHEAT [MPIEXEC]

QHEAT_PROGRAM and QHEAT_MPIEXEC say the same in the environment.
"""

import pathlib
import sys
import tomllib

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "app"))

from program import NIGHTLY, ProgramCase, datasets, main, nightly, toml  # noqa: E402

import h5py  # noqa: E402
import numpy as np  # noqa: E402

JOBS = sorted((HERE.parents[1] / "jobs").glob("*.toml"))
TIMEOUT = 180.0  # seconds on a busy machine; each takes a few on an idle one
NEVER_NAN = ("exact/", "kernel/cells", "model/", "time")


def asked_kernels(job):
    """Return the names of the kernels that a job asks for, and of those with rate equations."""
    kernel, rates = job.get("kernel"), job.get("rates", {}).get("kernels", [])
    names = set(rates)
    if kernel is not None:
        names |= {f"tcl{order}" for order in kernel.get("orders", [2])}
        names |= {name for name in ("memory", "markov") if kernel.get(name, False)}
        names |= {"exact"} if kernel.get("exact", True) else set()
    return sorted(names), sorted(rates)


def at_night(covered_by):
    """Decorate the test of a job that is run at night only: by day it must be a job that `qheat check` takes.

    Say what covers its subject by day.
    """
    def decorate(test):
        def checked(self):
            name = test.__name__.removeprefix("test_job_")
            self.finish("check", next(path for path in JOBS if path.stem == name))
        checked.__doc__ = f"By day checked only: {covered_by}."
        return test if NIGHTLY else checked
    return decorate


class JobsTest(ProgramCase):
    """All jobs, by day on one rank and at night on two as their headers say, with what must hold whatever they are about."""

    # two ranks for what is shared in another way than in the tests of the rooms and of the program
    TWO_RANKS = ("spreading_dephased", "sweep_coupling", "exchange_chain", "steady_ladder")

    def run_job(self, path):
        """Run a job; return the tables of its file, and its datasets."""
        job = tomllib.loads(path.read_text())
        ranks = 2 if NIGHTLY or path.stem in self.TWO_RANKS else 0
        self.finish("run", path, "--out", "a.h5", ranks=ranks, timeout=TIMEOUT)
        with h5py.File(self.folder / "a.h5", "r") as file:
            self.assertEqual(int(file.attrs["complete"]), 1)
        return job, datasets(self.folder / "a.h5")

    def check_header(self, path, job):
        """A header says what the job shows and how to run it; results bear the job's name."""
        header = path.read_text().split("\ntitle")[0].splitlines()
        self.assertTrue(all(line.startswith("#") or not line for line in header), path.name)
        self.assertGreater(len(header), 3)
        self.assertIn(f"#     mpirun -n 2 qheat run jobs/{path.name} && qheat plot {path.stem}.h5", header)
        self.assertEqual(job["output"]["file"], path.stem + ".h5")

    def check_finite(self, found, names):
        """Nothing is unknown before the first singular time of the exact kernel."""
        singular = found.get("kernel/exact/singular_times", np.zeros(0))
        before = found["time"] < min(singular, default=np.inf)
        self.assertGreater(np.count_nonzero(before), 5)
        for name, values in found.items():
            if name.startswith(NEVER_NAN) and values.dtype.kind == "f":
                self.assertTrue(np.all(np.isfinite(values)), name)
            kind = name.split("/")[-1]
            if kind in ("populations", "energy", "bond_rate", "generator", "error", "condition", "deviation"):
                known = values if len(values) != len(before) or "markov/" in name else values[before]
                self.assertTrue(np.all(np.isfinite(known)), name)
        for kernel in names:
            if kernel != "memory":  # which has no scores
                locality = found[f"kernel/{kernel}/locality"]
                self.assertTrue(np.all(np.isfinite(locality[before][1:] if len(locality) > 1 else locality)), kernel)

    def check_conservation(self, found, names, rates):
        """Probability stays in rate equations, and columns of generators sum to zero."""
        for kernel in rates:
            for equation in ("rates", "sites"):
                if f"{equation}/{kernel}/populations" in found:
                    total = found[f"{equation}/{kernel}/populations"].sum(axis=2)
                    np.testing.assert_allclose(total[~np.isnan(total)], 1.0, atol=1e-8, err_msg=f"{equation}/{kernel}")
        for kernel in names:
            generator = found.get(f"kernel/{kernel}/generator")
            if generator is None:
                continue
            matrices = generator.reshape(-1, *generator.shape[-2:])
            largest = np.abs(matrices).max(axis=(1, 2))
            sums = np.abs(matrices.sum(axis=1)).max(axis=1)
            known = np.isfinite(largest)
            self.assertTrue(np.all(sums[known] <= 1e-10 * largest[known]), kernel)

    def check_exact_rates(self, found):
        """The many-body equation with the exact kernel gives the exact populations."""
        deviation = found.get("rates/exact/deviation")
        if deviation is not None:
            self.assertLess(np.nanmax(deviation), 1e-7)

    def check(self, name):
        """Run a job by its name and check all of the above; return its datasets."""
        path = next(path for path in JOBS if path.stem == name)
        job, found = self.run_job(path)
        self.check_header(path, job)
        names, rates = asked_kernels(job)
        for kernel in names:
            self.assertTrue(any(key.startswith(f"kernel/{kernel}/") for key in found), kernel)
        self.check_finite(found, names)
        self.check_conservation(found, names, rates)
        self.check_exact_rates(found)
        return found

    def test_no_job_is_left_out(self):
        tested = {name.removeprefix("test_job_") for name in dir(self) if name.startswith("test_job_")}
        self.assertEqual(tested, {path.stem for path in JOBS})

    def test_job_well_elements(self):
        path = next(path for path in JOBS if path.stem == "well_elements")
        job, found = self.run_job(path)
        self.check_header(path, job)
        elements = {name.removeprefix("matrix_elements/"): values for name, values in found.items()}
        np.testing.assert_array_equal(elements["level"], np.arange(1, 21))
        np.testing.assert_array_equal(elements["total"], elements["direct"] + elements["exchange"])
        for name in ("direct", "exchange"):  # wells and V are the same from either side
            np.testing.assert_allclose(elements[name], elements[name].T, rtol=0, atol=1e-14)
        self.assertLess(elements["error"].max(), 1e-15)
        sizes = np.abs(elements["total"][~np.eye(20, dtype=bool)])
        self.assertAlmostEqual(float(elements["spread"][0]), sizes.std() / sizes.mean(), delta=1e-12)
        self.assertAlmostEqual(float(elements["spread"][0]), 0.0048, delta=1e-4)
        a, b, c, d = elements["resonances"].T
        np.testing.assert_array_equal(a**2 + b**2, c**2 + d**2)
        self.assertIn([1, 7, 5, 5], elements["resonances"].tolist())

    def heat(self, name):
        """Run a job of the heat equation; return its datasets."""
        path = next(path for path in JOBS if path.stem == name)
        job, found = self.run_job(path)
        self.check_header(path, job)
        return {key.removeprefix("heat/"): values for key, values in found.items() if key.startswith("heat/")}

    def test_job_heat_layers(self):
        """x, 10 x - 9 L/4, x + 18 L/4."""
        x = (np.arange(64) + 0.5) / 64
        expected = np.where(x < 0.25, x, np.where(x < 0.75, 10 * x - 9 / 4, x + 18 / 4))
        found = self.heat("heat_layers")
        np.testing.assert_allclose(found["temperature"], expected, atol=1e-8)
        self.assertAlmostEqual(float(found["flux_x-"][0]), -1, delta=1e-8)

    def test_job_heat_nonlinear(self):
        """1/T is linear in x."""
        found = self.heat("heat_nonlinear")
        x = (np.arange(48) + 0.5) / 48
        np.testing.assert_allclose(1 / found["temperature"], np.broadcast_to(0.25 + 0.75 * x, (12, 12, 48)), rtol=2e-3)

    def test_job_heat_plate(self):
        """It cools, and stays between its coldest and its hottest place; what flows in at the end flows out."""
        found = self.heat("heat_plate")
        temperature = found["temperature"]
        self.assertTrue((np.diff(found["energy"]) < 0).all())
        self.assertTrue((temperature >= 0.5 - 1e-9).all() and (temperature <= temperature[0].max() + 1e-9).all())
        self.assertTrue((found["flux_x+"] < 0).all() and (found["flux_y+"] < 0).all())
        np.testing.assert_allclose(found["flux_x-"], 0, atol=1e-12)

    def spreading(self, name):
        """Run a job of equilibrium fluctuations; return the attributes and datasets of its [transport]."""
        path = HERE.parents[1] / f"jobs/spreading_{name}.toml"
        job, found = self.run_job(path)
        self.check_header(path, job)
        with h5py.File(self.folder / "a.h5") as file:
            group = file["transport"]
            attributes = {key: value.decode() if isinstance(value, bytes) else value for key, value in group.attrs.items()}
            routes = {key: dict(group[key].attrs) for key in group if isinstance(group[key], h5py.Group)}
        return attributes, routes, found

    def test_job_spreading_dephased(self):
        """All four routes, a verdict and D = lambda^2/gamma."""
        attributes, routes, found = self.spreading("dephased")
        self.assertEqual(attributes["verdict"], "diffusive")
        self.assertLess(abs(attributes["diffusion"] - 0.01), attributes["diffusion_error"])
        self.assertLess(attributes["diffusion_error"], 6e-4)
        for name in ("spreading", "green_kubo", "modes", "site_kernel"):
            self.assertLess(abs(routes[name]["value"] - 0.01), routes[name]["error"], name)
        np.testing.assert_allclose(found["transport/conductivity"],
                                   attributes["diffusion"] * found["transport/specific_heat"], rtol=1e-12)

    def test_job_spreading_ballistic(self):
        """The total current is conserved: D(t) = 2 lambda^2 t."""
        attributes, _, found = self.spreading("ballistic")
        self.assertEqual(attributes["verdict"], "ballistic")
        self.assertNotIn("diffusion", attributes)
        kubo, error = found["transport/green_kubo/diffusion"], found["transport/green_kubo/diffusion_error"]
        np.testing.assert_array_less(np.abs(kubo - 0.5 * found["time"]), 6 * error + 1e-9)

    def test_job_spreading_superdiffusive(self):
        """D(t) grows as t^(1/3) (literature: z = 3/2); never called diffusive."""
        attributes, _, found = self.spreading("superdiffusive")
        self.assertEqual(attributes["verdict"], "superdiffusive")
        self.assertNotIn("diffusion", attributes)
        time, kubo = found["time"], found["transport/green_kubo/diffusion"]
        exponent = np.log(kubo[time == 5.0] / kubo[time == 4.0]) / np.log(5 / 4)
        self.assertGreater(float(exponent[0]), 0.29)
        self.assertLess(float(exponent[0]), 0.34)

    def test_job_spreading_full_energy(self):
        """The energy current of the xxz chain is conserved, <J^2>/N = 3 lambda^4/2 at Delta = 1."""
        attributes, _, found = self.spreading("full_energy")
        self.assertEqual(attributes["verdict"], "ballistic")
        current = found["transport/green_kubo/correlation"]
        np.testing.assert_allclose(current, current[0], rtol=1e-8)
        self.assertAlmostEqual(float(current[0]), 1.5 * 0.5**4, delta=0.01)

    def test_job_spreading_ladder(self):
        """D(t) of the xy ladder stands at 1.9 to 1.96 (literature); the lattice is too small for a verdict."""
        attributes, _, found = self.spreading("ladder")
        self.assertEqual(attributes["verdict"], "undecided")
        late = found["time"] >= 2.2
        kubo = found["transport/green_kubo/diffusion"][late]
        self.assertGreater(kubo.min(), 1.87)
        self.assertLess(kubo.max(), 1.97)

    def test_job_spreading_tilted_ising(self):
        """<J^2>/N = 3.92, a variance of 3.778 a site, and D(t) on its way to 1.37 at t = 10."""
        attributes, _, found = self.spreading("tilted_ising")
        self.assertEqual(attributes["verdict"], "undecided")
        self.assertAlmostEqual(attributes["susceptibility"], 1 + 1.4**2 + 0.9045**2, delta=1e-10)
        self.assertAlmostEqual(float(found["transport/green_kubo/correlation"][0]), 3.92, delta=0.06)
        kubo = found["transport/green_kubo/diffusion"]
        self.assertAlmostEqual(float(kubo[-1]), 1.36, delta=0.04)

    def test_job_spreading_localized(self):
        """Whatever the disorder, the variance stays below a^2, and nothing is called diffusive."""
        self.run_job(HERE.parents[1] / "jobs/spreading_localized.toml")
        with h5py.File(self.folder / "a.h5") as file:
            points = [file[f"points/{k:04d}/transport"] for k in range(4)]
            verdicts = [point.attrs["verdict"].decode() for point in points]
            late = [np.array(point["spreading/variance"])[40:].mean() for point in points]
        self.assertIn("localised", verdicts)
        self.assertEqual(set(verdicts) - {"localised", "undecided"}, set())
        self.assertLess(max(late), 1.0)

    def spreading_sweep(self, name, **changes):
        """Run a sweep of equilibrium fluctuations; return the times, D(t) by Green-Kubo, verdicts and attributes by point."""
        path = HERE.parents[1] / f"jobs/spreading_{name}.toml"
        job = tomllib.loads(path.read_text())
        self.check_header(path, job)
        tables = {table: dict(keys) for table, keys in job.items() if table not in ("title", "output")}
        for table, keys in changes.items():
            tables[table].update(keys)
        self.write("a.toml", toml(tables))
        self.finish("run", "a.toml", "--out", "a.h5", ranks=2, timeout=2 * TIMEOUT)
        points = []
        with h5py.File(self.folder / "a.h5") as file:
            for point in file["points"].values():
                group = point["transport"]
                self.assertNotIn("diffusion", group.attrs)  # no number is called D
                points.append((np.array(group["green_kubo/diffusion"]), group.attrs["verdict"].decode()))
            times = np.array(file["points/0000/time"])
        return times, [diffusion for diffusion, _ in points], [verdict for _, verdict in points]

    def test_job_spreading_lattice(self):
        """Early plateaus of square lattices (literature): 0.84 lambda of exchange, 1.44 lambda of xy; by day 4 x 4."""
        smaller = {} if NIGHTLY else {"lattice": {"shape": [4, 4]}, "time": {"end": 2.2, "outputs": 23}}
        times, (exchange, xy), verdicts = self.spreading_sweep("lattice", **smaller)
        self.assertEqual(verdicts, ["undecided", "undecided"])
        np.testing.assert_allclose(exchange[times > 0.95], 0.84, rtol=0.02 if NIGHTLY else 0.03)
        np.testing.assert_allclose(xy[times > (1.55 if NIGHTLY else 1.75)], 1.44, rtol=0.03)
        for early in (exchange, xy):  # 2 lambda^2 t
            self.assertAlmostEqual(float(early[1]), 0.2, delta=0.006)

    def test_job_spreading_anisotropy(self):
        """Never diffusive, though D(t) at anisotropy 1.5 stands still for a while, at 0.6 of its value of long times."""
        smaller = {} if NIGHTLY else {"lattice": {"shape": [12]}, "time": {"end": 8.0, "outputs": 41}}
        times, kubo, verdicts = self.spreading_sweep("anisotropy", **smaller)
        self.assertIn(verdicts[0], ("ballistic", "undecided"))
        self.assertIn(verdicts[1], ("superdiffusive", "undecided"))
        self.assertEqual(verdicts[2:], ["undecided"] * 3)
        still = kubo[2][(times > 2.35) & (times < (6.05 if NIGHTLY else 4.05))]
        np.testing.assert_allclose(still, 0.61, rtol=0.06)
        self.assertTrue(np.all(np.diff([diffusion[20] for diffusion in kubo]) < 0))  # the less, the larger the anisotropy

    @nightly("test_job_spreading_anisotropy looks at smaller rings")
    def test_anisotropic_ring_of_twenty_sites(self):
        """D(8) = 0.656 at anisotropy 1.5 (literature, in units of 2 lambda), not what it becomes: 1.02."""
        times, (kubo,), verdicts = self.spreading_sweep(
            "anisotropy", lattice={"shape": [20]}, time={"end": 8.0, "outputs": 21}, transport={"smaller": 0},
            sweep={"interaction.anisotropy": [1.5]})
        self.assertEqual(verdicts, ["undecided"])
        self.assertEqual(times[-1], 8.0)
        self.assertAlmostEqual(float(kubo[-1]), 0.656, delta=0.012)

    def test_job_spin_chain_compound(self):
        """kappa(T) in W/(m K): its peak where C_V has its own, 1/T^2 far above, routes that agree."""
        job, found = self.run_job(HERE.parents[1] / "jobs/spin_chain_compound.toml")
        self.assertEqual(job["units"]["energy"], "meV")
        with h5py.File(self.folder / "a.h5") as file:
            kappa = file["transport/conductivity"]
            self.assertEqual(kappa.attrs["laboratory_units"], b"W/(m K)")
            temperature = file["transport/temperature"]
            kelvin = np.array(temperature) * temperature.attrs["laboratory_factor"]
            np.testing.assert_allclose(kelvin[[0, -1]], [2.0, 300.0], rtol=1e-12)
            peak = kelvin[np.argmax(kappa)]
            self.assertLess(abs(peak / (0.4168 * 5 * 11.6045) - 1), 0.05)
            group = file["transport"]
            self.assertAlmostEqual(group["exponent"][-1], -2, delta=0.03)
            exact = group["kernel/exact"].attrs
            for other in ("tcl2", "markov"):
                self.assertLess(abs(exact["value"] - group[f"kernel/{other}"].attrs["value"]),
                                exact["error"] + group[f"kernel/{other}"].attrs["error"], other)
        self.check_finite(found, asked_kernels(job)[0])

    def test_job_conductivity_wells(self):
        """D falls as the squared element, which falls as the interaction is screened."""
        self.run_job(HERE.parents[1] / "jobs/conductivity_wells.toml")
        with h5py.File(self.folder / "a.h5") as file:
            table = file["sweep/scalar/transport"]
            self.assertTrue(np.all(np.diff(table["diffusion"]) < 0))
            self.assertLess(table["diffusion_exponent"][-2], table["diffusion_exponent"][1])
            kappa, rate = np.array(table["conductivity"]), np.array(table["pair_rate/conductivity"])
            self.assertTrue(np.all(np.isfinite(kappa)) and np.all(rate > 0))

    def test_job_exchange_chain(self):
        found = self.check("exchange_chain")
        self.assertTrue(np.all(found["kernel/exact/locality"][1:10] > 0.95))
        self.assertLess(found["kernel/exact/locality"][24], 0.5)

    def test_job_exchange_ladder(self):
        found = self.check("exchange_ladder")
        for kernel in ("exact", "tcl2"):
            self.assertGreater(np.nanmin(found[f"kernel/{kernel}/level_independence"]), 0.999)

    def test_job_harmonic(self):
        """Assumption 2 stays broken: two quanta are exchanged as readily as levels."""
        found = self.check("harmonic")
        for kernel in ("exact", "tcl2"):
            self.assertLess(np.nanmax(found[f"kernel/{kernel}/swap_fraction"]), 0.7)
            self.assertGreater(np.nanmin(found[f"kernel/{kernel}/energy_conservation"]), 0.95)
        self.assertGreater(found["sites/tcl2/closure_error"][-1], 0.05)

    def test_job_anharmonic(self):
        """Assumption 2 comes to hold, and the site equation with it."""
        found = self.check("anharmonic")
        for kernel in ("exact", "tcl2"):
            self.assertLess(found[f"kernel/{kernel}/swap_fraction"][1], 0.5)
            self.assertGreater(found[f"kernel/{kernel}/swap_fraction"][50:].min(), 0.95)
        self.assertLess(found["sites/tcl2/closure_error"][-1], 0.01)

    def test_job_breaking_locality(self):
        found = self.check("breaking_locality")
        self.assertLess(found["kernel/tcl2/additivity"][1:20].max(), 0.8)

    def test_job_breaking_energy(self):
        found = self.check("breaking_energy")
        self.assertLess(np.nanmin(found["kernel/exact/energy_conservation"]), 0.6)
        self.assertLess(found["kernel/exact/swap_fraction"][1], 0.2)

    @at_night("exact kernels averaged over detunings are those of kernel_test and of the unit tests")
    def test_job_detuned_pairs(self):
        """The averaged rate passes its golden-rule value and turns negative; populations saturate."""
        found = self.check("detuned_pairs")
        rate = found["kernel/exact/bond_rate"][:, 0] / (2.0 * np.pi * 0.02 ** 2)
        self.assertAlmostEqual(rate[5], 1.0, delta=0.15)
        self.assertLess(np.nanmin(rate), 0.0)
        self.assertGreater(found["exact/populations"][:, 0, 1].min(), 0.9)
        self.assertGreater(found["exact/populations_error"][20, 0, 1], 1e-4)

    def test_job_hot_cold(self):
        """The current of the closed formula, the same through every bond."""
        _, found = self.run_job(next(path for path in JOBS if path.stem == "hot_cold"))
        left, right = 1.0 / (1.0 + np.exp(1.0 / 2.0)), 1.0 / (1.0 + np.exp(1.0 / 0.5))
        current = (left - right) / (2.0 / 0.3 + (7 * 2 * 0.2 + 0.3) / (2.0 * 0.2 ** 2))
        np.testing.assert_allclose(found["steady/current"], current, rtol=1e-8)
        np.testing.assert_allclose(found["steady/heat"], [current, -current], rtol=1e-8)
        self.assertGreater(found["steady/entropy_production"][0], 0.0)

    def check_steady(self, stem):
        """Run a job with steady states of several sizes; return its datasets and the verdict."""
        path = next(path for path in JOBS if path.stem == stem)
        job, found = self.run_job(path)
        self.check_header(path, job)
        with h5py.File(self.folder / "a.h5", "r") as file:
            verdict = file["steady/fit"].attrs["verdict"]
        for size in job["steady"]["sizes"]:
            current = found[f"steady/size_{size}/current"]
            np.testing.assert_allclose(current, current[0], rtol=1e-7)
            heat = found[f"steady/size_{size}/heat"]
            np.testing.assert_allclose(heat, [current[0], -current[0]], rtol=1e-7)
            self.assertGreater(found[f"steady/size_{size}/entropy_production"][0], 0.0)
            self.assertTrue(np.all(np.diff(found[f"steady/size_{size}/temperature"]) < 0.0))
        return found, verdict if isinstance(verdict, str) else verdict.decode()

    def test_job_fourier_steady(self):
        """One conductivity at three rates of the reservoirs, near lambda^2/gamma; contacts that differ."""
        found, verdict = self.check_steady("fourier_steady")
        conductivity = found["steady/fit/conductivity"]
        np.testing.assert_allclose(conductivity, conductivity.mean(), rtol=2e-3)
        np.testing.assert_allclose(conductivity, 0.3**2 / 0.6, rtol=0.15)
        np.testing.assert_allclose(found["steady/fit/diffusion"][:, -1], conductivity, rtol=1e-2)
        self.assertGreater(np.ptp(found["steady/fit/contact_resistance"]), 1.0)
        self.assertTrue(np.all(found["steady/fit/conductivity_error"] < 1e-3))
        self.assertTrue(verdict.startswith("diffusive at these sizes"), verdict)

    def test_job_boundary_driven(self):
        """The published currents between a source and a sink; nothing has a temperature."""
        path = next(path for path in JOBS if path.stem == "boundary_driven")
        job, found = self.run_job(path)
        self.check_header(path, job)
        for size, current in ((2, 0.9411764706), (3, 0.8918032787), (4, 0.8445829007), (5, 0.796697662)):
            group = f"steady/size_{size}"
            np.testing.assert_allclose(2.0 * found[f"{group}/current"], current, rtol=1e-9)
            np.testing.assert_allclose(2.0 * found[f"{group}/jump_heat"], [[current, 0], [-current, 0]], rtol=1e-9)
            self.assertFalse(found[f"{group}/is_temperature"].any())
            self.assertTrue(np.isnan(found[f"{group}/entropy_production"]).all())
            self.assertLess(found[f"{group}/balance"][0], 1e-9)
        np.testing.assert_array_equal(found["model/jump_sites"], [[0, -1], [4, -1]])

    def test_job_steady_planes(self):
        """Heat goes down from plane to plane, along the axis alone, with the constant of the gradient inside."""
        path = next(path for path in JOBS if path.stem == "steady_planes")
        job, found = self.run_job(path)
        self.check_header(path, job)
        for name in ("energy", "temperature"):
            self.assertTrue(np.all(np.diff(found[f"steady/planes/{name}"]) < 0), name)
        np.testing.assert_allclose(found["steady/planes/current"], found["steady/heat"][0], rtol=1e-6)
        across = found["model/bonds"][:, 1] - found["model/bonds"][:, 0] == 4
        np.testing.assert_allclose(found["steady/current"][across], 0.0, atol=1e-9)
        inside = found["steady/planes/inside_diffusion"][0]
        self.assertAlmostEqual(inside, found["steady/planes/diffusion"][1], delta=1e-9)
        self.assertAlmostEqual(inside, 0.2**2 / 0.4, delta=0.02)

    def test_job_steady_ladder(self):
        """Each level's population falls linearly inside the chain, all with one diffusion constant."""
        path = next(path for path in JOBS if path.stem == "steady_ladder")
        job, found = self.run_job(path)
        self.check_header(path, job)
        steps = np.diff(found["steady/populations"], axis=0)[1:-1]
        np.testing.assert_allclose(steps, np.tile(steps.mean(axis=0), (len(steps), 1)), rtol=0.01)
        np.testing.assert_allclose(found["steady/fit/diffusion"], 0.2**2 / 0.8, rtol=0.03)
        self.assertTrue(np.all(np.diff(found["steady/temperature"]) < 0))
        np.testing.assert_allclose(found["steady/current"], found["steady/heat"][0], rtol=1e-6)

    def test_job_sweep_coupling(self):
        """Closed: times that go as 1/lambda; with dephasing weak couplings hold to the end."""
        path = next(path for path in JOBS if path.stem == "sweep_coupling")
        job, found = self.run_job(path)
        self.check_header(path, job)
        closed = found["sweep/bath.dephasing"] == 0
        strength = found["sweep/interaction.strength"]
        until = found["sweep/scalar/kernel/exact/locality_until"]
        seen = closed & np.isfinite(until) & (until > 1)
        self.assertGreater(np.count_nonzero(seen), 3)
        np.testing.assert_allclose(strength[seen] * until[seen], 0.328, rtol=0.02)
        self.assertTrue(np.isposinf(until[~closed & (strength < 0.05)]).all())
        self.assertTrue((until[~closed] >= until[closed]).all())

    def test_job_sweep_wells(self):
        """Elements of r^2 are a^2 + <x^2>_a + <x^2>_b - 2 |x_ab|^2 in closed form."""
        path = next(path for path in JOBS if path.stem == "sweep_wells")
        job, found = self.run_job(path)
        self.check_header(path, job)
        spread = found["sweep/scalar/matrix_elements/spread"].reshape(2, -1)
        distance = found["sweep/interaction.well.separation"].reshape(2, -1)[1]
        a, b = np.meshgrid(np.arange(1.0, 21.0), np.arange(1.0, 21.0), indexing="ij")
        different = a != b
        a, b = a[different], b[different]
        x = np.where((a + b) % 2 == 1, -8 * a * b / (np.pi * (a**2 - b**2)) ** 2, 0.0)
        for separation, value in zip(distance, spread[1]):
            total = separation**2 + 1 / 6 - (a**-2 + b**-2) / (2 * np.pi**2) - 2 * x**2
            self.assertAlmostEqual(float(value), total.std() / total.mean(), delta=1e-13)
        self.assertTrue(np.all(spread[0] < 0.01))
        self.assertTrue(np.all(spread[0] < spread[1]))

    def test_job_sweep_dephasing(self):
        """lambda^2/gamma where dephasing is strong; less where the interaction scatters."""
        path = next(path for path in JOBS if path.stem == "sweep_dephasing")
        job, found = self.run_job(path)
        self.check_header(path, job)
        gamma, constant = found["sweep/bath.dephasing"], found["sweep/scalar/steady/planes/inside_diffusion"]
        self.assertTrue(np.all(np.diff(constant) < 0))
        np.testing.assert_allclose(constant[-1], 0.2**2 / gamma[-1], rtol=0.02)
        self.assertLess(constant[0], 0.8 * 0.2**2 / gamma[0])

    @at_night("sweep_test averages steady states over disorder")
    def test_job_sweep_disorder(self):
        """The mean resistance of a bond between sites off resonance: D = lambda^2/gamma/(1 + W^2/(24 gamma^2))."""
        path = next(path for path in JOBS if path.stem == "sweep_disorder")
        job, found = self.run_job(path)
        self.check_header(path, job)
        width, constant = found["mean/site.detuning.width"], found["mean/scalar/steady/fit/conductivity"]
        error = found["mean/scalar/steady/fit/conductivity_error"]
        self.assertTrue(np.all(found["mean/points"] == 8))
        self.assertTrue(np.all(np.abs(constant - 0.2**2 / 0.4 / (1 + width**2 / (24 * 0.4**2))) < 4 * error + 1e-4))

    def test_job_diffusion_two_point(self):
        """kappa' = D = lambda^2/gamma, and the contact resistances of the closed formula."""
        found, verdict = self.check_steady("diffusion_two_point")
        np.testing.assert_allclose(found["steady/fit/conductivity"], 0.2**2 / 0.5, rtol=1e-9)
        np.testing.assert_allclose(found["steady/fit/diffusion"], 0.2**2 / 0.5, rtol=1e-6)
        rates = 0.3 * found["steady/fit/rate"]
        np.testing.assert_allclose(found["steady/fit/contact_resistance"], 2.0 / rates + (rates - 2 * 0.5) / (2 * 0.2**2),
                                   rtol=1e-5)
        self.assertTrue(verdict.startswith("diffusive at these sizes"), verdict)

    def test_job_diffusion_against_dephasing(self):
        """D gamma is constant and the same by fit and gradient; without dephasing nothing grows with the length."""
        path = next(path for path in JOBS if path.stem == "diffusion_against_dephasing")
        job, found = self.run_job(path)
        self.check_header(path, job)
        gamma, steady = found["steady/fit/dephasing"], job["steady"]
        np.testing.assert_array_equal(gamma, np.tile(steady["dephasings"], len(steady["rates"])))
        fluctuates = gamma > 0
        for constant in (found["steady/fit/conductivity"], *found["steady/fit/diffusion"].T):
            np.testing.assert_allclose(constant[fluctuates] * gamma[fluctuates], 0.2**2, rtol=1e-6)
        self.assertTrue(np.isposinf(found["steady/fit/conductivity"][~fluctuates]).all())
        self.assertTrue(np.isnan(found["steady/fit/diffusion"][~fluctuates]).all())
        # ballistic: 2 lambda^2 g (f_L - f_R)/(4 lambda^2 + g^2) at all lengths; any dephasing only hinders
        g = job["bath"]["reservoir"][0]["rate"] * found["steady/fit/rate"][~fluctuates, None]
        bias = 1.0 / (1.0 + np.exp(0.5)) - 1.0 / (1.0 + np.exp(2.0))
        current = found["steady/fit/current"]
        np.testing.assert_allclose(current[~fluctuates], 2 * 0.04 * g * bias / (0.16 + g**2) * np.ones(5), rtol=1e-8)
        self.assertTrue(np.all(np.diff(current.reshape(len(steady["rates"]), -1, 5), axis=1) < 0))
        with h5py.File(self.folder / "a.h5", "r") as file:
            verdict = bytes(file["steady/fit"].attrs["verdict"]).decode().splitlines()
        self.assertTrue(verdict[0].startswith("dephasing 0: ballistic at these sizes"), verdict)
        self.assertTrue(all("diffusive at these sizes" in line for line in verdict[1:]), verdict)
        self.assertEqual(len(verdict), len(steady["dephasings"]))

    def test_job_breaking_levels(self):
        found = self.check("breaking_levels")
        self.assertLess(np.nanmax(found["kernel/exact/level_independence"]), 0.5)
        self.assertGreater(np.nanmin(found["kernel/exact/swap_fraction"]), 0.999)

    def test_job_dephased(self):
        """Rates reach w = lambda^2/gamma, and the site equation follows the exact density matrix."""
        found = self.check("dephased")
        self.assertLess(np.nanmax(found["sites/markov/closure_error"]), 0.02)
        np.testing.assert_allclose(found["kernel/markov/bond_rate"], 0.02, rtol=1e-12)
        np.testing.assert_allclose(found["kernel/tcl2/bond_rate"][50:], 0.02, rtol=1e-12)

    def test_job_bosonic_bath(self):
        """Rates up and down keep detailed balance, and the populations become those of the Gibbs state."""
        found = self.check("bosonic_bath")
        cells, energies = found["kernel/cells"], found["model/site_energies"][:, 1]
        weights = np.exp(-(cells @ energies) / 0.5)
        weights /= weights.sum()
        markov = found["kernel/markov/generator"]
        flow = markov * weights
        np.testing.assert_allclose(flow, flow.T, atol=1e-12 * np.abs(flow).max())
        np.testing.assert_allclose(found["kernel/tcl2/generator"][-1], markov, atol=1e-12)
        for kernel in ("tcl2", "markov"):
            late = found[f"rates/{kernel}/populations"][-1, :, 1]
            np.testing.assert_allclose(late, weights @ cells, atol=1e-5)
        self.assertLess(np.diff(found["rates/markov/energy"].sum(axis=1)).max(), 1e-9)
        self.assertLess(found["kernel/tcl2/error"].max(), 1e-12)

    @at_night("kernel_test has the same kernels and rates with dephasing")
    def test_job_dephased_exact(self):
        """The exact kernel becomes flat, above the Markov limit, and its equation gives the density matrix."""
        found = self.check("dephased_exact")
        self.assertEqual(len(found["kernel/exact/singular_times"]), 0)
        rate = found["kernel/exact/bond_rate"]
        self.assertLess(np.abs(rate[-1] / rate[-11] - 1.0).max(), 0.005)
        above = rate[-1] / found["kernel/markov/bond_rate"][0] - 1.0
        self.assertTrue(np.all((above > 0.03) & (above < 0.13)), above)
        self.assertLess(found["rates/tcl4/deviation"].max(), found["rates/tcl2/deviation"].max() / 4)
        generator = found["kernel/exact/generator"]
        change = np.linalg.norm(generator[-1] - generator[-11]) / np.linalg.norm(generator[-1])
        self.assertLess(change, 0.01)

    def test_job_modular(self):
        self.check("modular")


if __name__ == "__main__":
    main()
