"""Faults of a cluster, each made to happen on a real Slurm: nothing that was measured is lost, nothing counts twice."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.fleet.real.running import Trial, environment
from tests.fleet.real.slurm_cluster import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fleet.real.slurm_cluster import SlurmCluster


NODES = ("n1", "n2", "n3", "n4")


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
    trial.wait_for_midst(*NODES)
    assert trial.status()[0] == 4
    assert trial.interrupt() == 130
    trial.go_on()
    assert trial.end() == 0
    trial.check_whole()
    assert len(trial.runs()) == 8
    code, facts = trial.status()
    assert (code, facts["complete"]) == (0, True)


def test_nodes_that_lose_their_power_or_their_daemon(trial: Trial, slurm: SlurmCluster) -> None:
    """The first goes on where it was. The second runs on unseen, and its job's second copy leaves it alone."""
    trial.begin()
    crashed = trial.wait_for_midst(*NODES)
    before = trial.begun_runs(crashed)
    slurm.crash(crashed)
    lost = trial.wait_for_midst(*(set(NODES) - {crashed}))
    slurm.lose(lost)
    for node in (crashed, lost):
        wait_for(lambda node=node: slurm.states()[node].startswith("down"), "it is not down", 60)  # type: ignore[misc]
        slurm.revive(node)
    assert trial.end() == 0
    trial.check_whole()
    assert len(trial.runs()) == len(NODES)
    assert trial.state().extra_runs == ()
    assert trial.went_on(crashed, before)
    assert not trial.went_on(lost, before)


def test_a_node_that_does_not_come_back_is_said_to_be_missing(
    trial: Trial, slurm: SlurmCluster
) -> None:
    """The others are whole, and the exit code says that something is missing; a retry completes it."""
    trial.begin(deadline="30")
    node = trial.wait_for_midst(*NODES)
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


def test_visits_that_are_preempted_or_meet_their_time_limit_go_on_later(
    trial: Trial, slurm: SlurmCluster
) -> None:
    """They are told, and keep what they have: the one by requeue, the other in a new job; neither job has failed."""
    trial.more = 'partition = "spot"'
    ended = len(slurm.ended())
    trial.begin()
    preempted = trial.wait_for_midst(*NODES)
    before = {preempted: trial.begun_runs(preempted)}
    slurm.ask("sbatch", "-p", "all", *job_on(preempted))
    limited = trial.wait_for_midst(*(set(NODES) - {preempted}))
    before[limited] = trial.begun_runs(limited)
    (job,) = slurm.ask("squeue", "-h", "-w", limited, "-o", "%A").split()
    slurm.ask("scancel", "--batch", "--signal=TERM", job)  # as Slurm does, to the shell alone
    assert trial.end() == 0
    trial.check_whole()
    assert len(trial.runs()) == len(NODES)
    assert all(trial.went_on(node, runs) for node, runs in before.items())
    assert "PREEMPTED" in slurm.ended()[ended:]
    assert "FAILED" not in slurm.ended()[ended:]


def test_a_visit_whose_job_a_preemption_throws_away_goes_on_in_another(
    trial: Trial, slurm: SlurmCluster
) -> None:
    """Where preemption cancels, `--requeue` is of no use; the follower submits what is missing."""
    trial.more = 'partition = "cancel"'
    trial.begin()
    node = trial.wait_for_midst(*NODES)
    before = trial.begun_runs(node)
    slurm.ask("sbatch", "-p", "all", *job_on(node))
    assert trial.end() == 0
    trial.check_whole()
    assert len(trial.runs()) == len(NODES)
    assert trial.went_on(node, before)


def job_on(node: str) -> list[str]:
    """Words for a job of somebody else on a node."""
    return ["--exclusive", "--nodelist", node, "--wrap", "sleep 2", "--output", "/dev/null"]


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


def test_a_store_that_is_away_for_a_while_costs_nothing(trial: Trial) -> None:
    """Visits measure on, wait for it with what they have, and the follower too."""
    trial.begin()
    trial.wait_for_midst(*NODES)
    away = trial.folder / "away"
    trial.store.rename(away)
    wait_for(
        lambda: all(trial.lines_of(n) == 0 for n in NODES),
        "visits are not measured",
        60,
    )
    assert not trial.store.exists(), "it was made anew where it had been"
    away.rename(trial.store)
    assert trial.end() == 0
    trial.check_whole()
    assert len(trial.runs()) == 4
