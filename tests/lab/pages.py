"""How long do pages take to build, how big are they, how soon are they read? Runs are made up, the rest is real.

    nox -s pages -- --only 1000x5

Builds reports as a user does (`bench report`, as a folder and as a single file) from runs of so many rows each,
and opens the newest run's page in Chromium: what a reader waits for, the tasks that keep the page from answering
while it loads, rests, is scrolled through and changes views, and how many nodes it is made of. Beside each a page
that plain Plotly makes of as many points. Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.report.html.render import PLOTLY
from bench.units import seconds, size
from tests.browser import chromium
from tests.fakes import stored_runs as made_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
DEEP_PX = 40_000
"""How far a view is scrolled; a longer one repeats itself."""
STEP_PX = 600
PEER = """
import sys
from collections import defaultdict
import plotly.graph_objects as go
import bench
rows = bench.load(sys.argv[1])
lines = defaultdict(lambda: ([], [], []))
for row in rows[rows["status"] == "ok"].itertuples():
    x, y, text = lines[row.suite, row.op, row.dtype, row.device]
    x.append(row.bytes), y.append(row.time_s), text.append(row.case)
figure = go.Figure([
    go.Scatter(x=x, y=y, hovertext=text, name=" ".join(name)) for name, (x, y, text) in lines.items()
])
figure.write_html(sys.argv[2])
"""
"""One figure, a line per op, dtype and device: no table, no text, no intervals."""
MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print([used.ru_utime + used.ru_stime, used.ru_maxrss])
"""
"""Runs a command from a process that is small itself: a child's peak counts from before it is another program."""
WATCH = """
window.tasks = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) tasks.push([one.startTime, one.duration]);
}).observe({ type: "longtask", buffered: true });
const shown = (name) => document.querySelector(name)?.getClientRects().length;
const look = () => requestAnimationFrame(() => {
  if (["READY"].every(shown)) requestAnimationFrame(() => { window.readable = performance.now(); });
  else look();
});
look();
"""
"""Notes tasks of 50 ms and more as the browser tells of them, and the frame after that which shows the text."""

LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
THROUGH = """
async ([address, deep, step]) => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  if (address) location.hash = address;
  await wait(400);
  for (let at = 0, before = -1; at < deep && scrollY !== before; at += step) {
    before = scrollY;
    scrollBy(0, step);
    await wait(50);
  }
  await wait(300);
}
"""
"""Shows a view and scrolls through it, in steps that leave time to draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How much there is to report."""

    rows: int
    runs: int
    samples: int

    @property
    def name(self) -> str:
        """`1000x5`."""
        return f"{self.rows}x{self.runs}"


