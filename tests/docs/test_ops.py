"""`docs/ops.md` lists every op, as the suites have it; it is made by `BENCH_GOLDEN=write pytest tests/docs/test_ops.py`."""

from __future__ import annotations

import os
from pathlib import Path

from bench.plan.catalogue import catalogue
from bench.plan.discover import load_all
from bench.report.text.catalogue import catalogue_markdown

PAGE = Path(__file__).parents[2] / "docs/ops.md"
HEAD = """# The ops

All {ops} ops of the {suites} suites, with the question that each suite answers, what one call is, and the axes along which it is measured (by default in `--preset full`; ¹ marks what `--preset quick` has).
`bench list --search WORDS` searches in this list, `bench run SUITE/OP` measures one of them, and `--set AXIS=VALUE` sets an axis. Torch's own catalogue of some 700 more is `bench run opinfo -k NAME` (it needs the package expecttest).
How to add one: [add-an-op.md](add-an-op.md). This page is made from the suites; a test compares them.

"""


def page() -> str:
    """The page as it should be."""
    entries = catalogue(load_all([]))
    suites = len({one.subject.suite for one in entries})
    return HEAD.format(ops=len(entries), suites=suites) + catalogue_markdown(entries)


def test_the_page_of_ops_is_what_the_suites_have() -> None:
    """Word for word."""
    if os.environ.get("BENCH_GOLDEN") == "write":
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()
