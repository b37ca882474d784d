"""An installation: the program runs from there, and find_package(qheat) builds the example of docs/ on the library."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

from program import ProgramCase, chain, command, environment, main, program

SOURCE = pathlib.Path(__file__).resolve().parents[2]


class InstallTest(ProgramCase):
    """`cmake --install` into a folder of its own, and what can be done with it."""

    def call(self, *arguments, **options):
        done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, check=False, env=environment(), **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    @unittest.skipUnless(shutil.which("cmake"), "cmake is not on the path")
    def test_program_and_library(self):
        build = pathlib.Path(program()).resolve().parents[1]
        prefix = self.folder / "qheat"
        self.call("cmake", "--install", build, "--prefix", prefix)
        self.write("a.toml", chain(2, exact={}))
        self.call(prefix / "bin" / "qheat", "run", "a.toml", cwd=self.folder)
        pictures = self.call(prefix / "bin" / "qheat", "plot", "a.h5", "--only", "populations", cwd=self.folder)
        self.assertIn("populations.png", pictures)

        example = self.folder / "example"
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []  # not every machine that builds with Ninja has make
        self.call("cmake", *generator, "-S", SOURCE / "docs" / "example", "-B", example, f"-DCMAKE_PREFIX_PATH={prefix}")
        self.call("cmake", "--build", example)
        for ranks in (1, 2):
            said = self.call(*command([], ranks)[:-1], example / "decay_of_a_mode")
            exact, expected = map(float, re.search(r"([\d.]+) exact, ([\d.]+) expected", said).groups())
            self.assertAlmostEqual(exact / expected, 1.0, delta=0.02)


if __name__ == "__main__":
    main()
