#!/usr/bin/python3
"""Draw the pictures of a qheat results file, or of many: the points of a sweep, or several files.

    qheat_plot.py RESULT.h5 [-o DIR] [--svg] [--only kernel_rates,currents] [--xlim 0,20] [--ylim -1,1] [--log xy]
    qheat_plot.py SWEEP.h5 [--only steady/mean_current,exact/energy[0]] [--against bath.dephasing] [--point 3]
    qheat_plot.py A.h5 B.h5 ...

Every picture is drawn from the datasets that are in the file; pictures whose
datasets are absent are left out and named in the closing summary.  The paths of
the written files go to standard output, one a line; the summary and error
messages go to standard error.  Exit code: 0 done, 2 bad input (arguments or
results file), 1 any other failure.
"""

import argparse
import contextlib
import math
import os
import pathlib
import sys
import warnings

sys.dont_write_bytecode = True  # the source and installation trees stay as they are

try:
    import h5py  # noqa: F401  (tested here for a clear message)
    import matplotlib
    import numpy  # noqa: F401
except ImportError as problem:
    sys.exit(f"qheat plot: {problem}; needs Python with h5py, numpy and matplotlib "
             f"(this is {sys.executable}; on Debian use /usr/bin/python3)")

matplotlib.use("Agg")

from figures import families, layout, many, style, sweep  # noqa: E402
from figures.results import BadInput, NotDrawn, Results  # noqa: E402
from figures.view import View  # noqa: E402

