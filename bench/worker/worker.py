"""A fresh process that builds calls and times them, one request at a time, until its input ends.

Its environment (threads, binding) was set before it began, so before torch was imported. Between
requests it sleeps in a read; what a suite prints goes to stderr, so it can't break the conversation.
"""

from __future__ import annotations

import dataclasses
import gc
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from bench.errors import SuiteError
from bench.plan import discover
from bench.plan.case import Call, Skip, with_inputs
from bench.plan.suite import make_case
from bench.pool import protocol
from bench.records.record import COLD
from bench.worker.autograd_threads import free_autograd_threads
from bench.worker.cache_flush import Evictor
from bench.worker.correctness import check
from bench.worker.device_timing import Sampler
from bench.worker.devices import device_of, memory_of_devices, names_of_devices, queue_of
from bench.worker.drain import UNCERTAINTY_SHARE, measure_drain
from bench.worker.energy import LOOP_S, energy_per_call
from bench.worker.failure import asked_bytes, refusal
from bench.worker.gauges import READ_EVERY_S, Gauges, read_under_load
from bench.worker.inputs import InputsTooLarge, TensorInputs, storage_bytes
from bench.worker.peak_memory import CudaAllocator, call_peak_bytes, free_memory
from bench.worker.peak_rates import survey
from bench.worker.prepared import Ready
from bench.worker.profiler import Watched, record_trace, warm
from bench.worker.sampling import (
    Overhead,
    calibrate,
    clock_cost_s,
    measure_cold_overhead,
    measure_overhead,
    take_sample,
    warm_up,
)
from bench.worker.sentinels import Sentinels, sense_queue
from bench.worker.torch_info import torch_facts
from bench.worker.torch_settings import in_force, precision_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.plan.discover import LoadedSuite
    from bench.plan.plan import PlannedCase
    from bench.plan.suite import Op
    from bench.worker.device_timing import QueuedDevice, QueueTiming
    from bench.worker.devices import Device
    from bench.worker.drain import Drain
    from bench.worker.peak_memory import Allocator
    from bench.worker.sampling import Clock, Evict

