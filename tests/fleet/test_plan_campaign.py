"""Plan of a campaign: frozen on a machine that need not have the nodes' devices, the same wherever it is read."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import BenchError, SelectionError
from bench.fleet import preflight
from bench.fleet.plan_campaign import devices_of, frozen, torch_release
from bench.records import codec
from bench.run.request import Request
from bench.store import campaigns
from tests.fleet import made_up
from tests.store.memory_objects import MemoryObjects

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.campaign import Campaign, Pool

ASKED = Request(suites=("matmul",), keyword="square and n=16", workers=2, roofs=False)
SUITE = """
\"\"\"One op.\"\"\"
from bench import Call, Suite

suite = Suite("own")


@suite.op
def add(case):
    \"\"\"A sum.\"\"\"
    x = case.randn(8)
    return Call(lambda a: a + a, x)
"""


def planned(asked: Request = ASKED, *pools: Pool, **facts: Any) -> Campaign:
    """A campaign of these pools."""
    of = pools or (made_up.pool(),)
    nodes = {pool.name: ["n1", "n2"] for pool in of}
    return frozen(asked, of, nodes, **{"name": "a", "visits": 2, **facts})


@pytest.mark.parametrize(
    ("gpus", "cpu", "asked", "devices"),
    [
        (0, False, (), ("cpu",)),
        (0, True, (), ("cpu",)),
        (1, False, (), ("cuda",)),
        (1, True, (), ("cuda", "cpu")),
        (3, False, (), ("cuda:0", "cuda:1", "cuda:2")),
        (2, True, (), ("cuda:0", "cuda:1", "cpu")),
        (8, False, ("cuda:5",), ("cuda:5",)),
    ],
)
def test_a_pool_has_the_devices_that_it_says(
    *, gpus: int, cpu: bool, asked: tuple[str, ...], devices: tuple[str, ...]
) -> None:
    """Unless others are asked for."""
    assert devices_of(made_up.pool(gpus=gpus, cpu=cpu), asked) == devices


def test_a_plan_for_eight_gpus_is_made_without_one() -> None:
    """Each case once, with the fingerprint of its code; a device is the node's affair."""
    campaign = planned(ASKED, made_up.pool(gpus=8))
    assert campaign.devices == {"p": tuple(f"cuda:{n}" for n in range(8))}
    assert campaign.cases
    assert all(campaign.cases.values())
    assert not any("cuda" in case for case in campaign.cases)
    assert campaign.torch == torch_release()
    assert "+" not in campaign.torch
    of_cpu = planned()
    assert set(of_cpu.cases.items()) <= set(campaign.cases.items())
    assert campaign.minutes > of_cpu.minutes > 0


def test_a_node_makes_the_plan_that_was_frozen() -> None:
    """From the options that the store has, and for each pool of several."""
    gpus = made_up.pool(name="g", gpus=2, cpu=True)
    objects = MemoryObjects()
    campaigns.create(objects, planned(ASKED, made_up.pool(), gpus))
    campaign = campaigns.load(objects, "a")
    for pool in campaign.pools:
        asked = codec.decode(Request, campaign.options)
        asked = dataclasses.replace(asked, devices=campaign.devices[pool.name])
        plan = asked.plan(elsewhere=True)
        assert preflight.of_plan(campaign, pool, plan) is None


def test_cases_of_one_pool_alone_do_not_keep_the_other_from_being_measured() -> None:
    """A pool of CPUs has none of the cases that need a GPU."""
    asked = Request(suites=("matmul", "transfer"), workers=1, roofs=False)
    pools = (made_up.pool(), made_up.pool(name="g", gpus=1))
    campaign = planned(asked, *pools)
    for pool in pools:
        here = dataclasses.replace(asked, devices=campaign.devices[pool.name])
        assert preflight.of_plan(campaign, pool, here.plan(elsewhere=True)) is None


def test_what_is_not_said_is_fixed_when_the_plan_is_made() -> None:
    """Budget and seed are the same on every node; words are kept."""
    campaign = planned(dataclasses.replace(ASKED, seed=None, settings={"n": ("16",)}), label="x")
    options = codec.decode(Request, campaign.options)
    assert options.budget_s
    assert options.budget_s > 0
    assert options.settings == {"n": ("16",)}
    assert (options.devices, options.suites) == ((), ("matmul",))
    assert 0 <= campaign.seed < 2**31
    assert planned(dataclasses.replace(ASKED, seed=7)).seed == 7
    assert campaign.label == "x"


def test_a_suite_by_its_path_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its whole path is kept."""
    folder = tmp_path / "a b ü"
    folder.mkdir()
    (folder / "own.py").write_text(SUITE, encoding="utf-8")
    monkeypatch.chdir(folder)
    campaign = planned(Request(suites=("own.py",), workers=1, roofs=False))
    assert campaign.options["suites"] == [str(folder / "own.py")]
    monkeypatch.chdir(tmp_path)
    again = codec.decode(Request, campaign.options)
    assert {c.id: c.fingerprint for c in again.plan().cases} == campaign.cases


@pytest.mark.parametrize("name", ["../x", "a/b", "a b", "", "-x", "a\nb", "x" * 64, ".x", "$(id)"])
def test_a_name_that_is_a_path_or_an_option_is_refused(name: str) -> None:
    """In one line."""
    with pytest.raises(SelectionError, match="can't name a campaign; letters") as caught:
        planned(name=name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("node", ["../x", "a/b", "a b", "", "-x"])
def test_a_node_that_can_not_be_named_is_refused(node: str) -> None:
    """Its name is part of paths in the store."""
    with pytest.raises(BenchError) as caught:
        frozen(ASKED, [made_up.pool()], {"p": ["n1", node]}, name="a", visits=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "asked",
    [
        dataclasses.replace(ASKED, keyword="nothing_of_the_kind"),
        dataclasses.replace(ASKED, suites=("no_such_suite",)),
        dataclasses.replace(ASKED, preset="no_such_preset"),
        dataclasses.replace(ASKED, cache="warm"),
        dataclasses.replace(ASKED, devices=("abacus",)),
    ],
)
def test_a_word_that_stands_for_nothing_is_one_line(asked: Request) -> None:
    """As for a run."""
    with pytest.raises(BenchError) as caught:
        planned(asked)
    assert "\n" not in str(caught.value)
