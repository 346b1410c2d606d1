"""A page escapes its data, fetches nothing, and gives every figure a name and its numbers."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from plotly.offline import get_plotlyjs

from bench.analysis.findings.findings import findings
from bench.report.html import render
from bench.report.html.run_page import page
from bench.report.html.view import unpacked
from tests.fakes.rows import HOSTILE, example, info, lost, on, record, valid

if TYPE_CHECKING:
    from bench.records.record import Record

VOID = {"meta", "input", "br", "wbr", "link", "img", "hr"}


class Page(HTMLParser):
    """A page as its elements and texts; complains about tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<path/>` opens nothing."""
        self.elements.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Check that it closes what is open."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note the text and the element around it."""
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """The attributes of every such element."""
        found = [attrs for name, attrs in self.elements if name == tag]
        return [a for a in found if all(a.get(k) == v for k, v in attributes.items())]


def made(rows: list[Record], *, single_file: bool = False, **values: object) -> tuple[str, Page]:
    """The page of these rows, as text and as elements."""
    html = page.run_page(rows, info(**values), single_file=single_file)
    return html, Page(html)


CASES = {
    "usual": example(),
    "two devices": [*example(), *on("cuda", example())],
    "one case": [record()],
    "nothing": [],
    "all failed": [lost("failed", "x"), lost("oom", None, params={"n": 4})],
    "only skips": [lost("skipped", "no kernel", "view", "t", params={})],
    "no sizes": [record("x", op, params={"kind": "a b"}) for op in ("a", "b")],
    "no intervals": [record(time_lo_s=None, time_hi_s=None)],
}


def payloads(html: str) -> dict[str, object]:
    """Everything that the page carries, by the ids of the elements."""
    found = re.findall(r'<script type="application/octet-stream" id="([^"]+)">(.*?)</script>', html)
    return {id_: unpacked(text) for id_, text in found}


@pytest.mark.parametrize("rows", CASES.values(), ids=CASES.keys())
def test_every_run_has_a_page(rows: list[Record]) -> None:
    """Its tags match, its ids are unique, and every row of the run is in its table and has details."""
    html, found = made(rows)
    ids = [attrs["id"] for _, attrs in found.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    carried = payloads(html)
    listed: Any = carried["cases-data"]
    assert listed["count"] == len(rows)
    assert len(set(listed["rows"].get("id", []))) == len(rows)
    for block, count in Counter(listed["rows"].get("block", [])).items():
        held: Any = carried[f"cases-block-{block}"]
        assert {len(column) for column in held.values()} == {count}


@pytest.mark.parametrize("rows", CASES.values(), ids=CASES.keys())
def test_every_figure_has_a_name_a_caption_and_its_numbers(rows: list[Record]) -> None:
    """A figure that can't be seen can be read."""
    html, found = made(rows)
    figures = found.all("figure")
    assert len(found.all("figcaption")) == len(figures)
    plots = [a for a in found.all("div") if "data-payload" in a and a.get("class") == "plot"]
    assert all(p.get("role") == "img" and p["aria-label"] for p in plots)
    assert len(plots) == len(figures)
    carried = payloads(html)
    for plot in plots:
        held = carried[plot["data-payload"]][plot["id"]]  # type: ignore[index]
        assert valid(held["figure"]).data  # type: ignore[union-attr]
        assert held["twin"]["rows"]
    twins = [a["data-twin"] for a in found.all("details") if "data-twin" in a]
    assert twins == [plot["id"] for plot in plots]


@pytest.mark.parametrize("rows", CASES.values(), ids=CASES.keys())
def test_every_view_is_in_the_navigation_and_has_a_heading(rows: list[Record]) -> None:
    """In the order in which they stand; a case has a view that nothing leads to but its address."""
    html, found = made(rows)
    views = [a["id"] for a in found.all("section") if a.get("class") == "view"]
    (ways,) = re.findall(r'<nav class="views".*?</nav>', html, re.DOTALL)
    assert re.findall(r'href="#([a-z]+)"', ways) == views[:-1]
    assert views[0] == "overview"
    assert views[-1] == "case"
    assert len(found.all("h2")) == len(views)


@pytest.mark.parametrize("single_file", [False, True])
def test_nothing_is_fetched(single_file: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Plotly is there once, beside the page or inside it; nothing has an address elsewhere."""
    html, found = made(example(), single_file=single_file)
    links = [a[k] for _, a in found.elements for k in ("src", "href", "action") if k in a]
    assert [link for link in links if re.match(r"(?i)\w+:|//", link)] == []
    (plotly,) = found.all("script", id="plotly")
    assert plotly.get("data-src") == (None if single_file else "plotly.min.js")
    assert html.count("* plotly.js v") == single_file
    assert "http://" not in html.replace(get_plotlyjs(), "")
    assert "https://" not in html.replace(get_plotlyjs(), "")


@pytest.mark.parametrize("single_file", [False, True])
def test_the_policy_allows_the_scripts_that_are_there_and_no_others(
    single_file: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Every script inside the page is named in the policy by its hash; else only files beside it run."""
    html, found = made(example(), single_file=single_file)
    (policy,) = found.all("meta", **{"http-equiv": "Content-Security-Policy"})
    held = r'<script(?: type="text/plain" id="plotly")?>(.*?)</script>'
    scripts = re.findall(held, html, re.DOTALL)
    assert len(scripts) == 2 * single_file
    assert ("'self' file:" in policy["content"]) != single_file
    for source in scripts:
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy["content"]
    assert "default-src 'none'" in policy["content"]
    assert "style-src 'unsafe-inline'" in policy["content"]
    assert "'unsafe-eval'" not in policy["content"]


def test_no_data_becomes_markup() -> None:
    """Labels, reasons, names and tags are shown as they were written."""
    params = {"n": 4, "kind": HOSTILE}
    rows = [
        record(HOSTILE, HOSTILE, params=params, device=HOSTILE, dtype=HOSTILE, warnings=(HOSTILE,)),
        lost("failed", HOSTILE, HOSTILE, "other", params={"n": 8}),
        record(HOSTILE, HOSTILE, params={**params, "n": 16}, device_name=HOSTILE),
    ]
    html, found = made(
        rows,
        label=HOSTILE,
        tags={HOSTILE: HOSTILE},
        argv=["bench", HOSTILE],
        machine={"name": HOSTILE, HOSTILE: [HOSTILE]},
        options={"preset": HOSTILE, "devices": [HOSTILE], "suites": [HOSTILE + ".py"]},
    )
    assert "<b onmouseover" not in html
    assert not [a for _, a in found.elements if "onmouseover" in a]
    assert HOSTILE in [text for tag, text in found.texts if tag == "h1"]
    for attrs in found.all("script", type="application/json"):
        (body,) = re.findall(rf'id="{attrs["id"]}">(.*?)</script>', html)
        json.loads(body)
    assert payloads(html)


def test_a_page_carries_what_the_index_says_of_it() -> None:
    """So that an index can be made from pages alone."""
    html, _ = made(example())
    facts = render.facts_in(html)
    assert facts == {**page.facts(info()), "found": findings(example())[0]}
    assert render.facts_in("<p>not ours</p>") is None
    assert render.facts_in('<script type="application/json" id="facts">{</script>') is None


def test_failures_are_on_the_page_with_their_reasons() -> None:
    """Nothing is lost."""
    _, found = made(example())
    texts = [text for _, text in found.texts]
    assert "no answer within 60 s" in texts
    assert "RuntimeError: [red]boom[/red] <b>" in texts
    assert "3 cases of view" in texts


def test_only_warnings_that_occur_are_explained() -> None:
    """With their counts."""
    _, found = made(example())
    headings = " ".join(text for tag, text in found.texts if tag == "h4")
    assert "noisy" in headings
    assert "below-overhead" not in headings
    _, quiet = made([record()])
    assert quiet.all("section", id="warnings") == []


def test_claims_of_the_course_are_on_the_page_where_a_run_answers_one() -> None:
    """With verdict, numbers and source, and a way to them; else there is no such view."""
    views = [record("view", "view", params={"n": n}, time_s=4e-7) for n in (16, 1024)]
    html, found = made([*example(), *views])
    assert len(found.all("section", id="claims")) == 1
    assert len(found.all("a", href="#claims")) == 1
    assert '<tr><th scope="row">holds</th><td>Giving a tensor another shape with view' in html
    assert "PyTorch is an open-source machine learning library: resizing with view" in html
    _, found = made([record()])
    assert found.all("section", id="claims") + found.all("a", href="#claims") == []


def test_filters_are_offered_only_where_they_choose() -> None:
    """A list of one is no choice."""
    _, found = made([*example(), *on("cuda", example())])
    names = ["suite", "op", "dtype", "device", "status", "warning"]
    assert [s["name"] for s in found.all("select")][: len(names)] == names
    _, one = made([record()])
    assert one.all("select") == []
