"""Memory policies: rows of two are never compared, and every surface says which one a run had, if not the usual one.

One made-up run was measured with fresh memory, on a CPU and on a GPU, whose allocator reuses. `SURFACES` says what
each surface must say of it; of the same run with reused memory, none may say anything.
"""

from __future__ import annotations

import dataclasses
import io
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.analysis import rerun_command
from bench.analysis.claims.claim import CaseSelector, Claim, answers
from bench.analysis.claims.gpu_judge import overtakes
from bench.analysis.compare.comparability import comparability
from bench.analysis.compare.comparison import compare
from bench.analysis.compare.gate import NOT_COMPARABLE, gate
from bench.analysis.compare.latest import standing
from bench.analysis.compare.runs import lineup
from bench.analysis.crossover.crossovers import crossovers
from bench.analysis.pivot import crosstab
from bench.analysis.row_filter import parse
from bench.analysis.trend.trend import trend
from bench.experiment.crossover_search import Search, SearchStep
from bench.records import memory_policy
from bench.records.memory_policy import FRESH, POLICIES, REUSE, SYSTEM
from bench.report.html.compare_page import page as compare_page
from bench.report.html.compare_page import sentences
from bench.report.html.run_page import page as run_page
from bench.report.text.claims import claims_table
from bench.report.text.compare_markdown import markdown
from bench.report.text.compare_terminal import comparison_facts, comparison_table
from bench.report.text.crossover import (
    CrossoverNames,
    crossings_facts,
    crossings_table,
    search_table,
)
from bench.report.text.export import export
from bench.report.text.junit import junit
from bench.report.text.pivot import crosstab_table
from bench.report.text.run import run_table, runs_table
from bench.report.text.trend import trend_facts, trend_table
from bench.stats.crossing import crossover
from bench.store.load import load_records, load_rows, load_values
from bench.store.runs import StoredRun
from tests.fakes.rows import stored, timed_at, values
from tests.fakes.two_runs import BASE, NEW, run, timed
from tests.report.html.run_page.test_page import payloads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import RenderableType

    from bench.analysis.compare.comparison import Comparison
    from bench.records.record import Record
    from bench.store.runs import RunInfo

SIZES = (16, 64, 256)


def rows(
    policy: str | None, run_id: str = NEW, devices: tuple[str, ...] = ("cpu", "cuda"), **more: Any
) -> list[Record]:
    """A case of three sizes on each device; a GPU is the faster from some size on. None is what older versions wrote."""
    return [
        timed(
            1e-6 * n if device == "cpu" else 4e-5,
            params={"n": n, "dtype": "float32"},
            device=device,
            run_id=run_id,
            memory=policy and memory_policy.on(device, policy),
            **more,
        )
        for device in devices
        for n in SIZES
    ]  # fmt: skip


def about(policy: str | None, run_id: str = NEW, devices: tuple[str, ...] = ("cpu", "cuda")) -> RunInfo:  # fmt: skip
    """What such a run says of itself."""
    memory = {d: memory_policy.on(d, policy) for d in devices} if policy else {}
    return run(run_id, devices=devices, memory=memory)


def compared(before: str | None, after: str | None, *devices: str) -> Comparison:
    """Two such runs."""
    on = devices or ("cpu",)
    sides = (rows(before, BASE, on), rows(after, NEW, on))
    return compare(*sides, about(before, BASE, on), about(after, NEW, on))


def printed(table: RenderableType) -> str:
    """What a wide terminal shows."""
    file = io.StringIO()
    Console(file=file, width=300, no_color=True, legacy_windows=False).print(table)
    return file.getvalue()


