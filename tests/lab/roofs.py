"""Is the roof as high as others find it? Our copy and triad beside NumPy's copy, and loops in C.

    nox -s roofs -- --threads 2

Prints a table in Markdown: for each size, bytes moved per second, each the best of its samples, all in fresh
processes with as many threads, which are bound alike. NumPy has one thread; the loops in C are compiled with
-O3 -fopenmp, if there is a compiler.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.machine import hardware
from bench.pool.process import worker_environment
from bench.units import rate, size

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = (768 * 2**10, 16 * 2**20, 288 * 2**20)
SECONDS = 2.0
"""Of each size and way."""
PEERS = ("torch copy", "torch triad", "numpy copy", "C copy", "C triad")
SOURCE = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <omp.h>
int main(int argc, char **argv) {
    long n = atol(argv[1]);
    double seconds = atof(argv[2]), best = 1e9;
    int triad = !strcmp(argv[3], "triad");
    float *a = aligned_alloc(64, (n + 16) * 4 / 64 * 64 + 64);
    float *b = aligned_alloc(64, (n + 16) * 4 / 64 * 64 + 64);
    float *c = aligned_alloc(64, (n + 16) * 4 / 64 * 64 + 64);
    #pragma omp parallel for
    for (long i = 0; i < n; i++) { a[i] = 1; b[i] = 2; c[i] = 0; }
    long loops = 1 + 1000000 / n;
    for (double end = omp_get_wtime() + seconds; omp_get_wtime() < end;) {
        double begun = omp_get_wtime();
        for (long k = 0; k < loops; k++) {
            if (triad) {
                #pragma omp parallel for
                for (long i = 0; i < n; i++) c[i] = a[i] + 3 * b[i];
            } else {
                #pragma omp parallel for
                for (long i = 0; i < n; i++) c[i] = a[i];
            }
            __asm__ volatile("" ::: "memory");
        }
        double took = (omp_get_wtime() - begun) / loops;
        if (took < best) best = took;
    }
    printf("%.9g\\n", n * 4.0 * (triad ? 3 : 2) / best);
}
"""
OURS = """
import sys, time, torch
from bench.worker.bandwidth import WAYS
from bench.worker.best_time import BestTimer
way, moved, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
done, call = WAYS[way](torch.ones(moved // 4 + 1024), moved)
print(done / BestTimer(time.perf_counter_ns).best_s(call, seconds))
"""
NUMPYS = """
import sys, time, numpy
moved, seconds = int(sys.argv[1]), float(sys.argv[2])
a, b = (numpy.ones(moved // 8, "f4") for _ in range(2))
best, end, loops = 1e9, time.perf_counter() + seconds, 1 + 1000000 * 8 // moved
while time.perf_counter() < end:
    begun = time.perf_counter()
    for _ in range(loops):
        numpy.copyto(b, a)
    best = min(best, (time.perf_counter() - begun) / loops)
print(a.nbytes * 2 / best)
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, default=hardware.default_threads())
    parser.add_argument("--seconds", type=float, default=SECONDS, help="per size and way")
    asked = parser.parse_args(argv)
    if not (asked.threads > 0 and asked.seconds > 0):
        parser.error("there must be a thread, and some time to measure in")
    environment = worker_environment(asked.threads, os.environ, cores=hardware.core_groups())
    with tempfile.TemporaryDirectory(prefix="bench-roofs-") as name:
        program = compiled(Path(name))
        rows = [measured(moved, asked.seconds, program, environment) for moved in SIZES]
    print(table(rows))
    return 0


def compiled(folder: Path) -> Path | None:
    """The loops in C, if there is a compiler that knows OpenMP."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, program = folder / "stream.c", folder / "stream"
    source.write_text(SOURCE, encoding="utf-8")
    words = [compiler, "-O3", "-march=native", "-fopenmp", str(source), "-o", str(program)]
    done = subprocess.run(words, check=False, capture_output=True)
    return program if done.returncode == 0 else None


def measured(
    moved: int, seconds: float, program: Path | None, environment: dict[str, str]
) -> list[float | None]:
    """The size, then bytes per second of each of the peers."""
    python = [sys.executable, "-c"]
    took = str(seconds)
    commands: list[list[str] | None] = [
        [*python, OURS, "copy", str(moved), took],
        [*python, OURS, "triad", str(moved), took],
        [*python, NUMPYS, str(moved), took],
        [str(program), str(moved // 8), took, "copy"] if program else None,
        [str(program), str(moved // 12), took, "triad"] if program else None,
    ]
    return [moved, *(_told(command, environment) for command in commands)]


def table(rows: Sequence[Sequence[float | None]]) -> str:
    """Sizes down, peers across, in Markdown."""
    head = ["| bytes moved | " + " | ".join(PEERS) + " |", "|---" * (len(PEERS) + 1) + "|"]
    lines = [[size(row[0]), *(rate(one, "B/s") for one in row[1:])] for row in rows]
    return "\n".join([*head, *("| " + " | ".join(line) + " |" for line in lines)])


def _told(command: list[str] | None, environment: dict[str, str]) -> float | None:
    if command is None:
        return None
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
