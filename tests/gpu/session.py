"""All that is to be done on a machine with a GPU, in one command, without a network or an installation.

    python tests/gpu/session.py --minutes 10 --out gpu-results

Makes what fits into so many minutes, the most telling steps first; without `--minutes` all of them,
sweeps of an hour and more included. `--dry-run` shows what would be made, `--list` all steps,
`--only NAME` makes one of them (several times for several). Nothing stops at a failure. After each step
everything is in `gpu-results/session.tgz`, as it lies in `gpu-results/work`.

A session that was cut off goes on in the same folder, or where its archive was unpacked: a run that
finished is not made again, whatever became of its cases, unless its step is named.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.gpu import session_archive, session_commands, session_steps
from tests.gpu.facts import NO_GPU
from tests.gpu.session_steps import FACTS, Step, store_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.gpu.session_commands import Ended

    Run = Callable[[Sequence[str], Path, float], Ended]
    """Runs a command, with its output in a file, for so many seconds at most."""
    Clock = Callable[[], float]

OUT = Path("gpu-results")
WORK, ARCHIVE = "work", "session.tgz"
TIMES, THERE = "times.json", "steps.json"
"""In the folder `work`: every command and how it ended; the commands whose results are there."""
RESERVE_S = 8.0
"""Of the minutes, for ending what is cut off and writing the archive."""
SHOWN_LINES, SHOWN_WIDTH = 12, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Where results go, how commands are run, and when all must have ended."""

    out: Path
    run: Run
    clock: Clock
    end_s: float
    failures: list[str] = field(default_factory=list)

    @property
    def work(self) -> Path:
        """The folder of everything but the archive."""
        return self.out / WORK

    def left_s(self) -> float:
        """Seconds until all must have ended."""
        return self.end_s - self.clock()

    def make(self, step: Step, there: dict[str, Any]) -> list[Ended]:
        """Make a step's commands, those that are not there and still fit; then the archive."""
        print(f"== {step.described()}", flush=True)
        try:
            return [
                self._command(step, place, command, there)
                for place, command in enumerate(step.commands, 1)
                if str(place) not in there and self._fits(step)
            ]
        finally:
            self._pack()

    def _fits(self, step: Step) -> bool:
        why_not = session_steps.why_not_made(step, self.left_s(), there=False)
        if why_not:
            print(f"{step.name}: {why_not}", flush=True)
        return not why_not

    def _command(
        self, step: Step, place: int, command: tuple[str, ...], there: dict[str, Any]
    ) -> Ended:
        """Run a command, show the end of what it printed, and note what became of it."""
        before = _finished(store_of(command))
        log = self.work / f"{step.name}.txt"
        limit_s = min(step.seconds.limit, self.left_s())
        ended = self.run(command, log, limit_s)
        for line in session_commands.tail(log, SHOWN_LINES, SHOWN_WIDTH):
            print(f"  {line}")
        runs = sorted(_finished(store_of(command)) - before)
        is_there = bool(runs) if store_of(command) else ended.code == 0
        if is_there:
            there[str(place)] = {"code": ended.code, "runs": runs}
            self._note_there(step.name, there)
        else:
            self.failures.append(step.name)
        how = "ok" if is_there else "FAILED"
        print(f"{step.name}: {how}, {ended.words}{self._left_in_words()}", flush=True)
        self._note_time(step, command, limit_s, ended)
        return ended

    def _left_in_words(self) -> str:
        return "" if math.isinf(self.end_s) else f"; {max(self.left_s(), 0):.0f} s left"

    def _note_there(self, name: str, there: dict[str, Any]) -> None:
        path = self.work / THERE
        _write(path, {**_read(path, {}), name: there})

    def _note_time(
        self, step: Step, command: tuple[str, ...], limit_s: float, ended: Ended
    ) -> None:
        path = self.work / TIMES
        entry = {
            "step": step.name,
            "command": list(command),
            "estimate_s": step.seconds.estimate,
            "limit_s": round(limit_s, 1),
            "seconds": round(ended.seconds, 1),
            "code": ended.code,
        }
        _write(path, [*_read(path, []), entry])

    def _pack(self) -> None:
        """Write the archive anew; if that can't be done, the results are still in their folder."""
        try:
            left_out = session_archive.pack(self.work, self.out / ARCHIVE)
        except OSError as error:
            print(f"the archive could not be written: {error}", file=sys.stderr, flush=True)
            return
        if left_out:
            print(f"too large for the archive: {', '.join(left_out)}", flush=True)


