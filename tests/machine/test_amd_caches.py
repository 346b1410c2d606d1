"""Caches of AMD GPUs are those of Linux's list: every die's L2, and the Infinity Cache behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.machine.amd_caches import caches_bytes
from tests.fakes.machine import kfd_node, tree

if TYPE_CHECKING:
    from pathlib import Path

MIB = 2**20
MI300X = {"num_xcc": 8, "location_id": 0x83 << 8, "domain": 2}
"""In one piece, on bus 0x83."""
MI300X_CACHES_KIB = ((1, 32), (1, 64), (2, 4096), (3, 262144))
PLACE = (2, 0x83, 0)


def test_every_die_has_an_l2_and_all_share_the_infinity_cache(tmp_path: Path) -> None:
    """The list has the L2 once, as large as a die's: 32 MiB and 256 are AMD's own figures for an MI300X."""
    root = tree(tmp_path, kfd_node(1, MI300X_CACHES_KIB, **MI300X))
    found = caches_bytes(PLACE, root)
    assert found == {"L2": 32 * MIB, "L3": 256 * MIB}
    assert list(found) == ["L2", "L3"]


def test_a_kernel_that_names_no_dies_has_one(tmp_path: Path) -> None:
    """Old ones do not, and list an L2 once for each shader engine, each time as large as all of it."""
    root = tree(tmp_path, kfd_node(1, ((2, 8192), (2, 8192))))
    assert caches_bytes(None, root) == {"L2": 8 * MIB}


@pytest.mark.parametrize(
    ("place", "l2_mib"), [((0, 3, 0), 6), ((0, 4, 2), 2), ((0, 5, 0), None), (None, 6)]
)
def test_a_gpu_is_found_by_its_place(
    tmp_path: Path, place: tuple[int, int, int] | None, l2_mib: int | None
) -> None:
    """Whatever the function, by which parts of one GPU differ; without a place the largest counts."""
    first = kfd_node(1, ((2, 6 * 1024),), location_id=0x0301)
    second = kfd_node(2, ((2, 2 * 1024),), location_id=0x0410)
    root = tree(tmp_path, first | second)
    assert caches_bytes(place, root) == ({} if l2_mib is None else {"L2": l2_mib * MIB})


def test_caches_of_a_cpu_are_not_a_gpus(tmp_path: Path) -> None:
    """The list has a node for each socket too."""
    root = tree(tmp_path, kfd_node(0, ((3, 32 * 1024),), simd_count=0))
    assert caches_bytes(None, root) == {}


def test_what_is_not_listed_is_not_guessed(tmp_path: Path) -> None:
    """No driver, a cache without a size, and lines of another kind."""
    assert caches_bytes(None, tmp_path) == {}
    root = tree(tmp_path, kfd_node(1, ((2, 0),), name="gfx942"))
    assert caches_bytes(None, root) == {}
