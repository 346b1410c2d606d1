"""`bench fleet report | gate | reference` and `bench gate`: a made-up campaign from its store to exit codes and pages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench.cli import main
from bench.fleet import confirmation
from bench.store import claims
from bench.store.campaign_progress import progress
from tests.fakes import fleet_stores, fleets
from tests.fakes.fleet_stores import NAME, POOL

if TYPE_CHECKING:
    from pathlib import Path

    from bench.analysis.fleet.fleet_summary import VisitRows
    from bench.records.campaign import Campaign
    from bench.store.objects import Objects

FLEET = fleets.FleetPlan(nodes=6, gpus=8)
SLOW = {("n004", "cuda:3"): 1.08}


def made(
    again: tuple[str, ...] = (), slow: dict[tuple[str, str], float] | None = None
) -> list[VisitRows]:
    """The visits of a fleet with a slow device."""
    return fleets.visits(FLEET, SLOW if slow is None else slow, again=again)


def stored(store: Path, visits: list[VisitRows], nodes: int = 6) -> tuple[Objects, Campaign]:
    """A store of them."""
    names = [fleets.node_name(n) for n in range(nodes)]
    plan = fleet_stores.campaign(names, [row.case for row in visits[0].records])
    return fleet_stores.write(store, plan, visits), plan


def test_a_slow_device_is_suspected_visited_again_beside_controls_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From two visits of each node to the exit code of a gate."""
    store = tmp_path / "store"
    objects, plan = stored(store, made())
    where = ("--store", str(store))
    assert main(["fleet", "gate", NAME, *where]) == 4
    assert (
        "1 suspect waits for a visit that confirms or clears it: n004 cuda:3"
        in capsys.readouterr().out
    )

    nodes = confirmation.asked(objects, progress(objects, plan))
    assert "n004" in nodes
    assert len(nodes) == 3
    assert list(nodes) == sorted(nodes), "the order must not tell which is the suspect"
    assert confirmation.asked(objects, progress(objects, plan)) == (), "asked once"
    assert claims.to_confirm(objects, NAME) == {(POOL, node) for node in nodes}
    assert main(["fleet", "status", NAME, *where]) == 4

    later = [visit for visit in made(again=nodes) if visit.confirms]
    for number, visit in enumerate(later):
        fleet_stores.add(store, objects, visit, 100 + number)
    assert main(["fleet", "status", NAME, *where]) == 0
    capsys.readouterr()
    assert main(["fleet", "gate", NAME, *where]) == 3
    assert "1 GPU is slow: n004 cuda:3" in capsys.readouterr().out


def test_a_fleet_in_which_all_are_alike_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And its page says so, also as JSON, also of a run that is gone."""
    store = tmp_path / "store"
    objects, plan = stored(store, made(slow={}))
    assert confirmation.asked(objects, progress(objects, plan)) == ()
    assert main(["fleet", "gate", NAME, "--store", str(store)]) == 0
    gone = progress(objects, plan).visits[0].run_id
    (store / gone / "run.json").unlink()
    capsys.readouterr()
    out = ("--out", str(tmp_path / "pages"))
    assert main(["fleet", "report", NAME, "--store", str(store), "--json", *out]) == 0
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert facts["report"].endswith(f"fleet-{NAME}.html")
    assert "No device stands out" in " ".join(facts["sentences"])
    assert f"passed over: visit 1 of n000: its run {gone}" in said.err


def test_a_gate_of_an_incomplete_campaign_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was not measured is not good."""
    store = tmp_path / "store"
    stored(store, made(slow={}), nodes=7)
    assert main(["fleet", "gate", NAME, "--store", str(store)]) == 6
    assert "6 of 7 nodes measured" in capsys.readouterr().out


def test_one_machine_is_held_against_a_fleet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a file that the fleet wrote: an ordinary run passes, a slow one does not, one of another model can't."""
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "store"
    stored(store, made(slow={}))
    assert main(["fleet", "reference", NAME, "--store", str(store)]) == 0
    said = capsys.readouterr().out
    assert "reference.parquet: 12 rows, up to 48 devices each" in said

    one, slow = (
        fleets.visits(fleets.FleetPlan(nodes=1, gpus=1, visits=1, seed=7)),
        fleets.visits(
            fleets.FleetPlan(nodes=1, gpus=1, visits=1, seed=7), {("n000", "cuda:0"): 1.2}
        ),
    )
    for number, visits in enumerate((one, slow)):
        place = tmp_path / f"run{number}"
        stored(place, visits, nodes=1)
        code = main(["gate", "--against", "reference.parquet", "--store", str(place)])
        said = capsys.readouterr().out
        assert (code, " of 48" in said) == ((0, 3)[number], True), said
        assert main(["show", "--against", "reference.parquet", "--store", str(place)]) == 0
        capsys.readouterr()


@pytest.mark.parametrize("word", ["gate", "show"])
def test_a_file_that_is_no_reference_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    """Whatever it is."""
    store = tmp_path / "store"
    objects, plan = stored(store, made(slow={}))
    run = progress(objects, plan).visits[0].run_id
    for name in (f"{run}/cases.parquet", f"{run}/run.json", "nothing"):
        assert main([word, run, "--against", str(store / name), "--store", str(store)]) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert "reference" in line
