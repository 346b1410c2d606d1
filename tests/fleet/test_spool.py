"""Spool of a node: nobody else's, one job at a time, a run gone on with only where nothing changed, published whole."""

from __future__ import annotations

import dataclasses
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import StoreError
from bench.fleet import spool
from bench.fleet.spool import Spool
from bench.machine.environment import read_environment
from bench.records import codec
from bench.run import session
from bench.store import runs
from tests.fakes.workers import begun_run, entry, finished_run, info
from tests.fleet import made_up
from tests.store.memory_objects import MemoryObjects

if TYPE_CHECKING:
    from pathlib import Path

    from bench.store.runs import StoredRun

NEW = "20261123T090000Z-000009"
ENVIRONMENT = codec.facts_of(read_environment())


def spool_in(folder: Path, node: str = "n1") -> Spool:
    """The spool of a node below a folder."""
    return Spool.of(made_up.pool(spool=str(folder)), made_up.campaign(), node)


def begun(place: Spool, visit: int = 1, *, entries: int = 1, **environment: Any) -> Path:
    """An unfinished run of a visit."""
    facts: dict[str, Any] = {
        "tags": {"visit": str(visit)},
        "environment": ENVIRONMENT | environment,
    }
    return begun_run(place.folder, info(**facts), *(entry(n) for n in range(entries)))


class Sessions:
    """In place of measuring: remembers what was begun and gone on with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refusal: str = "") -> None:
        self.acts: list[str] = []
        self._refusal = refusal
        monkeypatch.setattr(session, "run", self._run)
        monkeypatch.setattr(session, "resume", self._resume)

    def _run(self, _plan: Any, _options: Any, store: Path, *_: Any) -> StoredRun:
        self.acts.append("run")
        folder = finished_run(store, info(NEW, tags={"visit": "1"}))
        found = runs.read(folder)
        assert found
        return found

    def _resume(self, unfinished: StoredRun, *_: Any) -> StoredRun:
        self.acts.append("resume")
        if self._refusal:
            raise StoreError(self._refusal)
        return unfinished


def measure(place: Spool, visit: int = 1) -> StoredRun:
    """The finished run of a visit."""
    nothing: Any = None
    return place.measured(visit, nothing, nothing, nothing, nothing)


def test_a_spool_is_of_one_campaign_and_node_and_of_its_owner(tmp_path: Path) -> None:
    """Only they may look into it."""
    place = spool_in(tmp_path / "new" / "spool")
    assert place.folder == tmp_path / "new" / "spool" / made_up.campaign().identity / "n1"
    assert stat.S_IMODE((tmp_path / "new" / "spool").stat().st_mode) == 0o700
    assert place.runs() == []
    assert spool_in(tmp_path / "new" / "spool") == place


def test_without_a_place_it_is_below_var_tmp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of the user's own."""
    monkeypatch.setattr(spool, "_PLACE", tmp_path)
    place = Spool.of(made_up.pool(), made_up.campaign(), "n1")
    assert (
        place.folder == tmp_path / f"tensorbench-{os.getuid()}" / made_up.campaign().identity / "n1"
    )


def test_a_folder_that_somebody_else_may_have_put_there_is_refused(tmp_path: Path) -> None:
    """A link would lead elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="link is no folder of yours; name another: spool in"):
        spool_in(tmp_path / "link")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"can't be made: .*; name another: spool in fleet.toml"):
        spool_in(tmp_path / "file")


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    """What is in it could be changed under our hands."""
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    with pytest.raises(StoreError, match="no folder of yours"):
        spool_in(tmp_path / "theirs")


def test_one_job_at_a_time_has_it(tmp_path: Path) -> None:
    """Another is told at once, and the next one has it."""
    one, other = spool_in(tmp_path), spool_in(tmp_path)
    with one.locked() as alone:
        assert alone
        with other.locked() as too:
            assert not too
        with spool_in(tmp_path, "n2").locked() as elsewhere:
            assert elsewhere
    with other.locked() as alone:
        assert alone


def test_a_visit_that_was_not_begun_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of another visit is not touched."""
    place, sessions = spool_in(tmp_path), Sessions(monkeypatch)
    left = begun(place, visit=2)
    assert measure(place, visit=1).info.run_id == NEW
    assert sessions.acts == ["run"]
    assert not (left / runs.MANIFEST).exists()


