"""Every surface says the same of a row that is wrong, failed, gone, or to be taken with care.

One made-up run has a row of each kind, and the run before it had them all in order, and one case more. What a
surface must say of them, and must not, is in `SURFACES`: the reason is named, no number of a wrong or failed row
is used, and a comparison says before all else what the new run lost.
"""

from __future__ import annotations

import dataclasses
import io
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rich.console import Console

from bench.analysis.claims.claim import CaseSelector, Claim, answers
from bench.analysis.claims.judges import cheaper
from bench.analysis.compare.comparison import compare
from bench.analysis.compare.gate import gate
from bench.analysis.compare.latest import standing
from bench.analysis.compare.runs import lineup
from bench.analysis.crossover.crossovers import crossovers
from bench.analysis.trend.trend import trend
from bench.experiment.ab import DecisionGoal, ab
from bench.experiment.ab_comparison import comparison
from bench.report.html.compare_page import page as compare_page
from bench.report.html.run_page import page as run_page
from bench.report.text.ab import SideNames, ab_facts, ab_table, reason
from bench.report.text.badge import badge
from bench.report.text.claims import claims_table
from bench.report.text.compare_markdown import as_csv, markdown
from bench.report.text.compare_terminal import comparison_facts, comparison_table
from bench.report.text.crossover import crossings_table
from bench.report.text.export import export
from bench.report.text.junit import junit
from bench.report.text.run import run_table
from bench.report.text.trend import trend_table
from bench.store.runs import StoredRun
from tests.fakes.rows import values
from tests.fakes.two_runs import BASE, NEW, run, timed
from tests.report.html.run_page.test_page import payloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from bench.experiment.ab import Result
    from bench.records.record import Record

TIMES = [f"time{at}{end}_s" for at in ("", "_at_reference") for end in ("", "_lo", "_hi")]
NONE = {**dict.fromkeys(TIMES), "correct": None}
KINDS: dict[str, dict[str, Any]] = {
    "good": {},
    "faulty": {"correct": False, "warnings": ("unchecked", "wrong-result")},
    "broken": {**NONE, "status": "failed", "reason": "boom"},
    "huge": {**NONE, "status": "oom", "reason": "no memory"},
    "empty": {"warnings": ("noisy", "below-overhead")},
    "miracle": {"warnings": ("implausible",), "roof": "DRAM bandwidth", "roof_share": 9.0},
    "torn": {
        "warnings": ("two-states",),
        "state_times_s": (1e-5, 2e-5),
        "state_shares": (0.5,) * 2,
    },
    "faulting": {
        "warnings": ("page-faults",),
        "state_times_s": (1e-5, 2e-5),
        "state_shares": (0.6, 0.4),
        "state_faults": (0.0, 3072.0),
    },
    "pushed": {"warnings": ("preempted",), "preempted_share": 0.3},
    "waiting": {"bound_by": "launch", "device_time_s": 1e-6},
    "vacuous": {
        "correct": None,
        "max_error": 0.0,
        "reason": "every input is 0 throughout",
        "warnings": ("vacuous-check",),
    },
    "meddling": {"warnings": ("state-changed",), "state_changed": ("num_threads: 2 → 1",)},
    "compiling": {
        "warnings": ("graph-break", "recompile-limit"),
        "graph_breaks": 2,
        "recompiles": 7,
        "python_warnings": ("UserWarning: take care",),
    },
    "littering": {"warnings": ("reference-cycles",)},
    "spending": {"warnings": ("inputs-changed", "few-rounds")},
}
LOSSES = {"faulty": "wrong", "broken": "failed", "huge": "failed", "vanished": "gone", "absent": "gone"}  # fmt: skip
WRONG_S, WRONG = 1.234e-9, r"1\.234? ns|1\.234e-09"
"""The time of the wrong result: faster than all others, as wrong results often are."""


def row(op: str, **values: Any) -> Record:
    """A case of 10 µs."""
    return timed(values.pop("time_s", 1e-5), suite="s", op=op, case=f"s/{op}[n=16]", **values)


def kind(op: str, run_id: str = NEW, **values: Any) -> Record:
    """The row of this kind in the new run."""
    quick = {"time_s": WRONG_S} if op == "faulty" else {}
    made = row(op, run_id=run_id, **quick)
    return dataclasses.replace(made, **{**KINDS[op], **values})


