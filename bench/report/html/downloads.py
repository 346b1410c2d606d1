"""What a page offers to take away: the run inside it, or its rows in a file beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from bench.store.page_archive import LIMIT_BYTES, embed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.store.runs import StoredRun

ROWS = ".parquet"
"""What follows a run's id in the name of the file beside its page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that a reader can take: its name, and what it is good for.

    `script` is the element that holds it, whose id is `element`; both are empty where the file lies beside
    the page.
    """

    run_id: str
    file: str
    sentence: str
    element: str = ""
    script: Markup = field(default_factory=Markup)


def beside(runs: Sequence[StoredRun]) -> tuple[Download, ...]:
    """The rows of each run, in the folder of the page."""
    return tuple(
        Download(
            run_id=run.info.run_id,
            file=f"{run.info.run_id}{ROWS}",
            sentence="Every row with every column; bench.load and any reader of Parquet take it. "
            "The raw samples stay in the run's own folder.",
        )
        for run in runs
    )


def inside(runs: Sequence[StoredRun], *, limit_bytes: int = LIMIT_BYTES) -> tuple[Download, ...]:
    """The runs themselves, in a page that is to be sent on alone.

    Raises:
        StoreError: a run's files can't be read, or are not those that it finished with.
    """
    return tuple(
        Download(
            run_id=one.run_id,
            file=one.file,
            sentence=_sentence(samples=one.samples),
            element=one.element,
            script=Markup(one.script),  # noqa: S704 - an id of plain letters, and base64
        )
        for one in embed(runs, limit_bytes=limit_bytes)
    )


def _sentence(*, samples: bool) -> str:
    use = "bench show, compare and report take this page as the run; unzipped in a store it is one of it."
    if samples:
        return f"The whole run, raw samples too: {use}"
    return f"The run without its raw samples, which would make the page too large to send: {use}"