FORMATS = ("png", "svg", "pdf")
PNG_COMPRESSION = 1  # of 9: much faster than the usual 6, for a tenth more bytes
# a date inside the file would make two pictures of the same data differ
UNDATED = {"png": None, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


class Parser(argparse.ArgumentParser):
    """Argument parser whose errors are bad input like any other."""

    def error(self, message):
        raise BadInput(message)


def format_list(text):
    """Return the picture formats named in a comma-separated list."""
    formats = list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a list of formats; choose from {', '.join(FORMATS)}")
    return formats


def name_list(text):
    """Return the names of pictures in a comma-separated list."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise argparse.ArgumentTypeError("name at least one picture, such as kernel_rates")
    return names


def limits(text):
    """Return the range (low, high) in a text such as "0,20"."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise argparse.ArgumentTypeError(f"'{text}' is no range; give two ascending numbers such as 0,20")
    return low, high


def folder(text):
    """Return the path of a folder."""
    if not text:
        raise argparse.ArgumentTypeError("name a folder")
    return pathlib.Path(text)


def parse_arguments(arguments):
    """Return the parsed command line."""
    parser = Parser(prog="qheat plot", description="Draw the pictures of a qheat results file.")
    parser.add_argument("results", metavar="RESULT.h5", nargs="+",
                        help="results file of qheat run; several: numbers and series against what their jobs differ in")
    parser.add_argument("-o", "--output", metavar="DIR", type=folder,
                        help="directory for the pictures, made if absent "
                             "(default: RESULT_plots in the working directory)")
    parser.add_argument("--format", metavar="LIST", type=format_list, default=["png"],
                        help="comma-separated formats: png, svg, pdf (default: png)")
    parser.add_argument("--svg", action="store_true", help="SVG too: the same as --format png,svg")
    parser.add_argument("--only", metavar="LIST", type=name_list,
                        help="comma-separated names of the pictures to draw (default: all that the file allows)")
    parser.add_argument("--against", metavar="KEY", help="of several results: the key of the job along the x axis")
    parser.add_argument("--point", metavar="NUMBER", type=int, help="of a sweep: the pictures of this point alone")
    parser.add_argument("--xlim", metavar="LOW,HIGH", type=limits,
                        help="range of the time axes; with --only of the x axes of those pictures, whatever they show")
    parser.add_argument("--ylim", metavar="LOW,HIGH", type=limits, help="range of the y axes; needs --only")
    parser.add_argument("--log", choices=("x", "y", "xy"), default="", help="logarithmic axes; needs --only")
    options = parser.parse_args(arguments)
    options.view = View(options.xlim, options.ylim, options.log)
    if options.view.needs_choice and not options.only:
        parser.error("--ylim and --log are for chosen pictures: add --only, such as --only kernel_rates")
    if options.svg and "svg" not in options.format:
        options.format.append("svg")
    return options


def write_picture(figure, path):
    """Write the figure in the format that the path's suffix names; never leave half a file."""
    picture_format = path.suffix[1:]
    unfinished = path.with_name(path.name + ".tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    compression = {"pil_kwargs": {"compress_level": PNG_COMPRESSION}} if picture_format == "png" else {}
    try:
        figure.savefig(unfinished, format=picture_format, dpi=style.DPI, metadata=UNDATED[picture_format], **compression)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def file_name(name):
    """Return a picture's name, which may be that of a dataset, as the name of a file."""
    return "".join(c if c.isalnum() or c in "-_.," else "_" for c in name).strip("_")


def chosen_families(results, only):
    """Return the pictures (name, function) to draw: all that a file of this kind can have, or those named."""
    if isinstance(results, many.Many):
        return sweep.PICTURES if only is None else [(name, sweep.picture(results, name)) for name in only]
    known = families(results)
    if only is None:
        return known
    names = [name for name, _ in known]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise BadInput(f"there is no picture '{unknown[0]}' of this file; choose from {', '.join(names)}")
    return [(name, draw) for name, draw in known if name in only]


def draw_all(results, directory, options):
    """Draw every family that the file allows, or those that are asked for.

    Prints the path of each file as soon as it is written.  Returns the number of
    files and a list of (picture, reason) for the pictures that were left out.
    """
    written, left_out = 0, []
    for name, draw in chosen_families(results, options.only):
        try:
            figure = draw(results)
            options.view.apply(figure, chosen=options.only is not None)
        except NotDrawn as reason:
            left_out.append((name, str(reason)))
            continue
        layout.fit(figure)
        for picture_format in options.format:
            path = directory / f"{file_name(name)}.{picture_format}"
            write_picture(figure, path)
            print(style.printable(path), flush=True)
            written += 1
    return written, left_out


def summary(results, directory, written, left_out):
    """Return the closing lines: what was written, what was not and why."""
    lines = [f"qheat plot: {written} files in {directory}"]
    if results.unfinished:
        lines.append("  some points have no results" if isinstance(results, many.Many)
                     else "  the file is not marked complete: the run did not finish")
    lines += [f"  not drawn: {name} ({reason})" for name, reason in left_out]
    lines += [f"  ignored: {note}" for note in results.notes]
    return "\n".join(lines)


def subject(files, options):
    """Return what is drawn: one file, one point of a sweep, or many results at once."""
    if options.point is not None:
        points = len(files[0].vector("/sweep/point")) if files[0].holds("/sweep/point") else 0
        part = files[0].part(f"/points/{options.point:0{max(4, len(str(points - 1)))}}")
        if len(files) > 1 or part is None:
            raise BadInput(f"{files[0].path}: has no point {options.point}")
        return part
    found = many.of_sweep(files[0]) if len(files) == 1 else many.of_files(files)
    if options.against is not None:
        if found is None:
            raise BadInput("--against is for sweeps and for several files")
        found.choose_against(options.against)
    return files[0] if found is None else found


def plot(arguments):
    """Draw the pictures that the command line asks for."""
    options = parse_arguments(arguments)
    warnings.simplefilter("ignore")  # NaN and missing glyphs are expected, not news
    style.apply()
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(Results(path)) for path in options.results]
        results = subject(files, options)
        directory = options.output or pathlib.Path(pathlib.Path(files[0].path).stem + "_plots")
        written, left_out = draw_all(results, directory, options)
        if not written:
            reasons = {reason for _, reason in left_out}
            why = [*reasons] if len(reasons) == 1 else results.notes
            raise BadInput("; ".join([f"{files[0].path}: no datasets to draw", *why]))
        tell(summary(results, directory, written, left_out))


def one_line(problem):
    """Return an exception's text on one line that cannot act on a terminal."""
    return style.printable(" ".join(str(problem).split()))


def tell(text):
    """Write lines to standard error; a log that cannot be written is no reason to fail."""
    with contextlib.suppress(OSError):
        print("\n".join(map(style.printable, text.splitlines())), file=sys.stderr, flush=True)


def drop_lost_output():
    """Keep the interpreter from writing lost output once more at its end, which would change the exit code."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(arguments):
    """Run the plotter; return the exit code."""
    try:
        plot(arguments)
    except BadInput as problem:
        tell(f"qheat plot: {one_line(problem)}")
        return 2
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        tell(f"qheat plot: cannot write: {where}{one_line(problem.strerror or problem)}")
        drop_lost_output()
        return 1
    except MemoryError:
        tell("qheat plot: not enough memory for this file")
        return 1
    except KeyboardInterrupt:
        tell("qheat plot: interrupted")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
