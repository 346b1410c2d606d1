"""Side effects of a case: what building and calling it did beside giving a result. A worker notes them, a row has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_TEXTS = 20
"""Settings or warnings that a row names: more of them are no longer read."""
MOST_CHARACTERS = 300
"""Characters of a warning that are kept: its first sentence or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffects:
    """What was seen while a case was built or called in one worker, once or all together."""

    state_changed: tuple[str, ...] = ()
    """Global settings that it changed, which were put back: `num_threads: 2 → 1`."""
    python_warnings: tuple[str, ...] = ()
    """Warnings that Python raised and torch's compiler logged, each once."""
    graph_breaks: int | None = None
    """Graph breaks of the compiler; None where nothing was compiled."""
    graphs: int | None = None
    """Graphs compiled; None where the compiler was not asked, and 0 where it left all to Python."""
    recompiles: int | None = None
    """Compilations beyond the first of each function; None where nothing was compiled."""
    recompile_limit: bool = False
    """Whether the compiler gave up on a function that it had to compile too often."""
    reference_cycles: bool = False
    """Whether each call leaves objects that only the garbage collector frees."""

    @property
    def compiled(self) -> bool:
        """Whether anything was compiled."""
        return self.graph_breaks is not None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of the row that it fills."""
        names = ("graph_breaks", "recompiles", "state_changed", "python_warnings")
        return {name: getattr(self, name) for name in names}

    @property
    def codes(self) -> tuple[str, ...]:
        """The warnings of the row that it makes."""
        found = {
            "state-changed": bool(self.state_changed),
            "graph-break": bool(self.graph_breaks),
            "recompile-limit": self.recompile_limit,
            "reference-cycles": self.reference_cycles,
        }
        return tuple(code for code, holds in found.items() if holds)


def together(effects: Iterable[SideEffects]) -> SideEffects:
    """The side effects of a case that was built several times, each setting and warning once.

    Every worker compiles the same anew, so that counts are those of the worker with the most.
    """
    seen = list(effects)
    settings: dict[str, str] = {}
    for text in (text for one in seen for text in one.state_changed):
        settings.setdefault(text.partition(":")[0], text)
    return SideEffects(
        state_changed=_bounded(settings.values()),
        python_warnings=_bounded(text for one in seen for text in one.python_warnings),
        graph_breaks=_most(one.graph_breaks for one in seen),
        graphs=_most(one.graphs for one in seen),
        recompiles=_most(one.recompiles for one in seen),
        recompile_limit=any(one.recompile_limit for one in seen),
        reference_cycles=any(one.reference_cycles for one in seen),
    )


def _bounded(texts: Iterable[str]) -> tuple[str, ...]:
    """Each text once, cut short; no more than are read."""
    return tuple(dict.fromkeys(text[:MOST_CHARACTERS] for text in texts))[:MOST_TEXTS]


def _most(counts: Iterable[int | None]) -> int | None:
    return max((count for count in counts if count is not None), default=None)
