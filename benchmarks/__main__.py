"""The command line: print a table of the figures, as they are found."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import platform
from collections.abc import Sequence

from benchmarks.figure import Figure
from model import backend

PAINTING = ("step", "time_to_loss", "roofline", "patches", "memory", "judge")
STUDIO = ("start", "overhead", "viewers", "idle", "endurance")
PAGE = ("page",)
CLOUD = ("launcher",)
BENCHMARKS = (*PAINTING, *STUDIO, *PAGE, *CLOUD)
SOFTWARE = ("tensorflow", "tensorflow-cpu", "keras", "numpy")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmarks named in `argv`, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what we claim.")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"one of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, few rounds: to see that it runs")
    arguments = parser.parse_args(argv)
    for name in arguments.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}, only {', '.join(BENCHMARKS)}")
    print(machine())
    if arguments.quick:
        print("--quick: too small and too few to be judged by")
    for name in arguments.names or BENCHMARKS:
        # Here, so that one benchmark can run without what another needs.
        for figure in importlib.import_module(f"benchmarks.{name}").figures(arguments.quick):
            print(row(name, figure, judged=not arguments.quick), flush=True)


def machine() -> str:
    """On what the figures are measured."""
    software = [f"{platform.python_implementation()} {platform.python_version()}"]
    for name in SOFTWARE:
        try:
            software.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    precision = "bfloat16" if backend.bfloat16_is_faster() else "float32"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{backend.device()}, {cores} cores, {precision} where precision is auto; {', '.join(software)}"


def row(benchmark: str, figure: Figure, judged: bool) -> str:
    """One line of the table."""
    value = f"{figure.value:,.0f}" if figure.value >= 1000 else f"{figure.value:.3g}"
    line = f"{benchmark:<13} {figure.name:<64} {value:>8} {figure.unit:<4}"
    if figure.target:
        line += f" {figure.target!s:<7}"
        if judged:
            line += " ok" if figure.target.met_by(figure.value) else " MISSED"
    return line.rstrip()


if __name__ == "__main__":
    main()
