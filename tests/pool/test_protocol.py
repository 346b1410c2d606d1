"""Messages survive the line between session and worker, and nothing else passes for one."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.machine.gpu_readings import Telemetry
from bench.pool import protocol
from tests.fakes.workers import HELLO, PREPARED, case, visited
from tests.records.test_roofs import HERE

MESSAGES = (
    protocol.Check(case=case(labels={"n": "1", "call": "µ ± “@”\n"}, flop=2.0)),
    protocol.Build(case=case()),
    protocol.Built(),
    protocol.StartCompiler(device="cpu"),
    protocol.CompilerStarted(),
    protocol.Prepare(case=case(), sample_s=0.01),
    protocol.Prepare(case=case(), sample_s=0.01, loops=12, call_s=1e-5),
    protocol.Prepare(case=case(), sample_s=0.01, cache="cold"),
    protocol.VisitRequest(case=case(), seconds=0.1),
    protocol.Sense(),
    protocol.Sense(device="cuda:1"),
    protocol.Recheck(case=case()),
    protocol.Rechecked(),
    protocol.Rechecked(wrong=True, max_error=0.5, note="error 0.5", inputs_changed=True),
    protocol.Replay(case=case()),
    protocol.Replayed(device_s=2e-6),
    protocol.TimeCold(case=case()),
    protocol.ColdTimed(device_s=2e-6),
    protocol.ColdTimed(device_s=None),
    protocol.TimeFresh(case=case(), taken_bytes=2**26),
    protocol.FreshTimed(ratio=8.0, low=7.0, high=9.0),
    protocol.FreshTimed(),
    protocol.Load(case=case()),
    protocol.Loaded(gauges=(Telemetry(sm_clock_hz=1.98e9, throttle_reasons=("power-cap",)),)),
    protocol.Profile(cases=(case(), case(1)), calls=(20, 2), path="trace.json"),
    protocol.Meter(case=case()),
    protocol.Survey(device="cuda:1", seconds=13.0),
    protocol.Forget(),
    HELLO,
    protocol.Checked(correct=None, max_error=None, note="no reference", input_bytes=0),
    protocol.Checked(correct=False, max_error=math.inf, note="shapes differ", input_bytes=8),
    PREPARED,
    visited(5, 6, loops=7, started_ns=2**62),
    visited(loops=7),
    protocol.Sensed(compute_s=1e-4, barrier_s=3e-6),
    protocol.Sensed(compute_s=1e-4, barrier_s=None),
    protocol.Sensed(
        compute_s=1e-4,
        barrier_s=None,
        launch_s=5e-6,
        gauges=(Telemetry(power_w=300.0, throttle_reasons=("power-cap",)), Telemetry()),
    ),
    protocol.Profiled(),
    protocol.Metered(energy_j=0.5),
    protocol.Metered(energy_j=None, reason="no counter"),
    protocol.Surveyed(roofs=()),
    protocol.Surveyed(roofs=HERE.roofs),
    protocol.Forgotten(),
    protocol.Checked(correct=True, max_error=0.0, note="", input_bytes=8, peak_memory_bytes=2**20),
    protocol.Refused(status="failed", reason="line one\nline two"),
    protocol.Refused(status="oom", reason="no memory", input_bytes=2**62),
)


@pytest.mark.parametrize(
    "message", MESSAGES, ids=[f"{n} {type(m).__name__}" for n, m in enumerate(MESSAGES)]
)
def test_a_message_survives_its_line(
    message: protocol.WorkerRequest | protocol.WorkerReply,
) -> None:
    """One line, whatever the text in it, and the same message at the other end."""
    line = protocol.encode(message)
    assert "\n" not in line
    assert protocol.decode(line) == message


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_has_its_fields_by_name(
    message: protocol.WorkerRequest | protocol.WorkerReply,
) -> None:
    """Also those of the dataclasses in it, as the standard library has them."""
    wanted = {"kind": type(message).__name__, **dataclasses.asdict(message)}
    assert protocol.encode(message) == json.dumps(wanted)


def test_every_kind_of_message_is_tried_here() -> None:
    """A new kind needs a line above."""
    assert {type(message).__name__ for message in MESSAGES} == set(protocol._KINDS)


@given(reason=st.text())
def test_any_text_may_be_a_reason(reason: str) -> None:
    """Suites raise what they like."""
    message = protocol.Refused(status="failed", reason=reason)
    assert protocol.decode(protocol.encode(message)) == message


@pytest.mark.parametrize("line", ["{}", "[]", "3", '{"kind": "Rubbish"}', "not JSON", ""])
def test_what_is_no_message_is_refused(line: str) -> None:
    """With a ValueError, so that nobody goes on with half of one."""
    with pytest.raises(ValueError, match=r"not a message|Expecting value"):
        protocol.decode(line)


def test_workers_can_be_spoken_to_without_pyarrow() -> None:
    """Another interpreter need not have it."""
    code = "import sys, bench.pool.protocol; print(*{'pyarrow', 'pandas'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == ""