@pytest.mark.parametrize(
    ("device", "variables", "policy"),
    [
        ("cpu", (), SYSTEM),
        ("cuda", (), REUSE),
        ("cuda:1", (), REUSE),
        ("xpu", (), REUSE),
        ("mps", ("PYTORCH_NO_CUDA_MEMORY_CACHING",), REUSE),
        ("cuda:1", ("PYTORCH_NO_CUDA_MEMORY_CACHING",), SYSTEM),
    ],
)
def test_a_row_that_names_no_policy_was_as_the_system_did(
    device: str, variables: tuple[str, ...], policy: str
) -> None:
    """A GPU's allocator reuses, unless it is told not to."""
    assert memory_policy.on(device, variables=variables) == policy


@pytest.mark.parametrize("policy", POLICIES)
def test_a_gpu_has_its_own_policy_whatever_the_cpu_has(policy: str) -> None:
    """Only the C library was told."""
    assert memory_policy.on("cpu", policy) == policy
    assert memory_policy.on("cuda", policy) == REUSE


def test_old_rows_are_read_as_they_were_measured(tmp_path: Path) -> None:
    """By every way of reading a store, so that filters and tables find them; named ones stay."""
    old = stored(tmp_path, [*rows(None), *rows(FRESH, devices=("cpu",), case="x")])
    found = [SYSTEM] * 3 + [REUSE] * 3 + [FRESH]
    assert [one.memory for one in load_records(old.folder)] == found
    assert list(load_rows(old.folder)["memory"]) == found
    columns = ("device", "memory")
    assert [one["memory"] for one in load_values(old.folder, columns=columns)] == found
    assert len(parse("memory=system").keep(load_records(old.folder))) == 3


POLICY = st.sampled_from([*POLICIES, None])


@given(POLICY, POLICY)
def test_two_policies_are_never_compared_and_one_always_is(
    before: str | None, after: str | None
) -> None:
    """Ratios stay; a row that names none is as one of `system`."""
    found = compared(before, after)
    same = (before or SYSTEM) == (after or SYSTEM)
    assert {one.verdict for one in found.cases} == {"same" if same else "unsure"}
    assert (found.comparable.verdict == "no") == (not same)
    assert all(one.ratio == pytest.approx(1) for one in found.cases)
    if not same:
        assert gate(found).exit_code == NOT_COMPARABLE
        assert f"--memory {before or SYSTEM}" in found.comparable.remedy


@pytest.mark.parametrize("policy", [SYSTEM, FRESH])
def test_rows_of_a_gpu_stay_comparable(policy: str) -> None:
    """It was not touched: only the CPU's rows are barred, and the runs are compared with care."""
    found = compared(policy, REUSE, "cpu", "cuda")
    said = {(one.device, one.verdict) for one in found.cases}
    assert said == {("cpu", "unsure"), ("cuda", "same")}
    assert found.comparable.verdict == "with-care"
    assert f"--memory {policy}" in found.comparable.remedy
    assert re.search(f"memory {policy} → reuse .*--memory {policy}", gate(found).sentence)
    assert sentences.mean(found, "the new run") is None
    assert compared(policy, REUSE, "cuda").comparable.verdict == "yes"
    assert compared(None, REUSE, "cuda").comparable.verdict == "yes"


def test_facts_whose_names_begin_alike_are_no_policies() -> None:
    """More memory in the machine is another machine, not another method."""
    bigger = {**run().machine, "memory_bytes": 2**40}
    found = comparability(run(machine={**bigger, "memory_bytes": 2**30}), run(NEW, machine=bigger))
    assert [
        (d.field, d.of_memory, d.meaning) for d in found.differences if d.matters == "care"
    ] == [("memory_bytes", False, "")]


def test_a_badge_passes_over_runs_of_another_policy() -> None:
    """The newest earlier run that can be compared is the base, as with another number of threads."""
    ids = [f"20261123T0{hour}0201Z-aaaaaa" for hour in range(3)]
    of = {i: rows(p, i, ("cpu",)) for i, p in zip(ids, (REUSE, None, REUSE), strict=True)}
    infos = [about(p, i, ("cpu",)) for i, p in zip(ids, (REUSE, None, REUSE), strict=True)]
    runs = [StoredRun(folder=None, info=info, finished=True) for info in infos]  # type: ignore[arg-type]
    found = standing(runs, lambda one: of[one.info.run_id])
    assert found is not None
    assert found.base is not None
    assert found.base.run_id == ids[0]


