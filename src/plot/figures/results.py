"""Reading a qheat results file: only what is there, and only if its shape makes sense.

Shapes: T times, N sites, M levels (or bands), B bonds, C cells.
"""

import contextlib
import functools
import os
import re
import tomllib

import h5py
import numpy as np

from . import kernels as known

FILE_TYPE = "qheat results"
LONGEST_TITLE = 1000  # characters that are looked at
FORMAT_MAJOR = 1  # newest major format version this reader knows


PROGRAM_UNITS = {"energy": "energy", "temperature": "energy", "rate": "energy", "time": "1/energy", "length": "length",
                 "power": "energy^2", "specific_heat": "$k_B$", "diffusion": "length^2 energy",
                 "conductivity": "length^2 energy"}


def formula(unit):
    """Return a unit with its powers raised: cm^-1 as cm$^{-1}$."""
    return re.sub(r"\^(-?\d+)", r"$^{\1}$", unit)


class BadInput(Exception):
    """The results file cannot be used; the message names the file and the reason."""


class NotDrawn(Exception):
    """A picture cannot be drawn from this file; the message is the reason."""


def open_results(path):
    """Open a results file for reading; raise BadInput where that fails."""
    if os.path.isdir(path):
        raise BadInput(f"{path}: is a directory, not a results file")
    try:
        with open(path, "rb"):
            pass
    except OSError as problem:
        raise BadInput(f"{path}: {problem.strerror}") from None
    if not h5py.is_hdf5(path):
        raise BadInput(f"{path}: not an HDF5 file")
    try:
        return h5py.File(path, "r")
    except OSError as problem:
        raise BadInput(f"{path}: damaged or unfinished HDF5 file ({problem})") from None


def table(job, *keys):
    """Return job[key][key]... or None where a key is absent or its parent is no table."""
    for key in keys:
        job = job.get(key) if isinstance(job, dict) else None
    return job


