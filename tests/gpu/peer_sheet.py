"""What each tool said of each subject: written down as it is heard, and shown as a table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.units import MISSING, number, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from tests.gpu.peer_cases import Subject

WITNESS = "profiler"
"""The tool beside whose answers all others stand."""
TOOLS = {
    WITNESS: "torch.profiler",
    "device_time_s": "`device_time_s`",
    "time_s": "`time_s`",
    "do_bench": "triton do_bench",
    "do_bench_median": "do_bench, median",
    "do_bench_cudagraph": "do_bench_cudagraph",
    "do_bench_proton": "do_bench_proton",
    "timer": "torch Timer",
    "pytest_synced": "pytest-benchmark, synchronized",
    "pytest_naive": "pytest-benchmark, as it comes",
    "operator_benchmark": "operator_benchmark",
}
"""Name → heading, in the order of the columns."""
FILE = "peers.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a tool said: seconds for one call, or nothing and why; the note may say how it came to it."""

    seconds: float | None
    note: str = ""


class Found(NamedTuple):
    """An answer, and of whom to what."""

    subject: str
    tool: str
    cell: Cell


class Sheet:
    """The answers so far, in a file that is whole after each of them."""

    def __init__(self, path: Path, facts: Mapping[str, Any], cases: Mapping[str, Any]) -> None:
        self._path = path
        self._told = {**facts, "cases": dict(cases)}

    def put(self, found: Found) -> None:
        """Write an answer down, in place of an earlier one."""
        cells = self._told["cases"][found.subject]["cells"]
        cells[found.tool] = {"seconds": found.cell.seconds, "note": found.cell.note}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".part")
        beside.write_text(json.dumps(self._told, indent=1) + "\n", encoding="utf-8")
        beside.replace(self._path)


def empty_cases(subjects: Iterable[Subject]) -> dict[str, Any]:
    """A row for each subject, without answers."""
    return {one.name: {"what": one.text, "size": one.size, "cells": {}} for one in subjects}


def failed(error: Exception) -> Cell:
    """What broke, in a line."""
    return Cell(seconds=None, note=f"{type(error).__name__}: {error}".partition("\n")[0][:300])


def table(told: Mapping[str, Any]) -> str:
    """The answers in columns of fixed width."""
    lines = [["case", *TOOLS.values()], *_rows(told)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(t.ljust(w) for t, w in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def markdown(told: Mapping[str, Any]) -> str:
    """The answers as a table in Markdown, and below it why some are missing."""
    lines = [["case", *TOOLS.values()], ["---"] * (1 + len(TOOLS)), *_rows(told)]
    rows = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*rows, *_reasons(told)])


def _rows(told: Mapping[str, Any]) -> list[list[str]]:
    return [[name, *_shown(one["cells"])] for name, one in told["cases"].items()]


def _shown(cells: Mapping[str, Any]) -> list[str]:
    """A text for each tool: the time, and how many times the witness's it is."""
    seen_s = cells.get(WITNESS, {}).get("seconds")
    return [_text(cells.get(tool, {}).get("seconds"), tool, seen_s) for tool in TOOLS]


def _text(said_s: float | None, tool: str, seen_s: float | None) -> str:
    if said_s is None:
        return MISSING
    if tool == WITNESS or not seen_s:
        return seconds(said_s)
    return f"{seconds(said_s)} (×{number(said_s / seen_s)})"


def _reasons(told: Mapping[str, Any]) -> Sequence[str]:
    """A line for each tool and reason, naming the cases."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for name, one in told["cases"].items():
        for tool, heading in TOOLS.items():
            cell = one["cells"].get(tool, {"seconds": None, "note": "not asked"})
            if cell["seconds"] is None:
                lacking.setdefault((heading, cell["note"]), []).append(name)
    every = len(told["cases"])
    lines = [
        f"- {heading}: {'all cases' if len(names) == every else ', '.join(names)}: {note}"
        for (heading, note), names in lacking.items()
    ]
    return ["", *lines] if lines else []