def test_a_trend_has_one_policy() -> None:
    """That of the newest row; the others are counted."""
    days = [*(rows(None, f"r{day}")[0] for day in range(4)), rows(REUSE, "r4")[0]]
    dated = [
        dataclasses.replace(r, started_at=r.started_at + timedelta(days=place))
        for place, r in enumerate(days)
    ]
    found = trend(dated, {})
    assert (found.memory, len(found.points), found.left_out) == (REUSE, 1, 4)
    assert "left out: 4 rows with other threads, caches or memory" in printed(
        trend_table(found, width=300)
    )
    assert trend_facts(found)["memory"] == REUSE


def test_a_curve_has_one_policy() -> None:
    """A CPU that was measured in two ways has two crossovers with its GPU, and none with itself."""
    both = [*rows(FRESH, "r1"), *rows(REUSE, "r2"), *rows(None, "r3", ("cpu",))]
    found = crossovers(both)
    assert [{r.memory_policy for r in one.rows if r.device == "cpu"} for one in found] == [
        {FRESH},
        {REUSE},
        {SYSTEM},
    ]
    threads = [*rows(FRESH, devices=("cpu",)), *rows(REUSE, devices=("cpu",), threads=4)]
    assert crossovers(threads) == []
    elsewhere = [*rows(FRESH, devices=("cpu",)), *rows(REUSE, devices=("cpu",), machine_id="m-2")]
    assert crossovers(elsewhere) == []


@pytest.mark.parametrize("policy", [*POLICIES, None])
def test_a_row_is_repeated_as_it_was_measured(policy: str | None) -> None:
    """The default needs no word, and no option reaches a GPU."""
    said = rerun_command.commands(rows(policy), {})
    words = "" if policy == REUSE else f" --memory {policy or SYSTEM}"
    assert said[0].endswith(f'dtype=float32"{words} --device cpu')
    assert "--memory" not in said[-1]


def searched(policy: str) -> str:
    """What the search of a crossover prints."""
    cpu, gpu = rows(policy)[:3], rows(policy)[3:]
    steps = tuple(
        SearchStep(size=n, one=a, other=b) for n, a, b in zip(SIZES, cpu, gpu, strict=True)
    )
    sides = [[timed_at(n, r.time_s or 0) for n, r in zip(SIZES, of, strict=True)] for of in (cpu, gpu)]  # fmt: skip
    found = Search(found=crossover(*sides), steps=steps, ended="tight", took_s=1.0)
    names = CrossoverNames(axis="n", one="cpu", other="cuda")
    return printed(search_table("mul", found, names, (), width=300))


def claimed(policy: str) -> str:
    """Whether the GPU is faster from some size on."""
    needs = (CaseSelector(op="matmul/square"), CaseSelector(op="matmul/square", device="cuda"))
    claim = Claim(id="x", sentence="x", sources=(), needs=needs, judge=overtakes())
    return printed(claims_table(answers([claim], [rows(policy)]), width=300))


def run_page_of(policy: str) -> str:
    """A run's page, with its captions, and the rows of its cases."""
    html = run_page.run_page(rows(policy), about(policy), single_file=False)
    shown = html + json.dumps(payloads(html), ensure_ascii=False)
    return re.sub(r'"memory", "reuse"|Option.*', "", shown)


def listed(policy: str) -> str:
    """The list of runs."""
    info = dataclasses.replace(about(policy), options={"preset": "quick"})
    return printed(runs_table([StoredRun(folder=None, info=info, finished=True)], width=300))  # type: ignore[arg-type]


def crossed(policy: str) -> str:
    """Crossovers of stored rows."""
    return printed(crossings_table(crossovers(rows(policy)), width=300))


