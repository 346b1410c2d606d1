"""An edit of a suite file between runs: what it leaves alone is compared as ever, what it changes is said."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bench import cli
from bench.plan import discover
from bench.plan.fingerprint import identified
from bench.plan.plan import expand
from bench.plan.selection import Selection
from bench.run import manifest
from bench.store.journal import Entry
from tests.fakes.rows import WHEN
from tests.fakes.two_runs import run, timed
from tests.fakes.workers import finished_run

if TYPE_CHECKING:
    from pathlib import Path

    from bench.plan.plan import Plan

SUITE = '''
"""Two ops."""
import torch
from bench import Axis, Call, Suite

suite = Suite("twins", axes=[Axis("n", [8, 16])])
FACTOR = 3


def times(x):
    return x * FACTOR


@suite.op
def left(case):
    """An op with a helper."""
    return Call(times, case.randn(case["n"]))


@suite.op
def right(case):
    return Call(torch.neg, case.randn(case["n"]))


@right.reference
def right_reference(x):
    return -x
'''
HELPER = "def times(x):\n    return x * FACTOR\n\n\n"
EDITS = {
    "a comment": SUITE.replace("FACTOR = 3", "FACTOR = 3  # why three"),
    "a moved function": SUITE.replace(HELPER, "") + f"\n\n{HELPER}",
    "an added op": f"{SUITE}\n\n@suite.op\ndef more(case):\n    return Call(times, FACTOR)\n",
    "a changed reference": SUITE.replace("return -x", "return x.neg()"),
    "a docstring": SUITE.replace("An op with a helper.", "An op that has a helper."),
    "a size": SUITE.replace("[8, 16]", "[8, 16, 32]"),
}
CHANGED = SUITE.replace("FACTOR = 3", "FACTOR = 4")


def planned(folder: Path, text: str) -> Plan:
    """The plan of the suite as it is now."""
    path = folder / "twins.py"
    path.write_text(text, encoding="utf-8")
    loaded = [discover.load(path)]
    return identified(expand(loaded, Selection(short_axes=False), {}), loaded)


def keep(folder: Path, day: int, text: str, *, old: bool = False, **times_s: float) -> str:
    """A run of this suite, with times by op; `old` as from before rows had fingerprints."""
    plan = planned(folder, text)
    run_id = f"202612{day + 1:02}T000000Z-{day:06x}"
    rows = [
        timed(
            times_s.get(case.op, 1e-5) * (1 + 0.001 * (day % 3)),
            suite=case.suite,
            op=case.op,
            case=case.id,
            params=case.labels,
            fingerprint=None if old else case.fingerprint,
            started_at=WHEN + timedelta(days=day),
        )
        for case in plan.cases
    ]
    about = run(run_id, started_at=(WHEN + timedelta(days=day)).isoformat())
    about = dataclasses.replace(about, **manifest.code_of(plan))
    finished_run(folder / "results", about, *(Entry(record=row, samples=()) for row in rows))
    return run_id


@pytest.fixture(name="here")
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def compared(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code of a gate, and what it compared."""
    code = cli.main(["compare", *words, "--gate", "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("edit", EDITS)
def test_an_unrelated_edit_changes_nothing(
    edit: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All cases are judged, and the runs are comparable without a word."""
    base, new = keep(here, 0, SUITE), keep(here, 1, EDITS[edit])
    code, found = compared(capsys, base, new)
    assert (code, found["comparable"]["verdict"]) == (0, "yes")
    assert [one["verdict"] for one in found["cases"]] == ["same"] * 4
    assert not any(one["op_changed"] for one in found["cases"])


def test_a_changed_op_is_judged_and_flagged(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its slower times are a regression, as any; the other op is as it was."""
    base, new = keep(here, 0, SUITE), keep(here, 1, CHANGED, left=1.5e-5)
    code, found = compared(capsys, base, new)
    assert (code, found["comparable"]["verdict"]) == (3, "with-care")
    (told,) = (d for d in found["comparable"]["differences"] if d["matters"] != "no")
    assert (told["field"], told["matters"]) == ("op twins/left", "care")
    assert told["base"] != told["new"]
    said = {one["case"]: (one["verdict"], one["op_changed"]) for one in found["cases"]}
    assert said == {
        "twins/left[n=8]": ("slower", True),
        "twins/left[n=16]": ("slower", True),
        "twins/right[n=8]": ("same", False),
        "twins/right[n=16]": ("same", False),
    }
    assert all(
        one["reason"].endswith("; the op's code changed") == one["op_changed"]
        for one in found["cases"]
    )
    assert cli.main(["compare", base, new]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "comparable with care: op twins/left:" in out
    assert out.count("the op's code changed") == 2


def test_a_changed_op_s_trend_is_cut_and_another_s_is_not(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four runs, an edit that makes the op slower, four more: no step is made of that."""
    ids = [keep(here, day, SUITE) for day in range(4)]
    ids += [keep(here, day, CHANGED, left=1.5e-5, right=1.2e-5) for day in range(4, 8)]
    assert cli.main(["trend", "twins/left[n=8]", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["steps"], [one["run"] for one in found["runs"] if one["op_changed"]]) == (
        [],
        [ids[4]],
    )
    assert cli.main(["trend", "twins/left[n=8]"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"The op's code changed at {ids[4]} (torch 2.13.0): cut there. No step in 4 runs" in out
    assert cli.main(["trend", "twins/right[n=8]", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [step["after"] for step in found["steps"]] == [ids[4]]
    assert not any(one["op_changed"] for one in found["runs"])


@pytest.mark.parametrize(
    ("text", "verdict"), [(SUITE, "yes"), (EDITS["a comment"], "with-care")], ids=["same", "edited"]
)
@pytest.mark.parametrize("old", ["both", "base"])
def test_an_old_run_is_known_by_the_hash_of_its_suite(
    text: str, verdict: str, old: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its cases are judged either way."""
    base, new = keep(here, 0, SUITE, old=True), keep(here, 1, text, old=old == "both")
    code, found = compared(capsys, base, new)
    assert (code, found["comparable"]["verdict"]) == (0, verdict)
    assert [one["verdict"] for one in found["cases"]] == ["same"] * 4
    fields = [d["field"] for d in found["comparable"]["differences"] if d["matters"] == "care"]
    assert fields == (["suite twins"] if verdict == "with-care" else [])


def test_a_package_of_the_user_s_own_is_a_matter_of_care(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the suite calls may be what changed, though its own code did not."""
    monkeypatch.syspath_prepend(str(here))
    package = here / "mine_of_twins"
    package.mkdir()
    (package / "__init__.py").write_text("def f(x):\n    return x\n", encoding="utf-8")
    text = SUITE.replace("import torch\n", "import torch\nimport mine_of_twins\n")
    base = keep(here, 0, text)
    (package / "__init__.py").write_text("def f(x):\n    return -x\n", encoding="utf-8")
    new = keep(here, 1, text)
    code, found = compared(capsys, base, new)
    assert (code, found["comparable"]["verdict"]) == (0, "with-care")
    fields = [d["field"] for d in found["comparable"]["differences"] if d["matters"] == "care"]
    assert fields == ["package mine_of_twins"]
