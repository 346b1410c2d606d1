"""The worker: a fresh process that builds calls and times them, one request at a time, until its input ends.

Its environment (threads, binding) was set before it began, so before torch was imported. Between
requests it sleeps in a read; what a suite prints goes to stderr, so it can't break the conversation.
"""

from __future__ import annotations

import dataclasses
import math
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import torch

from bench.errors import SuiteError
from bench.machine.hardware import free_memory_bytes
from bench.plan import discover
from bench.plan.case import Call, Skip, with_inputs
from bench.plan.fingerprint import is_changed
from bench.plan.mode import EAGER, GRAPH
from bench.plan.plan import THREADS
from bench.plan.suite import make_case
from bench.plan.suite_imports import imports_of
from bench.pool import protocol
from bench.records import memory_policy
from bench.worker import compiled, cpu_fallback, garbage
from bench.worker.autograd_threads import free_autograd_threads
from bench.worker.c_allocator import Memory, hand_back_above
from bench.worker.cache_flush import Evictor
from bench.worker.correctness import Expectation, as_eager
from bench.worker.devices import cuda_properties, queue_of, spin_counts_cycles
from bench.worker.energy import LOOP_S, energy_per_call
from bench.worker.execution import executed
from bench.worker.failure import asked_bytes, refusal
from bench.worker.fresh_pages import time_fresh
from bench.worker.gauges import READ_EVERY_S, Gauges, read_under_load
from bench.worker.inputs import InputsTooLarge, TensorInputs
from bench.worker.peak_memory import CudaAllocator, DroppedCalls, call_peak_bytes, free_memory
from bench.worker.peak_rates import survey
from bench.worker.placement import Placement, block
from bench.worker.prepared import Instruments, prepare
from bench.worker.profiler import ProfiledCall, record_trace, warm
from bench.worker.recheck import CaseChecks
from bench.worker.sampling import calibrate, clock_cost_s
from bench.worker.sentinels import Sentinels, sense_queue
from bench.worker.tensor_tree import storage_bytes
from bench.worker.torch_info import torch_facts
from bench.worker.torch_settings import in_force
from bench.worker.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from bench.plan.discover import LoadedSuite
    from bench.plan.plan import PlannedCase
    from bench.plan.suite import Op, Suite
    from bench.worker.device_timing import QueuedDevice
    from bench.worker.devices import Device
    from bench.worker.peak_memory import Allocator
    from bench.worker.placement import InputValues
    from bench.worker.prepared import PreparedCall
    from bench.worker.sampling import Clock, Evict


_WITH_EFFECTS = protocol.Checked, protocol.Built, protocol.Prepared, protocol.Visited
_KEPT_SHARE = 1 / 64
"""Of the memory that is free when a worker begins, it keeps so much of what it freed: twenty workers a third of it."""
_PEAK_MEMORY_LIMIT_S = 10.0
"""A case whose check took longer is not called again to learn how much memory a call takes."""


