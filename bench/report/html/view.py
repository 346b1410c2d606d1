"""A part of a page that is shown by itself: its name in the navigation, its template, its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.report.html.payload import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One view; the template finds `view` in its scope, and the page carries the payloads."""

    id: str
    name: str
    template: str
    values: Any
    payloads: tuple[Payload, ...] = ()
