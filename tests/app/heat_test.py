#!/usr/bin/python3
"""[heat] as a user meets it: closed forms, any number of ranks, cut and resumed, what is refused, pictures."""

from xml.etree import ElementTree

import numpy as np
from program import ProgramCase, datasets, main, often, toml


def block(shape, **heat):
    """A job on so many cells of the width 0.1."""
    return {"lattice": {"shape": shape, "spacing": 0.1}, "time": {"end": 0.5, "outputs": 6}, "heat": heat}


class HeatTest(ProgramCase):
    """The heat equation from a job file."""

    def run_heat(self, job, ranks=0, *arguments):
        self.write("a.toml", toml(job))
        self.finish("run", "a.toml", "--out", "a.h5", *arguments, ranks=ranks)
        found = {name: values for name, values in datasets(self.folder / "a.h5").items() if name.startswith("heat/")}
        self.assertTrue((np.diff(found.pop("heat/iterations")) >= 0).all())  # how many depends on the ranks
        return found

    def test_the_same_on_any_number_of_ranks(self):
        """kappa = T^-2 between two temperatures: 1/T is linear in x; in time energy is what came in."""
        steady = block([16, 6, 9], conductivity="T^-2", steady=True, boundary={"x-": 2.0, '"x+"': 1.0})
        moving = block([9, 8], conductivity="1 + 0.1*T", capacity="1 + x", initial="1 + x*y", source=0.2,
                       boundary={"x-": 2.0, '"x+"': {"flux": 0.1}, '"y+"': {"convection": 1.0, "temperature": 0.5}})
        alone = None
        for ranks in often(0, 3, nightly=(2, 4)):
            with self.subTest(ranks=ranks):
                found = self.run_heat(steady, ranks)
                x = (np.arange(16) + 0.5) / 16
                np.testing.assert_allclose(found["heat/temperature"], np.broadcast_to(1 / (0.5 + 0.5 * x), (9, 6, 16)),
                                           rtol=2e-3)
                self.assertAlmostEqual(float(found["heat/flux_x-"][0] + found["heat/flux_x+"][0]), 0, delta=1e-8)
                found = self.run_heat(moving, ranks)
                self.assertEqual(found["heat/temperature"].shape, (6, 8, 9))
                alone = alone or found
                for name, values in found.items():
                    np.testing.assert_allclose(values, alone[name], rtol=1e-6, atol=1e-9, err_msg=name)

    def test_bonds_in_series(self):
        """One conductivity a bond: the flux is that of resistances in series."""
        kappa = [1.0, 0.5, 2.0, 0.25]
        found = self.run_heat(block([5], conductivity=kappa, steady=True, boundary={"x-": 1.0, '"x+"': 0.0}))
        resistance = 0.1 * (0.5 / kappa[0] + sum(1 / k for k in kappa) + 0.5 / kappa[-1])
        self.assertAlmostEqual(float(found["heat/flux_x-"][0]), 1 / resistance, delta=1e-8)

    def test_stopped_and_resumed(self):
        job = block([24, 24], conductivity="1 + 0.2*T", initial="1 + sin(3*x)*y", boundary={"x-": 2.0}, tolerance=1e-10)
        whole = self.run_heat(job)
        (self.folder / "a.h5").unlink()
        run = self.start("run", "a.toml", "--out", "a.h5", "--max-time", "0.3")
        self.assertEqual(run.wait(), 75, self.story(run))
        self.finish("run", "a.toml", "--out", "a.h5", "--resume", ranks=2)
        again = datasets(self.folder / "a.h5")
        for name, values in whole.items():
            np.testing.assert_allclose(again[name], values, rtol=1e-9, atol=1e-12, err_msg=name)

    def test_what_is_not_possible_is_told_at_once(self):
        for text, said in (
                ("initial = 1.0\nsteady = true\n", "no steady state of its own"),
                ("initial = \"1 + \"\n", "a.toml:7:1: heat.initial"),
                ("initial = \"T\"\n", "heat.initial"),
                ("initial = 1.0\nconductivity = 0\n", "heat.conductivity: 0 is not possible"),
                ("initial = 1.0\nconductivity = [1.0]\n", "one a bond"),
                ("initial = 1.0\nconductivity = { temperature = [1, 2], value = [1] }\n", "at least two"),
                ("initial = 1.0\nconductivity = { temperature = [2, 1], value = [1, 2] }\n", "must be ascending"),
                ("initial = 1.0\ncapacity = { value = [1, 2] }\n", "heat.capacity.temperature"),
                ("initial = { temperature = [1, 2], value = [1, 2] }\n", "heat.initial"),
                ("initial = 1.0\nboundary = { \"x+\" = { flux = 1, convection = 2 } }\n", "remove one"),
                ("initial = 1.0\nboundary = { y- = 1.0 }\n", "has no face y-"),
                ("initial = 1.0\nboundary = { x- = { } }\n", "gives nothing")):
            with self.subTest(text=text):
                self.write("a.toml", "[lattice]\nshape = [4]\n[time]\nend = 1.0\noutputs = 2\n[heat]\n" + text)
                run = self.finish("run", "a.toml", code=2)
                self.assertIn(said, run.err)
        self.write("a.toml", "[lattice]\nshape = [4]\n[heat]\ninitial = 1.0\n")
        self.assertIn("steady = true", self.finish("run", "a.toml", code=2).err)

    def test_a_conductivity_that_vanishes_on_the_way(self):
        self.write("a.toml", toml(block([8], conductivity="1 - T", initial=0.5, boundary={"x-": 2.0})))
        self.assertIn("must be positive", self.finish("run", "a.toml", code=1).err)

    def test_table_of_a_conductivity(self):
        """kappa = T on straight lines is kappa = T; beyond its ends a table says nothing."""
        job = block([20], conductivity={"temperature": [1.0, 1.5, 2.0], "value": [1.0, 1.5, 2.0]}, steady=True,
                    boundary={"x-": 2.0, '"x+"': 1.0})
        found = self.run_heat(job)
        x = (np.arange(20) + 0.5) / 20
        np.testing.assert_allclose(found["heat/temperature"], np.sqrt(4 - 3 * x), rtol=2e-4)
        (self.folder / "a.h5").unlink()
        job["heat"]["conductivity"] = "T"
        np.testing.assert_allclose(found["heat/temperature"], self.run_heat(job)["heat/temperature"], rtol=1e-9)
        job["heat"].update(conductivity={"temperature": [1.0, 1.5], "value": [1.0, 1.5]})
        self.write("a.toml", toml(job))
        self.assertIn("the table of heat.conductivity from 1 to 1.5", self.finish("run", "a.toml", "--out", "b.h5", code=1).err)

    def read_xdmf(self):
        """The grids of a.xdmf as (time, [x, y, z lengths of a cell], temperatures [z, y, x])."""
        def numbers(item):
            return np.array(item.text.split(), dtype=float)

        def values(item):
            shape = [int(n) for n in item.get("Dimensions").split()]
            if item.get("ItemType") == "HyperSlab":
                start, stride, count = numbers(item[0]).reshape(3, -1).astype(int)
                source = values(item[1])
                cut = tuple(slice(s, s + n * d, d) for s, d, n in zip(start, stride, count))
                return source[cut].reshape(shape)
            file, path = item.text.split(":")
            found = datasets(self.folder / file)[path.lstrip("/")]
            self.assertEqual(list(found.reshape(shape).shape), shape)
            return found.reshape(shape)

        grids = []
        for grid in ElementTree.parse(self.folder / "a.xdmf").iter("Grid"):
            if grid.get("GridType") != "Uniform":
                continue
            corners = [int(n) for n in grid.find("Topology").get("Dimensions").split()]
            temperature = values(grid.find("Attribute")[0])
            self.assertEqual([n - 1 for n in corners], list(temperature.shape))
            grids.append((float(grid.find("Time").get("Value")), numbers(grid.find("Geometry")[1])[::-1], temperature))
        return grids

    def read_with_paraview(self):
        """The same by ParaView's own reader; nothing where there is none."""
        try:
            from vtkmodules.vtkIOXdmf2 import vtkXdmfReader
            from vtkmodules.util.numpy_support import vtk_to_numpy
        except ImportError:
            return []
        reader = vtkXdmfReader()
        reader.SetFileName(str(self.folder / "a.xdmf"))
        reader.UpdateInformation()
        executive = reader.GetExecutive()
        times = executive.GetOutputInformation(0).Get(executive.TIME_STEPS())
        grids = []
        for time in times:
            reader.UpdateTimeStep(time)
            reader.Update()
            block = reader.GetOutputDataObject(0)
            cells = np.array(block.GetDimensions()) - 1
            bounds = np.array(block.GetBounds()).reshape(3, 2)
            read = vtk_to_numpy(block.GetCellData().GetArray("temperature"))
            grids.append((time, (bounds[:, 1] - bounds[:, 0]) / cells, read.reshape(cells[::-1])))
        return grids

    def test_paraview_file(self):
        """Cells, times and temperatures of the XDMF file are those of the results."""
        for shape, ranks in (([5, 4, 3], 2), ([6, 5], 0), ([7], 0)):
            for steady in (False, True):
                with self.subTest(shape=shape, steady=steady):
                    heat = {"steady": True} if steady else {"initial": "1 + x"}
                    found = self.run_heat(block(shape, boundary={"x-": 2.0, '"x+"': 1.0}, **heat), ranks)
                    np.testing.assert_allclose(found["heat/x"], 0.1 * (np.arange(shape[0]) + 0.5))
                    times = [0.0] if steady else np.linspace(0, 0.5, 6)
                    values = found["heat/temperature"].reshape([len(times)] + (shape + [1, 1])[2::-1])
                    for grids in (self.read_xdmf(), self.read_with_paraview() or self.read_xdmf()):
                        self.assertEqual(len(grids), len(times))
                        for (time, cell, read), expected, at in zip(grids, values, times):
                            self.assertAlmostEqual(time, at)
                            np.testing.assert_allclose(cell, 0.1)
                            np.testing.assert_array_equal(read, expected)
                    (self.folder / "a.h5").unlink()

    def test_pictures(self):
        for shape in ([12], [6, 5], [5, 4, 3]):
            with self.subTest(shape=shape):
                self.run_heat(block(shape, initial="1 + x", boundary={"x-": 2.0}))
                self.finish("plot", "a.h5")
                self.assertEqual(sorted(p.name for p in (self.folder / "a_plots").glob("*.png")), ["heat.png", "heat_power.png"])
                (self.folder / "a.h5").unlink()


if __name__ == "__main__":
    main()