BEFORE, AFTER = [row(op, run_id=BASE) for op in KINDS], [kind(op) for op in KINDS]
ONCE = [*BEFORE, row("vanished", run_id=BASE), row("absent", run_id=BASE)]
SKIPPED: dict[str, Any] = {**NONE, "status": "skipped", "reason": "no CUDA"}
NOW = [*AFTER, dataclasses.replace(row("absent"), **SKIPPED)]
"""What is compared: a case more that the new run lacks, and one that it skipped."""
INFOS = run(BASE), run(NEW)
COMPARED = compare(ONCE, NOW, *INFOS)
GATE = gate(COMPARED)
PAIRED = SideNames(a="before", b="after")


class InTurn:
    """Both runs as the sides of `bench ab`, which took their rows' times."""

    alive, over = True, False

    def __init__(self) -> None:
        self.left = list(zip(BEFORE, AFTER, strict=True))
        self.waiting = len(self.left)

    def next_batch(self) -> list[Any]:
        """One case after the other."""
        self.waiting = max(0, self.waiting - 1)
        return [self] if self.left else []

    def round(self, _pairs: object, _number: int) -> None:
        """Nothing to wait for."""

    def cells(self) -> tuple[Any, Any]:
        """Both times, in four workers and forty rounds."""
        one, other = (np.full((4, 40), r.time_s or np.nan) for r in self.left[0])
        return one, other

    def keep(self, _pair: object, _ended: object) -> tuple[Record, Record]:
        """The rows."""
        return self.left.pop(0)


def printed(table: RenderableType) -> str:
    """What a wide terminal shows."""
    file = io.StringIO()
    Console(file=file, width=300, no_color=True, legacy_windows=False).print(table)
    return file.getvalue()


def in_turn(*, as_json: bool) -> str:
    """What `bench ab` prints."""
    found = measured_in_turn()
    if as_json:
        return "\n".join(map(json.dumps, ab_facts(found, PAIRED, ())["cases"]))
    return printed(ab_table(found, PAIRED, (), width=300))


def measured_in_turn() -> Result:
    """What `bench ab` finds."""
    return ab(InTurn(), DecisionGoal(budget_s=1e9), now_s=lambda: 0.0)


def gated_in_turn() -> str:
    """What `bench ab --gate --junit` hands over."""
    found = measured_in_turn()
    judged = comparison(found, *INFOS, why=lambda one: reason(one, 0.02))
    found_by_gate = gate(judged)
    document = junit((judged, found_by_gate))
    return f"{found_by_gate.exit_code} {found_by_gate.sentence}\n{lines(document)}"


def lines(document: str) -> str:
    """JUnit with a line for each test."""
    return document.replace(">\n   <", "> <")


def followed() -> str:
    """The trend of each case over a week, with the new run's row at its end."""
    days = [[row(op, run_id=f"run-{day}", started_at=at(day)) for day in range(6)] for op in KINDS]
    tables = [
        trend_table(trend([*past, kind(past[0].op, started_at=at(6))], {}), width=300)
        for past in days
    ]
    return "".join(f"{op}: {line}\n" for op, table in zip(KINDS, tables, strict=True) for line in printed(table).splitlines())  # fmt: skip


def at(day: int) -> Any:
    """A day of that week."""
    return BEFORE[0].started_at + timedelta(days=day)


def claimed() -> str:
    """Whether each case is cheaper than one that takes a second."""
    dear = row("dear", time_s=1.0)
    claims = [
        Claim(id=op, sentence=f"{op} is cheaper.", sources=(), needs=(CaseSelector(op=f"s/{op}"), CaseSelector(op="s/dear")), judge=cheaper())
        for op in KINDS
    ]  # fmt: skip
    return printed(claims_table(answers(claims, [[*AFTER, dear]]), width=300))


def crossed() -> str:
    """Each case against a GPU that takes twice as long."""
    gpu = [
        dataclasses.replace(r, device="cuda", time_s=2e-5, time_lo_s=1.9e-5, time_hi_s=2.1e-5)
        for r in BEFORE
    ]
    return printed(crossings_table(crossovers([*AFTER, *gpu]), width=300))


def page_of_the_run() -> str:
    """The page of the new run, without the table of its cases, which lies packed in it."""
    html = run_page.run_page(AFTER, INFOS[1], single_file=False)
    figures = {id_: value for id_, value in payloads(html).items() if id_.endswith("-figures")}
    return html + json.dumps(figures, ensure_ascii=False)