def main(
    argv: Sequence[str] | None = None, run: Run | None = None, clock: Clock | None = None
) -> int:
    """Make the steps; 1 where a command failed or was cut off, or where there is no GPU."""
    asked = _arguments(argv)
    now = clock or time.monotonic
    end_s = now() + 60 * asked.minutes - RESERVE_S
    out = asked.out.resolve()
    work = out / WORK
    named: list[str] = asked.only or []
    chosen = [s for s in session_steps.all_steps(work) if s.name in (named or [s.name])]
    if asked.list:
        print("\n".join(step.described() for step in chosen))
        return 0
    there = {} if named else _there(work, chosen)
    if asked.dry_run:
        done = [step.name for step in chosen if _is_whole(step, there)]
        print(plan_in_words(chosen, end_s - now(), done))
        return 0
    work.mkdir(parents=True, exist_ok=True)
    (work / session_steps.PYTEST_SETTINGS).write_text(
        session_steps.pytest_settings(), encoding="utf-8"
    )
    environment = session_commands.environment(work, os.environ)
    here = run or partial(session_commands.run, environment=environment)
    return made(Session(out=out, run=here, clock=now, end_s=end_s), chosen, there)


def made(session: Session, chosen: Sequence[Step], there: dict[str, dict[str, Any]]) -> int:
    """Make what fits, whatever becomes of each; all ends early only where there is no GPU."""
    for step in chosen:
        why_not = session_steps.why_not_made(step, session.left_s(), there=_is_whole(step, there))
        if why_not:
            print(f"{step.name}: {why_not}", flush=True)
            continue
        ended = session.make(step, there.get(step.name, {}))
        if step.name == FACTS and [one.code for one in ended] == [NO_GPU]:
            print("torch finds no CUDA device here, so nothing was tested", file=sys.stderr)
            break
    if session.failures:
        failed = ", ".join(dict.fromkeys(session.failures))
        print(f"failed: {failed}; see {session.work}/NAME.txt", flush=True)
    return 1 if session.failures else 0


def plan_in_words(chosen: Sequence[Step], left_s: float, there: Sequence[str]) -> str:
    """The steps that fit by their estimates, with their commands, and those that don't."""
    lines = []
    total_s = 0.0
    for turn in session_steps.planned(chosen, left_s, there):
        if turn.why_not:
            lines.append(f"{turn.step.name}: {turn.why_not}")
            continue
        cut = f"; cut off after the {turn.limit_s:.0f} s that are left"
        shortened = turn.limit_s < turn.step.seconds.limit
        lines.append(turn.step.described() + (cut if shortened else ""))
        lines += turn.step.pasteable()
        total_s += min(turn.step.seconds.estimate, turn.left_s)
    limit = "" if math.isinf(left_s) else f" of {left_s:.0f} s"
    return "\n".join(
        [*lines, f"about {total_s:.0f} s{limit}, {RESERVE_S:.0f} s aside for the archive"]
    )


def _finished(store: Path | None) -> set[str]:
    """The runs of a store that finished: such a folder has a manifest."""
    return {path.parent.name for path in store.glob("*/run.json")} if store else set()


def _there(work: Path, chosen: Sequence[Step]) -> dict[str, dict[str, Any]]:
    """Step → its commands, by their place from 1 on, whose results are there."""
    found: dict[str, dict[str, Any]] = _read(work / THERE, {})
    return {
        step.name: found[step.name] for step in chosen if step.name in found and not step.each_time
    }


def _is_whole(step: Step, there: dict[str, dict[str, Any]]) -> bool:
    return len(there.get(step.name, {})) == len(step.commands)


def _read(path: Path, otherwise: Any) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else otherwise


def _write(path: Path, value: Any) -> None:
    """Whole or not at all, since the machine may go away at any time."""
    partial_path = path.with_suffix(".partial")
    partial_path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    partial_path.replace(path)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, help="a folder for all that is found")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="make what fits into these; default: all"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be made")
    parser.add_argument("--list", action="store_true", help="show the steps and do nothing")
    names = [step.name for step in session_steps.all_steps(OUT)]
    parser.add_argument(
        "--only", action="append", choices=names, metavar="NAME", help="make this step"
    )
    return parser.parse_args(argv)


def _end_in_order(number: int, frame: object) -> None:  # noqa: ARG001 - Python's signature
    """A request to end is an exception, so that commands are ended and the archive is written."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end_in_order)
    sys.exit(main())
