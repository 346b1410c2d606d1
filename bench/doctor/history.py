"""Hazards of a machine's history: what runs have left behind of it, and what its numbers lack where that is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.doctor.hazard import Topic
from bench.units import counted

if TYPE_CHECKING:
    from bench.doctor.hazard import Hazard


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineHistory:
    """What the user's cache folder and the store say of this machine."""

    reference: bool
    """Whether its reference state is known, on the CPU with so many threads."""
    missed: int = 0
    """How many runs in a row have not met the reference state."""
    roofs: bool
    store: str
    earlier_runs: int
    """Finished runs of this machine with so many threads and this torch."""
    enough_runs: int
    """Runs that it takes to say how far unchanged runs lie apart."""
    torch: str | None
    cpu_capability: str | None
    """The widest instructions that torch's kernels can use here."""


_TORCH = Topic(
    code="torch",
    subject="torch",
    effect="nothing can be measured without it",
    remedy="pip install torch",
)
_REFERENCE = Topic(
    code="reference",
    subject="the machine's reference",
    effect="until it is known, a run that is slow from end to end looks like any other",
    remedy="bench run --preset quick, when nothing else runs; the first run sets it",
)
_ROOFS = Topic(
    code="roofs",
    subject="what the machine can do at most",
    effect="a number that is too good to be true is told by them; a busy machine makes them too low",
    remedy="bench machine --measure, when nothing else runs; else the first run does",
)
_EARLIER = Topic(
    code="noise-floor",
    subject="earlier runs",
    effect="an interval allows for how far runs lie apart only once there are some of the same code",
    remedy="measure the same cases some more times, at other hours",
)


def hazards(known: MachineHistory) -> list[Hazard]:
    """All hazards of the machine's history, and what is fine with it."""
    return [_torch(known), _reference(known), _roofs(known), _earlier(known)]


def _torch(known: MachineHistory) -> Hazard:
    if known.torch is None:
        return _TORCH.will("torch is not installed")
    able = f", kernels for {known.cpu_capability}" if known.cpu_capability else ""
    return _TORCH.fine(f"torch {known.torch}{able}")


def _reference(known: MachineHistory) -> Hazard:
    if not known.reference:
        return _REFERENCE.may("no reference of this machine is kept")
    if known.missed:
        runs = f"the last {counted(known.missed, 'run')}" if known.missed > 1 else "the last run"
        return _REFERENCE.may(
            f"{runs} never met this machine's reference",
            "see what has changed: bench runs, and the view Machine of bench report",
        )
    return _REFERENCE.fine("this machine's reference is known")


def _roofs(known: MachineHistory) -> Hazard:
    if known.roofs:
        return _ROOFS.fine("this machine's roofs are known")
    return _ROOFS.may("no roofs of this machine are kept")


def _earlier(known: MachineHistory) -> Hazard:
    seen = f"{known.store} holds {counted(known.earlier_runs, 'run')} like those to come"
    if known.earlier_runs >= known.enough_runs:
        return _EARLIER.fine(seen)
    return _EARLIER.may(f"{seen}, and {known.enough_runs} are the fewest")
