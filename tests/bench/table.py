#!/usr/bin/env python3
"""Print the benchmark results of a folder as Markdown tables: medians, with smallest and largest of the repetitions."""

import json
import pathlib
import statistics
import sys


class Results:
    """Milliseconds of each benchmark, one a repetition, and its counters."""

    def __init__(self, file):
        self.times, self.counters, self.runs = {}, {}, {}
        for run in json.loads(file.read_text())["benchmarks"]:
            if run.get("run_type") == "aggregate":
                continue
            name = "/".join(run["name"].split("/")[:2])
            self.times.setdefault(name, []).append(run["real_time"])
            self.counters[name] = run
            self.runs.setdefault(name, []).append(run)

    def median(self, name):
        return statistics.median(self.times[name])

    def cell(self, name):
        times = self.times[name]
        return f"{self.median(name):.3g} ({min(times):.3g} to {max(times):.3g})"

    def ratio(self, above, below):
        """Median of the ratios of repetitions that ran next to each other, with the spread."""
        ratios = [a / b for a, b in zip(self.times[above], self.times[below])]
        return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def print_products(results, ranks):
    print(f"\n### One product on {ranks} rank(s)\n")
    print("| model | states | product [ms] | in scaled copies | AIJ / product | tables / vector | bytes sent a state |")
    print("|---|---|---|---|---|---|---|")
    for name in results.times:
        kind, model = name.split("/")
        if kind != "engine":
            continue
        counters = results.counters[name]
        assembled = f"assembled/{model}"
        against = results.ratio(assembled, name) if assembled in results.times else "-"
        print(f"| {model} | {counters['states']:.0f} | {results.cell(name)} | {results.ratio(name, f'copy/{model}')} "
              f"| {against} | {100 * counters['operator_bytes'] / counters['vector_bytes']:.2f} % "
              f"| {counters['sent_bytes'] / counters['states']:.2f} |")
    for name in results.times:
        kind, model = name.split("/")
        if kind == "columns-together":
            print(f"\n{model}: eight columns together take {results.ratio(name, f'columns-apart/{model}')} of the time "
                  "of eight products.")


def print_setup(results):
    print("\n### Setting up one excitation on many sites\n")
    print("| model | milliseconds |")
    print("|---|---|")
    for name in results.times:
        kind, model = name.split("/")
        if kind == "setup":
            print(f"| {model} | {results.cell(name)} |")


def print_scaling(one, two):
    print("\n### Two ranks against one\n")
    print("| model | gain of the product | gain of the scaled copy | ratio |")
    print("|---|---|---|---|")
    for name in two.times:
        kind, model = name.split("/")
        if kind != "engine" or name not in one.times:
            continue
        product = one.median(name) / two.median(name)
        copy = one.median(f"copy/{model}") / two.median(f"copy/{model}")
        print(f"| {model} | {product:.2f} | {copy:.2f} | {product / copy:.2f} |")


def print_evolution(results, qutip):
    print("\n### Evolution to t = 10, tolerance 1e-8, one rank\n")
    print("| what | milliseconds |")
    print("|---|---|")
    for name in results.times:
        print(f"| {name} | {results.cell(name)} |")
    print(f"\nMFN on AIJ / Chebyshev, N = 20: {results.ratio('krylov-assembled/chain-20', 'chebyshev/chain-20')}")
    if qutip:
        seconds = statistics.median(qutip["seconds"])
        print(f"\nQuTiP {qutip['version']} sesolve / Chebyshev, N = 16: "
              f"{1e3 * seconds / results.median('chebyshev/chain-16'):.0f}")


def spread(values, digits=".3g"):
    return f"{statistics.median(values):{digits}} ({min(values):{digits}} to {max(values):{digits}})"


def print_kernels(runs, ranks):
    """Exact kernels against bare calls: all parts of one repetition ran one after the other."""
    print(f"\n### Exact kernel on {ranks} rank(s)\n")
    print("| model | states | bare calls [ms] | G and G' [ms] | kernel [ms] | kernel / bare | of processor time | scores / kernel |")
    print("|---|---|---|---|---|---|---|---|")
    for name, repetitions in runs.items():
        if not name.startswith("exact/"):
            continue

        def bare(run, unit):
            return run["products" + unit] + run["solution" + unit]

        def ratios(unit, repetitions=repetitions):
            return [run["kernel" + unit] / bare(run, unit) for run in repetitions]

        print(f"| {name.split('/')[1]} | {repetitions[0]['states']:.0f} | {spread([bare(r, '_ms') for r in repetitions])} "
              f"| {spread([r['propagator_ms'] for r in repetitions])} | {spread([r['kernel_ms'] for r in repetitions])} "
              f"| {spread(ratios('_ms'), '.2f')} | {spread(ratios('_processor_ms'), '.2f')} "
              f"| {spread([r['scores_ms'] / r['kernel_ms'] for r in repetitions], '.2f')} |")
    for name, repetitions in runs.items():
        if name.startswith("series/"):
            print(f"\nTCL2 and TCL4 of {name.split('/')[1]}, 0.5 after the output before: "
                  f"{spread([r['real_time'] for r in repetitions])} ms.")


