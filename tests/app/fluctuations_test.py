#!/usr/bin/python3
"""Equilibrium fluctuations as a user meets them: jobs, results, log, what is refused, on 1 to 4 ranks, cut and resumed."""

import numpy as np
from program import ProgramCase, datasets, h5py, main, toml


def ring(sites, **tables):
    """An exchange ring of two levels a site."""
    base = {"lattice": {"shape": [sites], "periodic": [True]}, "site": {"levels": [0.0, 1.0]},
            "interaction": {"kind": "exchange", "strength": 1.0}, "time": {"end": 2.0, "outputs": 41}}
    return {**base, **tables}


class FluctuationsTest(ProgramCase):
    """The routes of [transport] that follow equilibrium correlations."""

    def run_transport(self, job, ranks=0):
        self.write("a.toml", toml(job))
        run = self.finish("run", "a.toml", "--out", "a.h5", ranks=ranks)
        return run, {name: values for name, values in datasets(self.folder / "a.h5").items()
                     if not name.startswith("timing") and values.dtype.kind != "S"}

    def test_the_same_on_any_number_of_ranks(self):
        """D of the exchange ring of nine sites has its published value; random states are the same on all ranks."""
        job = ring(9, transport={"samples": 3})
        exact = ring(9, transport={"accuracy": 0.01, "smaller": 0})
        _, reference = self.run_transport(exact)
        kubo = reference["transport/green_kubo/diffusion"]
        np.testing.assert_allclose(kubo[[10, 20, 40]], [0.92509, 1.53856, 2.04909], atol=6e-6)
        _, sampled = self.run_transport(job)
        for ranks in (2, 3, 4):
            with self.subTest(ranks=ranks):
                _, again = self.run_transport(job, ranks)
                for name, values in sampled.items():
                    np.testing.assert_allclose(again[name], values, rtol=1e-6, atol=1e-8, err_msg=name)
        error = sampled["transport/green_kubo/diffusion_error"]
        self.assertLess(np.abs(sampled["transport/green_kubo/diffusion"] - kubo)[1:].max(), 6 * error.max())

    def test_site_kernel_gives_the_profile_back(self):
        """du/dt = K(t) u leads from C(0) to C(t)."""
        job = ring(8, bath={"dephasing": 1.0}, time={"end": 0.5, "outputs": 201})
        _, found = self.run_transport({**job, "transport": {"routes": ["spreading", "site-kernel"]}})
        kernel, profile = found["transport/site_kernel/generator"], found["transport/spreading/profile"]
        step = 2 * found["time"][1]
        u = profile[0].copy()
        for k in range(0, 200, 2):  # Runge-Kutta over pairs of outputs
            k1 = kernel[k] @ u
            k2 = kernel[k + 1] @ (u + step / 2 * k1)
            k3 = kernel[k + 1] @ (u + step / 2 * k2)
            k4 = kernel[k + 2] @ (u + step * k3)
            u += step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        np.testing.assert_allclose(u, profile[-1], atol=1e-7)
        self.assertAlmostEqual(float(profile[-1].sum()), 1.0, delta=1e-9)
        np.testing.assert_allclose(kernel.sum(axis=1), 0, atol=1e-8)  # energy is kept

    def test_memory_kernel_and_closure(self):
        """Mori's memory kernel gives dC/dt back; the bond rates alone do so where nothing else moves."""
        job = ring(8, bath={"dephasing": 4.0}, time={"end": 2.0, "outputs": 101})
        _, found = self.run_transport({**job, "transport": {"routes": ["spreading", "site-kernel"], "memory": True}})
        profile, memory = found["transport/spreading/profile"], found["transport/site_kernel/memory"]
        step, last = found["time"][1], 60
        weights = np.ones(last + 1)
        weights[1:-1:2], weights[2:-1:2] = 4, 2
        sum_ = sum(w * memory[k] @ profile[last - k] for k, w in enumerate(weights * step / 3))
        change = (profile[last + 1] - profile[last - 1]) / (2 * step)
        np.testing.assert_allclose(change, -sum_, atol=2e-4 * np.abs(change).max())
        closure = found["transport/site_kernel/closure_error"]
        self.assertLess(closure.max(), 0.1)
        self.assertGreater(closure[50], 1e-4)
        self.assertLess(np.nanmax(found["transport/site_kernel/error"]), 1e-6)

    def test_energy_with_the_interaction_is_balanced(self):
        """[exact] and [steady] with energy = "full": continuity along the bonds, its sum is <H>, zero fields carry heat."""
        job = {"lattice": {"shape": [3, 2]}, "site": {"levels": [0.0, 0.0]},
               "interaction": {"kind": "exchange", "strength": 0.6, "anisotropy": 0.5},
               "bath": {"jump": [{"sites": [0], "elements": [[1, 0, 1.0]], "rate": 0.4},
                                 {"sites": [0], "elements": [[0, 1, 1.0]], "rate": 0.1},
                                 {"sites": [5], "elements": [[0, 1, 1.0]], "rate": 0.5},
                                 {"sites": [5], "elements": [[1, 0, 1.0]], "rate": 0.2}]},
               "initial": {"kind": "product", "levels": [1, 1, 0, 0, 0, 0]}, "time": {"end": 2.0, "outputs": 401},
               "exact": {"energy": "full"}, "steady": {"energy": "full"}}
        for ranks, bath in ((0, True), (2, False)):
            with self.subTest(bath=bath):
                if not bath:
                    job = {k: v for k, v in job.items() if k not in ("bath", "steady")}
                _, found = self.run_transport(job, ranks)
                energy, current = found["exact/full_energy"], found["exact/full_current"]
                net = found["exact/full_heat"].copy() if bath else np.zeros_like(energy)
                for b, (i, j) in enumerate(found["model/bonds"]):
                    net[:, i] -= current[:, b]
                    net[:, j] += current[:, b]
                change = (energy[2:] - energy[:-2]) / (2 * found["time"][1])
                np.testing.assert_allclose(change, net[1:-1], atol=3e-5)
                np.testing.assert_allclose(energy.sum(axis=1), found["exact/total_energy"], atol=1e-12)
                self.assertGreater(np.abs(current).max(), 0.05)
                if bath:
                    self.assertLess(found["steady/full_balance"][0], 1e-9)
                    self.assertGreater(np.abs(found["steady/full_current"]).max(), 1e-3)
                    np.testing.assert_allclose(found["steady/full_heat"].sum(), 0, atol=1e-12)

    def test_waves_and_kernel_say_the_same(self):
        _, found = self.run_transport(ring(6, transport={"routes": ["modes", "site-kernel"], "smaller": 0}))
        q = found["transport/modes/q"][:, 0]
        rate = found["transport/modes/rate"] / (2 - 2 * np.cos(q))
        np.testing.assert_allclose(found["transport/site_kernel/dispersion"][1:10], rate[1:10], rtol=1e-6)

    def test_a_sector_has_the_d_of_the_full_space_at_short_times(self):
        job = ring(10, initial={"kind": "product", "levels": [0, 1] * 5}, time={"end": 0.5, "outputs": 21})
        _, full = self.run_transport({**job, "transport": {"smaller": 0}})
        _, sector = self.run_transport({**job, "transport": {"ensemble": "sector"}})
        for route in ("spreading", "green_kubo", "modes"):
            name = f"transport/{route}/diffusion"
            np.testing.assert_allclose(sector[name][1:], full[name][1:], rtol=0.03, err_msg=name)

    def test_what_is_not_possible_is_told_at_once(self):
        refused = {
            "reservoirs": ({"bath": {"reservoir": [{"site": 0, "temperature": 1.0, "rate": 0.1}]}}, {"samples": 4},
                           "reservoirs drive the system"),
            "green-kubo": ({"lattice": {"shape": [6]}}, {"routes": ["green-kubo"]}, "set lattice.periodic to true"),
            "source": ({}, {"source": 9}, "transport.source"),
            "samples": ({}, {"samples": 1}, "one random state leaves no error"),
            "temperature": ({"site": {"levels": [0.0, 1.0], "detuning": {"distribution": "uniform", "width": 1.0}}},
                            {"equilibrium": 2.0}, "keeps the sum of level energies"),
            "full": ({"bath": {"dephasing": 0.1}}, {"energy": "full"}, 'use energy = "levels"'),
            "one source": ({"lattice": {"shape": [6]}}, {"routes": ["modes"], "source": 2}, 'source = "all"'),
            "route": ({}, {"routes": ["spreding"]}, 'did you mean "spreading"'),
            "time": ({"time": None}, {"routes": ["spreading"]}, "needs output times"),
            "smaller": ({}, {"smaller": 5}, "leaves 1 sites"),
            "realizations": ({"site": {"levels": [0.0, 1.0], "detuning": {"distribution": "uniform", "width": 1.0,
                                                                          "realizations": 3}}},
                             {"routes": ["spreading"]}, "[sweep]"),
        }
        for name, (tables, transport, words) in refused.items():
            with self.subTest(name):
                job = {key: value for key, value in ring(6, **tables, transport=transport).items() if value is not None}
                self.write("bad.toml", toml(job))
                run = self.start("check", "bad.toml")
                self.assertEqual(run.wait(), 2, self.story(run))
                self.assertIn(words, run.err)

    def test_routes_left_out_by_default_are_told(self):
        self.write("chain.toml", toml(ring(6, lattice={"shape": [6]}, transport={"source": 2})))
        run = self.start("check", "chain.toml")
        self.assertEqual(run.wait(), 0, self.story(run))
        for words in ("without green-kubo: the total current feels an open edge", 'without modes: it takes all sites'):
            self.assertIn(words, run.out)

    def test_two_mistakes_are_told_together(self):
        self.write("bad.toml", toml(ring(6, transport={"samples": 1, "accuracy": 0.0, "routes": ["none"]})))
        run = self.start("check", "bad.toml")
        self.assertEqual(run.wait(), 2)
        for key in ("transport.samples", "transport.accuracy", "transport.routes[0]"):
            self.assertIn(key, run.err)

    def test_times_are_told_in_the_unit_of_the_job(self):
        job = ring(6, units={"energy": "meV", "length": "nm"}, transport={"routes": ["spreading", "green-kubo"]})
        run, _ = self.run_transport(job)
        told = [line for line in run.out.splitlines() if " t = " in line]
        self.assertTrue(told)
        for line in told:
            self.assertRegex(line, r" t = [0-9.e+-]+ (ps|fs|ns)", line)

    def test_slow_dephasing_is_not_called_ballistic(self):
        """D = lambda^2/gamma = 50, but before the mean free time everything moves as t^2."""
        job = ring(10, interaction={"kind": "xy", "strength": 1.0}, bath={"dephasing": 0.02},
                   time={"end": 1.5, "outputs": 151}, transport={"smaller": 0})
        run, _ = self.run_transport(job)
        self.assertIn("verdict         undecided", run.out)

    def test_a_sector_of_bands_with_several_energies(self):
        """Green-Kubo and spreading agree from the start, whatever the sector fixes."""
        job = ring(6, site={"levels": [0.0, 1.0, 1.5], "bands": [0, 1, 1]}, time={"end": 0.2, "outputs": 21},
                   initial={"kind": "product", "levels": [0, 1, 2, 0, 1, 0]},
                   transport={"ensemble": "sector", "routes": ["spreading", "green-kubo"]})
        _, found = self.run_transport(job)
        np.testing.assert_allclose(found["transport/green_kubo/diffusion"][1:],
                                   found["transport/spreading/diffusion"][1:], rtol=2e-4)

    def test_no_d_without_its_verdict(self):
        """The easy-axis chain looks settled at these sizes, and is not."""
        run, _ = self.run_transport({**ring(10, time={"end": 6.0, "outputs": 61}, transport={"smaller": 0}),
                                     "interaction": {"kind": "exchange", "strength": 0.5, "anisotropy": 1.5}})
        self.assertIn("verdict         undecided", run.out)
        with h5py.File(self.folder / "a.h5") as file:
            self.assertNotIn("diffusion", file["transport"].attrs)
            self.assertEqual(file["transport"].attrs["verdict"], b"undecided")

    def test_memory_is_predicted(self):
        """Within 20 % of what the run takes beside the program itself."""
        job = ring(20, time={"end": 0.2, "outputs": 9}, transport={"samples": 2, "smaller": 0,
                                                                  "routes": ["spreading", "green-kubo"]})
        self.write("a.toml", toml(job))
        said = float(self.finish("check", "a.toml").out.split("to be quick")[0].split("a rank, ")[-1].split()[0])
        run = self.finish("run", "a.toml", "--out", "a.h5")
        used = float(run.out.split("memory          ")[-1].split()[0])
        self.assertLess(abs(said / used - 1), 0.2, (said, used))


if __name__ == "__main__":
    main()
