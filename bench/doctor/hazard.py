"""Hazard: something that may make numbers noisy: how bad, what was seen, what follows, what helps.

A topic has the words that do not depend on what is seen, so that a rule says little more than when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.store.runs import RunInfo

    Rule = Callable[[RunInfo], "Hazard"]
    """Reads the facts of a run, or of a machine before a run."""

Severity = Literal["will", "may", "unknown", "fine"]
SEVERITIES: tuple[Severity, ...] = ("will", "may", "unknown", "fine")
"""The worst first: numbers will be noisy; they may be; that can't be told; there is nothing to fear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """Something to know before numbers of this machine are believed, or to be at ease about."""

    code: str
    severity: Severity
    seen: str
    effect: str
    remedy: str = ""

    @property
    def alarming(self) -> bool:
        """Whether there is something to do about it."""
        return self.severity in {"will", "may"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """The subject of a rule: its code, what is looked at, why that matters, what helps."""

    code: str
    subject: str
    effect: str
    remedy: str

    def will(self, seen: str, remedy: str = "") -> Hazard:
        """It will make numbers noisy."""
        return self._said("will", seen, remedy or self.remedy)

    def may(self, seen: str, remedy: str = "") -> Hazard:
        """It may make numbers noisy."""
        return self._said("may", seen, remedy or self.remedy)

    def fine(self, seen: str) -> Hazard:
        """It was looked at, and is as it should be."""
        return self._said("fine", seen, "")

    def unknown(self) -> Hazard:
        """It can't be read here, which is no sign that it is fine."""
        return self._said("unknown", f"{self.subject} can't be read", "")

    def flag(self, severity: Severity, seen: str, otherwise: str, *, when: bool | None) -> Hazard:
        """A hazard where a fact is true, fine where it is false, unknown where it is None."""
        if when is None:
            return self.unknown()
        return self._said(severity, seen, self.remedy) if when else self.fine(otherwise)

    def _said(self, severity: Severity, seen: str, remedy: str) -> Hazard:
        return Hazard(
            code=self.code, severity=severity, seen=seen, effect=self.effect, remedy=remedy
        )


def number_in(facts: Mapping[str, Any], name: str) -> float | None:
    """A fact that is a number; what another version wrote in its place is not known."""
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def flag_in(facts: Mapping[str, Any], name: str) -> bool | None:
    """A fact that is true or false; what another version wrote in its place is not known."""
    value = facts.get(name)
    return value if isinstance(value, bool) else None
