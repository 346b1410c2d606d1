"""What this GPU really does, measured without any of `bench`: what its estimates and limits are made from.

    python tests/gpu/probe.py --out DIR [SECTION ...]

Appends a line of JSON for each section to `DIR/probe.jsonl`; without a name all sections are measured,
in some 70 s. Needs torch, and pynvml for what the driver says. A section that fails says why, and the
others go on. Nothing about the GPU is set.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.gpu import probe_capture, probe_clock, probe_launch, probe_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Section = Callable[[], dict[str, Any]]

SECTIONS: tuple[Section, ...] = (
    probe_launch.drain,
    probe_launch.events,
    probe_launch.gaps,
    probe_launch.depth,
    probe_clock.spins,
    probe_clock.nvml,
    probe_clock.affinity,
    probe_memory.flush,
    probe_memory.matmul,
    probe_memory.bandwidth,
    probe_capture.profiler,
    probe_capture.captures,
)
"""Captures last: a refused one can spoil the process."""
RESULTS = "probe.jsonl"
_SHOWN = 600
_ERROR = 300


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the sections that were asked for, in the order of `SECTIONS`; always 0."""
    asked = _arguments(argv)
    asked.out.mkdir(parents=True, exist_ok=True)
    with (asked.out / RESULTS).open("a", encoding="utf-8") as results:
        for section in SECTIONS:
            if section.__name__ in (asked.section or [section.__name__]):
                line = json.dumps(measured(section), default=str)
                results.write(line + "\n")
                results.flush()
                print(line[:_SHOWN], flush=True)
    return 0


def measured(section: Section) -> dict[str, Any]:
    """What a section found, or the error that ended it, and how long it took."""
    began = time.perf_counter()
    try:
        found = section()
    except Exception as error:  # noqa: BLE001 - whatever broke is what this section has seen
        found = {"error": repr(error)[:_ERROR]}
    took_s = round(time.perf_counter() - began, 1)
    return {"section": section.__name__, "took_s": took_s, "found": found}


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    names = [section.__name__ for section in SECTIONS]
    where = Path(os.environ.get("OUT", "."))
    parser.add_argument("--out", type=Path, default=where, help=f"the folder of {RESULTS}")
    parser.add_argument("section", nargs="*", help=f"of these: {', '.join(names)}")
    asked = parser.parse_args(argv)
    if unknown := sorted(set(asked.section) - set(names)):
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(names)}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
