"""A run → one page of HTML: what is on it, in which order. How it looks is the templates' business.

Jinja escapes everything; the only exceptions are our own script and style, and JSON made safe here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from bench.analyse import findings, grid, notes
from bench.analyse.claims import answers
from bench.analyse.course import COURSE
from bench.report import identity, sections, tables, theme, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.record import Record
    from bench.store.runs import RunInfo

PLOTLY = "plotly.min.js"
_JSON_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
_FLAG = re.compile(r"(?<!\S)--[a-z][a-z-]*(?: \d+)?")
_FACTS_ID = "facts"


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter of the full table: its name and what can be chosen."""

    name: str
    options: tuple[str, ...]


def run_page(records: Sequence[Record], info: RunInfo, *, single_file: bool) -> str:
    """The page of a run, with Plotly inside it or beside it."""
    found = grid.in_reading_order(records)
    look = theme.look(found)
    known = notes.notes(r for r in found if r.status == "ok")
    missing = notes.unmeasured(found)
    return _render(
        "run.html",
        plotly=Markup(get_plotlyjs()) if single_file else None,  # noqa: S704 - plotly's own
        sources=[get_plotlyjs()] if single_file else [],
        facts=facts(info),
        info=info,
        headline=identity.headline(info, found),
        outcomes=identity.outcomes(found),
        findings=findings.findings(found),
        sections=sections.sections(found, look),
        course=sections.course(answers(COURSE, [found])),
        look=look,
        theme=theme,
        rows=tables.full(found, known, info.options),
        choices=_choices(found),
        several_devices=len(grid.ranked_devices(found)) > 1,
        notes=known,
        missing=[
            (g, words.who(g, f"{g.records[0].suite}/{grid.title(g.records[0])}")) for g in missing
        ],
        groups=identity.groups(info),
        confidence=identity.confidence(found),
        command=shlex.join(info.argv),
    )


def index_page(pages: Sequence[dict[str, Any]]) -> str:
    """The list of pages, in the order given."""
    return _render("index.html", sources=[], pages=pages)


def facts(info: RunInfo) -> dict[str, str]:
    """What the index says of a run; every page carries its own."""
    return {
        "run_id": info.run_id,
        "when": words.when(info.started_at),
        "label": info.label or "",
        "machine": words.machine_name(info),
        "devices": words.listed(info.options.get("devices")),
        "torch": words.torch_version(info),
        "cases": words.counted(info.counts),
    }


def facts_in(html: str) -> dict[str, str] | None:
    """The facts a page carries, or None if it isn't one of ours."""
    _, found, rest = html.partition(f'<script type="application/json" id="{_FACTS_ID}">')
    try:
        values = json.loads(rest.partition("</script>")[0]) if found else None
    except ValueError:
        return None
    return {str(k): str(v) for k, v in values.items()} if isinstance(values, dict) else None


def safe_json(value: Any) -> Markup:
    """JSON that can stand inside a script element, whatever the data holds."""
    text = value.to_json() if hasattr(value, "to_json") else json.dumps(value, ensure_ascii=False)
    return Markup(text.translate(_JSON_UNSAFE))  # noqa: S704 - this makes it safe


def flags(text: str) -> Markup:
    """Text with its command-line options set as code, so that no line breaks inside them."""
    return Markup(_FLAG.sub(r"<code>\g<0></code>", str(escape(text))))  # noqa: S704 - escaped here


def _choices(records: Sequence[Record]) -> list[Choice]:
    columns = {
        "suite": [r.suite for r in records],
        "op": [r.op for r in records],
        "dtype": grid.ranked_dtypes(records),
        "device": grid.ranked_devices(records),
        "status": [r.status for r in records],
    }
    found = {name: tuple(dict.fromkeys(values)) for name, values in columns.items()}
    return [Choice(name, options) for name, options in found.items() if len(options) > 1]


def _render(template: str, *, sources: Sequence[str], **values: Any) -> str:
    script = _source("page.js")
    hashes = [_hash(source) for source in (*sources, script)]
    page: str = (
        _environment()
        .get_template(template)
        .render(
            **values,
            script=Markup(script),  # noqa: S704 - a file of this package
            style=Markup(_source("page.css")),  # noqa: S704 - as above
            script_hashes=Markup(" ".join(f"'{h}'" for h in hashes)),  # noqa: S704 - base64
        )
    )
    return page


def _hash(source: str) -> str:
    """A script as a content security policy names it."""
    digest = hashlib.sha256(source.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["safe_json"] = safe_json
    environment.filters["flags"] = flags
    return environment


def _source(name: str) -> str:
    loader = _environment().loader
    assert loader is not None  # noqa: S101 - it is set above
    return loader.get_source(_environment(), name)[0]
