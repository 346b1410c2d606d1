"""One promise that was looked at: what was wanted, what was seen, and where to look if it does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERDICTS = {True: "holds", False: "DOES NOT HOLD", None: "not looked at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise: `ok` is None where it could not be looked at, and `note` says why."""

    name: str
    wanted: str
    seen: str = ""
    ok: bool | None
    note: str = ""
    cases: tuple[Mapping[str, Any], ...] = ()
    """The numbers of the cases for which it does not hold, the worst first; times in seconds."""

    @property
    def line(self) -> str:
        """All but the cases, in a line."""
        parts = (f"wanted: {self.wanted}", f"seen: {self.seen}" if self.seen else "", self.note)
        return f"{self.name}: {_VERDICTS[self.ok]}; " + "; ".join(part for part in parts if part)
