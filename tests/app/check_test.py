"""`check` tells what `run` will do: the same refusals with the same words, memory, time and ranks."""

import math
import re

from program import ProgramCase, chain, h5py, main, toml

BOSONS = {"kind": "bosons", "alpha": 0.1, "cutoff": 2.0, "temperature": 0.5}


def with_bosons(markov, **changes):
    """Return a chain in a bath of bosons with the Markov kernel, or TCL2."""
    kernel = {"exact": False, "orders": [] if markov else [2], "markov": markov}
    return chain(4, bath_correlation={**BOSONS, **changes}, kernel=kernel)


class RefusalTest(ProgramCase):
    """What `run` refuses before it computes, `check` refuses as well."""

    def check_both(self, job, code, *said):
        self.write("a.toml", job)
        texts = []
        for word in ("check", "run"):
            run = self.finish(word, "a.toml", code=code, timeout=30.0)
            for pattern in said:
                self.assertRegex(run.err, pattern)
            self.assertNotIn("valid", run.out)
            texts.append(re.sub(r"[\d.e+-]+ GB", "GB", run.err))
        self.assertEqual(*texts)
        self.assertFalse(list(self.folder.glob("a.h5*")))

    def test_fast_dephasing(self):
        """Polynomials give up, and name what does not; that follows the rate 2 lambda^2 / gamma of a bond."""
        for method in ("chebyshev", "krylov", "runge-kutta"):
            self.check_both(chain(4, bath={"dephasing": 1e12}, exact={"method": method}), 1, "lower time.end.*implicit.*markov")
        gamma, end = 1e6, 2e6
        job = chain(2, bath={"dephasing": gamma}, exact={}, time={"end": end, "outputs": 3}, rates={"kernels": ["markov"]})
        self.write("b.toml", job)
        self.assertIn("implicit steps", self.finish("check", "b.toml").out)
        for ranks in (1, 2):
            self.finish("run", "b.toml", "--out", "b.h5", ranks=ranks)
            with h5py.File(self.folder / "b.h5") as file:
                exact, markov = file["exact/energy"][:, 0], file["rates/markov/energy"][:, 0]
            for t, time in enumerate((0.0, end / 2, end)):
                self.assertAlmostEqual(exact[t], 0.5 + 0.5 * math.exp(-2 * 0.5**2 / gamma * time), delta=1e-8)
                self.assertAlmostEqual(exact[t], markov[t], delta=1e-6)

    def test_endless_time(self):
        self.check_both(chain(4, time={"end": 1e300}, exact={}), 2, "too large to be computed with")
        for method in ("auto", "krylov", "runge-kutta"):
            self.check_both(chain(4, time={"end": 1e45}, bath={"dephasing": 0.1}, exact={"method": method}), 1,
                            "lower time.end")
        self.check_both(chain(4, time={"end": 1e45}, exact={}), 1, "lower time.end")
        self.check_both(chain(4, time={"end": 1e45}, bath={"dephasing": 0.1}, kernel={}), 1, "lower time.end")

    def test_methods_that_are_not_for_this(self):
        self.check_both(chain(4, exact={"method": "runge-kutta"}), 2, "open systems")
        self.check_both(chain(4, bath={"dephasing": 0.1}, exact={"method": "diagonalize"}), 2, "closed|open")

    def test_bosons_beyond_digits(self):
        """Correlations that are not known as long as the job lasts, or never end."""
        for changes in ({"cutoff": 1e45}, {"temperature": 1e45}):
            self.check_both(with_bosons(markov=False, **changes), 1, r"known up to t = \S+ only")
            self.check_both(with_bosons(markov=True, **changes), 2, "Markov limit cannot be told")
        self.check_both(with_bosons(markov=True, alpha=1e-45), 2, "Markov limit cannot be told")

    def test_kernels_that_do_not_exist(self):
        self.check_both(chain(4, kernel={"exact": False, "orders": [2], "markov": True}), 2, "no Markov limit")

    def test_output_that_cannot_be_written(self):
        self.check_both(chain(4, exact={}, output={"file": "nowhere/a.h5"}), 2, "nowhere/a.h5 .*does not exist")
        (self.folder / "a.h5").mkdir()
        self.write("a.toml", chain(4, exact={}))
        for word in ("check", "run"):
            self.assertIn("is a folder", self.finish(word, "a.toml", code=2).err)

    def test_more_than_can_be_counted(self):
        self.check_both(chain(70, exact={}), 1, r"2\^63 states")
        self.check_both(chain(70, rates={"kernels": ["tcl2"]}), 1, r"63 bits|2\^63")

    def test_larger_than_this_machine(self):
        self.check_both(chain(40, exact={}), 1, "137846528820 states does not fit here: it needs at least "
                        r".* GB a rank, .* GB to be quick, on each of 1 rank\(s\), but .* GB are free")
        self.check_both(chain(20, kernel={}), 1, "matrices of the kernels does not fit here")
        self.check_both(chain(34, spectrum={}), 1, "integers of this PETSc|does not fit here")


class AdviceTest(ProgramCase):
    """Numbers that make sense."""

    def advice(self, job, code=0):
        self.write("a.toml", job)
        return self.finish("check", "a.toml", code=code).out

    def test_ranks(self):
        self.assertIn("advice          1 rank:", self.advice(chain(6, exact={})))
        self.assertRegex(self.advice(chain(22, exact={})), r"up to 35 ranks make sense")
        out = self.advice(chain(44, exact={}), code=1)
        self.assertIn("as many ranks as there are cores", out)
        self.assertNotIn("1000000000", out)

    def test_memory_and_time_of_run_and_check(self):
        self.write("a.toml", chain(16, exact={}))
        for word in ("check", "run"):
            out = self.finish(word, "a.toml").out
            self.assertRegex(out, r"memory +at least [\d.]+ GB a rank, [\d.]+ GB to be quick, [\d.]+ GB of it the program")
            self.assertRegex(out, r"time +about [\d.]+ s on 1 rank")

    def test_less_memory_is_slower(self):
        """The least is one recursion an output; eight at once are quick."""
        out = self.advice(chain(24, exact={"method": "chebyshev"}))
        least, quick = re.search(r"at least ([\d.]+) GB a rank, ([\d.]+) GB", out).groups()
        vector = 16.0 * 2704156 / 1e9
        self.assertGreater(float(quick) - float(least), 5.0 * vector)


if __name__ == "__main__":
    main()