def followed(policy: str) -> str:
    """A trend."""
    return printed(trend_table(trend(rows(policy)[:1], {}), width=300))


MIX = r"on cpu large results lie in fresh pages, on cuda results lie in memory that was used before"
NAMED = r"memory:? fresh on cpu"
SURFACES: dict[str, tuple[Callable[[str], str], list[str]]] = {
    "table": (
        lambda policy: printed(crosstab_table(crosstab(rows(policy), "device"), width=300)),
        [r"memory .*\(fresh, reuse\)"],
    ),
    "show": (lambda policy: printed(run_table(rows(policy), width=300)), [NAMED]),
    "markdown": (lambda policy: export(values(rows(policy)), about(policy), "markdown"), [NAMED]),
    "runs": (listed, ["quick, memory fresh"]),
    "trend": (followed, ["2 threads, memory fresh"]),
    "crossover": (crossed, [f"Devices differ in memory: {MIX}"]),
    "crossover, search": (searched, [f"Devices differ in memory: {MIX}"]),
    "claims": (claimed, [MIX]),
    "run page": (
        run_page_of,
        [
            rf"<li>Devices differ in memory: {MIX}",
            r"fresh on cpu",
            rf"Speedup[^\"]*{MIX}",
            rf"shaded is where[^\"]*{MIX}",
            "--memory fresh",
        ],
    ),
}
"""Surface → what it shows of a run with a policy, and what it must say of one with fresh memory."""


@pytest.mark.parametrize("surface", SURFACES)
def test_a_surface_names_a_policy_that_is_not_the_usual_one(surface: str) -> None:
    """And says nothing of the usual one, under which devices are alike."""
    shown, said = SURFACES[surface]
    text = shown(FRESH)
    assert [one for one in said if not re.search(one, text)] == []
    usual = shown(REUSE)
    assert [one for one in said if re.search(one, usual)] == []


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_has_the_column(form: str) -> None:
    """As the row has it."""
    assert re.search(r"\bfresh\b", export(values(rows(FRESH)), about(FRESH), form))


def test_json_of_crossovers_has_both_policies() -> None:
    """Of `one` and of `other`, beside their names."""
    (found,) = crossings_facts(crossovers(rows(FRESH)))["crossovers"]
    assert (found["one"], found["other"], found["memory"]) == ("cpu", "cuda", [FRESH, REUSE])


APART = compared(None, REUSE)
WORDS = "in the base the system chose where results lie, in the new run results lie in memory that was used before"


def page_of(devices: tuple[str, ...]) -> str:
    """The page of both runs."""
    infos = [about(None, BASE, devices), about(REUSE, NEW, devices)]
    return compare_page.page(lineup(infos, [rows(None, BASE, devices), rows(REUSE, NEW, devices)]))


REFUSALS: dict[str, Callable[[], str]] = {
    "terminal": lambda: printed(comparison_table(APART, width=300)),
    "gate": lambda: gate(APART).sentence,
    "junit": lambda: junit((APART, gate(APART))),
    "page": lambda: page_of(("cpu",)),
    "page, with a GPU": lambda: page_of(("cpu", "cuda")),
    "markdown": lambda: markdown(APART, gate(APART)),
}
"""What says why a run is not compared with one of an older version."""


@pytest.mark.parametrize("surface", REFUSALS)
def test_after_an_upgrade_it_is_said_in_words_why_runs_are_not_comparable(surface: str) -> None:
    """What differs, what that means, and how to measure as then."""
    text = REFUSALS[surface]()
    assert re.search(
        r"memory\W+system (→|and) reuse|memory.{0,200}system(</td><td>| \| )reuse", text
    )
    assert WORDS.lower() in text.lower()
    assert surface == "junit" or "--memory system" in text


def test_json_names_the_difference() -> None:
    """With its two values, and no key more than other differences have."""
    differences = comparison_facts(APART)["comparable"]["differences"]
    assert {"field": "memory", "base": SYSTEM, "new": REUSE, "matters": "yes"} in differences
