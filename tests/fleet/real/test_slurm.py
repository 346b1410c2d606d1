"""Faults of a cluster, each made to happen on a real Slurm: nothing that was measured is lost, nothing counts twice."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.fleet.real.running import CASES, Trial, environment
from tests.fleet.real.slurm_cluster import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fleet.real.slurm_cluster import SlurmCluster


@pytest.fixture(name="trial")
def _trial(slurm: SlurmCluster, tmp_path: Path) -> Iterator[Trial]:
    trial = Trial(tmp_path, environment(slurm.environ), 'partition = "all"')
    yield trial
    if trial.process and trial.process.poll() is None:
        trial.process.kill()
    slurm.ask("scancel", "-u", "root")
    for name, state in slurm.states().items():
        if state.startswith(("down", "drain")) or state.endswith("*"):
            slurm.revive(name)
    wait_for(lambda: set(slurm.states().values()) == {"idle"}, f"nodes are {slurm.states()}", 60)


def test_every_node_is_visited_twice_and_the_follower_may_stop_meanwhile(trial: Trial) -> None:
    """Its jobs go on by themselves, and another follower takes up where they are."""
    trial.begin(visits=2)
    trial.wait_for_lines(1, "n1", "n2", "n3", "n4")
    assert trial.status()[0] == 4
    assert trial.interrupt() == 130
    trial.go_on()
    assert trial.end() == 0
    trial.check_whole()
    assert len(trial.runs()) == 8
    code, facts = trial.status()
    assert (code, facts["complete"]) == (0, True)


def test_a_node_that_loses_power_goes_on_where_it_was(trial: Trial, slurm: SlurmCluster) -> None:
    """With the run that it had begun; the job may begin again elsewhere meanwhile, and finds nothing to do."""
    trial.begin()
    node = trial.wait_for_lines(2, "n1", "n2", "n3", "n4")
    before = [path.name for path in (trial.spool / "trial" / node).glob("2*")]
    slurm.crash(node)
    wait_for(lambda: slurm.states()[node].startswith("down"), "the node is not down", 60)
    slurm.revive(node)
    assert trial.end() == 0
    trial.check_whole()
    assert len(trial.runs()) == 4
    (visit,) = (v for v in trial.state().visits if v.node == node)
    assert [visit.run_id] == before
    assert visit.attempt == 2


def test_a_node_that_does_not_come_back_is_said_to_be_missing(
    trial: Trial, slurm: SlurmCluster
) -> None:
    """The others are whole, and the exit code says that something is missing; a retry completes it."""
    trial.begin(deadline="45")
    node = trial.wait_for_lines(1, "n1", "n2", "n3", "n4")
    slurm.crash(node)
    assert trial.end() == 6
    states = {visit.node: visit for visit in trial.state().visits}
    assert states.pop(node).state in {"lost", "unreached"}
    assert {visit.state for visit in states.values()} == {"done"}
    assert node in trial.output[-1]
    assert trial.status()[0] == 6
    slurm.revive(node)
    trial.go_on(command="retry")
    assert trial.end() == 0
    trial.check_whole()


@pytest.mark.parametrize("partition", ["spot", "cancel"])
def test_a_visit_that_is_preempted_goes_on_later(
    trial: Trial, slurm: SlurmCluster, partition: str
) -> None:
    """By requeue, and where the scheduler throws the job away, by the follower; no case is measured again."""
    trial.more = f'partition = "{partition}"'
    trial.begin()
    node = trial.wait_for_lines(2, "n1", "n2", "n3", "n4")
    claimed = ["--exclusive", "--nodelist", node, "--wrap", "sleep 2", "--output", "/dev/null"]
    slurm.ask("sbatch", "-p", "all", *claimed)
    assert trial.end() == 0
    trial.check_whole()
    assert len(trial.runs()) == 4
    (visit,) = (v for v in trial.state().visits if v.node == node)
    assert visit.attempt == 2
    assert "PREEMPTED" in slurm.ended()


def test_a_visit_that_meets_its_time_limit_goes_on_in_another_job(
    trial: Trial, slurm: SlurmCluster
) -> None:
    """It is told before the limit, keeps what it has, and no job counts as failed."""
    trial.begin()
    node = trial.wait_for_lines(2, "n1", "n2", "n3", "n4")
    (job,) = slurm.ask("squeue", "-h", "-w", node, "-o", "%A").split()
    slurm.ask("scancel", "--batch", "--signal=TERM", job)  # as Slurm does, to the shell alone
    assert trial.end() == 0
    trial.check_whole()
    assert len(trial.runs()) == 4
    (visit,) = (v for v in trial.state().visits if v.node == node)
    assert visit.attempt == 2
    assert "FAILED" not in slurm.ended()


def test_nodes_that_fail_every_preflight_are_excluded_and_the_others_are_whole(
    trial: Trial, tmp_path: Path
) -> None:
    """One lets jobs have a part of its cores, one has another torch; each takes two jobs, and is named with its reason."""
    other = tmp_path / "other"
    (other / "torch-2.0.1.dist-info").mkdir(parents=True)
    (other / "torch-2.0.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torch\nVersion: 2.0.1\n"
    )
    python = shlex.quote(sys.executable)
    program = tmp_path / "python"
    program.write_text(
        "#!/bin/sh\ncase $SLURMD_NODENAME in\n"
        f'n2) exec taskset -c 0 {python} "$@";;\n'
        f'n3) PYTHONPATH={other} exec {python} "$@";;\n'
        f'esac\nexec {python} "$@"\n'
    )
    program.chmod(0o755)
    trial.more += f'\npython = "{program}"'
    trial.begin()
    assert trial.end() == 6
    state = trial.state()
    assert set(state.excluded) == {"n2", "n3"}
    assert "1 of 2 cores" in state.excluded["n2"]
    assert "torch is 2.0.1 here" in state.excluded["n3"]
    assert {v.node for v in state.visits if v.state == "done"} == {"n1", "n4"}
    failures = trial.store / "campaigns" / "trial" / "failures" / "here"
    assert {path.name: len(list(path.iterdir())) for path in failures.iterdir()} == {
        "n2": 2,
        "n3": 2,
    }
    assert "1 of 2 cores" in trial.output[-1]


def test_a_job_that_slurm_begins_twice_counts_once(trial: Trial, slurm: SlurmCluster) -> None:
    """A node whose daemon died runs on, and its job is begun anew: the second copy leaves the first one alone."""
    trial.begin()
    node = trial.wait_for_lines(1, "n1", "n2", "n3", "n4")
    slurm.lose(node)
    wait_for(lambda: slurm.states()[node].startswith("down"), "the node is not down", 60)
    slurm.revive(node)
    assert trial.end() == 0
    trial.check_whole()
    assert len(trial.runs()) == 4
    assert trial.state().extra_runs == ()


def test_a_store_that_is_away_for_a_while_costs_nothing(trial: Trial) -> None:
    """Visits measure on, wait for it with what they have, and the follower too."""
    trial.begin()
    trial.wait_for_lines(CASES - 2, "n1", "n2", "n3", "n4")
    away = trial.folder / "away"
    trial.store.rename(away)
    wait_for(
        lambda: all(trial.lines_of(n) == 0 for n in ("n1", "n2", "n3", "n4")),
        "visits are not measured",
        60,
    )
    assert not trial.store.exists(), "it was made anew where it had been"
    away.rename(trial.store)
    assert trial.end() == 0
    trial.check_whole()
    assert len(trial.runs()) == 4
