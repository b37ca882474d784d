"""Many results that differ in a few keys: the points of a sweep, or several files.

P: points, or groups of points that have been averaged.
"""

import dataclasses
import functools

import numpy as np

from . import assumptions
from .results import BadInput

HOLDS = 0.95  # scores of at least this hold
# where the name of an error is not the name of its scalar with _error behind it
ERRORS = {"steady/fit/diffusion_value": "steady/fit/diffusion_error"}
SCORES = [name for name in assumptions.SCORES if name != "negativity"]


@dataclasses.dataclass
class Key:
    """A key that differs: its values [P] as numbers (their places where they are none), and as texts."""

    name: str
    values: np.ndarray
    texts: list
    numeric: bool = True
    unit: str = ""  # of the laboratory; empty in program units

    @property
    def count(self):
        """The number of different values."""
        return np.unique(self.values).size


class Many:
    """Results that differ in `keys`; `scalars` {name: [P]} tell one number of each, `members` [P] everything."""

    def __init__(self, path, title, keys, members, scalars, averaged="", units=None):
        self.path, self.title, self.members, self.scalars, self.averaged = path, title, members, scalars, averaged
        self.units = units  # {name: unit} of the scalars; None: those of the members
        self.keys = [key for key in keys if key.count > 1] or keys
        self.unfinished = any(member is None for member in members)

    @property
    def notes(self):
        """What was found but is not usable."""
        return list(dict.fromkeys(note for member in self.members if member is not None for note in member.notes))

    @functools.cached_property
    def against(self):
        """The key along the x axis: the one of most values among those that are numbers."""
        return max(self.keys, key=lambda key: (key.numeric, key.count))

    @functools.cached_property
    def families(self):
        """The points in groups that differ in `against` alone: [(label, places)]."""
        others = [key for key in self.keys if key is not self.against]
        found = {}
        for place in np.argsort(self.against.values, kind="stable"):
            label = ", ".join(f"{short(key.name)} = {key.texts[place]}" for key in others)
            found.setdefault(label, []).append(place)
        order = {label: [key.values[places[0]] for key in others] for label, places in found.items()}
        return [(label, np.array(found[label])) for label in sorted(found, key=order.get)]

    def choose_against(self, name):
        """Take another key along the x axis."""
        known = {key.name: key for key in self.keys}
        if name not in known:
            raise BadInput(f"{self.path}: nothing differs in '{name}'; choose from {', '.join(known)}")
        self.against = known[name]

    def error(self, name):
        """Return the errors [P] of a scalar, None if there are none."""
        own = self.scalars.get(name + "_error")
        return self.scalars.get(ERRORS.get(name)) if own is None else own


def short(name):
    """Return the last part of a key's name, long enough to be understood."""
    parts = name.split(".")
    return parts[-1] if len(parts) < 3 or parts[-1] not in ("rate", "seed", "temperature") else ".".join(parts[-2:])


def until(time, score):
    """Return when a score [T] falls below HOLDS, between two outputs by the straight line between them.

    0: it never holds; infinite: it always does; NaN: it is not known.
    """
    known = np.isfinite(score)
    time, score = time[known], score[known]
    if not score.size:
        return np.nan
    low = np.flatnonzero(score < HOLDS)
    if not low.size:
        return np.inf
    k = low[0]
    if k == 0:
        return 0.0
    return time[k - 1] + (time[k] - time[k - 1]) * (score[k - 1] - HOLDS) / (score[k - 1] - score[k])


