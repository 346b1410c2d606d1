"""`bench fleet`: exit codes, one document, and every trouble as one line that names the value, the rule and the fix."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from bench import cli
from bench.cli import fleet
from bench.fleet.engines import this_node
from bench.fleet.visit import NodeVisit, Outcome
from bench.records.campaign import CampaignState, VisitState
from bench.store import campaigns, claims
from bench.store.claims import Claim
from bench.store.objects import Objects
from bench.store.runs import list_runs
from tests.fleet import made_up

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.campaign import State

    Capture = pytest.CaptureFixture[str]

SMALL = ["matmul", "-k", "square and n=16", "--budget", "0.05", "--workers", "1", "--no-roofs"]
RUN = "20261123T050000Z-000001"


@pytest.fixture(name="place")
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, where we are."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(folder: Path, **facts: Any) -> Objects:
    """A store with a campaign of one node of this machine."""
    objects = Objects(folder / "results", make=True)
    pool = made_up.pool(name="local", engine="local", spool=str(folder / "spool"))
    campaigns.create(objects, made_up.campaign(pool, [this_node()], **facts))
    return objects


def visit(number: int = 1) -> Claim:
    """A visit of this machine."""
    return Claim(campaign="acceptance", pool="local", node=this_node(), visit=number, attempt=1)


def error(capsys: Capture, words: list[str]) -> str:
    """The one line of a command that can't be done, whose exit code is 2."""
    assert cli.main(["fleet", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("bench: ")
    assert "Traceback" not in err
    return err


@pytest.mark.slow
def test_a_campaign_on_this_machine_from_plan_to_status(place: Path, capsys: Capture) -> None:
    """Planned, run and followed, looked at; to run it again measures nothing."""
    (place / "fleet.toml").write_text(
        f'[pool.here]\nengine = "local"\nspool = "{place / "spool"}"\nallow = ["busy", "cores"]\n'
    )
    options = ["--pool", "here", "--name", "first", "--visits", "2", "--json"]
    assert cli.main(["fleet", "plan", *SMALL, *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["campaign"], told["visits"]) == ("first", 2)
    assert told["cases"] > 0
    assert [pool["devices"] for pool in told["pools"]] == [["cpu"]]
    assert cli.main(["fleet", "status", "first"]) == 4
    capsys.readouterr()
    assert cli.main(["fleet", "run", "first", "--poll", "0.2", "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert cli.main(["fleet", "status", "first", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == state
    runs = list_runs(place / "results")
    assert [run.info.tags["visit"] for run in runs] == ["1", "2"]
    assert {run.info.counts["ok"] for run in runs} == {told["cases"]}
    assert len({run.info.options["seed"] for run in runs}) == 2
    assert cli.main(["fleet", "run", "first"]) == 0
    assert cli.main(["fleet", "retry", "first"]) == 0
    assert len(list_runs(place / "results")) == 2


def test_the_status_of_a_campaign_is_its_exit_code(place: Path, capsys: Capture) -> None:
    """4 while visits wait, 6 where one failed, 0 when all are done; and one document."""
    objects = made(place, visits=2)
    codes = []
    for act in (
        lambda: None,
        lambda: claims.finish(objects, visit(1), RUN),
        lambda: claims.fail(objects, ("acceptance", "local", this_node()), "1", "full", most=2),
        lambda: claims.forgive(objects, "acceptance"),
        lambda: claims.finish(objects, visit(2), RUN[:-1] + "2"),
    ):
        act()
        codes.append(cli.main(["fleet", "status", "acceptance", "--json"]))
        json.loads(capsys.readouterr().out)
    assert codes == [4, 4, 6, 4, 0]
    assert cli.main(["fleet", "status", "acceptance"]) == 0
    assert "2 of 2 visits done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["done"], 0),
        (["done", "running"], 4),
        (["done", "waiting"], 4),
        (["waiting", "failed"], 6),
        (["running", "lost"], 6),
        (["done", "excluded"], 6),
        (["unreached"], 6),
    ],
)
def test_what_is_missing_outweighs_what_is_under_way(states: list[State], code: int) -> None:
    """6 says that it does not end by itself."""
    visits = tuple(
        VisitState(pool="p", node="n", visit=n + 1, state=state) for n, state in enumerate(states)
    )
    assert fleet.state_code(CampaignState(campaign=made_up.campaign(), visits=visits)) == code


def test_a_campaign_that_is_done_is_followed_without_a_job(place: Path, capsys: Capture) -> None:
    """By `run` and by `retry`; one document each."""
    objects = made(place)
    claims.finish(objects, visit(), RUN)
    for command in ("run", "retry"):
        assert cli.main(["fleet", command, "acceptance", "--json"]) == 0
        json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("command", ["run", "status", "retry"])
def test_without_a_store_or_a_campaign_it_is_one_line(
    place: Path, capsys: Capture, command: str
) -> None:
    """No folder is made for a campaign that is not there."""
    said = error(capsys, [command, "acceptance"])
    assert "results" in said
    assert not (place / "results").exists()
    objects = made(place)
    assert "did you mean acceptance?" in error(capsys, [command, "acceptence"])
    assert "there is no campaign '../x'" in error(capsys, [command, "../x"])
    for data in (b"{", b"[" * 100_000, b'{"name": "acceptance", "version": "x"}'):
        objects.write("campaigns/acceptance/campaign.json", data)
        error(capsys, [command, "acceptance"])
    (place / "file").write_text("")
    assert "file" in error(capsys, [command, "acceptance", "--store", "file"])


@pytest.mark.parametrize("words", [["run"], ["run", "a", "b"]])
def test_a_campaign_or_a_pool_is_named(place: Path, capsys: Capture, words: list[str]) -> None:
    """One or the other; with how a new one is begun."""
    assert place.is_dir()
    assert "with --pool where to run a new one: bench fleet run --pool local" in error(
        capsys, words
    )


def test_options_of_a_new_campaign_do_not_change_one_that_is_there(
    place: Path, capsys: Capture
) -> None:
    """Its plan never changes: to pass over them in silence would mislead."""
    claims.finish(made(place), visit(), RUN)
    assert "--visits" in error(capsys, ["run", "acceptance", "--visits", "5"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plan", "matmul"], "--pool says where: local"),
        (["plan", "matmul", "--pool", "locla"], "there is no pool 'locla'; did you mean local?"),
        (["plan", "mat mul", "--pool", "local"], "mat mul"),
        (["plan", "matmul", "-k", "nothing_at_all", "--pool", "local"], "nothing_at_all"),
        (["plan", "matmul", "--pool", "local", "--name", "../x"], "--name '../x' can't name"),
        (["plan", "matmul", "--pool", "local", "--budget", "soon"], "--budget 'soon'"),
        (["run", "acceptance", "--deadline", "soon"], "--deadline 'soon'"),
        (["run", "acceptance", "--poll", "0"], "--poll '0'"),
        (["plan", "matmul", "--pool", "local", "--tag", "x"], "--tag 'x' can't be read"),
    ],
)
def test_a_word_that_can_not_be_is_named_with_the_rule(
    place: Path, capsys: Capture, words: list[str], says: str
) -> None:
    """And nothing is left of a plan that was not made."""
    assert says in error(capsys, words)
    assert not list(place.glob("results/campaigns/*"))
    assert {path.name for path in place.iterdir()} <= {"results"}


def test_a_name_that_is_taken_stays_as_it_is(place: Path, capsys: Capture) -> None:
    """With how to go on."""
    objects = made(place)
    before = objects.read("campaigns/acceptance/campaign.json")
    said = error(capsys, ["plan", *SMALL, "--pool", "local", "--name", "acceptance"])
    assert "go on with it: bench fleet run acceptance, or choose another --name" in said
    assert objects.read("campaigns/acceptance/campaign.json") == before


def test_a_pool_of_slurm_without_slurm_leaves_nothing(
    place: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither within the store nor, by a name that is a path, outside of it."""
    monkeypatch.setenv("PATH", str(place))
    (place / "fleet.toml").write_text('[pool.x]\nengine = "slurm"\n')
    for name in ("a", "../../outside"):
        words = ["plan", *SMALL, "--pool", "x", "--name", name, "--store", str(place / "s" / "t")]
        error(capsys, words)
        left = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_dir()}
        assert left <= {"s", "s/t"}


def test_a_file_of_pools_that_is_wrong_is_one_line(place: Path, capsys: Capture) -> None:
    """With the place in it."""
    (place / "fleet.toml").write_text("[pool.x]\nengine = 5\n")
    assert "fleet.toml [pool.x] engine = 5" in error(capsys, ["plan", *SMALL, "--pool", "x"])


def test_a_time_that_can_not_be_forgives_nothing(place: Path, capsys: Capture) -> None:
    """All words are read before anything is changed."""
    objects = made(place)
    claims.exclude(objects, ("acceptance", "local", this_node()), "broken")
    error(capsys, ["retry", "acceptance", "--deadline", "soon"])
    assert claims.excluded(objects, "acceptance")


@pytest.mark.parametrize("name", ["../x", "a/b", "-x", "a b", "a\nb"])
def test_a_node_can_not_be_called_so_that_it_leads_elsewhere(
    place: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Nothing is made outside the spool, and nothing is measured."""
    made(place)
    monkeypatch.setattr(NodeVisit, "run", lambda _job: Outcome(kind="done", sentence="measured"))
    error(capsys, ["visit", "acceptance", "--pool", "local", f"--node={name}"])
    assert {path.name for path in place.iterdir()} <= {"results", "spool"}


def test_a_job_of_a_pool_that_there_is_not_is_one_line(place: Path, capsys: Capture) -> None:
    """With the ones that there are."""
    made(place)
    assert "has no pool 'q'" in error(capsys, ["visit", "acceptance", "--pool", "q"])


def test_a_job_that_finds_nothing_to_do_ends_well(
    place: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a scheduler's array has them by the dozen; a node has the name that Slurm gives it."""
    objects = made(place)
    monkeypatch.setenv("SLURMD_NODENAME", "n7")
    monkeypatch.delenv("BENCH_NODE", raising=False)
    claims.exclude(objects, ("acceptance", "local", "n7"), "its fan is broken")
    before = dict(os.environ)
    assert cli.main(["fleet", "visit", "acceptance", "--pool", "local"]) == 0
    for name in set(os.environ) - set(before):
        monkeypatch.delenv(name)
    assert "n7 is excluded: its fan is broken" in capsys.readouterr().err


def test_how_to_go_on_is_said_for_the_store_that_was_named(place: Path, capsys: Capture) -> None:
    """In a form that a shell takes."""
    store = place / "a store"
    words = ["plan", *SMALL, "--pool", "local", "--name", "a", "--store", str(store)]
    assert cli.main(["fleet", *words]) == 0
    out = capsys.readouterr().out
    assert f"bench fleet run a --store '{store}'" in out
    assert "1 node of local" in out
    assert "2 visits" in out


def test_visits_that_are_started_elsewhere_are_not_followed(place: Path, capsys: Capture) -> None:
    """Their plan is written, and the line says what starts them; machines are counted before they have names."""
    (place / "fleet.toml").write_text('[pool.cloud]\nengine = "elsewhere"\nmachines = 3\n')
    assert cli.main(["fleet", "plan", *SMALL, "--pool", "cloud", "--name", "a"]) == 0
    capsys.readouterr()
    assert "bench fleet emit kubernetes a" in error(capsys, ["run", "a"])
    assert cli.main(["fleet", "status", "a", "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["visits"]["waiting"] == 6
    assert cli.main(["fleet", "emit", "kubernetes", "a"]) == 0
    assert "completions: 6" in capsys.readouterr().out


def test_a_pool_without_nodes_is_no_plan(
    place: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition that there is not, say: a campaign that measures nothing must not end as if all were well."""
    (place / "fleet.toml").write_text('[pool.gone]\nengine = "slurm"\npartition = "gpuu"\n')
    monkeypatch.setattr("bench.fleet.slurm.SlurmEngine.nodes", lambda _: ())
    said = error(capsys, ["run", *SMALL, "--pool", "gone", "--name", "a"])
    assert "pool gone has no node (gpuu)" in said
    assert not (place / "results" / "campaigns").exists()
