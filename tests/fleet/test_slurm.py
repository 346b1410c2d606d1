"""Slurm engine: what it calls, the script of a job, and what it reads in the answers."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.errors import SettingsError
from bench.fleet import slurm
from bench.fleet.engine import EngineError, Job, Node
from bench.fleet.slurm import SlurmEngine, meets
from tests.fleet import made_up

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.records.campaign import Pool

COMMAND = ("/a venv/python", "-m", "bench", "fleet", "visit", "acceptance", "--store", "/s;t")
LOG = "/store/log/%A_%a.%N.txt"
CONFIG = "MaxArraySize            = 1001\nSelectTypeParameters    = CR_CORE\n"
SCRIPT = """\
#!/bin/bash -l
module load cuda
'/a venv/python' -m bench fleet visit acceptance --store '/s;t' &
visit=$!
trap 'kill -TERM "$visit" 2>/dev/null' TERM
wait "$visit"; code=$?
while kill -0 "$visit" 2>/dev/null; do wait "$visit"; code=$?; done
[ "$code" = 143 ] && code=0
exit "$code"
"""


class Slurm:
    """Slurm's programs, which say what the test wants."""

    def __init__(self, **answers: str | Exception) -> None:
        self.answers: dict[str, str | Exception] = {"scontrol": CONFIG, **answers}
        self.calls: list[tuple[list[str], str]] = []

    def __call__(self, argv: Sequence[str], text: str) -> str:
        """Run a program."""
        self.calls.append((list(argv), text))
        answer = self.answers.get(argv[0], "")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def of(self, program: str) -> list[list[str]]:
        """The calls of a program."""
        return [argv for argv, _ in self.calls if argv[0] == program]


def engine(pool: Pool | None = None, **answers: str | Exception) -> tuple[SlurmEngine, Slurm]:
    """An engine and what it calls."""
    called = Slurm(**answers)
    of_pool = pool or made_up.pool()
    return SlurmEngine(of_pool, "acceptance", COMMAND, LOG, call=called), called


def test_a_visit_asks_for_a_whole_node_and_nothing_of_slurms_on_it() -> None:
    """Word by word, and the script on stdin."""
    full = made_up.pool(
        partition="gpu",
        constraint="h100&fast",
        account="me",
        qos="high",
        reservation="r",
        gpus=8,
        time_s=2430.0,
        options=("--comment=a b; rm",),
        setup=("module load cuda",),
    )
    one, called = engine(full)
    assert one.submit(20, among=(), avoid=("n1", "n2")) == 20
    ((argv, script),) = [call for call in called.calls if call[0][0] == "sbatch"]
    assert argv == [
        *("sbatch", "--parsable", "--array=0-19%16", "--job-name=tb-acceptance-p"),
        *("--nodes=1", "--ntasks=1", "--exclusive", "--mem=0", "--partition=gpu"),
        *("--constraint=h100&fast", "--account=me", "--qos=high", "--reservation=r"),
        *("--gres=gpu:8", "--time=40", "--requeue", "--open-mode=append", f"--output={LOG}"),
        *("--signal=B:TERM@120", "--export=NIL"),
        "--acctg-freq=task=0,energy=0,network=0,filesystem=0",
        "--comment=a b; rm",
        *("--exclude", "n1,n2"),
    ]
    assert script == SCRIPT


def test_what_was_not_said_is_not_asked_for() -> None:
    """No limit of the array, no GPU, no empty option."""
    one, called = engine(made_up.pool(at_most=0))
    one.submit(1, among=(), avoid=())
    (argv,) = called.of("sbatch")
    assert "--array=0-0" in argv
    told = " ".join(argv)
    assert not {word for word in ("--gres", "--partition", "--exclude", "--qos") if word in told}


def test_where_memory_is_handed_out_slurm_may_look_at_it() -> None:
    """A job that asks it not to would be held."""
    one, called = engine(scontrol="SelectTypeParameters    = CR_CORE_MEMORY\n")
    one.submit(1, among=(), avoid=())
    assert "--acctg-freq" not in " ".join(called.of("sbatch")[0])


def test_many_visits_are_several_arrays() -> None:
    """No longer than the cluster allows, whose settings are asked for once."""
    one, called = engine(scontrol="MaxArraySize = 4\n")
    assert one.submit(8, among=(), avoid=()) == 8
    assert [argv[2] for argv in called.of("sbatch")] == ["--array=0-2%16"] * 2 + ["--array=0-1%16"]
    assert len(called.of("scontrol")) == 1
    one, called = engine(scontrol="nothing known\n")
    assert one.submit(1001, among=(), avoid=()) == 1001
    assert [argv[2] for argv in called.of("sbatch")] == ["--array=0-999%16", "--array=0-0%16"]


