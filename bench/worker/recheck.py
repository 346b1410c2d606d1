"""Recheck: the result of a case looked at again after its timing, on what the calls left of their inputs.

A case is checked once before it is timed. Where inputs and result are still the same, by their digests, that
holds; else the result is compared anew, with what it must be for the inputs as they are now.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from bench.pool.protocol import Rechecked
from bench.worker.correctness import check
from bench.worker.execution import TimedCall
from bench.worker.tensor_tree import tensors_in
from bench.worker.value_digest import digest

if TYPE_CHECKING:
    from bench.plan.case import Call
    from bench.worker.correctness import Correctness, Expectation
    from bench.worker.sampling import Clock

    Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Digests of a case's inputs and of its result, at its first check."""

    inputs: int
    result: int
    correct: bool | None


class CaseChecks:
    """The checks of a worker's cases, before and after their timing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[Key, _Seen] = {}
        self._prepared: dict[Key, int] = {}
        self._bare: dict[Key, list[bool]] = {}
        """Which leaves had no gradient before the timing."""

    def first(self, key: Key, call: Call, expected: Expectation) -> Correctness:
        """Check a case before it is timed; a call with a `setup` is given the inputs of one call."""
        once = call.fresh()
        before = digest(_inputs(once))
        timed = TimedCall(once, self._clock)
        found = check(timed, expected)
        self._seen[key] = _Seen(inputs=before, result=digest(found.result), correct=found.correct)
        return dataclasses.replace(found, call_s=timed.took_s)

    def prepared(self, key: Key, call: Call) -> None:
        """Note the inputs of a call that is about to be timed; only where the case was checked in this worker."""
        if key in self._seen:
            self._prepared[key] = digest(_inputs(call.fresh()))
            self._bare[key] = [leaf.grad is None for leaf in _leaves(call)]

    def same_inputs(self, key: Key, call: Call) -> bool:
        """Whether a call has the inputs that were noted; also where none were."""
        before = self._prepared.get(key)
        return before is None or before == digest(_inputs(call.fresh()))

    def forget(self) -> None:
        """Forget the inputs of calls that are there no more."""
        self._prepared.clear()
        self._bare.clear()

    def _clear(self, key: Key, call: Call) -> None:
        """Take away the gradients that were not there before the timing: the reference speaks of a first call."""
        for leaf, was_bare in zip(_leaves(call), self._bare.get(key, ()), strict=False):
            if was_bare:
                leaf.grad = None

    def again(self, key: Key, call: Call, expected: Expectation, *, in_place: bool) -> Rechecked:
        """Check a case after it was timed; gradients that its calls added up are left out of the comparison.

        Args:
            key: of the case.
            call: that was timed.
            expected: of its result.
            in_place: whether it is to write to its inputs; they count as changed only where its result then
                shows nothing any more, as when they decayed to zero or grew to infinity.
        """
        once = call.fresh()
        self._clear(key, once)
        seen, before = self._seen.get(key), self._prepared.get(key)
        now = digest(_inputs(once))
        changed = before is not None and before != now
        same = seen is not None and before == now == seen.inputs
        if seen and same and digest(once()) == seen.result:
            return Rechecked()
        self._clear(key, once)
        found = check(call.fresh() if same else once, expected)
        lost = bool(seen and seen.correct and found.correct is None)
        return Rechecked(
            wrong=found.correct is False,
            max_error=found.max_error,
            note=found.note,
            inputs_changed=changed and (lost or not in_place),
        )


def _leaves(call: Call) -> list[torch.Tensor]:
    """The tensors that may collect a gradient: among the arguments, and the parameters of modules there."""
    given = [
        call.function,
        getattr(call.function, "__self__", None),
        *call.args,
        *call.kwargs.values(),
    ]
    modules = [one for one in given if isinstance(one, torch.nn.Module)]
    tensors = [*tensors_in([call.args, call.kwargs]), *(p for m in modules for p in m.parameters())]
    return [one for one in tensors if one.is_leaf and one.requires_grad]


def _inputs(call: Call) -> list[Any]:
    """What a call is given, but for memory that is there for its result."""
    return [call.args, {name: value for name, value in call.kwargs.items() if name != "out"}]
