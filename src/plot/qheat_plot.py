#!/usr/bin/python3
"""Draw the pictures of a qheat results file.

    qheat_plot.py RESULT.h5 [-o DIR] [--format png,svg]

Every picture is drawn from the datasets that are in the file; pictures whose
datasets are absent are left out and named in the closing summary.  The paths of
the written files go to standard output, one a line; the summary and error
messages go to standard error.  Exit code: 0 done, 2 bad input (arguments or
results file), 1 any other failure.
"""

import argparse
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

from figures import families, style  # noqa: E402
from figures.results import BadInput, NotDrawn, Results  # noqa: E402

FORMATS = ("png", "svg", "pdf")
PNG_DPI = 200
# a date inside the file would make two pictures of the same data differ
UNDATED = {"png": None, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


class Parser(argparse.ArgumentParser):
    """Argument parser whose errors are one line on stderr, exit code 2."""

    def error(self, message):
        self.exit(2, f"qheat plot: {message}\n")


def format_list(text):
    """Return the picture formats named in a comma-separated list."""
    formats = list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a list of formats; choose from {', '.join(FORMATS)}")
    return formats


def parse_arguments(arguments):
    """Return the parsed command line."""
    parser = Parser(prog="qheat plot", description="Draw the pictures of a qheat results file.")
    parser.add_argument("result", metavar="RESULT.h5", help="results file of qheat run")
    parser.add_argument("-o", "--out", metavar="DIR", type=pathlib.Path,
                        help="directory for the pictures, made if absent "
                             "(default: RESULT_plots in the working directory)")
    parser.add_argument("--format", metavar="LIST", type=format_list, default=["png", "svg"],
                        help="comma-separated formats: png, svg, pdf (default: png,svg)")
    return parser.parse_args(arguments)


def write_picture(figure, path):
    """Write the figure in the format that the path's suffix names; never leave half a file."""
    picture_format = path.suffix[1:]
    unfinished = path.with_name(path.name + ".tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        figure.savefig(unfinished, format=picture_format, dpi=PNG_DPI,
                       metadata=UNDATED[picture_format])
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def draw_all(results, directory, formats):
    """Draw every family that the file allows.

    Prints the path of each file as soon as it is written.  Returns the number of
    files and a list of (picture, reason) for the pictures that were left out.
    """
    written, left_out = 0, []
    for name, draw in families(results):
        try:
            figure = draw(results)
        except NotDrawn as reason:
            left_out.append((name, str(reason)))
            continue
        for picture_format in formats:
            path = directory / f"{name}.{picture_format}"
            write_picture(figure, path)
            print(path, flush=True)
            written += 1
    return written, left_out


def summary(results, directory, written, left_out):
    """Return the closing lines: what was written, what was not and why."""
    lines = [f"qheat plot: {written} files in {directory}"]
    if results.unfinished:
        lines.append("  the file is not marked complete: the run did not finish")
    lines += [f"  not drawn: {name} ({reason})" for name, reason in left_out]
    lines += [f"  ignored: {note}" for note in results.notes]
    return "\n".join(lines)


def plot(arguments):
    """Draw the pictures that the command line asks for."""
    options = parse_arguments(arguments)
    warnings.simplefilter("ignore")  # NaN and missing glyphs are expected, not news
    style.apply()
    with Results(options.result) as results:
        directory = options.out or pathlib.Path(pathlib.Path(options.result).stem + "_plots")
        written, left_out = draw_all(results, directory, options.format)
        if not written:
            reasons = {reason for _, reason in left_out}
            why = [*reasons] if len(reasons) == 1 else results.notes
            raise BadInput("; ".join([f"{options.result}: no datasets to draw", *why]))
        print(summary(results, directory, written, left_out), file=sys.stderr)


def one_line(problem):
    """Return an exception's text on one line."""
    return " ".join(str(problem).split())


def main(arguments):
    """Run the plotter; return the exit code."""
    try:
        plot(arguments)
    except BadInput as problem:
        print(f"qheat plot: {one_line(problem)}", file=sys.stderr)
        return 2
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        print(f"qheat plot: cannot write: {where}{one_line(problem.strerror or problem)}",
              file=sys.stderr)
        return 1
    except MemoryError:
        print("qheat plot: not enough memory for this file", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("qheat plot: interrupted", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
