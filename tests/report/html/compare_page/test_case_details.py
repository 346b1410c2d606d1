"""The view of a case has what each run says of it, in the block that the table names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.report.html.compare_page.case_details import details
from bench.report.html.compare_page.cases import listing
from bench.report.html.view import anchor, unpacked
from tests.fakes.rows import HOSTILE, lost
from tests.fakes.several_runs import example, held, runs, sized

if TYPE_CHECKING:
    from bench.analysis.compare.runs import Lineup

NAMES = ("before", "after")


def blocks(found: Lineup, names: tuple[str, ...] = NAMES) -> tuple[Any, dict[str, Any]]:
    """The runs, and every case by its anchor with its cells in each of them, as the page unpacks them."""
    head, *rest = details(found, names, [None] * len(names))
    cells: list[Any] = []
    for place, payload in enumerate(rest):
        assert payload.id == f"cases-block-{place}"
        by_run = [zip(*fields, strict=True) for fields in unpacked(payload.packed)["runs"]]
        cells += [[list(cell) for cell in one] for one in zip(*by_run, strict=True)]
    known = {anchor(one): cell for one, cell in zip(found.cases, cells, strict=True)}
    return unpacked(head.packed), known


def test_every_case_is_in_the_block_that_the_table_names() -> None:
    """At the place that it has among those of its block."""
    found = held(runs(10, machines=True), *[sized(*[1e-5] * 90)] * 10)
    names = tuple("abcdefghij")
    _, *parts = details(found, names, [None] * 10)
    assert len(parts) > 1
    entries = listing(found, names).entries
    assert [entry.id for entry in entries] == [anchor(one) for one in found.cases]
    for number, part in enumerate(parts):
        count = sum(entry.block == number for entry in entries)
        assert {len(field) for run in part.value["runs"] for field in run} == {count}
    assert [entry.block for entry in entries] == sorted(entry.block for entry in entries)


def test_runs_of_a_case_stand_in_the_order_of_their_dates() -> None:
    """Whichever is the base."""
    infos = runs(3)[::-1]
    rows = [sized(time) for time in (3e-5, 2e-5, 1e-5)]
    head, known = blocks(held(infos, *rows), ("newest", "middle", "oldest"))
    assert [(run["name"], run["base"]) for run in head] == [
        ("oldest", False),
        ("middle", False),
        ("newest", True),
    ]
    ((oldest, _, newest),) = known.values()
    assert oldest[:4] == [
        "10.0 µs ± 1.0 %",
        "10.0 µs ± 1.0 %",
        "0.333 (0.327 to 0.340)",
        "◀ faster",
    ]
    assert newest[:5] == ["30.0 µs ± 1.0 %", "30.0 µs ± 1.0 %", "", "", ""]
    assert oldest[5:] == [1e-5, 9.9e-6, 1.01e-5, 1e-5, 9.9e-6, 1.01e-5]


def test_what_a_run_lacks_or_lost_has_no_number() -> None:
    """Nothing at all where it is not there, else the status with its reason."""
    gone = lost("oom", "too large", params={"n": 2, "dtype": "float32"})
    _, known = blocks(held(runs(2), sized(1e-5, 1e-5), [gone]))
    cells = [one[1] for one in known.values()]
    assert cells[0] == [None] * 11
    assert cells[1] == ["oom: too large", "", "", "failed", "", *[None] * 6]


def test_pages_of_runs_are_linked_where_they_are() -> None:
    """Data in a payload is text, whatever it holds."""
    head, *_ = details(example(), (HOSTILE, "x"), ["a.html", None])
    assert [run["href"] for run in json.loads(json.dumps(head.value))] == ["a.html", None]
