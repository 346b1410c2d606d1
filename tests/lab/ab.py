"""Is unchanged code called changed by `bench ab`, and is an injected change found? Both, again and again.

    nox -s ab -- --repeats 10 --budget 30

Prints a table in Markdown. Unchanged: an op beside itself. Changed: an op beside a twin that waits, after
each call, for a share of what the call has just taken.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.units import share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SUITE = Path(__file__).resolve().with_name("twins.py")
SHARE = "BENCH_LAB_TWIN_SHARE"
OPS = ("mul", "matmul")
VERDICTS = ("slower", "faster", "same", "unsure")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=10, help="of each comparison")
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of each comparison")
    parser.add_argument("--share", type=float, default=0.05, help="by which a twin takes longer")
    parser.add_argument("--workers", type=int, default=10, help="of each side")
    asked = parser.parse_args(argv)
    if asked.repeats < 1 or not asked.budget > 0 or not asked.share > 0:
        parser.error("there must be something to find, and time to find it in")
    found: dict[str, Counter[str]] = {"unchanged": Counter(), f"+{share(asked.share)}": Counter()}
    with tempfile.TemporaryDirectory(prefix="bench-ab-") as store:
        for turn in range(1, asked.repeats + 1):
            print(f"turn {turn} of {asked.repeats}", file=sys.stderr, flush=True)
            for kind, twin in zip(found, ("", "_longer"), strict=True):
                for op in OPS:
                    told = compared(f"twins/{op}", f"twins/{op}{twin}", asked, Path(store))
                    found[kind].update(verdicts(told))
    print(table(found))
    return 0


def compared(one: str, other: str, asked: argparse.Namespace, store: Path) -> dict[str, Any]:
    """What `bench ab` says of two ops, or of one against itself."""
    words = (str(SUITE), *dict.fromkeys((one, other)), "--device", "cpu", "--json")
    options = (
        "--budget",
        str(asked.budget),
        "--workers",
        str(asked.workers),
        "--store",
        str(store),
    )
    done = subprocess.run(
        [sys.executable, "-m", "bench", "ab", *words, *options],
        env={**os.environ, SHARE: str(asked.share)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def verdicts(told: Mapping[str, Any]) -> Iterable[str]:
    """The verdict of each case."""
    return [case["verdict"] for case in told["cases"]]


def table(found: Mapping[str, Counter[str]]) -> str:
    """How often each verdict was given, in Markdown."""
    head = [
        "| b is | comparisons | " + " | ".join(VERDICTS) + " |",
        "|---|---" + "|---" * len(VERDICTS) + "|",
    ]
    return "\n".join([*head, *(_row(kind, counts) for kind, counts in found.items())])


def _row(kind: str, counts: Counter[str]) -> str:
    total = counts.total()
    shares = [share(counts[name] / total) if total else "–" for name in VERDICTS]
    return "| " + " | ".join([kind, str(total), *shares]) + " |"


if __name__ == "__main__":
    sys.exit(main())
