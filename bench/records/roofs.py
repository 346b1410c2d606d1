"""Roofline: the peak rates of a device, as measured, and how close a row came to them. Pure; measures nothing.

A call can't take less time than its arithmetic at the best rate seen of its dtype, nor less than its bytes
at the best bandwidth seen where that many can lie. The longer of the two is its least time.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bench.records.cache_state import COLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.records.record import Record

BANDWIDTH, FLOP, LAUNCH = "bandwidth", "flop", "launch"
TO_DEVICE, FROM_DEVICE = "host to device", "device to host"
IMPLAUSIBLE = "implausible"
TOLERANCE = 1.1
"""A row is implausible when it beats a roof by more than this ratio. A roof is the best of a few seconds, and a
longer measurement or a quieter machine may reach some per cent more; an op whose work is counted twice, or whose
result is not computed, is above it by far more than that."""
_LOWER_PRECISION = ("float16", "bfloat16")
"""Dtypes whose products are often computed in float32, or in which products of float32 may be computed."""
TF32 = "tf32"
"""The format in which products of float32 are computed on CUDA where a case allows it; no dtype of tensors."""
_PRECISION, _EXACT, _TF32_ASKED = "float32_matmul_precision", "highest", "high"
"""The case's axis for torch's setting of that name, its value that keeps float32, and its value that allows TF32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roof:
    """A peak rate of a device: the best that was measured of one kind of work."""

    kind: str
    value: float
    """Bytes per second, FLOP per second, or seconds of a launch."""
    level: str = ""
    """Which memory: `L1`, `L2`, …, `L3+DRAM` where caches hold a part, `DRAM`."""
    bytes: int = 0
    """The fewest bytes that a call moved when this bandwidth was measured."""
    how: str = ""
    """The work that reached it: `copy`, `triad`, `in place`, …, or the shapes of a product."""
    dtype: str = ""

    @property
    def name(self) -> str:
        """As rows name it: `float32 matmul`, `DRAM bandwidth`."""
        return f"{self.dtype} matmul" if self.kind == FLOP else f"{self.level} bandwidth"


class Share(NamedTuple):
    """The least time that the roofs allow, as a share of the time taken, and the roof that says so."""

    share: float
    roof: Roof


@dataclass(frozen=True, slots=True, kw_only=True)
class Roofs:
    """The roofs of one device, with so many threads and this torch."""

    device: str
    threads: int
    torch: str
    measured_at: str
    """ISO 8601, UTC."""
    roofs: tuple[Roof, ...]

    def of_kind(self, kind: str) -> list[Roof]:
        """The roofs of a kind, in the order measured."""
        return [one for one in self.roofs if one.kind == kind]

    def bandwidth(self, moved_bytes: float, *, cold: bool = False) -> Roof | None:
        """The best bandwidth seen that a call which moves so many bytes may have.

        What moves more can't be faster, so it is the best of the largest size that is not larger than
        this, and of all beyond, under the name of that size; cold, that of the last level.
        """
        seen = sorted(self.of_kind(BANDWIDTH), key=lambda one: one.bytes)
        if not seen:
            return None
        level = [one for one in seen if cold or one.bytes <= moved_bytes][-1:] or seen[:1]
        best = max((one for one in seen if one.bytes >= level[0].bytes), key=lambda one: one.value)
        return dataclasses.replace(best, level=level[0].level, bytes=level[0].bytes)

    def matmul(self, dtypes: Iterable[str]) -> Roof | None:
        """The best rate seen among these dtypes."""
        wanted = set(dtypes)
        seen = [one for one in self.of_kind(FLOP) if one.dtype in wanted]
        return max(seen, key=lambda one: one.value, default=None)

    def share_of(
        self,
        *,
        flop: float | None,
        moved_bytes: float | None,
        time_s: float,
        dtypes: Sequence[str],
        cache: str | None = None,
    ) -> Share | None:
        """How close a call came to the roofs; None where nothing of it is declared, or no roof is known.

        Args:
            flop: its arithmetic.
            moved_bytes: what it must read and write.
            time_s: what it took.
            dtypes: those that its arithmetic may have been done in.
            cache: `cold` where its data came from memory.
        """
        found = []
        if flop and (peak := self.matmul(dtypes)):
            found.append(Share(flop / peak.value / time_s, peak))
        if moved_bytes and (width := self.bandwidth(moved_bytes, cold=cache == COLD)):
            found.append(Share(moved_bytes / width.value / time_s, width))
        return max(found, key=lambda one: one.share, default=None)


def judged(record: Record, roofs: Roofs | None) -> Record:
    """The row with its share of the roof, and a warning where that is more than can be.

    Implausible is what would be above its roof even at the slow end of its interval. Not where caches are
    cold: what a call writes may stay in them, so that its least time is less than stated.
    """
    found = _share(record, roofs, record.time_s)
    if found is None:
        return record
    slowest = _share(record, roofs, record.time_hi_s or record.time_s)
    above = slowest is not None and slowest.share > TOLERANCE and record.cache != COLD
    codes = tuple(code for code in record.warnings if code != IMPLAUSIBLE)
    return dataclasses.replace(
        record,
        roof_share=found.share,
        roof=found.roof.name,
        warnings=(*codes, IMPLAUSIBLE) if above else codes,
    )


def raised(roofs: Roofs, records: Iterable[Record]) -> Roofs:
    """Roofs of products that are at or above the best rate of any correct row.

    What is above by more than the tolerance says that something is wrong, and raises nothing.
    """
    for record in records:
        found = _share(record, roofs, record.time_s)
        plausible = found is not None and 1 < found.share <= TOLERANCE
        if found and plausible and found.roof.kind == FLOP and record.correct:
            better = dataclasses.replace(
                found.roof, value=found.roof.value * found.share, how=record.case
            )
            kept = tuple(better if one == found.roof else one for one in roofs.roofs)
            roofs = dataclasses.replace(roofs, roofs=kept)
    return roofs


def _share(record: Record, roofs: Roofs | None, time_s: float | None) -> Share | None:
    if roofs is None or record.status != "ok" or not time_s or _other_threads(record, roofs):
        return None
    return roofs.share_of(
        flop=record.flop,
        moved_bytes=record.bytes,
        time_s=time_s,
        dtypes=(record.dtype, *_also(record, roofs)),
        cache=record.cache,
    )


def _other_threads(record: Record, roofs: Roofs) -> bool:
    """Whether an axis gave the case other threads than the roof was measured with, which is then not its own."""
    return record.device == "cpu" and record.threads not in {None, roofs.threads}


def _also(record: Record, roofs: Roofs) -> tuple[str, ...]:
    """Other dtypes that a row's arithmetic may have been done in.

    Half types are often computed in float32: on a CPU without a fast float16 product, whose best is then
    slower than anything else does in that dtype. Where a case lets torch compute in less, that is one too:
    TF32 where `high` was asked for and its roof is known, else whatever is faster.
    """
    if record.dtype in _LOWER_PRECISION:
        return ("float32",)
    asked = record.params.get(_PRECISION, _EXACT)
    if asked == _TF32_ASKED and roofs.matmul((TF32,)):
        return (TF32,)
    return () if asked == _EXACT else _LOWER_PRECISION
