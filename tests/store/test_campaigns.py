"""Campaigns of a store: a plan is written once, and one that is anybody's is a line, never a traceback or a way out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import StoreError
from bench.fleet.plan_campaign import frozen
from bench.records import codec
from bench.records.campaign import is_name
from bench.run.request import Request
from bench.store import campaign_progress, campaigns
from bench.store.campaigns import key
from bench.store.objects import Objects
from tests.fleet import made_up
from tests.store.memory_objects import MemoryObjects
from tests.store.test_objects import THREADS, race

if TYPE_CHECKING:
    from pathlib import Path

PLAN = made_up.campaign(nodes=("n1", "n2"), visits=2)
GOOD = json.loads(codec.encode(codec.facts_of(PLAN)))
NAMES = ("../x", "a/b", "a\nb", "", ".", "..", "-rf", "a b", "ü", "x" * 64, "$(id)", "a;b", ".git")


def stored(facts: Any) -> MemoryObjects:
    """A store with this for a plan."""
    objects = MemoryObjects()
    data = facts if isinstance(facts, bytes) else json.dumps(facts).encode()
    objects.write(key(PLAN.name, campaigns.PLAN), data)
    return objects


def refusal(facts: Any) -> str:
    """Why it is no plan, on one line."""
    with pytest.raises(StoreError) as caught:
        campaigns.load(stored(facts), PLAN.name)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    text.encode()
    return text


def pool_with(**facts: Any) -> dict[str, Any]:
    """The plan with another pool."""
    return {**GOOD, "pools": [GOOD["pools"][0] | facts]}


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    """From a folder, with every field of a real plan."""
    asked = Request(suites=("matmul",), keyword="square and n=16", settings={"n": ("16",)})
    pool = made_up.pool(options=("--comment=a b",), setup=("module load x",), cpu=True)
    plan = frozen(asked, [pool], {"p": ["n1"]}, name="a", visits=2, label="ü", tags={"k": "v"})
    objects = Objects(tmp_path)
    campaigns.create(objects, plan)
    assert campaigns.load(objects, "a") == plan
    assert codec.decode(Request, campaigns.load(objects, "a").options).settings == asked.settings


def test_of_many_that_plan_under_a_name_one_does(tmp_path: Path) -> None:
    """The others are told that a plan never changes."""
    said: list[str] = []

    def create(number: int) -> bool:
        try:
            campaigns.create(Objects(tmp_path), made_up.campaign(name=f"c{number}"))
        except StoreError as error:
            said.append(str(error))
            return False
        return True

    assert [len(won) for won in race([create] * THREADS, tries=10)] == [1] * 10
    assert len(said) == 10 * (THREADS - 1)
    assert all("its plan never changes; go on with it: bench fleet run c" in text for text in said)


def test_a_campaign_that_is_not_there_is_named_with_what_is() -> None:
    """The nearest, or that there is none."""
    with pytest.raises(StoreError, match="it holds none; make one with: bench fleet plan"):
        campaigns.load(MemoryObjects(), "acceptance")
    objects = stored(GOOD)
    with pytest.raises(StoreError, match="did you mean acceptance"):
        campaigns.load(objects, "acceptence")
    objects.write("campaigns/other/notes.txt", b"")
    objects.write("campaigns/deep/er/campaign.json", b"")
    assert campaigns.names(objects) == ["acceptance"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_a_path_or_an_option_is_none(tmp_path: Path, name: str) -> None:
    """Nothing outside the store is read."""
    assert not is_name(name)
    (tmp_path / "store").mkdir()
    (tmp_path / "campaign.json").write_text(json.dumps(GOOD))
    with pytest.raises(StoreError, match="there is no campaign") as caught:
        campaigns.load(Objects(tmp_path / "store"), name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b"9" * 5000,
        b'{"name": "acceptance"}',
        json.dumps(GOOD).encode()[:-20],
    ],
)
def test_what_is_no_plan_is_one_line(data: bytes) -> None:
    """Torn, of another kind, or deep beyond reason."""
    assert "can't be read as the plan of a campaign" in refusal(data)


def test_a_plan_of_a_newer_version_or_another_campaign_is_not_followed() -> None:
    """A folder may be copied; a name in it is not what it lies under."""
    assert "newer version" in refusal(GOOD | {"version": 2})
    assert "of another campaign" in refusal(GOOD | {"name": "other"})


WRONG: dict[str, list[Any]] = {
    "name": [5, None, ["acceptance"]],
    "created_at": [5, None],
    "version": ["1", None, [], 1e308],
    "pools": [{}, "p", 5, [5], [{}], [None], [{"name": "p"}], []],
    "nodes": [[], 5, "n1", None, {}, {"p": 5}, {"p": [5]}, {"p": {"a": 1}}, {"q": ["n1"]}],
    "devices": [[], 5, None, {}, {"p": 5}, {"p": [None]}],
    "options": [[], 5, None, "x"],
    "cases": [[], 5, None, "x", {"a": 5}],
    "visits": ["2", None, 2.5, -1, 0, True, 10**18, 10**400],
    "seed": ["1", None, 1.5],
    "torch": [5, None],
    "minutes": ["1", None, -1, float("nan"), float("inf"), 10**400],
    "label": [5, []],
    "tags": [5, [], {"a": 5}, {"a": None}],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in WRONG.items() for value in values]
)
def test_a_fact_of_the_wrong_kind_is_one_line(field: str, value: Any) -> None:
    """Found when the plan is read, and not where the fact is used, by each node in turn."""
    refusal(GOOD | {field: value})


@pytest.mark.parametrize("name", NAMES)
def test_a_node_or_a_pool_with_a_name_that_means_something_is_refused(name: str) -> None:
    """They are parts of paths and of commands."""
    refusal(GOOD | {"nodes": {"p": ["n1", name]}})
    moved = {field: {name: GOOD[field]["p"]} for field in ("nodes", "devices")}
    refusal(pool_with(name=name) | moved)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("engine", "magic"),
        ("engine", 5),
        ("python", 5),
        ("gpus", "8"),
        ("gpus", -1),
        ("time_s", "40min"),
        ("time_s", float("inf")),
        ("apart_s", None),
        ("apart_s", float("nan")),
        ("lease_s", 10**400),
        ("at_most", 2.5),
        ("options", "--x"),
        ("options", [5]),
        ("setup", [None]),
        ("setup", ["a\nrm -r b"]),
        ("partition", ["x"]),
        ("cpu", "no"),
    ],
)
def test_a_pool_of_a_plan_is_as_one_of_the_settings(field: str, value: Any) -> None:
    """A plan is anybody's, and commands are made of it."""
    refusal(pool_with(**{field: value}))


def test_half_a_character_in_a_plan_is_refused() -> None:
    """It could not be shown."""
    refusal(GOOD | {"label": "\ud800"})
    refusal(GOOD | {"cases": {"\udfff": None}})


def test_names_that_a_later_version_adds_are_passed_over() -> None:
    """As everywhere."""
    assert campaigns.load(stored(pool_with(more=1) | {"more": [1]}), PLAN.name) == PLAN


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(changes=st.dictionaries(st.sampled_from(sorted(GOOD)), JSON, max_size=3))
def test_any_plan_is_read_and_has_a_state_or_is_one_line(changes: dict[str, Any]) -> None:
    """Whatever was changed in it."""
    objects = stored(GOOD | changes)
    said, plan = "", None
    try:
        plan = campaigns.load(objects, PLAN.name)
    except StoreError as error:
        said = str(error)
    assert "\n" not in said
    if plan:
        state = campaign_progress.progress(objects, plan)
        assert all(v.state == "waiting" for v in state.visits)