FORMS = {
    form.name: form
    for form in (Form(rows=1_000, runs=5, samples=120), Form(rows=10_000, runs=10, samples=30))
}
"""Runs of one machine one after the other, and one run from each of ten machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a page cost to make."""

    what: str
    wall_s: float
    cpu_s: float
    """Of all its threads, which other programs on the machine change less."""
    peak_bytes: int
    """Of the process that made it, at its highest."""
    bytes: int
    """Of all files, but for Plotly's script where it is a file of its own."""
    largest_bytes: int
    page: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a reader of a page waits for; tasks are the longest, none means that all were below 50 ms."""

    what: str
    readable_s: float
    """From the request to the frame that shows title and findings."""
    loading_s: float
    """The longest task until the page was loaded."""
    after_s: float
    """The longest of those after."""
    during: str
    """In which view that was."""
    nodes: int
    """At the end, when every view has been shown."""


def main(argv: Sequence[str] | None = None) -> int:
    """Build, read, print."""
    asked = _arguments(argv)
    if problem := chromium.lacking():
        sys.exit(problem)
    for name in asked.only or FORMS:
        with tempfile.TemporaryDirectory(prefix="bench-pages-", dir=asked.keep) as folder:
            built = made(FORMS[name], Path(folder))
            print(f"\n{FORMS[name].rows:,} rows × {FORMS[name].runs} runs\n")
            print(built_table(built))
            with chromium.launched() as browser:
                found = [read(browser, one) for one in built]
            print()
            print(read_table(found), flush=True)
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", action="append", choices=FORMS, help="one size; again for more")
    parser.add_argument("--keep", type=Path, help="a folder for what is made (removed at the end)")
    return parser.parse_args(argv)


def made(form: Form, folder: Path) -> list[Built]:
    """The runs, and each kind of page of them."""
    print(f"making {form.name}", file=sys.stderr, flush=True)
    planned = made_up.cases(form.rows)
    machines = form.runs if form.rows > 1_000 else 1
    store = folder / "store"
    found = [
        made_up.run(
            store, planned, number, on=made_up.computer(number % machines), samples=form.samples
        )
        for number in range(form.runs)
    ]
    ids = [run.info.run_id for run in found]
    report = ("-m", "bench", "report", "--store", str(store), "--out")
    peer = folder / "peer" / "peer.html"
    peer.parent.mkdir()
    run = str(found[-1].folder)
    commands = {
        "folder of all runs": ([*report, str(folder / "all"), *ids], folder / "all"),
        "folder of one run": ([*report, str(folder / "one"), ids[-1]], folder / "one"),
        "single file": (
            [*report, str(folder / "alone"), ids[-1], "--single-file"],
            folder / "alone",
        ),
        "plain Plotly": (["-c", PEER, run, str(peer)], peer.parent),
    }
    return [
        build(what, command, out, peer if out == peer.parent else out / f"{ids[-1]}.html")
        for what, (command, out) in commands.items()
    ]


def build(what: str, words: Sequence[str], out: Path, page: Path) -> Built:
    """Run this, and look at what it took and left."""
    print(f"building: {what}", file=sys.stderr, flush=True)
    began = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", MEASURED, sys.executable, *words],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    wall_s = time.perf_counter() - began
    cpu_s, peak = json.loads(done.stdout.splitlines()[-1])
    files = [f for f in out.rglob("*") if f.is_file() and f.name != PLOTLY]
    sizes = [f.stat().st_size for f in files]
    return Built(
        what=what,
        wall_s=wall_s,
        cpu_s=cpu_s,
        peak_bytes=peak * (1 if sys.platform == "darwin" else 1024),
        bytes=sum(sizes),
        largest_bytes=max(sizes),
        page=page,
    )


def read(browser: Browser, built: Built) -> Read:
    """Open a page, let it rest, show each of its views, and scroll through it."""
    print(f"reading: {built.what}", file=sys.stderr, flush=True)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    peer = built.page.name == "peer.html"
    ready = [".plotly .main-svg"] if peer else ["h1", ".findings li"]
    page.add_init_script(WATCH.replace('"READY"', ", ".join(f'"{name}"' for name in ready)))
    page.goto(built.page.as_uri(), timeout=120_000)
    while not page.evaluate("Boolean(window.readable)"):
        page.wait_for_timeout(50)
    page.wait_for_timeout(1_500)
    began = [("at rest", float(page.evaluate(LOADED)))]
    for view, address in _views(page):
        began.append((view, float(page.evaluate("performance.now()"))))
        page.evaluate(THROUGH, [address, DEEP_PX, STEP_PX])
    found = _reading(page, built.what, began)
    context.close()
    return found


def _views(page: Page) -> list[tuple[str, str]]:
    """Name and address of each, and of the first case; of a page that has none, its name alone."""
    named = "(links) => links.map((a) => [a.textContent, a.getAttribute('href')])"
    found = [(name, address) for name, address in page.eval_on_selector_all("nav.views a", named)]
    if not found:
        return [("all of it", "")]
    page.evaluate(THROUGH, ["#cases", 0, STEP_PX])
    case = page.eval_on_selector_all("#cases tbody a", "(links) => links[0].getAttribute('href')")
    return [*found, ("a case", case)]


def _reading(page: Page, what: str, began: Sequence[tuple[str, float]]) -> Read:
    tasks: list[list[float]] = page.evaluate("tasks")
    loaded = began[0][1]
    until = max((took for start, took in tasks if start < loaded), default=0.0)
    after = [(took, start) for start, took in tasks if start >= loaded]
    longest, start = max(after, default=(0.0, 0.0))
    during = [name for name, at_ms in began if at_ms <= start][-1:]
    return Read(
        what=what,
        readable_s=page.evaluate("readable") / 1e3,
        loading_s=until / 1e3,
        after_s=longest / 1e3,
        during=during[0] if longest else "",
        nodes=page.evaluate("document.getElementsByTagName('*').length"),
    )


def built_table(built: Sequence[Built]) -> str:
    """What making them took, in Markdown."""
    return _table(
        ("what", "to build", "of CPU", "peak memory", "size", "largest file"),
        [
            (
                one.what,
                f"{one.wall_s:.1f} s",
                f"{one.cpu_s:.1f} s",
                size(one.peak_bytes),
                size(one.bytes),
                size(one.largest_bytes),
            )
            for one in built
        ],
    )


def read_table(found: Sequence[Read]) -> str:
    """What reading them takes, in Markdown."""
    return _table(
        ("what", "readable after", "longest task until loaded", "after that", "in", "nodes"),
        [
            (
                one.what,
                seconds(one.readable_s),
                _task(one.loading_s),
                _task(one.after_s),
                one.during,
                f"{one.nodes:,}",
            )
            for one in found
        ],
    )


def _task(took_s: float) -> str:
    return seconds(took_s, 2) if took_s else "< 50 ms"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