def page_of_both() -> str:
    """The page of the comparison, with all that lies packed in it."""
    html = compare_page.page(lineup(INFOS, [ONCE, NOW]))
    return html + json.dumps(payloads(html), ensure_ascii=False)


def picture() -> str:
    """The badge of both runs."""
    of = {BASE: ONCE, NEW: NOW}
    runs = [StoredRun(folder=None, info=info, finished=True) for info in INFOS]  # type: ignore[arg-type]
    return badge(standing(runs, lambda one: of[one.info.run_id]))


REASONS = [r"wrong-result \(1 of", "boom", "no memory", r"below-overhead \(1 of", r"implausible \(1 of", r"two-states \(1 of", r"vacuous-check \(1 of", r"state-changed \(1 of", r"graph-break \(1 of", r"recompile-limit \(1 of", r"reference-cycles \(1 of", r"inputs-changed \(1 of", r"few-rounds \(1 of", r"page-faults \(1 of", "3,072 fresh pages a call, 10.0 µs where memory was reused", r"preempted \(1 of"]  # fmt: skip
"""What a run's rows are said to have, where all of them are shown as they are."""
LEFT_OUT = [r"faulty.*wrong result", r"broken.*failed", r"huge.*oom"]
GONE = [r"vanished.*not there", r"absent.*skipped, no CUDA"]
LOST = "1 wrong result, 2 cases failed, 2 cases gone from the new run"
JUDGED = [r"good.*same", r"empty.*same", r"miracle.*same", r"waiting.*same", r"vacuous.*same", r"meddling.*same", r"compiling.*same", r"littering.*same", r"spending.*same", r"faulting.*same", r"pushed.*same"]  # fmt: skip
OPS = (
    r"good|empty|miracle|torn|waiting|vacuous|meddling|compiling|littering|spending|faulting|pushed"
)
SURFACES: dict[str, tuple[Callable[[], str], list[str], str]] = {
    "show": (
        lambda: printed(run_table(AFTER, width=200)),
        [*REASONS, r"faulty n=16 float32 .*¹³", r"broken .*failed", r"huge .*oom"],
        r"faulty n=16 float32 +1\.23 ns ± 1\.0 % +–\s*$",
    ),
    "markdown": (
        lambda: export(values(AFTER), INFOS[1], "markdown"),
        [*REASONS, r"faulty.*¹³", r"broken.*failed: boom", r"huge.*oom: no memory"],
        r"faulty.*1\.0 % \|",
    ),
    "csv": (
        lambda: export(values(AFTER), INFOS[1], "csv"),
        [r"faulty.*unchecked;wrong-result.*False", "broken.*failed,boom", "huge.*oom,no memory"],
        r"(broken|huge)\[.*1e-05,",
    ),
    "json": (
        lambda: export(values(AFTER), INFOS[1], "json"),
        [
            r'"wrong-result"\s*\]',
            r'"vacuous-check"\s*\]',
            r'"state_changed": \[\s*"num_threads: 2 → 1"',
            r'"graph_breaks": 2,\s*"recompiles": 7',
            r'"python_warnings": \[\s*"UserWarning: take care"',
            r'"correct": false',
            '"reason": "boom"',
            '"status": "oom"',
        ],
        "NaN",
    ),
    "run page": (
        page_of_the_run,
        [
            r"1 result differs from its reference \(s/faulty n=16 float32\)",
            r"1 result equals its reference and shows nothing \(s/vacuous n=16 float32: every input is 0",
            "boom",
            "two-states",
            "3,072 fresh pages a call, 10.0 µs where memory was reused",
        ],
        rf"{WRONG}|(nearest|Farthest|Highest)[^.]*(faulty|miracle|empty)",
    ),
    "comparison": (
        lambda: printed(comparison_table(COMPARED, width=200)),
        [
            *LEFT_OUT,
            *GONE,
            rf"\A{LOST}:\n  s/faulty",
            r"unsure +s/torn",
            r"same +s/good",
            r"same +s/waiting",
            "5 left out",
        ],
        rf"{WRONG}|(slower|faster) +s/",
    ),
    "comparison, markdown": (
        lambda: markdown(COMPARED, GATE),
        [
            *LEFT_OUT,
            *GONE,
            rf"\A\*\*{LOST}\*\*\n\n- .*faulty",
            "0 slower, 0 faster, 1 unsure, 11 same",
            r"torn.*two states",
            "Gate failed",
        ],
        WRONG,
    ),
    "comparison, json": (
        lambda: json.dumps(comparison_facts(COMPARED)),
        [
            '"faster": 0',
            '"missing": 5',
            '"geomean_ratio": 1.0,',
            *(rf'{op}[^}}]*"loss": "{loss}"' for op, loss in LOSSES.items()),
        ],
        rf"{WRONG}|(faulty|broken|huge|vanished|absent)[^}}]*_s",
    ),
    "comparison, csv": (
        lambda: as_csv(COMPARED),
        [*JUDGED, *(rf"s/{op}\[n=16\],cpu,,,,,,{loss}," for op, loss in LOSSES.items())],
        WRONG,
    ),
    "comparison, page": (
        page_of_both,
        [
            *LEFT_OUT,
            '"new: wrong result", "new: failed, boom", "new: oom, no memory"',
            r'"new: not there", "new: skipped, no CUDA"',
            r'"wrong", "failed", "failed"(, "[^"]*")*, "gone", "gone"',
            rf'class="findings">\n<li>{LOST}: s/faulty\[n=16\] on cpu, ',
            "two states in new only",
        ],
        WRONG,
    ),
    "gate": (
        lambda: f"{GATE.exit_code} {GATE.sentence}",
        [f"^6 Gate failed: {LOST}: s/faulty", *LEFT_OUT, "and 2 more", "--where"],
        "passed",
    ),
    "junit": (
        lambda: lines(junit((COMPARED, GATE))),
        [
            r'errors="5"',
            "faulty.*<error.*wrong result",
            "broken.*<error.*boom",
            "huge.*<error.*no memory",
            "vanished.*<error.*not there",
            "absent.*<error.*skipped",
            "torn.*<skipped",
        ],
        WRONG,
    ),
    "badge": (
        picture,
        [">1 wrong · 2 failed · 2 gone · 11 same · 1 unsure<", r"#b3261e"],
        "faster|slower|#2e7d32",
    ),
    "ab": (
        lambda: in_turn(as_json=False),
        [
            *LEFT_OUT,
            *JUDGED,
            "3 unsure, 12 same",
            r"\Awrong or failed, 3 cases:\n  s/faulty n=16 .*: b wrong result",
            "b failed: boom",
        ],
        rf"{WRONG}|(faulty|broken|huge).*(faster|slower|same)",
    ),
    "ab, json": (
        lambda: in_turn(as_json=True),
        [r'faulty.*"new_s": null, "ratio": null.*"reason": "b wrong result"', *LEFT_OUT, *JUDGED],
        WRONG,
    ),
    "ab, gate": (
        gated_in_turn,
        [
            "^6 Gate failed: 1 wrong result, 2 cases failed: s/faulty.*b wrong result",
            'errors="3"',
            "faulty.*<error.*b wrong result",
            "broken.*<error.*b failed: boom",
            "huge.*<error.*b oom: no memory",
            r"good.* time=.*\d\"( /)?>$",
        ],
        rf"{WRONG}|passed",
    ),
    "trend": (
        followed,
        [r"faulty.* wrong-result", r"broken.* failed", r"huge.* oom", r"empty.* below-overhead"],
        rf"{WRONG}|(faulty|broken|huge|empty): .*No step in 7",
    ),
    "claims": (
        claimed,
        [
            r"unsure +faulty.*\n.*its result is wrong",
            r"unsure +broken.*\n.*failed: boom",
            r"unsure +huge.*\n.*oom: no memory",
            *(rf"holds +{op}" for op in OPS.split("|")),
        ],
        WRONG,
    ),
    "crossover": (
        crossed,
        [rf"s/{op} .*cpu wins" for op in ("good", "miracle", "torn", "waiting", "vacuous")],
        rf"{WRONG}|faulty|broken|huge|empty",
    ),
}
"""Surface → what it shows, what it must say of the rows, and what it must not say."""


@pytest.mark.parametrize("surface", SURFACES)
def test_a_surface_names_the_reason_and_uses_no_number_that_it_may_not(surface: str) -> None:
    """As the table says."""
    shown, said, never = SURFACES[surface]
    text = shown()
    assert [one for one in said if not re.search(one, text, re.MULTILINE)] == []
    assert re.search(never, text, re.MULTILINE) is None