class Results:
    """An open results file.

    `notes` collects what was found but is not usable.  Reading errors are BadInput.
    """

    def __init__(self, path):
        self.path = path
        self.notes = []
        self.file = open_results(path)
        self._check_type()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()

    def part(self, path):
        """Return the results that stand in a group as if they were a file of their own, None if absent."""
        group = self._node(path, h5py.Group)
        if group is None:
            return None
        part = object.__new__(type(self))
        part.path, part.notes, part.file = f"{self.path}{path}", self.notes, group
        return part

    def _check_type(self):
        """Refuse checkpoints and files of a newer format; files without attributes may pass."""
        file_type = self._file_type()
        if file_type not in ("", FILE_TYPE):
            raise BadInput(f"{self.path}: holds '{file_type}', not '{FILE_TYPE}'")
        version = np.ravel(self._attribute("format_version", 0))
        if version.size and version.dtype.kind in "iu" and version[0] > FORMAT_MAJOR:
            raise BadInput(f"{self.path}: format version {version[0]} is newer than the version "
                           f"{FORMAT_MAJOR} that this program reads")

    def _file_type(self):
        """Return what the file says it holds, empty if it says nothing."""
        file_type = self._attribute("filetype", "")
        return file_type.decode(errors="replace") if isinstance(file_type, bytes) else str(file_type)

    @contextlib.contextmanager
    def _damage_reported(self, what):
        """Turn the various errors of h5py on a damaged file into BadInput."""
        try:
            yield
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as problem:
            raise BadInput(f"{self.path}: cannot read {what}: damaged file? ({problem})") from None

    def _attribute(self, name, default):
        with self._damage_reported(f"attribute {name}"):
            return self.file.attrs.get(name, default)

    def _note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def _node(self, path, kind):
        """Return the group or dataset at a path, None if absent or of another kind."""
        try:
            node = self.file.get(path.strip("/")) if path != "/" else self.file
        except (KeyError, ValueError, TypeError, OSError, RuntimeError):
            node = None
        return node if isinstance(node, kind) else None

    def _dataset(self, path):
        """Return the numeric dataset at a path, None if absent or empty, noted if not numeric."""
        dataset = self._node(path, h5py.Dataset)
        if dataset is None:
            return None
        with self._damage_reported(path):
            size, kind = dataset.size, dataset.dtype.kind
        if size and kind not in "fiu":
            self._note(f"{path} is not numeric")
            return None
        return dataset if size else None

    def _load(self, dataset, selection=()):
        """Return (part of) a dataset as float64, in laboratory units where the job names units."""
        with self._damage_reported(dataset.name):
            factor = dataset.attrs.get("laboratory_factor", 1.0)
            return np.asarray(dataset[selection], dtype=float) * factor

    def unit(self, quantity):
        """Return the unit of a quantity, such as "time", as it stands in labels: "ps", or "1/energy"."""
        return formula(self.text("/units", quantity) or PROGRAM_UNITS[quantity])

    def factor(self, quantity):
        """Return what turns a number in program units into one in the unit of a quantity."""
        factor = self.numbers("/units", f"{quantity}_factor")
        return 1.0 if factor is None else float(factor[0])

    def unit_of(self, path):
        """Return the unit of the numbers that are read from a dataset, empty if it is not known."""
        units = [*self.texts(path, "laboratory_units"), *self.texts(path, "units")]
        return formula(units[0]) if units and not units[0].startswith("unit of") else ""

    @functools.cached_property
    def unfinished(self):
        """True if a results file is not marked complete."""
        complete = np.ravel(self._attribute("complete", not self._file_type()))
        return bool(complete.size) and not complete[0]

    @functools.cached_property
    def job(self):
        """The job file as a dictionary; empty if absent or not readable as TOML."""
        dataset = self._node("/job", h5py.Dataset)
        if dataset is None:
            return {}
        with self._damage_reported("/job"):
            text = np.ravel(dataset[()])
        try:
            return tomllib.loads(text[0].decode() if isinstance(text[0], bytes) else str(text[0]))
        except (IndexError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            self._note("/job is not readable as TOML")
            return {}

    @functools.cached_property
    def title(self):
        """The job's title on one line, empty if it has none."""
        title = self.job.get("title")
        if not isinstance(title, str):
            return ""
        return "".join(c for c in " ".join(title.split()) if c.isprintable())[:LONGEST_TITLE]

    @property
    def has_times(self):
        """True if the file has output times."""
        return self._dataset("/time") is not None

    def holds(self, path):
        """True if the file has a group or a dataset that is not empty at a path."""
        return self._node(path, h5py.Group) is not None or self._dataset(path) is not None

    @functools.cached_property
    def time(self):
        """The output times [T]; NotDrawn if the file has none."""
        dataset = self._dataset("/time")
        if dataset is None or dataset.ndim != 1:
            raise NotDrawn("/time absent or empty")
        time = self._load(dataset)
        if not np.all(np.isfinite(time)) or np.any(np.diff(time) <= 0):
            raise NotDrawn("/time does not ascend")
        return time

    @functools.cached_property
    def bonds(self):
        """The bonds [B, 2] as integers, B = 0 if absent."""
        dataset = self._dataset("/model/bonds")
        if dataset is None or dataset.ndim != 2 or dataset.shape[1] != 2:
            return np.zeros((0, 2), dtype=int)
        return self._load(dataset).astype(int)

    @functools.cached_property
    def cells(self):
        """Band of each site in each cell [C, N] as integers, None if absent."""
        dataset = self._dataset("/kernel/cells")
        if dataset is None or dataset.ndim != 2:
            return None
        return self._load(dataset).astype(int)

    def series(self, path, ndim, one_row=False):
        """Return a dataset over the output times as float64 [T, ...], None if absent or empty.

        one_row: a dataset with a single row holds at all times.
        A dataset of another shape is noted and treated as absent.
        """
        dataset = self._dataset(path)
        if dataset is None:
            return None
        times = self.time.size
        if dataset.ndim == ndim and one_row and dataset.shape[0] == 1:
            return np.repeat(self._load(dataset), times, axis=0)
        if dataset.ndim != ndim or dataset.shape[0] != times:
            self._note(f"{path} has shape {dataset.shape} beside {times} times")
            return None
        return self._load(dataset)

    def vector(self, path):
        """Return a dataset without times as float64 [..], None if absent, empty or of more dimensions."""
        return self.matrix(path, 1)

    def matrix(self, path, ndim):
        """Return a dataset without times and with `ndim` dimensions as float64, None if absent, empty or other."""
        dataset = self._dataset(path)
        return None if dataset is None or dataset.ndim != ndim else self._load(dataset)

    def program_matrix(self, path, ndim):
        """Return what `matrix` does, but in program units."""
        values, node = self.matrix(path, ndim), self._dataset(path)
        return None if values is None else values / node.attrs.get("laboratory_factor", 1.0)

    def datasets(self, path):
        """Return the numeric datasets below a group as {path from there on: shape}."""
        found = {}

        def visit(name, node):
            if isinstance(node, h5py.Dataset) and node.dtype.kind in "fiu":
                found[name] = node.shape

        group = self._node(path, h5py.Group)
        if group is not None:
            with self._damage_reported(path):
                group.visititems(visit)
        return found

    def texts(self, path, name):
        """Return an attribute of a group or dataset as a list of texts, empty if absent."""
        node = self._node(path, (h5py.Group, h5py.Dataset))
        if node is None:
            return []
        with self._damage_reported(f"attribute {name} of {path}"):
            values = np.ravel(node.attrs.get(name, []))
        return [value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in values]

    def text(self, path, name):
        """Return an attribute of a group as text, empty if absent."""
        group = self._node(path, h5py.Group)
        if group is None:
            return ""
        with self._damage_reported(f"attribute {name} of {path}"):
            value = group.attrs.get(name, "")
        return value.decode(errors="replace") if isinstance(value, bytes) else str(value)

    def numbers(self, path, name):
        """Return an attribute of a group as an array, None if absent."""
        group = self._node(path, h5py.Group)
        if group is None:
            return None
        with self._damage_reported(f"attribute {name} of {path}"):
            return None if name not in group.attrs else np.ravel(group.attrs[name]).astype(float)

    def generator(self, kernel):
        """Return a kernel's generator dataset, [T, C, C] or [C, C], None if absent."""
        path = f"/kernel/{kernel}/generator"
        dataset = self._dataset(path)
        if dataset is None:
            return None
        constant = dataset.ndim == 2
        if dataset.ndim not in (2, 3) or dataset.shape[-1] != dataset.shape[-2] \
                or not (constant or dataset.shape[0] == self.time.size):
            self._note(f"{path} has shape {dataset.shape} beside {self.time.size} times")
            return None
        return dataset

    def generator_rows(self, dataset, times):
        """Yield the generator [C, C] at the first output times; a constant one once.

        Needs memory for one matrix only.
        """
        if dataset.ndim == 2:
            yield self._load(dataset)
            return
        for row in range(times):
            yield self._load(dataset, row)

    @functools.cached_property
    def singular_times(self):
        """The times within the run at which the exact kernel diverges, ascending [S]."""
        dataset = self._dataset("/kernel/exact/singular_times")
        if dataset is None:
            return np.zeros(0)
        instants = np.sort(np.ravel(self._load(dataset)))
        return instants[(instants > self.time[0]) & (instants < self.time[-1])]

    def kernels(self, *parents):
        """Return the kernels under any of the groups /kernel, /rates, /sites, in reading order."""
        names = set()
        for parent in parents:
            group = self._node(parent, h5py.Group)
            with self._damage_reported(parent):
                names |= {name for name in group or ()
                          if self._node(f"{parent}/{name}", h5py.Group) is not None}
        return [known.kernel(name) for name in sorted(names, key=known.sort_key)]

    def populations(self, path):
        """Return populations [T, N, M] with the levels of one band added up, None if absent.

        The exact solution is stored by level, the rate equations by band.
        """
        values = self.series(path, 3)
        bands = table(self.job, "site", "bands")
        if values is None or not isinstance(bands, list) or len(bands) != values.shape[2]:
            return values
        return np.stack([values[:, :, [b == band for b in bands]].sum(axis=2)
                         for band in sorted(set(bands))], axis=2)

    @functools.cached_property
    def several_axes(self):
        """True if the job's lattice has more than one axis longer than one site."""
        shape = table(self.job, "lattice", "shape")
        return isinstance(shape, list) and sum(length != 1 for length in shape) > 1

    def is_chain(self, sites):
        """True if the bonds join all sites in the order of their numbers, as a line or a ring."""
        bonds = {tuple(bond) for bond in self.bonds.tolist()}
        line = {(site, site + 1) for site in range(sites - 1)}
        return bool(line) and line <= bonds <= line | {(sites - 1, 0)}
