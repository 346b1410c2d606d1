"""`bench compare` in CI: the gate's exit code, a JUnit XML file, a job summary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.app import OK
from bench.cli.output import say
from bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.compare.comparison import Comparison
    from bench.analysis.compare.gate import Gate

SUMMARY = "GITHUB_STEP_SUMMARY"
"""GitHub Actions names in it the file whose Markdown it shows on the job's page."""


def hand_over(
    comparisons: Sequence[Comparison],
    gates: Sequence[Gate],
    *,
    gated: bool,
    junit: Path | None,
    environ: Mapping[str, str],
) -> int:
    """Write the JUnit file and the job summary where wanted; returns the exit code and says why on stderr.

    Raises:
        StoreError: a file can't be written.
    """
    if junit is not None:
        from bench.report.text.junit import junit as document

        _write(junit, document(*zip(comparisons, gates, strict=True)), mode="w")
    if not gated:
        return OK
    from bench.analysis.compare.gate import worst
    from bench.report.text.compare_markdown import markdown

    for one in gates:
        say(f"bench: {one.sentence}", err=True)
    if environ.get(SUMMARY):
        pages = [markdown(*pair) for pair in zip(comparisons, gates, strict=True)]
        append_summary(Path(environ[SUMMARY]), "\n".join(pages))
    return worst(gates)


def append_summary(path: Path, text: str) -> None:
    """Add Markdown to a job's summary, after what earlier steps wrote there.

    Raises:
        StoreError: the file can't be written.
    """
    _write(path, f"\n{text}\n", mode="a")


def _write(path: Path, text: str, *, mode: str) -> None:
    try:
        with path.open(mode, encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        message = f"{path} can't be written: {error.strerror}; name another file"
        raise StoreError(message) from error