def test_nodes_that_are_named_get_a_job_each() -> None:
    """Elements of an array share their nodes."""
    one, called = engine()
    assert one.submit(2, among=("n1", "n2", "n3"), avoid=()) == 2
    assert [argv[-2:] for argv in called.of("sbatch")] == [["--nodelist", n] for n in ("n1", "n2")]


@pytest.mark.parametrize(
    "said",
    [
        "sbatch: error: AssocMaxSubmitJobLimit",
        "sbatch: error: QOSMaxSubmitJobPerUserLimit",
        "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
        "Batch job submission failed: Resource temporarily unavailable",
        "Unable to contact slurm controller (connect failure)",
        "Socket timed out on send/recv operation",
    ],
)
def test_a_queue_that_is_full_takes_none_for_now(said: str) -> None:
    """That is no error: they are submitted later."""
    one, _ = engine(sbatch=EngineError(f"sbatch: {said}"))
    assert one.submit(3, among=(), avoid=()) == 0


def test_what_slurm_refuses_for_good_is_an_error() -> None:
    """In its words."""
    one, _ = engine(sbatch=EngineError("sbatch: error: invalid partition specified: gpuu"))
    with pytest.raises(SettingsError, match=r"invalid partition .*\[pool\.p\] of fleet.toml"):
        one.submit(3, among=(), avoid=())
    one, _ = engine(sbatch=EngineError("sbatch has not answered for 60 s"))
    assert one.submit(3, among=(), avoid=()) == 0


SINFO = """\
n1|idle|h100,fast|none
n2|allocated|h100,fast|none
n3|down*|h100,fast|Not responding
n4|drained|h100,fast|fan broken | see ticket 7
n5|mixed|h100|none
n6|idle|a100,fast|none
n7|idle*|h100,fast|none
n8|draining|h100,fast|kernel
n9|idle~|h100,fast|none
n10|reserved|h100,fast|none
n11|maint|h100,fast|yearly
n12|completing|h100,fast|none
n13|allocated+|h100,fast|none
n14|planned|h100,fast|none
n15|inval|h100,fast|gres/gpu count too low
n1|idle|h100,fast|none

n16|idle
"""


def test_nodes_are_read_with_their_states_and_reasons() -> None:
    """Those that meet the constraint, each once; a reason may hold anything."""
    one, called = engine(made_up.pool(partition="gpu", constraint="h100&fast"), sinfo=SINFO)
    found = {node.name: node for node in one.nodes()}
    assert called.calls[0][0] == [*("sinfo", "-h", "-N", "--partition", "gpu", "-o", "%N|%T|%f|%E")]
    states = {name: node.state for name, node in found.items()}
    assert states == {
        **dict.fromkeys(("n1", "n9"), "idle"),
        **dict.fromkeys(("n2", "n10", "n11", "n12", "n13", "n14"), "busy"),
        **dict.fromkeys(("n3", "n4", "n7", "n8", "n15"), "down"),
    }
    assert found["n3"].reason == "it is down and does not answer (Not responding)"
    assert found["n4"] == Node(
        name="n4", state="down", reason="it is drained (fan broken | see ticket 7)"
    )
    assert found["n2"].reason == "it is allocated"


def test_a_partition_without_nodes_has_none() -> None:
    """Without one named, all of the default are listed."""
    one, called = engine(sinfo="")
    assert one.nodes() == ()
    assert "--partition" not in called.calls[0][0]


@pytest.mark.parametrize(
    ("constraint", "features", "met"),
    [
        ("", [], True),
        ("h100", ["h100"], True),
        ("h100", ["h1000", "H100"], False),
        ("a&b", ["a"], False),
        ("a&b", ["b", "a"], True),
        ("a|b", ["b"], True),
        ("a|b&c", ["a"], False),
        ("a|b&c", ["a", "c"], True),
        ("a&b|c", ["c"], True),
        ("a-1.x_2", ["a-1.x_2"], True),
        ("h100", [""], False),
        ("h100", ["(null)"], False),
    ],
)
def test_a_constraint_is_read_from_left_to_right(
    constraint: str, features: list[str], *, met: bool
) -> None:
    """As Slurm does."""
    assert meets(constraint, features) is met


@pytest.mark.parametrize("constraint", ["[a|b]", "a*2", "!a", "a,b", "a&", "(a|b)&c", "a b", " "])
def test_a_constraint_of_another_form_is_refused(constraint: str) -> None:
    """Which nodes meet it could not be told."""
    with pytest.raises(SettingsError, match="not made of features"):
        meets(constraint, ["a"])


