"""The command printed beside a row selects that row."""

from __future__ import annotations

import inspect
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis import rerun_command
from bench.cli.app import app
from bench.plan.filter import Filter
from tests.fakes.rows import example, on, record


def test_the_command_reads_like_one_a_person_would_write() -> None:
    """Suite, op and axes; nothing that is the default."""
    (command,) = rerun_command.commands([record()], {"preset": "quick"})
    assert command == 'bench run matmul -k "square and n=16 and dtype=float32"'


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"preset": "full"}, " --preset full"),
        ({"settings": {"n": ["16", "32"]}}, " --set n=16"),
        ({"suites": ["mine/matmul.py", "other.py"]}, "bench run mine/matmul.py -k"),
        ({"suites": ["my suites/x.py"]}, 'bench run "my suites/x.py" -k'),
    ],
)
def test_options_that_made_the_case_are_repeated(options: dict[str, object], part: str) -> None:
    """A case that is only in the full preset needs the full preset."""
    assert part in rerun_command.commands([record()], options)[0]


@pytest.mark.parametrize(("cache", "part"), [("cold", " --cache cold"), ("hot", ""), (None, "")])
def test_a_cold_row_is_repeated_cold(cache: str | None, part: str) -> None:
    """Hot caches are the default, and were all there was before."""
    (command,) = rerun_command.commands([record(cache=cache)], {})
    assert command == f'bench run matmul -k "square and n=16 and dtype=float32"{part}'


def test_with_several_devices_the_device_is_named() -> None:
    """A row is a case on one device."""
    both = [record(), *on("cuda", [record()])]
    assert [c.rpartition(" ")[2] for c in rerun_command.commands(both, {})] == ["cpu", "cuda"]


def test_every_command_selects_its_row_and_no_other() -> None:
    """Names that are part of other names are told apart by the id's punctuation."""
    rows = [
        *example(),
        record("view", "view", params={"n": 1}),
        record("view", "as_view", params={"n": 1}),
        record("view", "t_", params={}),
    ]
    for row, command in zip(rows, rerun_command.commands(rows, {}), strict=True):
        words = shlex.split(command)
        chosen = Filter(words[words.index("-k") + 1])
        inside = [r for r in rows if r.suite == words[2]]
        assert [r.case for r in inside if chosen.matches(r.case, r.params)] == [row.case]


@given(st.text(alphabet=st.characters(exclude_characters="[],=", codec="utf-8"), min_size=1))
def test_any_label_gives_a_command_that_selects_its_row(label: str) -> None:
    """A label that `-k` can't hold is left out, and the rest still selects the row."""
    text = label.strip() or "x"
    row = record(params={"kind": text, "n": 4})
    words = shlex.split(rerun_command.commands([row], {})[0])
    assert Filter(words[words.index("-k") + 1]).matches(row.case, row.params)


@pytest.mark.parametrize(
    ("store", "words"),
    [
        (None, ""),
        (Path("results"), ""),
        (Path("other"), " --store other"),
        (Path("my runs"), ' --store "my runs"'),
    ],
)
def test_a_suggested_command_names_the_store_that_was_given(store: Path | None, words: str) -> None:
    """At the end of a command, and behind each that a sentence has; what reads no store is left as it is."""
    assert rerun_command.on_store("bench run -k op", store) == f"bench run -k op{words}"
    told = rerun_command.all_on_store("bench runs lists, bench machine shows; bench run.", store)
    assert told == f"bench runs{words} lists, bench machine shows; bench run{words}."


def test_every_command_that_takes_a_store_is_known() -> None:
    """A new one has to be added."""
    taking = {
        command.name
        for command in app.registered_commands
        if "store" in inspect.signature(command.callback or print).parameters
    }
    known = {name for name in taking if rerun_command._HAS_STORE.search(f"bench {name}")}
    assert taking - known == {"selftest"}, "selftest keeps its runs only where it is told to"
