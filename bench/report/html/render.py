"""Templates → the text of a page: everything escaped, every script named in the page's policy.

Jinja escapes everything; the only exceptions are our own scripts and style, and JSON made safe here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from bench.report.html import style as html_style

if TYPE_CHECKING:
    from collections.abc import Mapping

PLOTLY = "plotly.min.js"
SCRIPTS = (
    "core",
    "payload",
    "figures",
    "grid",
    "samples",
    "case",
    "compare",
    "copy",
    "download",
    "views",
    "start",
)
"""The parts of a page's script, in the order in which one needs the other."""
_JSON_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
_FLAG = re.compile(r"(?<!\S)--[a-z][a-z-]*(?: \d+)?")
_FACTS_ID = "facts"


def render(template: str, *, facts: Mapping[str, str] | None, alone: bool, **values: Any) -> str:
    """A page.

    Args:
        template: its file.
        facts: what an index says of the page, which carries it along; None if no index lists it.
        alone: whether everything is inside the page; else what pages share (`shared`) lies beside it.
        values: what the template needs.
    """
    inside = (get_plotlyjs(), script_text(), _source("page.css")) if alone else (None, None, None)
    plotly, script, style = (text and Markup(text) for text in inside)  # noqa: S704 - our own, plotly's
    page: str = (
        _environment()
        .get_template(template)
        .render(
            **values,
            facts=facts,
            theme=html_style,
            alone=alone,
            plotly=plotly,
            script=script,
            style=style,
            names=_names(),
            script_hashes=Markup(" ".join(f"'{_hash(s)}'" for s in inside[:2] if s)),  # noqa: S704 - base64
        )
    )
    return page


def shared() -> dict[str, str]:
    """Name → text of the files that the pages of a folder share."""
    names = _names()
    return {
        PLOTLY: get_plotlyjs(),
        names["script"]: script_text(),
        names["style"]: _source("page.css"),
    }


def _names() -> dict[str, str]:
    """What the shared files are called: by their content, so that pages of two versions can lie side by side."""
    texts = {"script": (script_text(), "js"), "style": (_source("page.css"), "css")}
    return {
        kind: f"page-{hashlib.sha256(text.encode()).hexdigest()[:10]}.{end}"
        for kind, (text, end) in texts.items()
    }


def script_text() -> str:
    """What pages do by themselves: one function, so that nothing of it can be reached from outside."""
    parts = "\n".join(_source(f"scripts/{name}.js") for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}\n}})();\n'


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
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return Markup(text.translate(_JSON_UNSAFE))  # noqa: S704 - this makes it safe


def flags(text: str) -> Markup:
    """Text with its command-line options set as code, so that no line breaks inside them."""
    return Markup(_FLAG.sub(r"<code>\g<0></code>", str(escape(text))))  # noqa: S704 - escaped here


def _hash(source: str) -> str:
    """A script as a content security policy names it."""
    digest = hashlib.sha256(source.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bench.report.html"),
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