def print_liouvillian(results):
    print("\n### One product L rho, and evolution to t = 10, tolerance 1e-8, one rank\n")
    print("| model | elements | product [ms] | AIJ / product | evolution [ms] |")
    print("|---|---|---|---|---|")
    for name in results.times:
        kind, model = name.split("/")
        if kind != "engine":
            continue
        assembled, evolution = f"assembled/{model}", f"evolution/{model}"
        against = results.ratio(assembled, name) if assembled in results.times else "-"
        whole = results.cell(evolution) if evolution in results.times else "-"
        print(f"| {model} | {results.counters[name]['elements']:.0f} | {results.cell(name)} | {against} | {whole} |")


def print_steady(results):
    print("\n### Steady states, residual 1e-8, from two starts, one rank\n")
    print("| chain | elements | iterations | milliseconds |")
    print("|---|---|---|---|")
    for name in results.times:
        if name.startswith("steady/"):
            counters = results.counters[name]
            print(f"| {name.split('/')[1]} | {counters['elements']:.0f} | {counters['iterations']:.0f} | {results.cell(name)} |")


def print_open_kernels(results, ranks):
    print(f"\n### Exact kernel of an open system at 20 times, {ranks} rank(s)\n")
    print("| model | cells | elements | columns at once | propagation [ms] | products with L | ns an element and product "
          "| all [ms] | orders 0 to 4 [ms] |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in results.times:
        kind, model = name.split("/")
        if kind != "exact":
            continue
        runs = results.runs[name]
        orders = f"orders/{model}"
        work = runs[0]["products"] * runs[0]["elements"] / ranks
        print(f"| {model} | {runs[0]['cells']:.0f} | {runs[0]['elements']:.0f} | {runs[0]['at_once']:.0f} "
              f"| {spread([r['propagation_ms'] for r in runs])} | {runs[0]['products']:.0f} "
              f"| {spread([1e6 * r['propagation_ms'] / work for r in runs], '.2f')} | {results.cell(name)} "
              f"| {results.cell(orders) if orders in results.times else '-'} |")


def print_samples(runs, ranks):
    """One random state against bare propagations: both of one repetition ran one after the other."""
    print(f"\n### One random state of equilibrium fluctuations on {ranks} rank(s)\n")
    print("| ring | states | bare propagations [ms] | all [ms] | all / bare | of processor time | measuring / all | setting up / all |")
    print("|---|---|---|---|---|---|---|---|")
    for name, repetitions in runs.items():

        def ratios(above, below, repetitions=repetitions):
            return spread([run[above] / run[below] for run in repetitions], ".2f")

        print(f"| {name.split('/')[1]} | {repetitions[0]['states']:.0f} | {spread([r['bare_ms'] for r in repetitions])} "
              f"| {spread([r['sample_ms'] for r in repetitions])} | {ratios('sample_ms', 'bare_ms')} "
              f"| {ratios('sample_processor_ms', 'bare_processor_ms')} | {ratios('observables_ms', 'sample_ms')} "
              f"| {ratios('setup_ms', 'sample_ms')} |")


def print_dense(told):
    """Fluctuations of a small ring by all ways, in processor seconds."""
    print(f"\n### Fluctuations of a ring of {told['sites']} sites, {told['outputs']} outputs\n")
    print("| how | seconds | dense / this | distance of C_ij | of the current's |")
    print("|---|---|---|---|---|")
    samples, dense = told["samples"], statistics.median(told["dense"]["seconds"])
    print(f"| dense matrices | {dense:.3g} | 1 | 0 | 0 |")
    names = {"chosen": "program, as it chooses", "sampled": f"program, {samples} random states",
             "qutip": f"QuTiP {told.get('qutip', {}).get('version')}, {samples} random states"}
    for way, name in names.items():
        if way in told:
            seconds = told[way]["seconds"]
            correlations, currents = told[way]["distance"]
            print(f"| {name} | {spread(seconds)} | {dense / statistics.median(seconds):.3g} | {correlations:.1g} | {currents:.1g} |")


def main():
    folder = pathlib.Path(sys.argv[1])
    one, two = Results(folder / "product-1.json"), Results(folder / "product-2.json")
    print_products(one, 1)
    print_products(two, 2)
    print_setup(one)
    print_scaling(one, two)
    qutip = (folder / "qutip.json").read_text().strip()
    print_evolution(Results(folder / "evolution-1.json"), json.loads(qutip) if qutip else None)
    print_liouvillian(Results(folder / "liouvillian-1.json"))
    print_steady(Results(folder / "liouvillian-1.json"))
    for ranks in (1, 2):
        print_kernels(Results(folder / f"kernel-{ranks}.json").runs, ranks)
    for ranks in (1, 2):
        print_open_kernels(Results(folder / f"open-kernel-{ranks}.json"), ranks)
    for ranks in (1, 2):
        print_samples(Results(folder / f"fluctuations-{ranks}.json").runs, ranks)
    print_dense(json.loads((folder / "dense-fluctuations.json").read_text()))
    print("\n### Full spectrum of a real H, two ranks\n")
    print((folder / "spectrum-2.txt").read_text().strip())


if __name__ == "__main__":
    main()
