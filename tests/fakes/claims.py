"""A handful of claims, and rows that answer each in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.claims.claim import CaseSelector, Claim, ClaimAnswer, Source, Text, answers
from bench.analysis.claims.judges import cheaper, constant
from tests.fakes.rows import HOSTILE, lost, record

if TYPE_CHECKING:
    from bench.records.record import Record

A = Source(
    text=Text(title="All about A", origin="slides", file="000_a.txt"), place="where it begins"
)
B = Source(text=Text(title="Before B", origin="a video", file="001_b.txt"), place="where it ends")


def claim(id_: str, sentence: str, *ops: str, device: str = "cpu") -> Claim:
    """Of one op: it is constant. Of two: the first is cheaper."""
    needs = tuple(CaseSelector(op=op, device=device) for op in ops)
    judge = cheaper() if len(needs) > 1 else constant()
    sources = (B, A) if id_ == "free" else (A,)
    return Claim(id=id_, sentence=sentence, sources=sources, needs=needs, judge=judge)


CLAIMS = (
    claim("free", "Looking at it costs the same at every size.", "s/look"),
    claim(
        "from",
        "Looking at it costs less than copying all of it, one after the other.",
        "s/look",
        "s/copy",
    ),
    claim("not", "Copying it costs less than looking at it.", "s/copy", "s/look"),
    claim("wide", "Looking at it costs less than what nobody knows.", "s/look", "s/wide"),
    claim("broken", "Looking at it costs less than breaking it.", "s/look", "s/broken"),
    claim(
        "missing", "Looking at it costs less than [red]what is not there[/red].", "s/look", "s/gone"
    ),
    claim("gpu", "A GPU does it at the same cost at every size.", "s/far", device="cuda"),
)


def rows() -> list[Record]:
    """What a run measured of them."""
    found = []
    for n, copy_s in ((16, 4.1e-7), (1024, 2.11e-3)):
        params = {"n": n, "dtype": "float32"}
        found.append(record("s", "look", params=params, time_s=4.2e-7))
        found.append(record("s", "copy", params=params, time_s=copy_s))
        wide = {"time_lo_s": 1e-7, "time_hi_s": 1e-6}
        found.append(record("s", "wide", params=params, time_s=4e-7, **wide))
        found.append(lost("failed", f"RuntimeError: {HOSTILE}", "s", "broken", params=params))
    return found


def answered() -> list[ClaimAnswer]:
    """One answer of every kind."""
    return answers(CLAIMS, [rows()])
