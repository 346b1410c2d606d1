"""What machine this is, and what is installed: printed, for whoever reads the results elsewhere.

    python tests/gpu/facts.py

Ends with 3 where torch finds no CUDA device. Nothing is set, and only children import torch: the first
import of all is timed, while no file of it has been read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata

NO_GPU = 3
"""The exit code where torch finds no CUDA device."""
PACKAGES = (
    "torch",
    "triton",
    "nvidia-ml-py",
    "numpy",
    "pandas",
    "pyarrow",
    "psutil",
    "scipy",
    "typer",
    "rich",
    "jinja2",
    "plotly",
    "pytest",
    "pytest-benchmark",
    "hypothesis",
)
IMPORT = """
import sys, time
began = time.perf_counter()
import torch
print(f"import of torch {torch.__version__}: {time.perf_counter() - began:.2f} s", flush=True)
if not torch.cuda.is_available():
    print("torch finds no CUDA device here")
    sys.exit(3)
began = time.perf_counter()
torch.zeros(1, device="cuda").add_(1).item()
print(f"context and first kernel: {time.perf_counter() - began:.2f} s")
print(torch.cuda.get_device_properties(0), torch.cuda.device_count())
"""
PROGRAMS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("nvidia-smi",), 40),
    (("nvidia-smi", "-q", "-d", "COMPUTE,PERFORMANCE,CLOCK,POWER"), 90),
    (("lscpu",), 30),
    (("free", "-g"), 4),
    (("nproc",), 1),
    ((sys.executable, "-m", "pytest", "--version"), 4),
)
"""Programs, and how many lines of each are of use."""
_PATIENCE_S = 60
_LOST = 127
"""What a shell says of a program that there is not."""


def main() -> int:
    """Print all of it, the shortest last: 3 where there is no CUDA device, else 0."""
    imports = [_ran((sys.executable, "-c", IMPORT)) for _ in range(2)]
    for words, lines in PROGRAMS:
        print("\n".join(_ran(words)[1].splitlines()[:lines]), flush=True)
    print(f"Python {sys.version}")
    print(", ".join(f"{name} {_version(name)}" for name in PACKAGES))
    print(f"cores that this process may use: {sorted(os.sched_getaffinity(0))}")
    print("".join(said for _, said in imports).rstrip())
    return NO_GPU if NO_GPU in {code for code, _ in imports} else 0


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "is not installed"


def _ran(words: tuple[str, ...]) -> tuple[int, str]:
    """The exit code of a program, and what it printed."""
    try:
        ended = subprocess.run(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _LOST, f"{words[0]}: {error}\n"
    return ended.returncode, ended.stdout


if __name__ == "__main__":
    sys.exit(main())
