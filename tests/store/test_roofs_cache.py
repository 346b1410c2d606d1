"""Roofs are kept in a file of the user's cache folder, for this torch and this way of measuring."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.store import roofs_cache
from tests.records.test_roofs import HERE


def test_roofs_survive_the_file(tmp_path: Path) -> None:
    """Its folder is made."""
    path = tmp_path / "new" / "roofs.json"
    roofs_cache.save(path, HERE)
    assert roofs_cache.load(path, HERE.torch) == HERE


def test_another_torch_has_other_roofs(tmp_path: Path) -> None:
    """They are measured anew."""
    roofs_cache.save(tmp_path / "r", HERE)
    assert roofs_cache.load(tmp_path / "r", "2.10.0") is None
    assert roofs_cache.load(tmp_path / "r", None) is None


def test_another_way_of_measuring_finds_other_roofs(tmp_path: Path) -> None:
    """Such as an older version's."""
    path = tmp_path / "r"
    roofs_cache.save(path, HERE)
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "method": roofs_cache.METHOD + 1}))
    assert roofs_cache.load(path, HERE.torch) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1", "{}", '{"method": 1}', '{"method": 1, "roofs": [{"a": 1}]}']
)
def test_a_file_that_says_nothing_is_no_roof(tmp_path: Path, text: str) -> None:
    """A torn or foreign file is not worth a word."""
    (tmp_path / "r").write_text(text)
    assert roofs_cache.load(tmp_path / "r", HERE.torch) is None
    assert roofs_cache.load(tmp_path / "missing", HERE.torch) is None


def test_they_lie_beside_the_reference() -> None:
    """One file for each machine, number of threads and device."""
    environ = {"TENSORBENCH_CACHE": "/here"}
    assert roofs_cache.file_of("m-1", 2, "cuda:1", environ) == Path("/here/roofs-m-1-2-cuda1.json")
