"""Output on any stream: what its encoding lacks is printed in a plain form, and ends nothing."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cli.output import make_printable

ROOT = Path(__file__).parents[2]


def printed(text: str, encoding: str) -> bytes:
    """What a stream of this encoding gets of a text."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    make_printable(stream)
    stream.write(text)
    stream.flush()
    return raw.getvalue()


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", b"1.2 us +-0.4 % x2 -3 10 4 -> ... ?"),
        ("latin-1", "1.2 µs ±0.4 % ×2 -3 10 4 -> ... ?".encode("latin-1")),
        ("utf-8", "1.2 µs ±0.4 % ×2 −3 10 ⁴ → … ▶".encode()),
    ],
)
def test_a_character_that_is_lacking_has_a_plain_form(encoding: str, shown: bytes) -> None:
    """`u` for `µ`, and a question mark where there is none."""
    assert printed("1.2 µs ±0.4 % ×2 −3 10 ⁴ → … ▶", encoding) == shown


@given(st.text(), st.sampled_from(["ascii", "latin-1", "utf-8", "cp1252"]))
def test_any_text_can_be_printed(text: str, encoding: str) -> None:
    """Also half a surrogate pair."""
    assert printed(text + chr(0xD800), encoding).decode(encoding)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_command_prints_on_such_a_stream(encoding: str) -> None:
    """As where PYTHONIOENCODING says so."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "explain"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"few-rounds" in done.stdout


def test_json_stays_json() -> None:
    """Plain forms have neither quotes nor backslashes."""
    text = json.dumps({"a": "µ ± × … – ⁴ ▶"}, ensure_ascii=False)
    assert set(json.loads(printed(text, "ascii"))) == {"a"}
