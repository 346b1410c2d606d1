"""A worker does not outlive its parent, where the system does not see to it: by the end of its input."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import threading

import pytest

from bench.worker import parent


def test_requests_come_in_order_and_their_end_ends_the_process() -> None:
    """What is still being done then is not waited for."""
    ended = threading.Event()
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    lines = parent._read_ahead(io.StringIO("one\ntwo\n"), end, grace_s=0.0)
    assert list(lines) == ["one\n", "two\n"]
    assert ended.wait(timeout=60)
    assert codes == [1]


def test_a_call_that_never_returns_ends_with_the_input() -> None:
    """A real process, asleep when its pipe is closed."""
    script = """
        import sys, time
        from bench.worker.parent import _read_ahead
        requests = iter(_read_ahead(sys.stdin, grace_s=0.0))
        print(next(requests), end="", flush=True)
        while True:
            time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("one\n")
        process.stdin.flush()
        assert process.stdout.readline() == "one\n"
        process.stdin.close()
        assert process.wait(timeout=120) == 1


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_input_is_watched(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    """Only Linux can be told to end a process with its parent."""
    monkeypatch.setattr(sys, "platform", platform)
    assert not parent._killed_with_parent()
