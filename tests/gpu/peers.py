"""What other tools say a call takes on this GPU, beside what the profiler says of its kernels, and ours.

    python tests/gpu/peers.py --out DIR [--seconds 60] [--operator-benchmark DIR] [--only TOOL]
    python tests/gpu/peers.py --markdown DIR/peers.json

Ten calls and each tool; `DIR/peers.json` is whole after every answer, and a tool that breaks costs that
answer only. `--device cpu` rehearses it with small tensors on a machine without a GPU.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from tests.gpu.peer_cases import SUBJECTS
from tests.gpu.peer_programs import OPERATOR, PYTEST, by_operator_benchmark, by_pytest, by_witness
from tests.gpu.peer_sheet import (
    FILE,
    TOOLS,
    WITNESS,
    Cell,
    Found,
    Sheet,
    empty_cases,
    failed,
    markdown,
    table,
)
from tests.gpu.peer_timers import (
    OURS,
    Asked,
    asks,
    asks_by_profiler,
    give_back,
    ours,
    timed,
    versions,
    witnessed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

USUAL_S = 60.0
"""About what all tools together take of a GPU, beside starting programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Tools that are asked together."""

    tools: tuple[str, ...]
    ask: Callable[[Asked], Iterable[Found]]


def parts(wanted: Sequence[str]) -> list[Part]:
    """All that has one of these tools; the witness first, so that a session that is cut off has it."""
    own = {tool: ask for tool, ask in asks().items() if tool in wanted}
    watching = {tool: ask for tool, ask in asks_by_profiler().items() if tool in wanted}
    known = (
        Part(tools=(WITNESS,), ask=by_witness),
        Part(tools=OURS, ask=ours),
        Part(tools=tuple(own), ask=lambda asked: timed(asked, own)),
        Part(tools=tuple(watching), ask=lambda asked: timed(asked, watching)),
        Part(tools=PYTEST, ask=by_pytest),
        Part(tools=(OPERATOR,), ask=by_operator_benchmark),
    )
    return [part for part in known if set(part.tools) & set(wanted)]


def main(argv: Sequence[str] | None = None) -> int:
    """Ask every tool, print the table; 0 also where tools broke, since the table says so; 1 without a GPU."""
    options = _arguments(argv)
    if options.markdown:
        print(markdown(json.loads(options.markdown.read_text(encoding="utf-8"))))
        return 0
    if options.device == "cuda" and not torch.cuda.is_available():
        print("torch finds no CUDA device here; --device cpu rehearses", file=sys.stderr)
        return 1
    asked = Asked(
        subjects=[one for one in SUBJECTS if one.name in (options.case or [one.name])],
        device=options.device,
        scale=options.seconds / USUAL_S,
        operator_benchmark=options.operator_benchmark,
    )
    if options.witness:
        return _witness(asked, options.witness)
    path = options.out / FILE
    sheet = Sheet(path, _facts(asked, options.seconds), _rows(asked, path, options.only))
    for part in parts(options.only or list(TOOLS)):
        begun_s = time.perf_counter()
        fill(sheet, part, asked)
        give_back(asked.device)
        print(f"{', '.join(part.tools)}: {time.perf_counter() - begun_s:.1f} s", flush=True)
    told = json.loads(path.read_text(encoding="utf-8"))
    print(table(told), flush=True)
    return 0


def fill(sheet: Sheet, part: Part, asked: Asked) -> None:
    """Write down what a part says; where it breaks as a whole, what is left of it says so."""
    due = {(one.name, tool) for one in asked.subjects for tool in part.tools}
    missing = Cell(seconds=None, note="it said nothing")
    try:
        for found in part.ask(asked):
            due.discard((found.subject, found.tool))
            sheet.put(found)
    except Exception as error:  # noqa: BLE001 - it costs this part, no more
        missing = failed(error)
    for subject, tool in sorted(due):
        sheet.put(Found(subject, tool, missing))


def _witness(asked: Asked, path: Path) -> int:
    """In a process of its own: profile, and write what was seen."""
    told = {found.subject: asdict(found.cell) for found in witnessed(asked)}
    path.write_text(json.dumps(told), encoding="utf-8")
    return 0


def _rows(asked: Asked, path: Path, only: Sequence[str] | None) -> dict[str, Any]:
    """A row for each subject; where only some tools are asked, with what others said before."""
    rows = empty_cases(asked.sized)
    if only and path.is_file():
        rows |= json.loads(path.read_text(encoding="utf-8"))["cases"]
    return rows


def _facts(asked: Asked, seconds: float) -> dict[str, Any]:
    """What the answers were given on."""
    there = asked.operator_benchmark is not None and asked.operator_benchmark.is_dir()
    name = platform.processor() if asked.device == "cpu" else torch.cuda.get_device_name(0)
    return {
        "device": name,
        "rehearsal": asked.small,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "versions": {**versions(), OPERATOR: "as published" if there else None},
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "seconds": seconds,
    }


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help=f"the folder of {FILE}")
    parser.add_argument("--seconds", type=float, default=USUAL_S, help="about how long in all")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--operator-benchmark", type=Path, help="the published folder")
    parser.add_argument("--only", action="append", choices=list(TOOLS), help="ask this tool")
    names = [one.name for one in SUBJECTS]
    parser.add_argument("--case", action="append", choices=names, help="ask about this case")
    parser.add_argument("--markdown", type=Path, help="show this file as a table in Markdown")
    parser.add_argument("--witness", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if not (options.out or options.markdown or options.witness):
        parser.error("--out or --markdown is needed")
    if not options.seconds > 0:
        parser.error("there must be some time to measure in")
    return options


if __name__ == "__main__":
    sys.exit(main())
