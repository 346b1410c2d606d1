"""A machine's reference and roofs are kept in files of the user's cache folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bench.records.machine_state import Conditions
from bench.store.machine_cache import (
    MOST_MISSED,
    ROOFS_METHOD,
    Reference,
    load_reference,
    load_roofs,
    reference_file,
    renewed,
    roofs_file,
    save_reference,
    save_roofs,
)
from tests.records.test_roofs import HERE

CALM = Conditions(compute_s=1e-4, barrier_s=3e-6)
SLOW = Conditions(compute_s=1e-4, barrier_s=5.5e-6)


def test_a_reference_survives_the_file(tmp_path: Path) -> None:
    """Its folder is made; the next one takes its place and leaves nothing beside it."""
    path = tmp_path / "new" / "reference.json"
    for kept in (Reference(conditions=SLOW, missed=3), Reference(conditions=CALM)):
        save_reference(path, kept)
        assert load_reference(path) == kept
    assert list(path.parent.iterdir()) == [path]


def test_one_thread_has_no_barrier(tmp_path: Path) -> None:
    """Nothing is kept as nothing."""
    alone = Reference(conditions=Conditions(compute_s=1e-4))
    save_reference(tmp_path / "r", alone)
    assert load_reference(tmp_path / "r") == alone


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"conditions": {"compute_s": 0}, "missed": 0}', '{"conditions": 1}'],
)
def test_a_file_that_says_nothing_is_no_reference(tmp_path: Path, text: str) -> None:
    """A torn or foreign file is not worth a word: the run finds its own level."""
    (tmp_path / "r").write_text(text)
    assert load_reference(tmp_path / "r") is None
    assert load_reference(tmp_path / "missing") is None


def test_a_home_that_can_not_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    """The reference is then not kept."""
    (tmp_path / "file").write_text("")
    save_reference(tmp_path / "file" / "r.json", Reference(conditions=CALM))
    assert load_reference(tmp_path / "file" / "r.json") is None


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"TENSORBENCH_CACHE": "/here", "XDG_CACHE_HOME": "/there"}, Path("/here")),
        ({"XDG_CACHE_HOME": "/there"}, Path("/there/tensorbench")),
        ({"XDG_CACHE_HOME": ""}, Path.home() / ".cache" / "tensorbench"),
        ({}, Path.home() / ".cache" / "tensorbench"),
    ],
    ids=["ours", "the user's", "an empty one", "the default"],
)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other places")
def test_the_folder_is_where_users_expect_it(
    environ: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file of each kind for each machine, number of threads and device; where it has always been."""
    for name in ("TENSORBENCH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert reference_file("m-1", 2, "cuda:1") == folder / "reference-m-1-2-cuda1.json"
    assert roofs_file("m-1", 2, "cuda:1") == folder / "roofs-m-1-2-cuda1.json"


def test_the_first_run_sets_the_reference_and_drift_does_not_move_it() -> None:
    """The level of the first run; a run a few per cent off has met it."""
    first = renewed(None, [CALM, SLOW])
    drifted = Conditions(compute_s=0.96e-4, barrier_s=3.1e-6)

    assert first == Reference(conditions=CALM)
    assert renewed(first, [drifted] * 9) == first


def test_a_faster_state_replaces_it() -> None:
    """The first run may have been slow from end to end."""
    assert renewed(Reference(conditions=SLOW), [SLOW] * 8 + [CALM] * 2) == Reference(
        conditions=CALM
    )


def test_runs_that_miss_it_are_counted_until_one_meets_it() -> None:
    """A bad day is no new machine."""
    kept = Reference(conditions=CALM)
    for missed in range(1, 4):
        kept = renewed(kept, [SLOW] * 5)
        assert kept == Reference(conditions=CALM, missed=missed)
    assert renewed(kept, [SLOW] * 5 + [CALM]) == Reference(conditions=CALM)


def test_a_reference_that_is_never_met_any_more_is_given_up() -> None:
    """After twenty runs: a new kernel, another host under the same name."""
    assert MOST_MISSED == 20
    assert renewed(Reference(conditions=CALM, missed=18), [SLOW]).conditions == CALM
    assert renewed(Reference(conditions=CALM, missed=19), [SLOW]) == Reference(conditions=SLOW)


def test_roofs_survive_the_file(tmp_path: Path) -> None:
    """Its folder is made."""
    path = tmp_path / "new" / "roofs.json"
    save_roofs(path, HERE)
    assert load_roofs(path, HERE.torch) == HERE


def test_another_torch_has_other_roofs(tmp_path: Path) -> None:
    """They are measured anew."""
    save_roofs(tmp_path / "r", HERE)
    assert load_roofs(tmp_path / "r", "2.10.0") is None
    assert load_roofs(tmp_path / "r", None) is None


def test_another_way_of_measuring_finds_other_roofs(tmp_path: Path) -> None:
    """Such as an older version's."""
    path = tmp_path / "r"
    save_roofs(path, HERE)
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "method": ROOFS_METHOD + 1}))
    assert load_roofs(path, HERE.torch) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1", "{}", '{"method": 1}', '{"method": 1, "roofs": [{"a": 1}]}']
)
def test_a_file_that_says_nothing_is_no_roof(tmp_path: Path, text: str) -> None:
    """A torn or foreign file is not worth a word."""
    (tmp_path / "r").write_text(text)
    assert load_roofs(tmp_path / "r", HERE.torch) is None
    assert load_roofs(tmp_path / "missing", HERE.torch) is None
