"""How a run shows itself: a bar on a terminal, and at once what could not be measured."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bench.cli.progress import LiveListener
from tests.fakes.workers import record


def console(*, terminal: bool) -> Console:
    """A console of 100 columns that keeps what it is told."""
    return Console(file=io.StringIO(), width=100, force_terminal=terminal, color_system=None)


def told(where: Console) -> str:
    """What it was told."""
    assert isinstance(where.file, io.StringIO)
    return where.file.getvalue()


def bar(where: Console, *cases: str) -> str:
    """What the bar looks like after a step of each case."""
    listener = LiveListener(where)
    listener.started("r", 4, 40)
    for one in cases:
        listener.advanced(one, 10)
    with where.capture() as capture:
        where.print(listener._progress.get_renderable())
    return capture.get()


def test_a_bar_shows_cases_done_and_the_case_in_work() -> None:
    """Its id as it is, though brackets mean something to the terminal library."""
    shown = bar(console(terminal=True), "view/t[n=64]", "view/t[n=65]")
    assert "2/4" in shown
    assert shown.rstrip().endswith("view/t[n=65]")


@pytest.mark.parametrize("length", [20, 200])
def test_a_long_id_is_cut(length: int) -> None:
    """So that the bar stays on its line, with its numbers whole."""
    line = bar(console(terminal=True), "x" * length).rstrip()

    assert "1/4 cases" in line
    assert line.endswith("…" if length > 100 else "x" * length)
    assert len(line) <= 100


def test_a_bar_that_stands_still_says_why() -> None:
    """The machine is slower than usual, and the run waits for it."""
    where = console(terminal=True)
    listener = LiveListener(where)
    listener.waiting()  # before there is a bar
    listener.started("r", 4, 40)
    listener.waiting()

    with where.capture() as capture:
        where.print(listener._progress.get_renderable())
    assert capture.get().rstrip().endswith("waiting: the machine is slower than usual")


def test_a_log_says_once_why_a_run_takes_longer() -> None:
    """However often it waits; a terminal has the bar for it."""
    log, terminal = console(terminal=False), console(terminal=True)
    for where in (log, terminal):
        listener = LiveListener(where)
        listener.waiting()
        listener.waiting()
    assert told(log).count("\n") == 1
    assert told(log).startswith("the machine is slower than usual: waiting for it to come back")
    assert told(terminal) == ""


def test_nothing_is_drawn_where_there_is_no_terminal() -> None:
    """A log has no use for a moving bar."""
    where = console(terminal=False)
    with LiveListener(where) as listener:
        listener.started("r", 1, 10)
        listener.advanced("s/op", 10)
        listener.finished(record())
    assert told(where) == ""


@pytest.mark.parametrize("status", ["failed", "timeout", "oom"])
def test_a_case_that_could_not_be_measured_is_named_at_once(status: str) -> None:
    """With its device and the reason, on one line, however long."""
    where = console(terminal=False)
    reason = "[bold]" + "very " * 40 + "sad"
    LiveListener(where).finished(record(status=status, reason=reason))
    assert told(where) == f"{status}: s/op[n=0] on cpu: {reason}\n"


def test_a_wrong_result_is_named_at_once() -> None:
    """It ends the command as a case that failed does."""
    where = console(terminal=False)
    LiveListener(where).finished(record(correct=False, reason="error 0.9 is above 3.8e-06"))
    assert told(where) == "wrong result: s/op[n=0] on cpu: error 0.9 is above 3.8e-06\n"


@pytest.mark.parametrize("status", ["ok", "skipped"])
def test_what_went_as_planned_is_not_mentioned(status: str) -> None:
    """A plan has said already what is skipped."""
    where = console(terminal=False)
    LiveListener(where).finished(record(status=status))
    assert told(where) == ""


def test_a_run_without_cases_has_an_empty_bar() -> None:
    """Nothing is divided by nothing."""
    listener = LiveListener(console(terminal=True))
    listener.started("r", 0, 0)
    listener.advanced("s/op", 0)
    assert listener.run_id == "r"


def test_a_step_before_the_start_is_not_shown() -> None:
    """There is no bar yet."""
    where = console(terminal=True)
    LiveListener(where).advanced("s/op", 1)
    assert told(where) == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_measuring_roofs_is_said(*, terminal: bool) -> None:
    """With the time that it takes: the first case is late by that much, also where there is no bar."""
    where = console(terminal=terminal)
    LiveListener(where).surveying("cpu", 13.0)
    assert told(where) == "measuring roofs of cpu, about 13 s: they are kept for later runs\n"


@pytest.mark.parametrize(("repeats", "lines"), [(False, 1), (True, 0)])
def test_memory_that_is_not_as_asked_for_is_said_once(repeats: bool, lines: int) -> None:  # noqa: FBT001 - of the table
    """Not again where the same is measured several times."""
    where = console(terminal=False)
    LiveListener(where, repeats=repeats).memory_differs("the C library can't")
    said = "rows of the CPU have memory system, not as asked for: the C library can't\n"
    assert told(where) == said * lines
