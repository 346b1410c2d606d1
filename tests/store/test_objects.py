"""Objects of a folder: created once by one of many, whatever they are called, and every trouble is one line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import StoreError
from bench.store.objects import Objects, is_bucket
from tests.store.memory_objects import MemoryObjects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TRIES, THREADS, PROCESSES = 100, 8, 4
RACE = """
import sys
from bench.store.objects import Objects
place, name, count = sys.argv[1:]
objects = Objects(place)
sys.stdin.readline()
print(*[n for n in range(int(count)) if objects.create(f"race/{n}", name.encode())])
"""
ODD = ("a b/ü ☃", "%2e%2e/x", "a%20b", "a\\b", "*?<>|", ".hidden", "a.b-c_d", "x" * 200)
OUTSIDE = ("../x", "a/../../x", "..", ".", "a//b", "a\nb", "a\0b", "", "x" * 300)


def race(creators: Sequence[Callable[[int], bool]], tries: int = TRIES) -> list[list[int]]:
    """Which of these threads succeeded, for each of so many objects that all of them create at once."""
    won: list[list[int]] = [[] for _ in range(tries)]
    gate = threading.Barrier(len(creators))

    def run(number: int) -> None:
        for one in range(tries):
            gate.wait()
            if creators[number](one):
                won[one].append(number)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(creators))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won


def race_of_processes(place: str, tries: int = TRIES) -> list[list[int]]:
    """The same for processes."""
    command = [sys.executable, "-c", RACE, place]
    started = [
        subprocess.Popen(
            [*command, str(n), str(tries)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for n in range(PROCESSES)
    ]
    for one in started:
        assert one.stdin
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate()[0] for one in started]
    assert [one.returncode for one in started] == [0] * PROCESSES
    return [
        [n for n, text in enumerate(said) if str(number) in text.split()] for number in range(tries)
    ]


def check_line(error: BaseException) -> None:
    """One line, without what a library said of itself."""
    text = str(error)
    assert "\n" not in text
    assert len(text) < 500
    assert "--store" in text


def test_of_threads_that_create_an_object_one_does(tmp_path: Path) -> None:
    """In each of a hundred, and it is that one's."""
    several = [Objects(tmp_path) for _ in range(THREADS)]

    def creator(number: int) -> Callable[[int], bool]:
        return lambda one: several[number].create(f"race/{one}", str(number).encode())

    won = race([creator(number) for number in range(THREADS)])
    assert [len(one) for one in won] == [1] * TRIES
    assert [several[0].read(f"race/{n}") for n in range(TRIES)] == [
        str(one).encode() for (one,) in won
    ]


def test_of_processes_that_create_an_object_one_does(tmp_path: Path) -> None:
    """In each of a hundred."""
    won = race_of_processes(str(tmp_path))
    assert [len(one) for one in won] == [1] * TRIES


def test_what_is_read_while_it_is_written_is_whole(tmp_path: Path) -> None:
    """A reader sees all of the old or all of the new, and a listing never names half an object."""
    objects, ends = Objects(tmp_path), threading.Event()
    seen: set[bytes | None] = set()
    keys: set[str] = set()

    def look() -> None:
        while not ends.is_set():
            seen.add(objects.read("a/b"))
            keys.update(found.key for found in objects.found("a"))

    thread = threading.Thread(target=look)
    thread.start()
    for number in range(200):
        objects.write("a/b", bytes([number % 2]) * 100_000)
    ends.set()
    thread.join()
    assert seen <= {None, b"\0" * 100_000, b"\1" * 100_000}
    assert keys <= {"a/b"}


@pytest.mark.parametrize("key", ODD)
def test_odd_names_are_names(tmp_path: Path, key: str) -> None:
    """What they would mean elsewhere they don't mean here; they stay below the folder."""
    place = tmp_path / "a store ü"
    objects = Objects(place, make=True)
    assert objects.create(f"top/{key}", b"1")
    assert not objects.create(f"top/{key}", b"2")
    assert objects.read(f"top/{key}") == b"1"
    assert [one.key for one in objects.found("top")] == [f"top/{key}"]
    assert [path.name for path in tmp_path.iterdir()] == ["a store ü"]