_COLD_S = 2.0
"""A first call may take this long because libraries are loaded and threads or a GPU's context made;
beyond that it is slow by itself, and need not be made again to learn that one call fills a sample."""
_QUEUE_SAMPLE_S = 1e-3
"""On a device with a queue a sample is at least so long: what draining it takes is then a hundredth, and how
far that is uncertain a third of that."""
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
    ) -> None:
        self._clock = clock
        self._queue_of = queue_of
        self._allocator_of = allocator_of
        self._new_evictor = new_evictor
        self._evictors: dict[str, Evict] = {}
        self._drains: dict[str, Drain] = {}
        self._hertz: dict[str, float] = {}
        self._clock_s = clock_cost_s(clock)
        self._suites: dict[str, LoadedSuite] = {}
        self._calls: dict[tuple[str, str], Ready] = {}
        self._sentinels = Sentinels(torch.get_num_threads())
        self._gauges = gauges or Gauges()
        self._has_profiled = False
        self._answers: Mapping[type[Any], Callable[[Any], protocol.Reply]] = {
            protocol.Check: lambda asked: self._check(asked.case, asked.most_input_bytes),
            protocol.Prepare: self._prepare,
            protocol.VisitRequest: lambda asked: self._calls[asked.case.key].visit(
                asked.seconds, clock
            ),
            protocol.Replay: lambda asked: self._calls[asked.case.key].replay(clock),
            protocol.TimeCold: lambda asked: self._calls[asked.case.key].time_cold(
                self._evictor(asked.case.device), clock
            ),
            protocol.Load: lambda asked: self._load(asked.case),
            protocol.Sense: lambda asked: self._sense(asked.device),
            protocol.Meter: lambda asked: self._meter(asked.case),
            protocol.Profile: self._profile,
            protocol.Survey: lambda asked: survey(asked, queue_of(asked.device), clock),
            protocol.Forget: self._forget,
        }

    def hello(self) -> protocol.Hello:
        """Who is here."""
        return protocol.Hello(
            torch=torch_facts(),
            device_names=names_of_devices(),
            device_memory_bytes=memory_of_devices(),
        )

    def answer(self, request: protocol.Request) -> protocol.Reply:
        """The reply to a request; whatever a suite's code raises becomes a refusal with its reason."""
        reply = self._attempt(request)
        if isinstance(reply, protocol.Refused) and reply.status == "oom":
            if isinstance(request, protocol.Check | protocol.Prepare | protocol.VisitRequest):
                self._calls.pop(request.case.key, None)
            free_memory()  # not before: the exception held the frames that held tensors
        return reply

    def _attempt(self, request: protocol.Request) -> protocol.Reply:
        case: PlannedCase | None = getattr(request, "case", None)
        try:
            with in_force(case.labels if case else {}):
                return self._answers[type(request)](request)
        except Skip as skip:
            return protocol.Refused(status="skipped", reason=str(skip) or "the op gave no reason")
        except Exception as error:  # noqa: BLE001 - guests may raise anything; the run goes on
            return refusal(error)

    def _forget(self, _: protocol.Forget) -> protocol.Forgotten:
        self._calls.clear()
        free_memory()
        return protocol.Forgotten()

    def _check(self, case: PlannedCase, room_bytes: float) -> protocol.Checked | protocol.Refused:
        try:
            op, call = self._build(case, room_bytes)
        except (InputsTooLarge, RuntimeError) as error:
            asked = asked_bytes(error)
            if asked is None:
                raise
            return dataclasses.replace(refusal(error), input_bytes=asked)
        input_bytes = storage_bytes([call.args, call.kwargs])
        started = self._clock()
        result = check(call, op.reference_of, precision_of(case.labels, case.dtype))
        quick = self._clock() - started <= _PEAK_MEMORY_LIMIT_S * 1e9
        peak, note = call_peak_bytes(call, case.device, self._allocator_of) if quick else (None, "")
        return protocol.Checked(
            correct=result.correct,
            max_error=result.max_error,
            note=result.note or note,
            input_bytes=input_bytes,
            peak_memory_bytes=peak,
        )

    def _prepare(self, request: protocol.Prepare) -> protocol.Prepared:
        case, sample_s = request.case, request.sample_s
        _, call = self._build(case)
        gc.collect()
        queue = self._queue_of(case.device)
        device = queue or device_of(case.device)
        if queue:
            sample_s = max(sample_s, _QUEUE_SAMPLE_S)
        _, first = take_sample(call, 1, device, self._clock)
        first_s = first * 1e-9
        settled = True
        if first_s > max(sample_s, _COLD_S):
            loops, call_s = 1, first_s
        else:
            settled = warm_up(call, device, self._clock)
            loops, call_s = calibrate(call, sample_s, device, self._clock)
        evict = self._evictor(case.device) if request.cache == COLD else None
        sampler = self._sampler(case.device, call, queue, evict) if queue else None
        self._calls[case.key] = Ready(
            call=call,
            device=device,
            loops=loops,
            evict=evict,
            sampler=sampler,
            build=lambda: self._build(case)[1],
        )
        loops = 1 if evict else loops
        seen = sampler.sample() if sampler and sampler.work == protocol.QUEUED else None
        overhead = self._overhead(call, evict, seen)
        drain_s = (
            self._drain(case.device, queue).after(sampler.work, seen) if queue and sampler else 0.0
        )
        return protocol.Prepared(
            first_call_s=first_s,
            call_s=call_s,
            loops=loops,
            settled=settled,
            clock_s=self._clock_s,
            overhead_s=overhead.call_s,
            overhead_uncertainty_s=math.hypot(
                overhead.uncertainty_s, UNCERTAINTY_SHARE * drain_s / loops
            ),
            drain_s=drain_s,
            work=sampler.work if sampler else "",
        )

    def _sense(self, device: str) -> protocol.Sensed:
        """What the sentinels of a device take now: the CPU's, or those of its queue."""
        queue = self._queue_of(device)
        if queue is None:
            return self._sentinels.sense(self._clock)
        return sense_queue(queue, self._clock, lambda: self._gauges.read(device))

    def _evictor(self, device: str) -> Evict:
        """What empties a device's caches; made when it is first asked for, since it takes memory."""
        if device not in self._evictors:
            self._evictors[device] = self._new_evictor(device)
        return self._evictors[device]

    def _profile(self, request: protocol.Profile) -> protocol.Profiled | protocol.Refused:
        """A second profile of a process would lack records, so there is none."""
        if self._has_profiled:
            reason = "this worker has profiled before; a profile needs a fresh one"
            return protocol.Refused(status="failed", reason=reason)
        self._has_profiled = True
        name = request.cases[0].device
        device = self._queue_of(name) or device_of(name)
        watched = [
            Watched(call=self._warm(case, device), calls=calls, labels=case.labels)
            for case, calls in zip(request.cases, request.calls, strict=True)
        ]
        record_trace(watched, name, device, request.path)
        return protocol.Profiled()

    def _warm(self, case: PlannedCase, device: Device) -> Call:
        """The call of a case: the one that is prepared, or one that is built and warmed up now."""
        if case.key in self._calls:
            return self._calls[case.key].call
        with in_force(case.labels):
            _, call = self._build(case)
            warm(call, device, self._clock)
        return call

    def _load(self, case: PlannedCase) -> protocol.Loaded:
        """The gauges of a device while it works on a prepared call."""
        ready = self._calls[case.key]
        loops, _ = calibrate(ready.call, READ_EVERY_S, ready.device, self._clock)
        return protocol.Loaded(
            gauges=read_under_load(
                ready.call,
                loops,
                ready.device,
                lambda: self._gauges.read(case.device),
                self._clock,
            )
        )

    def _meter(self, case: PlannedCase) -> protocol.Metered:
        """The energy of a prepared call, by the counter of its device."""
        ready = self._calls[case.key]
        loops, _ = calibrate(ready.call, LOOP_S, ready.device, self._clock)
        found = energy_per_call(
            ready.call,
            loops,
            ready.device,
            lambda: self._gauges.energy_total_j(case.device),
            self._clock,
        )
        return protocol.Metered(energy_j=found.energy_j, power_w=found.power_w, reason=found.reason)

    def _sampler(
        self, device: str, call: Call, queue: QueuedDevice, evict: Evict | None
    ) -> Sampler:
        """What takes samples on the queue; the device's clock is measured once, it takes 5 ms."""
        sampler = Sampler(call, queue, self._clock, evict, self._hertz.get(device))
        self._hertz[device] = sampler.hertz
        return sampler

    def _drain(self, device: str, queue: QueuedDevice) -> Drain:
        """What draining a device's queue takes; measured once."""
        if device not in self._drains:
            self._drains[device] = measure_drain(queue, self._clock)
        return self._drains[device]

    def _overhead(self, call: Call, evict: Evict | None, seen: QueueTiming | None) -> Overhead:
        """What an empty call of the same shape costs, timed as the samples will be.

        Nothing where the device takes longer for a call than submitting it does: the loop then runs
        while the device works.
        """
        if seen and seen.device_s > seen.host_s:
            return Overhead(call_s=0.0, uncertainty_s=0.0)
        if evict is None or seen:
            return measure_overhead(call, self._clock_s, self._clock)
        return measure_cold_overhead(call, self._clock_s, self._clock, evict)

    def _build(self, planned: PlannedCase, room_bytes: float = math.inf) -> tuple[Op, Call]:
        if planned.suite_path not in self._suites:
            self._suites[planned.suite_path] = discover.load(Path(planned.suite_path))
        if planned.device.startswith("cuda"):
            free_autograd_threads(planned.device)
        suite = self._suites[planned.suite_path].suite
        op = suite.ops[planned.op]
        case = make_case(suite, op, planned.labels, planned.device)
        inputs = TensorInputs(case.id, case.device, case.dtype_name, room_bytes)
        call: Any = op.build(with_inputs(case, inputs))
        if not isinstance(call, Call):
            message = (
                f"op {op.name!r} returned {type(call).__name__}, not a Call; "
                "write: return Call(function, argument, …)"
            )
            raise SuiteError(message)
        return op, call
