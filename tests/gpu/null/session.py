"""The null-GPU session: torch's real CUDA build on a device that is not there, and what our commands make of it.

    python tests/gpu/null/session.py --torch 2.11.0
    python tests/gpu/null/session.py --python /opt/env/bin/python --only quick

Makes an environment with that release of torch (5 GB, kept in `.nox`), builds the stub, and plays the scenarios;
`--list` shows them. Ends with 1 where one of them does not hold.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gpu import session_steps
from tests.gpu.null.environment import ROOT, NoEnvironmentError, prepared
from tests.gpu.null.scenario import LOG, Ended, Made
from tests.gpu.null.scenarios import all_scenarios

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.gpu.null.environment import Environment
    from tests.gpu.null.scenario import Command, Scenario

TORCH = "2.11.0"
"""What a GPU machine of today has (November 2026)."""
FOLDER = ROOT / ".nox" / "null-gpu"


def main(argv: Sequence[str] | None = None) -> int:
    """Play the scenarios; 1 where one does not hold, 2 where there is no environment."""
    asked = _arguments(argv)
    named: list[str] = asked.only or []
    if asked.list:
        for one in all_scenarios("python", Path()):
            print(f"{one.name}: {one.what}{' (only if named)' if one.only_named else ''}")
        return 0
    try:
        here = prepared(asked.torch, asked.python, FOLDER)
    except NoEnvironmentError as error:
        print(error, file=sys.stderr)
        return 2
    work = (asked.out or FOLDER / f"results-{here.torch}").resolve()
    print(f"torch {here.torch} on the null GPU; what is made lies in {work}", flush=True)
    chosen = [
        one
        for one in all_scenarios(str(here.python), work)
        if (one.name in named if named else not one.only_named)
    ]
    failed = [one.name for one in chosen if not _holds(one, here, work)]
    if failed:
        print(f"do not hold: {', '.join(failed)}")
    return 1 if failed else 0


def _holds(scenario: Scenario, here: Environment, work: Path) -> bool:
    folder = work / scenario.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / session_steps.PYTEST_SETTINGS).write_text(
        session_steps.pytest_settings(), encoding="utf-8"
    )
    variables = here.variables({**scenario.settings, "LOG": str(folder / LOG)}, folder)
    ended = [_ended(command, variables, scenario.limit_s) for command in scenario.commands]
    for place, one in enumerate(ended, 1):
        (folder / f"command-{place}.txt").write_text(one.out + one.err, encoding="utf-8")
    try:
        problems = scenario.check(Made(work=folder, ended=tuple(ended)))
    except Exception as error:  # noqa: BLE001 - what can't be read is what this scenario has seen
        problems = [f"{type(error).__name__}: {error}".partition("\n")[0]]
    seconds = sum(one.seconds for one in ended)
    print(f"{'FAILED' if problems else 'holds '} {scenario.name}, {seconds:.0f} s: {scenario.what}")
    for line in problems:
        print(f"       {line}")
    sys.stdout.flush()
    return not problems


def _ended(command: Command, variables: Mapping[str, str], limit_s: float) -> Ended:
    began = time.monotonic()
    try:
        done = subprocess.run(
            command,
            env=variables,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as cut:
        out, err = (_text(stream) for stream in (cut.stdout, cut.stderr))
        return Ended(code=None, seconds=time.monotonic() - began, out=out, err=err)
    return Ended(
        code=done.returncode, seconds=time.monotonic() - began, out=done.stdout, err=done.stderr
    )


def _text(stream: bytes | str | None) -> str:
    """What a command that was cut off had printed: bytes, whatever was asked for."""
    return stream.decode(errors="replace") if isinstance(stream, bytes) else stream or ""


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--torch", default=TORCH, help=f"a release of torch; default: {TORCH}")
    parser.add_argument("--python", type=Path, help="an interpreter that has a CUDA build of torch")
    parser.add_argument("--out", type=Path, help="a folder for what scenarios leave")
    parser.add_argument("--list", action="store_true", help="show the scenarios and do nothing")
    names = [one.name for one in all_scenarios("python", Path())]
    parser.add_argument(
        "--only", action="append", choices=names, metavar="NAME", help="play this scenario"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