@pytest.mark.parametrize("key", OUTSIDE)
def test_a_key_that_leads_out_of_the_store_is_an_error(tmp_path: Path, key: str) -> None:
    """As is one that no file can have; nothing is written anywhere."""
    (tmp_path / "store").mkdir()
    (tmp_path / "x").write_text("outside")
    objects = Objects(tmp_path / "store")
    for act in (
        lambda: objects.create(key, b"1"),
        lambda: objects.write(key, b"1"),
        lambda: objects.read(key),
    ):
        with pytest.raises(StoreError) as caught:
            act()
        check_line(caught.value)
    assert (tmp_path / "x").read_text() == "outside"
    assert list((tmp_path / "store").iterdir()) == []


def test_a_store_that_is_not_there_is_made_only_where_that_was_asked(tmp_path: Path) -> None:
    """Else the line says so in words of ours."""
    with pytest.raises(StoreError, match=r"there is no|No such|not there") as caught:
        Objects(tmp_path / "none")
    check_line(caught.value)
    assert Objects(tmp_path / "none", make=True).found("campaigns") == []


@pytest.mark.parametrize("make", [False, True])
def test_a_file_is_no_store(tmp_path: Path, *, make: bool) -> None:
    """Found at once, and not when the first object is written."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        Objects(tmp_path / "file", make=make)
    check_line(caught.value)


@pytest.mark.skipif(os.name != "posix" or not Path("/sys/kernel").exists(), reason="needs /sys")
def test_a_store_that_can_not_be_written_is_one_line() -> None:
    """Also for a user who may write everywhere else."""
    objects = Objects("/sys")
    for act in (lambda: objects.create("campaigns/a", b""), lambda: objects.write("a", b"")):
        with pytest.raises(StoreError) as caught:
            act()
        check_line(caught.value)


def test_what_is_not_there_is_none_and_is_removed_without_error(tmp_path: Path) -> None:
    """Two that forgive at once remove the same objects."""
    objects = Objects(tmp_path)
    assert objects.read("a/b") is None
    objects.create("a/b", b"")
    objects.remove(["a/b"])
    objects.remove(["a/b", "c"])
    objects.remove([])
    assert objects.found("a") == []


def test_a_prefix_is_whole_names(tmp_path: Path) -> None:
    """`campaigns/a` has nothing of `campaigns/ab`."""
    objects = Objects(tmp_path)
    for key in ("campaigns/a/x", "campaigns/ab/y"):
        objects.create(key, b"")
    assert [one.key for one in objects.found("campaigns/a")] == ["campaigns/a/x"]
    assert [one.key for one in objects.found("campaigns/a/")] == ["campaigns/a/x"]


@pytest.mark.parametrize("place", ["s3://me:secret@bucket/x", "gs://me:secret@bucket"])
def test_credentials_in_an_address_are_refused_and_not_shown(place: str) -> None:
    """They come from the environment."""
    with pytest.raises(StoreError, match="no credentials in it") as caught:
        Objects(place)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "place", ["https://me:secret@host/x", "S3://bucket/x", "ftp://host", "s3:/"]
)
def test_an_address_of_another_kind_is_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """No folder `https:` is made, and what is in the address is not shown."""
    monkeypatch.chdir(tmp_path)
    assert not is_bucket(place)
    with pytest.raises(StoreError) as caught:
        Objects(place, make=True)
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["create", "write", "read", "found"]),
        st.sampled_from(["a/x", "a/y", "ab/x", "a/z/1", "b"]),
        st.binary(max_size=2),
    ),
    max_size=12,
)


@settings(max_examples=50)
@given(acts=ACTS)
def test_the_store_in_memory_does_what_a_folder_does(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, str, bytes]]
) -> None:
    """So that tests may use it in place of one."""
    folder, memory = Objects(tmp_path_factory.mktemp("folder")), MemoryObjects()
    for act, key, data in acts:
        if act in {"create", "write"}:
            assert getattr(folder, act)(key, data) == getattr(memory, act)(key, data)
        elif act == "read":
            assert folder.read(key) == memory.read(key)
        else:
            listed = [[(one.key, one.size) for one in o.found(key)] for o in (folder, memory)]
            assert listed[0] == listed[1]
