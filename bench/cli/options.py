"""Command-line options and arguments, each declared once with its help text.

Those of several commands come first, then each command's own, so that a signature reads `name: Alias = default`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.analysis.rerun_command import USUAL_STORE
from bench.errors import SelectionError, hint

if TYPE_CHECKING:
    from collections.abc import Sequence

STORE, OUT = USUAL_STORE, Path("reports")
RUN_WORDS = (
    "A path, a page, an id's beginning, @latest, @-2, or the newest of label:X, tag:K=V, machine:X "
    "or git:COMMIT."
)

# Several commands

Suites = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SUITE | FILE.py | SUITE/OP | CASE]...",
        help="Suites by name or file, ops, cases by their ids; all suites if none is named. opinfo: torch's own catalogue.",
    ),
]
Keyword = Annotated[
    list[str] | None,
    typer.Option(
        "-k",
        metavar="EXPR",
        help="Only cases whose id matches: 'square and n=64', 'linalg_*', 'call=\"a (b)\"', or an id. Several times: all "
        "must match.",
    ),
]
Device = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        help="cpu, cuda, cuda:1, xpu, mps or all; commas or several times. Default: all there are.",
    ),
]
Setting = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="AXIS=VALUE,...",
        help="Values of an axis, also numbers and shapes (64x128) that a suite lacks; one with commas in quotes.",
    ),
]
ListBy = Annotated[
    str, typer.Option("--by", metavar="op|suite", help="A line for each op, or for each suite.")
]
Search = Annotated[
    str | None,
    typer.Option(
        metavar="WORDS", help="Find ops by their names, what is said of them, and their axes."
    ),
]
Mode = Annotated[
    list[str] | None,
    typer.Option(
        "--mode",
        metavar="MODE,...",
        help="How each op is called: eager, compile (also compile:max-autotune, compile:reduce-overhead), "
        "autocast, graph (CUDA). Default: eager.",
    ),
]
PresetName = Annotated[
    str,
    typer.Option(
        "--preset",
        help="quick: a look in two minutes. full: every size. "
        "colab: every size, more briefly, on a small rented GPU.",
    ),
]
Budget = Annotated[
    str | None,
    typer.Option("--budget", metavar="SECONDS", help="Sampling time per case (0.5, 200ms)."),
]
Patience = Annotated[
    str | None,
    typer.Option(
        metavar="SECONDS",
        help="Wait up to so long, in all, while the machine is slower than usual, "
        "a third of it in one go (0: never).",
    ),
]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads. Default: the physical cores.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of the order of cases.")]
Store = Annotated[Path, typer.Option("--store", help="Folder of runs.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for pages and traces.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
RunWord = Annotated[str, typer.Argument(metavar="[RUN]", help=RUN_WORDS)]
Where = Annotated[
    list[str] | None,
    typer.Option(
        metavar="'COLUMN=VALUE,... ...'",
        help="Only rows with these values of columns or axes: 'op=square dtype=float32,float64'; or a case's id. "
        "Several times: all count.",
    ),
]
ROWS_FORMS = ("table", "json", "markdown", "csv")
RowsForm = Annotated[str, typer.Option("--format", help="table, json, markdown or csv.")]

# bench run

Workers = Annotated[int | None, typer.Option(min=1, help="Fresh processes per case.")]
Rounds = Annotated[int | None, typer.Option(min=1, help="Visits of each worker to each case.")]
WorkerThreads = Annotated[
    int | None, typer.Option(min=1, help="Threads per worker. Default: the physical cores.")
]
Cache = Annotated[
    str,
    typer.Option(
        metavar="hot|cold",
        help="What calls find in the caches. hot: what the last call left there. "
        "cold: none of their data; each call is timed alone.",
    ),
]
Memory = Annotated[
    str,
    typer.Option(
        metavar="reuse|fresh|system",
        help="Where results on the CPU lie. reuse: in memory used before, as on a GPU. "
        "fresh: large ones in fresh pages. system: as it happens.",
    ),
]
Kernels = Annotated[
    bool, typer.Option(help="On a GPU, look at each case's kernels under the profiler.")
]
Energy = Annotated[
    bool, typer.Option("--energy", help="On a GPU, tell what a call costs in energy (2 s a case).")
]
Roofs = Annotated[
    bool,
    typer.Option(
        help="Compare rows with what this machine can do at most, measured once (some 15 s a device)."
    ),
]
CaseTimeout = Annotated[str, typer.Option(metavar="SECONDS", help="Time allowed per case.")]
Label = Annotated[
    str | None, typer.Option(help="A name for the run: label:TEXT means the newest of it.")
]
Tags = Annotated[
    list[str] | None,
    typer.Option(metavar="K=V", help="A fact to keep with the run: tag:K=V finds it."),
]
Resume = Annotated[
    str | None, typer.Option(metavar="RUN", help="Go on with a run that was killed.")
]
PageWhenDone = Annotated[bool, typer.Option("--report", help="Write a page when done.")]

# bench show, export, import, report, publish

ShowForm = Annotated[str, typer.Option("--format", help="table, json, csv or markdown.")]
DeviceTimes = Annotated[
    bool,
    typer.Option(
        "--device-times",
        help="What is known of each case's time on a GPU: caches hot, cold, in a graph, by the profiler.",
    ),
]
ExportForm = Annotated[
    str, typer.Option("--format", help="csv, json, markdown or pytest-benchmark.")
]
ImportFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A run's folder, a store, a .zip of either, a page, a .json of pytest-benchmark, or one of "
        "bench export --format json.",
    ),
]
ImportLabel = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="What a run of pytest-benchmark is called. Default: its commit, or the file's name.",
    ),
]
ReportRuns = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN]...", help="Runs; the latest if none. The others are compared with the first."
    ),
]
SingleFile = Annotated[bool, typer.Option("--single-file", help="Everything inside one file.")]
PublishRuns = Annotated[
    list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs; all if none is named.")
]
Destination = Annotated[
    str | None,
    typer.Option(
        metavar="PLACE",
        help="A folder (reports), s3://…, gs://… or file://…; with --branch a folder of it.",
    ),
]
BranchName = Annotated[
    str | None, typer.Option(metavar="NAME", help="Commit to this branch of git instead.")
]
Push = Annotated[bool, typer.Option("--push", help="And push that branch.")]
Remote = Annotated[str, typer.Option(metavar="NAME", help="Where to push to.")]
Last = Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the newest N runs.")]

# bench compare

Base = Annotated[str, typer.Argument(metavar="BASE", help=RUN_WORDS)]
New = Annotated[
    list[str] | None, typer.Argument(metavar="NEW...", help="The same; one or several.")
]
Threshold = Annotated[str, typer.Option(metavar="SHARE", help="A smaller change does not count.")]
Confidence = Annotated[str, typer.Option(metavar="SHARE", help="Of the intervals.")]
ByInstead = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Side by side by a column instead, as bench table."),
]
Gated = Annotated[
    bool,
    typer.Option(
        "--gate",
        help="Exit with 3 on a regression, 4 if undecided, 5 if not comparable, 6 if a case failed, is wrong "
        "or is gone.",
    ),
]
Junit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Also write JUnit XML there.")
]
PageToo = Annotated[bool, typer.Option("--report", help="Write a page and name it.")]

# bench table, trend, claims

TableRuns = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN]...",
        help=f"{RUN_WORDS} Default: all runs.",
    ),
]
By = Annotated[
    str,
    typer.Option(
        metavar="COLUMN",
        help="What the columns are: device, threads, run_id, an axis (params.NAME if a column has its name), …",
    ),
]
BaseColumn = Annotated[
    str | None, typer.Option(metavar="VALUE", help="The first column, which ratios are to.")
]
TrendCase = Annotated[
    str, typer.Argument(help="A case's id, or an expression as of -k that leaves one case.")
]
TrendMachine = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Name or id. Default: that of the newest run that has the case."
    ),
]
TrendDevice = Annotated[str | None, typer.Option(help="Which one, if it was measured on several.")]
TREND_FORMS = ("table", "json", "csv")
TrendForm = Annotated[str, typer.Option("--format", help="table, json or csv.")]
ClaimRuns = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN]...",
        help="Runs to look in. Default: all of the machine that the latest run was made on.",
    ),
]

# bench profile, machine, doctor, selftest, explain

CaseWord = Annotated[
    str,
    typer.Argument(
        metavar="CASE",
        help="A case's id (see bench list --json), or an expression as of -k that matches one alone.",
    ),
]
ProfileSuite = Annotated[
    list[str] | None,
    typer.Option("--suite", metavar="SUITE | FILE.py", help="Look there only."),
]
OneDevice = Annotated[
    str | None,
    typer.Option(metavar="cpu|cuda|cuda:1", help="One device. Default: CUDA where there is any."),
]
Calls = Annotated[int, typer.Option(min=1, max=10_000, help="Calls to look at.")]
ProfileTimeout = Annotated[str, typer.Option(metavar="SECONDS", help="Time allowed.")]
MeasureRoofs = Annotated[
    bool, typer.Option("--measure", help="Measure its roofs anew (some 15 s a device).")
]
RunThreads = Annotated[
    int | None, typer.Option(min=1, help="Threads of a run to come. Default: the physical cores.")
]
Repetitions = Annotated[int, typer.Option("--runs", min=2, help="Runs of the same cases.")]
SelftestBudget = Annotated[
    str, typer.Option("--budget", metavar="SECONDS", help="Sampling time per case and run.")
]
SelftestStore = Annotated[
    Path | None,
    typer.Option("--store", help="Folder to keep the runs in. Default: they are removed."),
]
WarningCode = Annotated[str | None, typer.Argument(help="A warning's code; all if none is named.")]


def check_form(form: str, forms: Sequence[str]) -> None:
    """Refuse an output format that is none of the command's.

    Raises:
        SelectionError: it is none of them.
    """
    if form not in forms:
        message = f"--format {form!r} is no form; {hint(form, forms)}"
        raise SelectionError(message)


def all_of(expressions: Sequence[str] | None) -> str:
    """Expressions of `-k` as one that they all must match."""
    found = [text for text in expressions or () if text.strip()]
    return found[0] if len(found) == 1 else " and ".join(f"({text})" for text in found)


def split_words(lists: Sequence[str] | None) -> tuple[str, ...]:
    """`["cpu,cuda", "cuda:1"]` → one word each."""
    return tuple(w.strip() for text in lists or () for w in text.split(",") if w.strip())