def test_a_visit_that_was_begun_here_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No case is measured twice."""
    place, sessions = spool_in(tmp_path), Sessions(monkeypatch)
    left = begun(place)
    assert measure(place).folder == left
    assert sessions.acts == ["resume"]


@pytest.mark.parametrize("entries", [0, 2])
@pytest.mark.parametrize("fact", ["kernel", "gpu_driver", "packages", "python"])
def test_a_run_that_began_under_another_system_is_kept_and_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fact: str, entries: int
) -> None:
    """A run never mixes two; also where it has no row yet."""
    place, sessions = spool_in(tmp_path), Sessions(monkeypatch)
    other: dict[str, Any] = {fact: "another"}
    left = begun(place, entries=entries, **other)
    assert measure(place).info.run_id == NEW
    assert sessions.acts == ["run"]
    (old,) = [run for run in place.runs() if run.folder == left]
    assert old.finished
    assert Spool.is_abandoned(old)
    assert not Spool.is_abandoned(next(run for run in place.runs() if run.folder != left))
    assert sum(old.info.counts.values()) == entries


def test_a_run_that_began_on_other_hardware_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As going on with it says."""
    place, sessions = spool_in(tmp_path), Sessions(monkeypatch, "it began on another machine")
    left = begun(place)
    assert measure(place).info.run_id == NEW
    assert sessions.acts == ["resume", "run"]
    assert (left / runs.MANIFEST).exists()


def test_a_run_is_published_with_its_manifest_last(tmp_path: Path) -> None:
    """A reader of the store never sees half of one; to do it again changes nothing."""
    folder = finished_run(tmp_path, info(tags={"visit": "1"}), entry())
    run = runs.read(folder)
    assert run
    objects = MemoryObjects()
    for _ in range(2):
        spool.publish(run, objects)
        assert list(objects.kept)[-1] == f"{folder.name}/{runs.MANIFEST}"
        assert {key.split("/")[1] for key in objects.kept} == {*run.info.files, runs.MANIFEST}
    for key in objects.kept:
        assert objects.read(key) == (tmp_path / key).read_bytes()
    spool.remove(run)
    spool.remove(run)
    assert not folder.exists()


def test_a_store_that_is_away_is_tried_again_for_two_minutes() -> None:
    """With longer and longer pauses; any other error is not waited for."""
    objects, pauses = MemoryObjects(), list[float]()
    objects.away = True
    assert not spool.tried(lambda: objects.write("a", b""), pauses.append)
    assert pauses == sorted(spool.RETRIES_S)
    assert 100 < sum(pauses) < 200

    def back(pause_s: float) -> None:
        objects.away = pause_s < 5.0

    pauses.clear()
    assert spool.tried(lambda: objects.write("a", b""), back)
    with pytest.raises(ZeroDivisionError):
        spool.tried(lambda: 1 / 0, pauses.append)  # type: ignore[arg-type]
    assert pauses == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a folder away")
@pytest.mark.parametrize(("owner", "mode"), [(0, 0o755), (65534, 0o1777)])
def test_a_folder_of_everybody_gets_one_of_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: int, mode: int
) -> None:
    """As /scratch, which is root's, or where everybody may write what nobody else may remove."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    scratch.chmod(mode)
    os.chown(scratch, owner, owner)
    monkeypatch.setattr(spool, "_user", lambda: 1000)
    assert spool._base(str(scratch)) == scratch / "tensorbench-1000"


def test_another_plan_of_the_same_name_has_another_spool(tmp_path: Path) -> None:
    """Its store was emptied, or is another one: what the first plan has left is no part of the second."""
    pool, plan = made_up.pool(spool=str(tmp_path)), made_up.campaign()
    for change in (
        {"created_at": "2027-01-01T00:00:00+00:00"},
        {"seed": 9},
        {"cases": {"b": None}},
    ):
        other = dataclasses.replace(plan, **change)
        assert Spool.of(pool, other, "n1").folder != Spool.of(pool, plan, "n1").folder
    assert Spool.of(pool, made_up.campaign(), "n1") == Spool.of(pool, plan, "n1")
