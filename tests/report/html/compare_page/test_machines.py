"""What runs say of themselves stands side by side, what differs first, and nothing is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.compare.comparability import comparability
from bench.report.html.compare_page.machines import Sides, sides
from tests.fakes.two_runs import run


def values(found: Sides, name: str) -> tuple[str, ...]:
    """What the runs say of something in which they differ."""
    return next(one.values for one in found.differing if one.name == name)


def test_what_must_not_be_mixed_comes_first() -> None:
    """Then what needs care, then the rest, each marked in words."""
    base = run(label="a", environment={"python": "3.11"})
    new = run(
        label="b",
        environment={"python": "3.12"},
        options={"threads": 4, "cache": "hot", "suites": ["matmul"]},
    )
    found = sides([base, new], comparability(base, new).differences)
    assert [(one.name, one.matters) for one in found.differing] == [
        ("threads", "not to be mixed"),
        ("python", "with care"),
        ("label", ""),
    ]
    assert values(found, "threads") == ("2", "4")


def test_members_of_a_nested_fact_differ_one_by_one() -> None:
    """A package among twenty; what has a unit in its name keeps it."""
    packages = {"torch": "2.13", "numpy": "2.4"}
    caches = {"L1d": 32768, "L2": 1048576}
    base = run(environment={"packages": packages, "cpu_caches_bytes": caches})
    new = run(
        environment={"packages": {**packages, "numpy": "2.5"}, "cpu_caches_bytes": {"L1d": 65536}}
    )
    found = sides([base, new], comparability(base, new).differences)
    assert values(found, "packages numpy") == ("2.4", "2.5")
    assert values(found, "cpu caches bytes") == ("L1d: 32.0 KiB, L2: 1.00 MiB", "L1d: 64.0 KiB")
    assert [one.matters for one in found.differing if one.name == "packages numpy"] == ["with care"]
    assert ("packages torch", "2.13") in dict(found.alike)["Environment"]


def test_facts_of_torch_are_weighed_under_its_name() -> None:
    """`comparable` calls its version `torch version`."""
    base, new = run(), run(torch={"version": "2.14.0", "float32_matmul_precision": "high"})
    found = sides([base, new], comparability(base, new).differences)
    assert {one.name: one.matters for one in found.differing} == {
        "float32 matmul precision": "not to be mixed",
        "version": "with care",
    }


def test_a_seed_is_no_difference() -> None:
    """Every run has its own."""
    found = sides([run(options={"seed": 1}), run(options={"seed": 2})])
    assert found.differing == ()


FACTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2))


@given(st.lists(FACTS, min_size=2, max_size=4))
def test_every_fact_is_there_once(told: list[dict[str, Any]]) -> None:
    """Differing or alike; what a run does not know is a dash."""
    found = sides([run(environment=one) for one in told])
    differing = {one.name: one.values for one in found.differing if one.group == "Environment"}
    alike = dict(dict(found.alike).get("Environment", []))
    assert differing.keys() | alike.keys() == {name for one in told for name in one}
    assert not differing.keys() & alike.keys()
    for name, texts in differing.items():
        assert texts == tuple(str(one.get(name, "–")) for one in told)
