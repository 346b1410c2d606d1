"""The pages that are opened: of runs that were made up, each with something of its own to go wrong."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.plan.case_id import case_id
from bench.report.html.build import INDEX, build_report
from tests.fakes import stored_runs as made_up
from tests.fakes.launches import launched
from tests.fakes.rows import RUN_ID, example, lost, record, stored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.records.record import Record
    from bench.store.runs import StoredRun

LONG = "antidisestablishmentarianism" * 6
HOSTILE = (
    "<img src=x onerror=\"alert('x')\"><script>alert('y')</script></script></title></textarea>"
    "<a href=\"javascript:alert('z')\">&amp;&lt;b&gt; %{y}  `|[red]\u2028\u202e {{ 7 * 7 }} ${7 * 7} ü 大 🐢"
)
"""Markup, scripts, the ends of elements that text may stand in, templates of several kinds, and plain letters
of several alphabets."""
SUITES = ("matmul", "mul", "view", "transfer")
CASES = 110
"""Ten more than a table shows at first."""
SAMPLES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where each page lies, by its name here; all of them in one folder but those of a single file.

    Runs have theirs; `compare` is two runs alike, `compare-all` is every run there is.
    """

    folder: Path
    index: Path
    run: Mapping[str, Path]
    """A page per run, with Plotly beside it."""
    alone: Mapping[str, Path]
    """The same with everything inside."""

    def __getitem__(self, name: str) -> Path:
        """`index`, a run's name, or `alone/` and a run's name."""
        if name == "index":
            return self.index
        form, slash, run = name.rpartition("/")
        return {"": self.run, "alone": self.alone}[form if slash else ""][run]


def build(folder: Path) -> Pages:
    """Make the runs and their pages."""
    runs = _runs(folder / "store")
    reports = folder / "reports"
    two = [runs["both"], runs["again"]]
    compared = {
        "compare-all": build_report(list(runs.values()), reports),
        "compare": build_report(two, reports),
    }
    alone = {
        "compare": build_report(two, folder / "alone", single_file=True),
        **{
            name: build_report([runs[name]], folder / "alone", single_file=True)
            for name in ("both", "hostile")
        },
    }
    pages = {name: reports / f"{run.info.run_id}.html" for name, run in runs.items()}
    return Pages(folder=folder, index=reports / INDEX, run={**pages, **compared}, alone=alone)


def _runs(store: Path) -> dict[str, StoredRun]:
    planned = made_up.cases(CASES, SUITES)
    found = {
        name: made_up.run(store, planned, number, on=made_up.computer(), samples=SAMPLES)
        for number, name in enumerate(("both", "again"))
    }
    for number, (name, rows) in enumerate(_rows().items(), start=2):
        run_id = f"{RUN_ID[:-6]}{number:06x}"
        own = [dataclasses.replace(r, run_id=run_id) for r in rows]
        label = HOSTILE if name == "hostile" else name
        hostile = {
            "tags": {HOSTILE: HOSTILE},
            "argv": ["bench", "run", HOSTILE],
            "machine": {"machine_id": "m-00000001", "name": HOSTILE, HOSTILE: [HOSTILE, LONG]},
            "options": {"preset": HOSTILE, "devices": [HOSTILE], "suites": [HOSTILE + ".py"]},
        }
        more = hostile if name == "hostile" else {}
        found[name] = stored(store, own, run_id=run_id, label=label, **more)
    return found


def _rows() -> dict[str, Sequence[Record]]:
    return {
        "cpu": example(),
        "hostile": hostile(),
        "empty": [],
        "failed": [lost("failed", "x"), lost("oom", None, params={"n": 4})],
        "skipped": [lost("skipped", "no kernel", "view", "t", params={})],
        "single": [record()],
        "gpu": [launched(device_time_cold_s=3e-6, kernels=(LONG,))],
        "unsized": [record("x", op, params={"kind": "a b"}) for op in ("a", "b")],
        "bare": [record(time_lo_s=None, time_hi_s=None, confidence=None)],
    }


def hostile() -> list[Record]:
    """Rows whose every text is an attack, or one very long word."""
    found = []
    for suite, op in ((HOSTILE, HOSTILE), (LONG, LONG), ("matmul", "square")):
        for n in (16, 64, 256):
            for device in ("cpu", "cuda"):
                params = {"n": str(n), "kind": HOSTILE, "dtype": HOSTILE}
                found.append(
                    record(
                        suite,
                        op,
                        params=params,
                        time_s=n * 1e-6,
                        flop=2.0 * n**3,
                        bytes=12.0 * n * n,
                        device=device,
                        device_name=HOSTILE,
                        machine=HOSTILE,
                        roof=HOSTILE,
                        roof_share=0.5,
                        kernels=(HOSTILE, LONG),
                        kernels_per_call=2.0,
                        bound_by="launch",
                        torch_version=HOSTILE,
                        warnings=(HOSTILE, "noisy"),
                    )
                )
    reasons = [HOSTILE, LONG]
    return [
        *found,
        *(
            lost("failed", why, HOSTILE, "other", params={"n": n})
            for n, why in enumerate(reasons, 1)
        ),
    ]


HOSTILE_CASE = case_id("matmul", "square", {"n": "16", "kind": HOSTILE, "dtype": HOSTILE})
