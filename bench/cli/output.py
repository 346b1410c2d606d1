"""Output of commands: results go to stdout, everything else to stderr."""

from __future__ import annotations

import codecs
import io
import json
import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import RenderableType

_NARROWEST, _PLAIN_WIDTH = 60, 120
WHOLE_LINES = 10_000
"""Columns where nothing is to be cut, for programs that read line by line."""
_PLAIN_FORMS = {
    **dict.fromkeys("–—−", "-"),
    "µ": "u",
    "μ": "u",
    "±": "+-",
    "×": "x",
    "…": "...",
    "→": "->",
    "·": ",",
    "≥": ">=",
    "≤": "<=",
}
"""What a stream gets of characters that its encoding lacks, where that is not their decomposition."""
_ERRORS = "bench-plain"


def make_printable(*streams: TextIO) -> None:
    """Have streams that can't encode a character print a plain form of it (`u` for `µ`), not end the program."""
    codecs.register_error(_ERRORS, _plain)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and stream.errors != "surrogateescape":
            stream.reconfigure(errors=_ERRORS)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """The plain form of what could not be encoded, and where to go on."""
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 - the streams are written, not read
    form = "".join(map(_plain_form, error.object[error.start : error.end]))
    return form, error.end


def _plain_form(character: str) -> str:
    if character in _PLAIN_FORMS:
        return _PLAIN_FORMS[character]
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"


def width() -> int:
    """Columns of the terminal; 120 where output goes to a file."""
    if not sys.stdout.isatty():
        return _PLAIN_WIDTH
    return max(_NARROWEST, shutil.get_terminal_size().columns)


def console(*, stderr: bool = False, columns: int | None = None) -> Any:
    """A rich console on one of the streams, so many characters wide; by default as its terminal is."""
    from rich.console import Console

    return Console(stderr=stderr, width=None if stderr else columns or width(), highlight=False)


def show(renderable: RenderableType, *, columns: int | None = None) -> None:
    """Print a table or text on stdout, without the blanks that pad a table's last column."""
    screen = console(columns=columns)
    with screen.capture() as shown:
        screen.print(renderable)
    say("\n".join(line.rstrip() for line in shown.get().rstrip("\n").split("\n")))


def print_json(facts: Any) -> None:
    """Print one JSON document on stdout; what is not a number is an error here, not `NaN`."""
    say(json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False))


def say(text: str, *, err: bool = False) -> None:
    """Print a line."""
    sys.stdout.flush()  # so that both keep their order where they end in one place
    print(text, file=sys.stderr if err else sys.stdout, flush=True)