class Worker:
    """Answers requests. Holds the calls it was asked to prepare until told to forget them."""

    def __init__(
        self,
        clock: Clock,
        new_evictor: Callable[[str], Evict] = Evictor.of_device,
        queue_of: Callable[[str], QueuedDevice | None] = queue_of,
        allocator_of: Callable[[str], Allocator] = CudaAllocator,
        gauges: Gauges | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._clock = clock
        self._queue_of = queue_of
        self._allocator_of = allocator_of
        self._new_evictor = new_evictor
        self._gauges = gauges or Gauges()
        self._memory = memory or Memory()
        self._most_kept_bytes = free_memory_bytes() * _KEPT_SHARE
        self._clock_s = clock_cost_s(clock)
        self._suites: dict[str, LoadedSuite] = {}
        self._set_by_file: dict[str, list[str]] = {}
        self._watch = Watch()
        self._compiler = compiled.Compiler()
        self._instruments: dict[str, Instruments] = {}
        self._calls: dict[tuple[str, str], PreparedCall] = {}
        self._placements: dict[tuple[str, str], Placement] = {}
        self._draw = Random()  # noqa: S311 - a place, not a secret
        self._dropped = DroppedCalls()
        self._checks = CaseChecks(clock)
        self._threads = torch.get_num_threads()
        self._sentinels = Sentinels(self._threads)
        self._has_profiled = False
        self._answers = self._answering()

    def _answering(self) -> Mapping[type[Any], Callable[[Any], protocol.WorkerReply]]:
        """Kind of request → what answers it."""
        return {
            protocol.Check: self._check,
            protocol.Build: self._place,
            protocol.StartCompiler: self._start_compiler,
            protocol.Prepare: self._prepare,
            protocol.Recheck: self._recheck,
            protocol.VisitRequest: self._visit,
            protocol.Replay: lambda asked: self._call(asked.case).replay(self._clock),
            protocol.TimeCold: self._time_cold,
            protocol.TimeFresh: self._time_fresh,
            protocol.Load: self._load,
            protocol.Sense: self._sense,
            protocol.Meter: self._meter,
            protocol.Profile: self._profile,
            protocol.Survey: lambda asked: survey(asked, self._on(asked.device).queue, self._clock),
            protocol.Forget: self._forget,
        }

    def hello(self) -> protocol.Hello:
        """The first message of a worker: its torch, and the devices that it sees."""
        devices = cuda_properties()
        return protocol.Hello(
            torch=torch_facts(),
            device_names={device: str(known.name) for device, known in devices.items()},
            device_memory_bytes={device: known.total_memory for device, known in devices.items()},
            memory=self._memory.policy,
            memory_note=self._memory.note,
        )

    def answer(self, request: protocol.WorkerRequest) -> protocol.WorkerReply:
        """The reply to a request; whatever a suite's code raises becomes a refusal with its reason."""
        reply = self._attempt(request)
        if isinstance(reply, protocol.Refused) and reply.status == "oom":
            if case := getattr(request, "case", None):
                self._calls.pop(case.key, None)
                self._placements.pop(case.key, None)
            free_memory()  # not before: the exception held the frames that held tensors
        return reply

    def _attempt(self, request: protocol.WorkerRequest) -> protocol.WorkerReply:
        case: PlannedCase | None = getattr(request, "case", None)
        try:
            with (
                _imports_of(case),
                in_force(case.labels if case else {}, self._watch.state),
                self._watch.over_request(),
            ):
                reply = self._answers[type(request)](request)
        except Skip as skip:
            return protocol.Refused(status="skipped", reason=str(skip) or "the op gave no reason")
        except Exception as error:  # noqa: BLE001 - guests may raise anything; the run goes on
            return refusal(error)
        if isinstance(reply, _WITH_EFFECTS):
            return dataclasses.replace(reply, effects=self._watch.effects())
        return reply

    def _on(self, device: str) -> Instruments:
        """The instruments of a device."""
        if device not in self._instruments:
            self._instruments[device] = Instruments(
                device, self._clock, self._queue_of(device), self._evictor
            )
        return self._instruments[device]

    def _evictor(self, device: str) -> Evict:
        """What empties the caches of all of this worker's threads, whichever case asks first and however many it has."""
        with torch.inference_mode(mode=False), in_force({THREADS: str(self._threads)}):
            return self._new_evictor(device)

    def _call(self, case: PlannedCase) -> PreparedCall:
        """The prepared call of a case."""
        return self._calls[case.key]

    def _forget(self, _: protocol.Forget) -> protocol.Forgotten:
        devices = {device for _, device in self._calls}
        self._calls.clear()
        self._placements.clear()
        self._checks.forget()
        compiled.forget()
        self._dropped.free(devices)
        return protocol.Forgotten()

    def _start_compiler(self, asked: protocol.StartCompiler) -> protocol.CompilerStarted:
        self._compiler.start(asked.device)
        return protocol.CompilerStarted()

    def _check(self, asked: protocol.Check) -> protocol.Checked | protocol.Refused:
        case = asked.case
        compiled.forget()
        try:
            op, call = self._build(case, asked.input_limit_bytes)
        except (InputsTooLarge, RuntimeError) as error:
            size = asked_bytes(error)
            if size is None:
                raise
            return dataclasses.replace(refusal(error), input_bytes=size)
        input_bytes = storage_bytes([call.args, call.kwargs])
        garbage.settle()
        started = self._clock()
        expected = Expectation.of(op, case)
        if case.mode != EAGER:
            eager = dataclasses.replace(case, mode=EAGER)
            expected = as_eager(expected, lambda: self._build(eager)[1])
        with self._watch.over_call():
            with cpu_fallback.refused(case.device):
                result = self._checks.first(case.key, call, expected)
            spent_s = (self._clock() - started) * 1e-9
            quick = spent_s <= _PEAK_MEMORY_LIMIT_S
            alone = quick and not call.setup  # whose inputs one call uses up
            peak, note = (
                call_peak_bytes(call, case.device, self._allocator_of) if alone else (None, "")
            )
            self._watch.leaves_cycles = quick and garbage.leaves_cycles(call)
        return protocol.Checked(
            correct=result.correct,
            max_error=result.max_error,
            note=result.note or note,
            input_bytes=input_bytes,
            call_s=result.call_s,
            peak_memory_bytes=peak,
        )

    def _prepare(self, asked: protocol.Prepare) -> protocol.Prepared:
        case = asked.case
        if case.key not in self._placements:
            self._place(asked)
        placement = self._placements[case.key]
        self._calls[case.key], reply = prepare(
            placement.call,
            lambda: self._build(case)[1],
            asked,
            self._on(case.device),
            self._clock_s,
        )
        if not self._calls[case.key].movable or self._watch.effects().compiled:
            placement.fix()
        return reply

    def _place(self, asked: protocol.Build | protocol.Prepare) -> protocol.Built:
        """Build a case's call, and keep its values to build it elsewhere from."""
        case = asked.case
        compiled.forget()
        quiet = False

        def build(values: InputValues) -> Call:
            return self._build(case, values=values, watched=not quiet)[1]

        placement = Placement(build, partial(block, device=case.device), self._draw, self._clock)
        seen = self._watch.effects()
        quiet = not (seen.state_changed or seen.python_warnings)
        self._checks.prepared(case.key, placement.call)
        if seen.compiled or case.is_compiled or case.mode == GRAPH:
            placement.fix()
        self._placements[case.key] = placement
        return protocol.Built()

    def _visit(self, asked: protocol.VisitRequest) -> protocol.Visited:
        """Samples of a prepared case, in a place that is drawn for this visit."""
        key = asked.case.key
        same = partial(self._checks.same_inputs, key)
        reuses = self._memory.policy == memory_policy.REUSE
        with self._placements[key].drawn(asked.seconds, same) as call:
            made = self._calls[key] = self._calls[key].at(call)
            return made.visit(asked.seconds, self._clock, reuses=reuses)

    def _recheck(self, asked: protocol.Recheck) -> protocol.Rechecked:
        case = asked.case
        op = self._suites[case.suite_path].suite.ops[case.op]
        call = self._call(case).call
        return self._checks.again(case.key, call, Expectation.of(op, case), in_place=op.in_place)

    def _sense(self, asked: protocol.Sense) -> protocol.Sensed:
        """The times of a device's sentinels now: the CPU's, or those of its queue.

        Raises:
            Skip: a spin says nothing of the device's clock, and nothing may be converted by it.
        """
        queue = self._on(asked.device).queue
        if self._memory.policy == memory_policy.REUSE:  # here, since visits are ten times as many
            hand_back_above(self._most_kept_bytes)
        if queue is None:
            return self._sentinels.sense(self._clock)
        if not spin_counts_cycles(asked.device):
            message = f"a spin on {asked.device} counts a clock that never changes its rate"
            raise Skip(message)
        return sense_queue(queue, self._clock, lambda: self._gauges.read(asked.device))

    def _profile(self, request: protocol.Profile) -> protocol.Profiled | protocol.Refused:
        """A second profile of a process would lack records, so there is none."""
        if self._has_profiled:
            reason = "this worker has profiled before; a profile needs a fresh one"
            return protocol.Refused(status="failed", reason=reason)
        self._has_profiled = True
        name = request.cases[0].device
        device = self._on(name).device
        profiled = [
            ProfiledCall(call=self._warm(case, device), calls=calls, labels=case.labels)
            for case, calls in zip(request.cases, request.calls, strict=True)
        ]
        record_trace(profiled, name, device, request.path)
        return protocol.Profiled()

    def _warm(self, case: PlannedCase, device: Device) -> Call:
        """The call of a case: the one that is prepared, or one that is built and warmed up now."""
        if case.key in self._calls:
            return self._calls[case.key].call
        with _imports_of(case), in_force(case.labels, self._watch.state):
            _, call = self._build(case)
            warm(call, device, self._clock)
        return call

    def _time_cold(self, asked: protocol.TimeCold) -> protocol.ColdTimed:
        """The device's own time of a prepared call with cold caches."""
        evict = self._on(asked.case.device).evict
        return self._call(asked.case).time_cold(evict, self._clock)

    def _time_fresh(self, asked: protocol.TimeFresh) -> protocol.FreshTimed:
        """How many times as long a prepared call takes in fresh memory."""
        call = self._call(asked.case).call
        return time_fresh(call, asked.taken_bytes, self._clock, self._clock_s)

    def _load(self, asked: protocol.Load) -> protocol.Loaded:
        """The telemetry of a device while it works on a prepared call."""
        call, device = self._call(asked.case).call, self._call(asked.case).device
        call = Call(call) if call.setup else call  # whose inputs are then made within
        loops, _ = calibrate(call, READ_EVERY_S, device, self._clock)
        gauges = read_under_load(
            call, loops, device, lambda: self._gauges.read(asked.case.device), self._clock
        )
        return protocol.Loaded(gauges=gauges)

    def _meter(self, asked: protocol.Meter) -> protocol.Metered:
        """The energy of a prepared call, by the counter of its device."""
        call, device = self._call(asked.case).call, self._call(asked.case).device
        if call.setup:
            return protocol.Metered(energy_j=None, reason="its fresh inputs take energy too")
        loops, _ = calibrate(call, LOOP_S, device, self._clock)
        return energy_per_call(
            call, loops, device, lambda: self._gauges.energy_total_j(asked.case.device), self._clock
        )

    def _build(
        self,
        planned: PlannedCase,
        input_limit_bytes: float = math.inf,
        values: InputValues | None = None,
        *,
        watched: bool = True,
    ) -> tuple[Op, Call]:
        """Build a case's call; one that did nothing beside at first is watched over its whole request only."""
        suite = self._suite(planned.suite_path)
        if planned.device.startswith("cuda"):
            free_autograd_threads(planned.device)
        loaded = self._suites[planned.suite_path]
        if is_changed(loaded, planned):
            message = f"{loaded.path} was changed after the run began, and with it this op"
            raise SuiteError(message)
        op = suite.ops[planned.op]
        case = make_case(suite, op, planned.labels, planned.device)
        inputs = TensorInputs(case.id, case.device, case.dtype_name, input_limit_bytes, values)
        with self._watch.over_build() if watched else nullcontext():
            build = partial(op.build, with_inputs(case, inputs))
            call: Any = executed(
                build, planned.mode, planned.device, self._on(planned.device).queue
            )
        if not isinstance(call, Call):
            message = (
                f"op {op.name!r} returned {type(call).__name__}, not a Call; "
                "write: return Call(function, argument, …)"
            )
            raise SuiteError(message)
        return op, call

    def _suite(self, path: str) -> Suite:
        """The suite of a file. What the file sets is undone when it is loaded, so that its cases don't differ by their order."""
        if path not in self._suites:
            with self._watch.over_file() as changed:
                self._suites[path] = discover.load(Path(path))
            self._set_by_file[path] = changed
        self._watch.note(self._set_by_file[path])
        return self._suites[path].suite


def _imports_of(case: PlannedCase | None) -> AbstractContextManager[None]:
    """The imports of the case's suite, which its functions may make at any call."""
    return imports_of(Path(case.suite_path)) if case else nullcontext()
