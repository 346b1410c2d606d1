"""Families of ops on a GPU: where it starts to win, wins, or never does. All rows here are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.analysis.findings.gpu_families import families, gpu_families
from tests.fakes.crossover import both, cpu_s, curve, gpu_s
from tests.fakes.rows import on, record

if TYPE_CHECKING:
    from bench.records.record import Record

WIDE: dict[str, Any] = {"time_lo_s": 1e-9, "time_hi_s": 1.0}


def single(suite: str, factor: float, **values: Any) -> list[Record]:
    """A case without any size, that takes so many times as long on the GPU."""
    here = {"params": {}, "time_s": 1e-5}
    there = {"params": {}, "time_s": 1e-5 * factor, "device": "cuda"}
    return [record(suite, "op", **here), record(suite, "op", **{**there, **values})]


def test_each_family_is_told_once_by_what_becomes_of_it() -> None:
    """With sizes where the winner changes; those of which neither is so are counted."""
    rows = [
        *both("matmul/square"),
        *curve("cpu", cpu_s, "matmul/other"),
        *curve("cuda", lambda n: 4 * gpu_s(n), "matmul/other"),
        *single("activation", 0.5),
        *single("autograd", 4),
        *single("view", 1, **WIDE),
    ]
    assert gpu_families(rows) == (
        "By family of ops, at the sizes measured, data already on the GPU, the GPU (cuda) starts to win in "
        "matmul (from n ≈ 105 to 222, 2 ops); wins wherever the winner is sure in activation; "
        "loses wherever the winner is sure in autograd. "
        "In 1 family it depends on the op, or is unsure."
    )


def test_a_change_between_sizes_far_apart_has_no_size() -> None:
    """A straight line over a factor of 64 says nothing of where it is."""
    ends = [r for r in both("creation/randn") if r.params["n"] in {"16", "1024"}]
    assert "starts to win in creation (somewhere between n = 16 and 1024, 1 op);" in str(
        gpu_families([*ends, *single("autograd", 4)])
    )


def test_a_case_of_two_minds_makes_a_family_mixed() -> None:
    """Nothing is claimed of all of its cases."""
    one, other = single("s", 4), single("s", 0.25)
    other = [record("s", "b", params={}, time_s=r.time_s, device=r.device) for r in other]
    (family,) = families([*one, *other], "cpu", "cuda")
    assert (family.won, family.lost, family.part) == (1, 1, "mixed")


def test_without_two_families_or_two_devices_nothing_is_said() -> None:
    """The sentence on the op that matters most says it all."""
    assert gpu_families(both()) is None
    assert gpu_families(curve("cpu", cpu_s)) is None
    assert gpu_families([*single("a", 1, **WIDE), *both("b/c", **WIDE)]) is None
    assert gpu_families(on("cuda", single("a", 1))) is None