SQUEUE = """\
7_0|RUNNING|n1||None
7_1|COMPLETING|n2||None
7_2|PENDING|||Resources
7_3|PENDING||n3|Priority
7_4|PENDING||n[1-3]|ReqNodeNotAvail, UnavailableNodes:n[1-3]
7_5|PENDING||n1,n2|Dependency
7_6|PENDING|||JobHeldUser
7_7|PENDING|||launch failed requeued held
7_8|CONFIGURING|n4||None
7_9|PENDING|||a | b

slurm_load_jobs error
"""


def test_jobs_are_read_with_where_they_run_or_wait() -> None:
    """Those of the user of that name, which any follower finds again."""
    one, called = engine(squeue=SQUEUE)
    found = {job.id: job for job in one.jobs()}
    argv = called.calls[0][0]
    assert argv[:3] == ["squeue", "-h", "-r"]
    assert argv[argv.index("-n") + 1] == "tb-acceptance-p"
    assert argv[-1] == "%i|%T|%N|%n|%r"
    assert found["7_0"] == Job(id="7_0", state="running", node="n1")
    assert found["7_1"] == Job(id="7_1", state="running", node="n2")
    assert found["7_2"] == Job(id="7_2", state="waiting", reason="Resources")
    assert found["7_3"] == Job(id="7_3", state="waiting", node="n3", reason="Priority")
    assert [found[f"7_{n}"].node for n in (4, 5)] == ["", ""]
    assert found["7_4"].reason == "ReqNodeNotAvail, UnavailableNodes:n[1-3]"
    assert [found[f"7_{n}"].state for n in (6, 7, 8, 9)] == ["held", "held", "waiting", "waiting"]
    assert found["7_9"].reason == "a | b"
    assert len(found) == 10


def test_only_jobs_in_the_named_states_are_taken_back() -> None:
    """And without any nothing is called."""
    one, called = engine(squeue=SQUEUE)
    one.cancel({"held"})
    assert called.of("scancel") == [["scancel", "7_6", "7_7"]]
    one, called = engine(squeue="")
    one.cancel({"waiting"})
    assert called.of("scancel") == []


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container; Slurm takes either."""

    def unknown(_number: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", unknown)
    one, called = engine(squeue="")
    assert one.jobs() == ()
    assert "-u" in called.calls[0][0]


def test_a_program_that_is_not_there_is_told_with_where_it_would_be() -> None:
    """On a machine that is none of the cluster's."""
    with pytest.raises(SettingsError, match="there is no no-such-program here; run this where"):
        slurm._called(["no-such-program"], "")


def test_what_a_program_says_of_its_failure_is_one_line() -> None:
    """However much it says."""
    fails = [sys.executable, "-c", "import sys; sys.exit('one\\n two ' + 'x' * 9999)"]
    with pytest.raises(EngineError) as caught:
        slurm._called(fails, "")
    assert "one two" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    with pytest.raises(EngineError, match="exit code 3"):
        slurm._called([sys.executable, "-c", "raise SystemExit(3)"], "")
    assert slurm._called([sys.executable, "-c", "print(input())"], "x\n") == "x\n"


def test_a_program_that_does_not_answer_is_tried_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a scheduler that is away."""

    def late(argv: Sequence[str], **_options: object) -> None:
        raise subprocess.TimeoutExpired(list(argv), 60.0)

    monkeypatch.setattr(subprocess, "run", late)
    with pytest.raises(EngineError, match="squeue has not answered for 60 s"):
        slurm._called(["squeue"], "")


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("pass", 0),
        ("raise SystemExit(1)", 1),
        ("raise SystemExit(143)", 0),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
    ],
)
def test_the_script_ends_as_the_visit_does(tmp_path: Path, program: str, code: int) -> None:
    """But for one that was told to end and has kept what it had, which is no failed job."""
    command = (sys.executable, "-c", program)
    script = SlurmEngine(made_up.pool(), "a", command, LOG, call=Slurm()).script()
    done = subprocess.run(["bash"], input=script, text=True, cwd=tmp_path, check=False)  # noqa: S607
    assert done.returncode == code


def test_a_term_to_the_shell_reaches_the_visit_which_may_take_its_time(tmp_path: Path) -> None:
    """The script waits until it has kept what it had, also when both get the signal, or it comes twice."""
    program = (
        "import signal, sys, os\n"
        "def end(*_):\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    print('told', flush=True)\n"
        "    open('kept', 'w').close()\n"
        "    os._exit(143)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    script = SlurmEngine(
        made_up.pool(), "a", (sys.executable, "-c", program), LOG, call=Slurm()
    ).script()
    (tmp_path / "job.sh").write_text(script)
    with subprocess.Popen(
        shlex.split("bash job.sh"), stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as job:
        assert job.stdout
        assert job.stdout.readline() == "ready\n"
        job.send_signal(signal.SIGTERM)
        assert job.stdout.readline() == "told\n"
        job.send_signal(signal.SIGTERM)
        assert job.wait(20) == 0
    assert (tmp_path / "kept").exists()