def scalars_of(results):
    """Return the numbers {name: value} that a file tells of its job, as the table of a sweep does."""
    skipped = ("timing/", "model/", "time", "sweep/", "points/", "mean/")
    found = {name: results.matrix("/" + name, len(shape)).item()
             for name, shape in results.datasets("/").items()
             if int(np.prod(shape)) == 1 and not name.startswith(skipped) and results.holds("/" + name)}
    for kernel in results.kernels("/kernel"):
        path = f"/kernel/{kernel}"
        for score in SCORES:
            series = results.series(f"{path}/{score}", 1) if results.has_times else None
            if series is not None:
                found[f"kernel/{kernel}/{score}_until"] = until(results.time, series)
        rates = results.matrix(f"{path}/bond_rate", 2)
        if rates is not None:
            found[f"kernel/{kernel}/mean_bond_rate"] = rates[-1].mean()
        if "kernel/exact/singular_times" in results.datasets("/") and kernel.name == "exact":
            singular = results.vector(f"{path}/singular_times")
            found["kernel/exact/first_singular_time"] = np.inf if singular is None else singular[0]
    for group, attribute, name in (("/transport", "diffusion", "diffusion"),
                                   ("/transport", "diffusion_error", "diffusion_error"),
                                   ("/transport/pair_rate", "value", "diffusion")):
        number = results.numbers(group, attribute)
        if number is not None:
            found[f"{group[1:]}/{name}"] = results.factor("diffusion") * number[0]
    for name in ("/steady/planes/current", "/steady/current"):
        current = results.vector(name)
        if current is not None:
            found["steady/mean_current"] = current.mean()
            break
    return found


def key_of_sweep(results, path, name):
    """Return a key of a sweep's table."""
    values = results.vector(f"{path}/{name}")
    texts = results.texts(f"{path}/{name}", "values")
    if texts:
        return Key(name, values, [texts[int(place)] for place in values], numeric=False)
    unit = "".join(results.texts(f"{path}/{name}", "laboratory_units"))
    return Key(name, values, [f"{value:.4g}" for value in values], unit=unit)


def of_sweep(results):
    """Return the points of a sweep's file, or the means over them where it has some; None if it is no sweep."""
    names = results.texts("/sweep", "keys")
    if not names:
        return None
    averaged = results.texts("/sweep", "average")
    group, parts = ("/mean", "/mean") if averaged else ("/sweep", "/points")
    keys = [key_of_sweep(results, group, name) for name in names if name not in averaged]
    if not keys:
        return results.part(f"{parts}/0000")  # everything has been averaged: one mean
    count = keys[0].values.size
    digits = max(4, len(str(count - 1)))
    members = [results.part(f"{parts}/{number:0{digits}}") for number in range(count)]
    scalars = {name: results.vector(f"{group}/scalar/{name}") for name in results.datasets(f"{group}/scalar")}
    first = next((member for member in members if member is not None), results)
    title = results.title or first.title
    note = f"mean over {', '.join(map(short, averaged))} ± standard error" if averaged else ""
    units = {name: results.unit_of(f"{group}/scalar/{name}") for name in scalars}
    return Many(results.path, title, keys, members, scalars, note, units)


def flat(tables, prefix=""):
    """Return {path: value} of nested tables of a job; lists of tables by number."""
    found = {}
    for name, value in tables.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
            for number, entry in enumerate(value):
                found |= flat(entry, f"{prefix}{name}[{number}].")
        else:
            found[prefix + name] = value
    return found


def of_files(files):
    """Return several files as one; the keys are what differs between their jobs."""
    jobs = [{path: value for path, value in flat(results.job).items()
             if path != "title" and not path.startswith("output.")} for results in files]
    keys = []
    for path in dict.fromkeys(path for job in jobs for path in job):
        values = [job.get(path) for job in jobs]
        if all(value == values[0] for value in values):
            continue
        numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
        texts = ["default" if value is None else str(value) for value in values]
        places = [texts.index(text) for text in texts]
        keys.append(Key(path, np.array(values if numeric else places, dtype=float), texts, numeric))
    if not keys:
        raise BadInput(f"{files[0].path}: the jobs of these files do not differ in any key")
    units = {tuple(results.text("/units", name) for name in ("energy", "length", "conductivity"))
             for results in files}
    if len(units) > 1:
        raise BadInput(f"{files[0].path}: these files are in different units; draw those of one kind together")
    tables = [scalars_of(results) for results in files]
    names = dict.fromkeys(name for table in tables for name in table)
    scalars = {name: np.array([table.get(name, np.nan) for table in tables], dtype=float) for name in names}
    return Many(files[0].path, files[0].title, keys, files, scalars)
