"""Signals that end a program: SIGTERM and SIGHUP end a command as Ctrl-C does. With real processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from bench.cli.termination import Termination
from bench.store.load import load_rows
from tests.fakes.workers import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SUITE = """
import os
import time
from pathlib import Path

import torch

from bench import Axis, Call, Suite

suite = Suite("mine", axes=[Axis("way", ["short", "endless"])])


def endless(x):
    Path("inside").touch()
    while "QUICK" not in os.environ:
        time.sleep(0.05)
    return x


@suite.op
def op(case):
    return Call(endless if case["way"] == "endless" else torch.neg, case.ones(4))
"""
COMMANDS = {
    "run": ("run", "mine.py", "--workers", "1", "--patience", "0", "--no-roofs"),
    "ab": ("ab", "mine.py", "--workers", "2", "--a-threads", "1", "--b-threads", "1"),
    "crossover": ("crossover", "sized/op", "--suite", "sized.py", "--between", "threads=1,2"),
}
SIZED = (
    SUITE.replace('"mine"', '"sized"')
    .replace('Axis("way", ["short", "endless"])', 'Axis("n", [2, 4])')
    .replace('endless if case["way"] == "endless" else torch.neg', "endless")
)


class Command:
    """A command that measures an op which never returns, in a folder of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        (folder / "mine.py").write_text(SUITE)
        (folder / "sized.py").write_text(SIZED)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench", *words, "--store", "st ore"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.workers: list[psutil.Process] = []

    def wait_inside(self) -> None:
        """Wait until a worker is within the call."""
        assert eventually((self.folder / "inside").exists, within_s=120)
        self.workers = psutil.Process(self.process.pid).children(recursive=True)
        assert self.workers

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal: the exit code, and what was said on standard error."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said

    def assert_alone(self) -> None:
        """No worker is left."""
        assert eventually(lambda: not any(map(is_alive, self.workers)))


def environment(**more: str) -> dict[str, str]:
    """Ours, with this package."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that nobody has collected yet does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_a_run_that_is_ended_says_how_to_go_on(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """As Ctrl-C: the workers end, and the command that is named measures the rest."""
    command = Command(tmp_path, *COMMANDS["run"])
    command.wait_inside()
    ended, said = command.end(number)
    assert ended == code, said
    command.assert_alone()
    told = re.search(r'Go on with: bench run --resume (\S+) --store "st ore"\n', said)
    assert told, said
    words = ["run", "--resume", told[1], "--store", "st ore"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=tmp_path,
        env=environment(QUICK="1"),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert {row.status for row in load_rows(tmp_path / "st ore").itertuples()} == {"ok"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ab", "crossover"])
def test_so_does_a_paired_run(tmp_path: Path, name: str) -> None:
    """What was finished is kept; here that is nothing."""
    command = Command(tmp_path, *COMMANDS[name])
    command.wait_inside()
    code, said = command.end(signal.SIGTERM)
    assert code == 143, said
    assert said.endswith("\ninterrupted; kept: nothing, since no case was finished\n")
    command.assert_alone()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ends what holds the GIL")
def test_a_session_that_is_killed_leaves_no_worker(tmp_path: Path) -> None:
    """It can say nothing, and its workers are within a call."""
    command = Command(tmp_path, *COMMANDS["run"])
    command.wait_inside()
    code, _ = command.end(signal.SIGKILL)
    assert code == -signal.SIGKILL
    command.assert_alone()


@pytest.fixture(autouse=True)
def _as_by_default() -> Iterator[None]:
    """These tests may run under `nohup`, and commands inherit what is ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(name="ignored")
def _ignored() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


def test_the_first_signal_interrupts_and_others_don_t_disturb_the_cleanup() -> None:
    """A second one is what a supervisor sends while workers end."""
    with Termination() as termination:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert termination.code(otherwise=130) == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.usefixtures("ignored")
def test_a_signal_that_is_ignored_stays_so() -> None:
    """As under nohup."""
    with Termination() as termination:
        signal.raise_signal(signal.SIGHUP)
    assert termination.code(otherwise=0) == 0
